using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Alerts.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "alerts_alarms",
                columns: table => new
                {
                    Id = table.Column<string>(type: "TEXT", nullable: false),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    Rule = table.Column<string>(type: "TEXT", nullable: false),
                    Station = table.Column<string>(type: "TEXT", nullable: false),
                    Datastream = table.Column<int>(type: "INTEGER", nullable: false),
                    Severity = table.Column<int>(type: "INTEGER", nullable: false),
                    ConditionAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    StartedAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    EndedAt = table.Column<DateTime>(type: "TEXT", nullable: true),
                    StartValue = table.Column<double>(type: "REAL", nullable: false),
                    Peak = table.Column<double>(type: "REAL", nullable: false),
                    LastValue = table.Column<double>(type: "REAL", nullable: false),
                    DetectedAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Past = table.Column<bool>(type: "INTEGER", nullable: false),
                    Withdrawn = table.Column<bool>(type: "INTEGER", nullable: false),
                    Cause = table.Column<byte>(type: "INTEGER", nullable: false),
                    Thread = table.Column<string>(type: "TEXT", nullable: false),
                    Told = table.Column<byte>(type: "INTEGER", nullable: false),
                    ToldConditionAt = table.Column<DateTime>(type: "TEXT", nullable: true),
                    ToldStartedAt = table.Column<DateTime>(type: "TEXT", nullable: true),
                    ToldEndedAt = table.Column<DateTime>(type: "TEXT", nullable: true),
                    ToldPeak = table.Column<double>(type: "REAL", nullable: false),
                    ToldCount = table.Column<int>(type: "INTEGER", nullable: false),
                    Unsettled = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_alarms", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "alerts_checkpoints",
                columns: table => new
                {
                    RuleId = table.Column<int>(type: "INTEGER", nullable: false),
                    Datastream = table.Column<int>(type: "INTEGER", nullable: false),
                    At = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Phase = table.Column<byte>(type: "INTEGER", nullable: false),
                    ConditionAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    StartedAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    StartValue = table.Column<double>(type: "REAL", nullable: false),
                    Peak = table.Column<double>(type: "REAL", nullable: false),
                    LastAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    LastValue = table.Column<double>(type: "REAL", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_checkpoints", x => new { x.RuleId, x.Datastream, x.At });
                });

            migrationBuilder.CreateTable(
                name: "alerts_cursor",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false),
                    Commit = table.Column<long>(type: "INTEGER", nullable: false),
                    Settings = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_cursor", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "alerts_rules",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    Slug = table.Column<string>(type: "TEXT", nullable: false),
                    NamePt = table.Column<string>(type: "TEXT", nullable: false),
                    NameEn = table.Column<string>(type: "TEXT", nullable: false),
                    Severity = table.Column<int>(type: "INTEGER", nullable: false),
                    Property = table.Column<string>(type: "TEXT", nullable: false),
                    Station = table.Column<string>(type: "TEXT", nullable: true),
                    Sensor = table.Column<string>(type: "TEXT", nullable: true),
                    PeriodSeconds = table.Column<int>(type: "INTEGER", nullable: true),
                    Crossing = table.Column<int>(type: "INTEGER", nullable: false),
                    SetLevel = table.Column<double>(type: "REAL", nullable: false),
                    ClearLevel = table.Column<double>(type: "REAL", nullable: false),
                    ForTicks = table.Column<long>(type: "INTEGER", nullable: false),
                    Enabled = table.Column<bool>(type: "INTEGER", nullable: false),
                    SavedAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Version = table.Column<int>(type: "INTEGER", nullable: false),
                    Reevaluate = table.Column<bool>(type: "INTEGER", nullable: false),
                    Removed = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_rules", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "alerts_transitions",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Alarm = table.Column<string>(type: "TEXT", nullable: false),
                    Kind = table.Column<byte>(type: "INTEGER", nullable: false),
                    Cause = table.Column<byte>(type: "INTEGER", nullable: false),
                    EventAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    ProcessedAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Key = table.Column<string>(type: "TEXT", nullable: true),
                    Message = table.Column<string>(type: "TEXT", nullable: true),
                    HandedAt = table.Column<DateTime>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_transitions", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_alarms_EndedAt",
                table: "alerts_alarms",
                column: "EndedAt");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_alarms_Municipality_Rule_Datastream_StartedAt",
                table: "alerts_alarms",
                columns: new[] { "Municipality", "Rule", "Datastream", "StartedAt" });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_alarms_StartedAt",
                table: "alerts_alarms",
                column: "StartedAt");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_alarms_Unsettled",
                table: "alerts_alarms",
                column: "Unsettled",
                filter: "\"Unsettled\" = 1");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_rules_Municipality_Slug",
                table: "alerts_rules",
                columns: new[] { "Municipality", "Slug" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_alerts_transitions_Alarm",
                table: "alerts_transitions",
                column: "Alarm");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_transitions_HandedAt",
                table: "alerts_transitions",
                column: "HandedAt",
                filter: "\"Key\" IS NOT NULL AND \"HandedAt\" IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_transitions_Key",
                table: "alerts_transitions",
                column: "Key",
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "alerts_alarms");

            migrationBuilder.DropTable(
                name: "alerts_checkpoints");

            migrationBuilder.DropTable(
                name: "alerts_cursor");

            migrationBuilder.DropTable(
                name: "alerts_rules");

            migrationBuilder.DropTable(
                name: "alerts_transitions");
        }
    }
}
