using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TaskScheduler.Jobs.Data.Migrations.Embedded
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "IdempotencyKeys",
                columns: table => new
                {
                    Id = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    Request = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    CreatedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    TaskIds = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_IdempotencyKeys", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "Instances",
                columns: table => new
                {
                    Id = table.Column<string>(type: "TEXT", nullable: false),
                    Name = table.Column<string>(type: "TEXT", maxLength: 256, nullable: false),
                    ServerId = table.Column<string>(type: "TEXT", maxLength: 512, nullable: true),
                    Slots = table.Column<int>(type: "INTEGER", nullable: false),
                    SeenAt = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Instances", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "PausedKinds",
                columns: table => new
                {
                    Kind = table.Column<string>(type: "TEXT", maxLength: 16, nullable: false),
                    PausedAt = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_PausedKinds", x => x.Kind);
                });

            migrationBuilder.CreateTable(
                name: "Tasks",
                columns: table => new
                {
                    Sequence = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Id = table.Column<string>(type: "TEXT", nullable: false),
                    Kind = table.Column<string>(type: "TEXT", maxLength: 16, nullable: false),
                    State = table.Column<string>(type: "TEXT", maxLength: 16, nullable: false),
                    ExecuteAt = table.Column<long>(type: "INTEGER", nullable: false),
                    DueAt = table.Column<long>(type: "INTEGER", nullable: false),
                    Label = table.Column<string>(type: "TEXT", maxLength: 200, nullable: true),
                    ExpireAt = table.Column<long>(type: "INTEGER", nullable: true),
                    StartBy = table.Column<long>(type: "INTEGER", nullable: true),
                    CreatedAt = table.Column<long>(type: "INTEGER", nullable: false),
                    StartedAt = table.Column<long>(type: "INTEGER", nullable: true),
                    FinishedAt = table.Column<long>(type: "INTEGER", nullable: true),
                    DeletedAt = table.Column<long>(type: "INTEGER", nullable: true),
                    Attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    Tries = table.Column<int>(type: "INTEGER", nullable: false),
                    Instance = table.Column<string>(type: "TEXT", maxLength: 256, nullable: true),
                    InstanceId = table.Column<string>(type: "TEXT", nullable: true),
                    ClaimToken = table.Column<string>(type: "TEXT", nullable: true),
                    Output = table.Column<string>(type: "TEXT", maxLength: 256, nullable: true),
                    Error = table.Column<string>(type: "TEXT", maxLength: 2048, nullable: true),
                    Version = table.Column<int>(type: "INTEGER", nullable: false, defaultValue: 1),
                    IsShown = table.Column<bool>(type: "INTEGER", nullable: false, defaultValue: false),
                    JobId = table.Column<string>(type: "TEXT", maxLength: 64, nullable: true),
                    JobState = table.Column<string>(type: "TEXT", maxLength: 16, nullable: true),
                    JobStorageId = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Tasks", x => x.Sequence);
                });

            migrationBuilder.CreateIndex(
                name: "IX_IdempotencyKeys_CreatedAt",
                table: "IdempotencyKeys",
                column: "CreatedAt");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_DeletedAt",
                table: "Tasks",
                column: "DeletedAt",
                filter: "\"DeletedAt\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_FinishedAt",
                table: "Tasks",
                column: "FinishedAt",
                filter: "\"FinishedAt\" IS NOT NULL AND \"DeletedAt\" IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Id",
                table: "Tasks",
                column: "Id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Kind_State_CreatedAt_Sequence",
                table: "Tasks",
                columns: new[] { "Kind", "State", "CreatedAt", "Sequence" });

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Kind_State_ExecuteAt_Sequence",
                table: "Tasks",
                columns: new[] { "Kind", "State", "ExecuteAt", "Sequence" });

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Label_Kind_State_CreatedAt_Sequence",
                table: "Tasks",
                columns: new[] { "Label", "Kind", "State", "CreatedAt", "Sequence" },
                filter: "\"Label\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Label_Kind_State_ExecuteAt_Sequence",
                table: "Tasks",
                columns: new[] { "Label", "Kind", "State", "ExecuteAt", "Sequence" },
                filter: "\"Label\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_NotShown",
                table: "Tasks",
                column: "Sequence",
                filter: "NOT \"IsShown\"");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Pending",
                table: "Tasks",
                columns: new[] { "DueAt", "Sequence" },
                filter: "\"State\" = 'Pending'");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Running",
                table: "Tasks",
                column: "InstanceId",
                filter: "\"State\" = 'Running'");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_StartBy",
                table: "Tasks",
                column: "StartBy",
                filter: "\"StartBy\" IS NOT NULL AND \"State\" = 'Pending'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "IdempotencyKeys");

            migrationBuilder.DropTable(
                name: "Instances");

            migrationBuilder.DropTable(
                name: "PausedKinds");

            migrationBuilder.DropTable(
                name: "Tasks");
        }
    }
}
