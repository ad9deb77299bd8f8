using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TaskScheduler.Jobs.Data.Migrations.SqlServer
{
    /// <inheritdoc />
    public partial class ListsByKindAndState : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Tasks_CreatedAt",
                schema: "scheduler",
                table: "Tasks");

            migrationBuilder.DropIndex(
                name: "IX_Tasks_FinishedAt",
                schema: "scheduler",
                table: "Tasks");

            migrationBuilder.DropIndex(
                name: "IX_Tasks_Pending",
                schema: "scheduler",
                table: "Tasks");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_FinishedAt",
                schema: "scheduler",
                table: "Tasks",
                column: "FinishedAt",
                filter: "[FinishedAt] IS NOT NULL AND [DeletedAt] IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Kind_State_CreatedAt_Sequence",
                schema: "scheduler",
                table: "Tasks",
                columns: new[] { "Kind", "State", "CreatedAt", "Sequence" });

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Pending",
                schema: "scheduler",
                table: "Tasks",
                columns: new[] { "DueAt", "Sequence" },
                filter: "[State] = N'Pending'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_Tasks_FinishedAt",
                schema: "scheduler",
                table: "Tasks");

            migrationBuilder.DropIndex(
                name: "IX_Tasks_Kind_State_CreatedAt_Sequence",
                schema: "scheduler",
                table: "Tasks");

            migrationBuilder.DropIndex(
                name: "IX_Tasks_Pending",
                schema: "scheduler",
                table: "Tasks");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_CreatedAt",
                schema: "scheduler",
                table: "Tasks",
                column: "CreatedAt");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_FinishedAt",
                schema: "scheduler",
                table: "Tasks",
                column: "FinishedAt",
                filter: "[FinishedAt] IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Pending",
                schema: "scheduler",
                table: "Tasks",
                column: "DueAt",
                filter: "[State] = N'Pending'");
        }
    }
}
