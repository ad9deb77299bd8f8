using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TaskScheduler.Jobs.Data.Migrations.PostgreSql
{
    /// <inheritdoc />
    public partial class UniqueKeyNames : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "IX_SharedKeys_Name",
                schema: "scheduler",
                table: "SharedKeys",
                column: "Name",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_SharedKeys_Name",
                schema: "scheduler",
                table: "SharedKeys");
        }
    }
}
