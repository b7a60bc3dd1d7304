using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Hub.Cloud.PostgreSql.Alerts.Migrations
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
                    Id = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Rule = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Station = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Datastream = table.Column<int>(type: "integer", nullable: false),
                    Level = table.Column<byte>(type: "smallint", nullable: false),
                    Severity = table.Column<int>(type: "integer", nullable: false),
                    ConditionAt = table.Column<long>(type: "bigint", nullable: false),
                    StartedAt = table.Column<long>(type: "bigint", nullable: false),
                    EndedAt = table.Column<long>(type: "bigint", nullable: true),
                    StartValue = table.Column<double>(type: "double precision", nullable: false),
                    Peak = table.Column<double>(type: "double precision", nullable: false),
                    LastValue = table.Column<double>(type: "double precision", nullable: false),
                    DetectedAt = table.Column<long>(type: "bigint", nullable: false),
                    Past = table.Column<bool>(type: "boolean", nullable: false),
                    Withdrawn = table.Column<bool>(type: "boolean", nullable: false),
                    Cause = table.Column<byte>(type: "smallint", nullable: false),
                    Thread = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Incident = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Told = table.Column<byte>(type: "smallint", nullable: false),
                    ToldConditionAt = table.Column<long>(type: "bigint", nullable: true),
                    ToldStartedAt = table.Column<long>(type: "bigint", nullable: true),
                    ToldEndedAt = table.Column<long>(type: "bigint", nullable: true),
                    ToldPeak = table.Column<double>(type: "double precision", nullable: false),
                    ToldCount = table.Column<int>(type: "integer", nullable: false),
                    Unsettled = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_alarms", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "alerts_checkpoints",
                columns: table => new
                {
                    RuleId = table.Column<int>(type: "integer", nullable: false),
                    Datastream = table.Column<int>(type: "integer", nullable: false),
                    Level = table.Column<byte>(type: "smallint", nullable: false),
                    At = table.Column<long>(type: "bigint", nullable: false),
                    Phase = table.Column<byte>(type: "smallint", nullable: false),
                    ConditionAt = table.Column<long>(type: "bigint", nullable: false),
                    StartedAt = table.Column<long>(type: "bigint", nullable: false),
                    StartValue = table.Column<double>(type: "double precision", nullable: false),
                    Peak = table.Column<double>(type: "double precision", nullable: false),
                    LastAt = table.Column<long>(type: "bigint", nullable: false),
                    LastValue = table.Column<double>(type: "double precision", nullable: false),
                    ClearAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_checkpoints", x => new { x.RuleId, x.Datastream, x.Level, x.At });
                });

            migrationBuilder.CreateTable(
                name: "alerts_cursor",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false),
                    Commit = table.Column<long>(type: "bigint", nullable: false),
                    Settings = table.Column<string>(type: "text", nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_cursor", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "alerts_handling",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Station = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Rule = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Thread = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Kind = table.Column<int>(type: "integer", nullable: false),
                    Cause = table.Column<int>(type: "integer", nullable: false),
                    EventAt = table.Column<long>(type: "bigint", nullable: false),
                    ProcessedAt = table.Column<long>(type: "bigint", nullable: false),
                    By = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Comment = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Until = table.Column<long>(type: "bigint", nullable: true),
                    AssignedTo = table.Column<string>(type: "text", nullable: true, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_handling", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "alerts_rules",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Slug = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    NamePt = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    NameEn = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Severity = table.Column<int>(type: "integer", nullable: false),
                    Property = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Station = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Sensor = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    PeriodSeconds = table.Column<int>(type: "integer", nullable: true),
                    Crossing = table.Column<int>(type: "integer", nullable: false),
                    SetLevel = table.Column<double>(type: "double precision", nullable: false),
                    ClearLevel = table.Column<double>(type: "double precision", nullable: false),
                    ForTicks = table.Column<long>(type: "bigint", nullable: false),
                    Enabled = table.Column<bool>(type: "boolean", nullable: false),
                    Edge = table.Column<bool>(type: "boolean", nullable: false),
                    Measure = table.Column<int>(type: "integer", nullable: false),
                    WindowTicks = table.Column<long>(type: "bigint", nullable: false),
                    OnClock = table.Column<bool>(type: "boolean", nullable: false),
                    Percent = table.Column<double>(type: "double precision", nullable: false),
                    CoverageMin = table.Column<double>(type: "double precision", nullable: false),
                    OffForTicks = table.Column<long>(type: "bigint", nullable: false),
                    Schedule = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Source = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Levels = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Area = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    SuppressedBy = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Tag = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Limit = table.Column<double>(type: "double precision", nullable: true),
                    SavedAt = table.Column<long>(type: "bigint", nullable: false),
                    Version = table.Column<int>(type: "integer", nullable: false),
                    Reevaluate = table.Column<bool>(type: "boolean", nullable: false),
                    Removed = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_rules", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "alerts_suppressions",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Station = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Rule = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Kind = table.Column<int>(type: "integer", nullable: false),
                    Since = table.Column<long>(type: "bigint", nullable: false),
                    Until = table.Column<long>(type: "bigint", nullable: true),
                    By = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Comment = table.Column<string>(type: "text", nullable: true, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_suppressions", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "alerts_threads",
                columns: table => new
                {
                    Thread = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    AcknowledgedAt = table.Column<long>(type: "bigint", nullable: true),
                    AcknowledgedBy = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    AssignedTo = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    ChangedAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_threads", x => x.Thread);
                });

            migrationBuilder.CreateTable(
                name: "alerts_transitions",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Alarm = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Kind = table.Column<byte>(type: "smallint", nullable: false),
                    Cause = table.Column<byte>(type: "smallint", nullable: false),
                    EventAt = table.Column<long>(type: "bigint", nullable: false),
                    ProcessedAt = table.Column<long>(type: "bigint", nullable: false),
                    Key = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Message = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    HandedAt = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_transitions", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "alerts_unknown",
                columns: table => new
                {
                    Datastream = table.Column<int>(type: "integer", nullable: false),
                    From = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_alerts_unknown", x => x.Datastream);
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
                name: "IX_alerts_alarms_Thread",
                table: "alerts_alarms",
                column: "Thread");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_alarms_Unsettled",
                table: "alerts_alarms",
                column: "Unsettled",
                filter: "\"Unsettled\"");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_handling_Municipality_Station_EventAt",
                table: "alerts_handling",
                columns: new[] { "Municipality", "Station", "EventAt" });

            migrationBuilder.CreateIndex(
                name: "IX_alerts_handling_Thread",
                table: "alerts_handling",
                column: "Thread");

            migrationBuilder.CreateIndex(
                name: "IX_alerts_rules_Municipality_Slug",
                table: "alerts_rules",
                columns: new[] { "Municipality", "Slug" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_alerts_suppressions_Municipality_Station_Rule_Kind",
                table: "alerts_suppressions",
                columns: new[] { "Municipality", "Station", "Rule", "Kind" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_alerts_threads_ChangedAt",
                table: "alerts_threads",
                column: "ChangedAt");

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
                name: "alerts_handling");

            migrationBuilder.DropTable(
                name: "alerts_rules");

            migrationBuilder.DropTable(
                name: "alerts_suppressions");

            migrationBuilder.DropTable(
                name: "alerts_threads");

            migrationBuilder.DropTable(
                name: "alerts_transitions");

            migrationBuilder.DropTable(
                name: "alerts_unknown");
        }
    }
}
