using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Alerts.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Handling : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "alerts_handling",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    Station = table.Column<string>(type: "TEXT", nullable: false),
                    Rule = table.Column<string>(type: "TEXT", nullable: true),
                    Thread = table.Column<string>(type: "TEXT", nullable: true),
                    Kind = table.Column<int>(type: "INTEGER", nullable: false),
                    Cause = table.Column<int>(type: "INTEGER", nullable: false),
                    EventAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    ProcessedAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    By = table.Column<string>(type: "TEXT", nullable: true),
                    Comment = table.Column<string>(type: "TEXT", nullable: true),
                    Until = table.Column<DateTime>(type: "TEXT", nullable: true),
                    AssignedTo = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_handling", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "alerts_suppressions",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    Station = table.Column<string>(type: "TEXT", nullable: false),
                    Rule = table.Column<string>(type: "TEXT", nullable: false),
                    Kind = table.Column<int>(type: "INTEGER", nullable: false),
                    Since = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Until = table.Column<DateTime>(type: "TEXT", nullable: true),
                    By = table.Column<string>(type: "TEXT", nullable: false),
                    Comment = table.Column<string>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_suppressions", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "alerts_threads",
                columns: table => new
                {
                    Thread = table.Column<string>(type: "TEXT", nullable: false),
                    AcknowledgedAt = table.Column<DateTime>(type: "TEXT", nullable: true),
                    AcknowledgedBy = table.Column<string>(type: "TEXT", nullable: true),
                    AssignedTo = table.Column<string>(type: "TEXT", nullable: true),
                    ChangedAt = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_threads", x => x.Thread);
                });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_alarms_Thread",
                table: "alerts_alarms",
                column: "Thread");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_handling_Municipality_Station_EventAt",
                table: "alerts_handling",
                columns: new[] { "Municipality", "Station", "EventAt" });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_handling_Thread",
                table: "alerts_handling",
                column: "Thread");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_suppressions_Municipality_Station_Rule_Kind",
                table: "alerts_suppressions",
                columns: new[] { "Municipality", "Station", "Rule", "Kind" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_alerts_threads_ChangedAt",
                table: "alerts_threads",
                column: "ChangedAt");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "alerts_handling");

            migrationBuilder.DropTable(
                name: "alerts_suppressions");

            migrationBuilder.DropTable(
                name: "alerts_threads");

            migrationBuilder.DropIndex(
                name: "IX_alerts_alarms_Thread",
                table: "alerts_alarms");
        }
    }
}
