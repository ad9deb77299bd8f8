using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TaskScheduler.Jobs.Data.Migrations.SqlServer
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "scheduler");

            migrationBuilder.CreateTable(
                name: "IdempotencyKeys",
                schema: "scheduler",
                columns: table => new
                {
                    Id = table.Column<string>(type: "nvarchar(64)", maxLength: 64, nullable: false),
                    Request = table.Column<string>(type: "nvarchar(64)", maxLength: 64, nullable: false),
                    CreatedAt = table.Column<DateTimeOffset>(type: "datetimeoffset(3)", precision: 3, nullable: false),
                    TaskIds = table.Column<string>(type: "nvarchar(max)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_IdempotencyKeys", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "Instances",
                schema: "scheduler",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "uniqueidentifier", nullable: false),
                    Name = table.Column<string>(type: "nvarchar(256)", maxLength: 256, nullable: false),
                    ServerId = table.Column<string>(type: "nvarchar(512)", maxLength: 512, nullable: true),
                    Slots = table.Column<int>(type: "int", nullable: false),
                    SeenAt = table.Column<DateTimeOffset>(type: "datetimeoffset(3)", precision: 3, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Instances", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "PausedKinds",
                schema: "scheduler",
                columns: table => new
                {
                    Kind = table.Column<string>(type: "nvarchar(16)", maxLength: 16, nullable: false),
                    PausedAt = table.Column<DateTimeOffset>(type: "datetimeoffset(3)", precision: 3, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_PausedKinds", x => x.Kind);
                });

            migrationBuilder.CreateTable(
                name: "SharedKeys",
                schema: "scheduler",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("SqlServer:Identity", "1, 1"),
                    Name = table.Column<string>(type: "nvarchar(256)", maxLength: 256, nullable: false),
                    Xml = table.Column<string>(type: "nvarchar(max)", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_SharedKeys", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "Tasks",
                schema: "scheduler",
                columns: table => new
                {
                    Sequence = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("SqlServer:Identity", "1, 1"),
                    Id = table.Column<Guid>(type: "uniqueidentifier", nullable: false),
                    Kind = table.Column<string>(type: "nvarchar(16)", maxLength: 16, nullable: false),
                    State = table.Column<string>(type: "nvarchar(16)", maxLength: 16, nullable: false),
                    ExecuteAt = table.Column<DateTimeOffset>(type: "datetimeoffset(3)", precision: 3, nullable: false),
                    DueAt = table.Column<DateTimeOffset>(type: "datetimeoffset(3)", precision: 3, nullable: false),
                    Label = table.Column<string>(type: "nvarchar(200)", maxLength: 200, nullable: true, collation: "Latin1_General_100_BIN2"),
                    ExpireAt = table.Column<DateTimeOffset>(type: "datetimeoffset(3)", precision: 3, nullable: true),
                    StartBy = table.Column<DateTimeOffset>(type: "datetimeoffset(3)", precision: 3, nullable: true),
                    CreatedAt = table.Column<DateTimeOffset>(type: "datetimeoffset(3)", precision: 3, nullable: false),
                    StartedAt = table.Column<DateTimeOffset>(type: "datetimeoffset(3)", precision: 3, nullable: true),
                    FinishedAt = table.Column<DateTimeOffset>(type: "datetimeoffset(3)", precision: 3, nullable: true),
                    DeletedAt = table.Column<DateTimeOffset>(type: "datetimeoffset(3)", precision: 3, nullable: true),
                    Attempt = table.Column<int>(type: "int", nullable: false),
                    Tries = table.Column<int>(type: "int", nullable: false),
                    Instance = table.Column<string>(type: "nvarchar(256)", maxLength: 256, nullable: true),
                    InstanceId = table.Column<Guid>(type: "uniqueidentifier", nullable: true),
                    ClaimToken = table.Column<Guid>(type: "uniqueidentifier", nullable: true),
                    Output = table.Column<string>(type: "nvarchar(256)", maxLength: 256, nullable: true),
                    Error = table.Column<string>(type: "nvarchar(2048)", maxLength: 2048, nullable: true),
                    Version = table.Column<int>(type: "int", nullable: false, defaultValue: 1),
                    IsShown = table.Column<bool>(type: "bit", nullable: false, defaultValue: false),
                    JobId = table.Column<string>(type: "nvarchar(64)", maxLength: 64, nullable: true),
                    JobState = table.Column<string>(type: "nvarchar(16)", maxLength: 16, nullable: true),
                    JobStorageId = table.Column<Guid>(type: "uniqueidentifier", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Tasks", x => x.Sequence);
                });

            migrationBuilder.CreateIndex(
                name: "IX_IdempotencyKeys_CreatedAt",
                schema: "scheduler",
                table: "IdempotencyKeys",
                column: "CreatedAt");

            migrationBuilder.CreateIndex(
                name: "IX_SharedKeys_Name",
                schema: "scheduler",
                table: "SharedKeys",
                column: "Name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_DeletedAt",
                schema: "scheduler",
                table: "Tasks",
                column: "DeletedAt",
                filter: "[DeletedAt] IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_FinishedAt",
                schema: "scheduler",
                table: "Tasks",
                column: "FinishedAt",
                filter: "[FinishedAt] IS NOT NULL AND [DeletedAt] IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Id",
                schema: "scheduler",
                table: "Tasks",
                column: "Id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Kind_State_CreatedAt_Sequence",
                schema: "scheduler",
                table: "Tasks",
                columns: new[] { "Kind", "State", "CreatedAt", "Sequence" });

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Kind_State_ExecuteAt_Sequence",
                schema: "scheduler",
                table: "Tasks",
                columns: new[] { "Kind", "State", "ExecuteAt", "Sequence" });

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Label_Kind_State_CreatedAt_Sequence",
                schema: "scheduler",
                table: "Tasks",
                columns: new[] { "Label", "Kind", "State", "CreatedAt", "Sequence" },
                filter: "[Label] IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Label_Kind_State_ExecuteAt_Sequence",
                schema: "scheduler",
                table: "Tasks",
                columns: new[] { "Label", "Kind", "State", "ExecuteAt", "Sequence" },
                filter: "[Label] IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_NotShown",
                schema: "scheduler",
                table: "Tasks",
                column: "Sequence",
                filter: "[IsShown] = CAST(0 AS bit)");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Pending",
                schema: "scheduler",
                table: "Tasks",
                columns: new[] { "DueAt", "Sequence" },
                filter: "[State] = N'Pending'");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_Running",
                schema: "scheduler",
                table: "Tasks",
                column: "InstanceId",
                filter: "[State] = N'Running'");

            migrationBuilder.CreateIndex(
                name: "IX_Tasks_StartBy",
                schema: "scheduler",
                table: "Tasks",
                column: "StartBy",
                filter: "[StartBy] IS NOT NULL AND [State] = N'Pending'");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "IdempotencyKeys",
                schema: "scheduler");

            migrationBuilder.DropTable(
                name: "Instances",
                schema: "scheduler");

            migrationBuilder.DropTable(
                name: "PausedKinds",
                schema: "scheduler");

            migrationBuilder.DropTable(
                name: "SharedKeys",
                schema: "scheduler");

            migrationBuilder.DropTable(
                name: "Tasks",
                schema: "scheduler");
        }
    }
}
