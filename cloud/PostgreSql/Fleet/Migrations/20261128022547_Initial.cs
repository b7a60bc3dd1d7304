using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Hub.Cloud.PostgreSql.Fleet.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "fleet_agent",
                columns: table => new
                {
                    StationId = table.Column<int>(type: "integer", nullable: false),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Slug = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Status = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    StatusAt = table.Column<long>(type: "bigint", nullable: true),
                    StatusHoldsSeconds = table.Column<long>(type: "bigint", nullable: true),
                    Sensors = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Reported = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    ReportedAt = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_agent", x => x.StationId);
                });

            migrationBuilder.CreateTable(
                name: "fleet_bundle",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Sha256 = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Version = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Runtime = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Bytes = table.Column<long>(type: "bigint", nullable: false),
                    SignatureChecked = table.Column<bool>(type: "boolean", nullable: false),
                    PublishedBy = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    PublishedAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_bundle", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_campaign",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Name = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Version = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Municipality = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    WaveSize = table.Column<int>(type: "integer", nullable: false),
                    FailureLimit = table.Column<int>(type: "integer", nullable: false),
                    FailuresForgiven = table.Column<int>(type: "integer", nullable: false),
                    Force = table.Column<bool>(type: "boolean", nullable: false),
                    State = table.Column<int>(type: "integer", nullable: false),
                    Reason = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    StartedBy = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    StartedAt = table.Column<long>(type: "bigint", nullable: false),
                    ChangedBy = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    ChangedAt = table.Column<long>(type: "bigint", nullable: false),
                    Settled = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_campaign", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_claim",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    StationId = table.Column<int>(type: "integer", nullable: false),
                    CodeHash = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Profile = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    IssuedBy = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    IssuedAt = table.Column<long>(type: "bigint", nullable: false),
                    ExpiresAt = table.Column<long>(type: "bigint", nullable: false),
                    UsedAt = table.Column<long>(type: "bigint", nullable: true),
                    UsedBy = table.Column<string>(type: "text", nullable: true, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_claim", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_command",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    StationId = table.Column<int>(type: "integer", nullable: false),
                    Name = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Arguments = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Correlation = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    AskedBy = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    AskedAt = table.Column<long>(type: "bigint", nullable: false),
                    ExpiresAt = table.Column<long>(type: "bigint", nullable: false),
                    Step = table.Column<int>(type: "integer", nullable: false),
                    SentAt = table.Column<long>(type: "bigint", nullable: true),
                    AnsweredAt = table.Column<long>(type: "bigint", nullable: true),
                    Problem = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Result = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Unsettled = table.Column<bool>(type: "boolean", nullable: false),
                    SecretMark = table.Column<string>(type: "text", nullable: true, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_command", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_wanted",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    StationId = table.Column<int>(type: "integer", nullable: false),
                    Version = table.Column<long>(type: "bigint", nullable: false),
                    Settings = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Rules = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Agent = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    TrialSeconds = table.Column<int>(type: "integer", nullable: true),
                    ChangedBy = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    ChangedAt = table.Column<long>(type: "bigint", nullable: false),
                    Change = table.Column<int>(type: "integer", nullable: false),
                    UndoneTo = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_wanted", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_campaign_event",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    CampaignId = table.Column<long>(type: "bigint", nullable: false),
                    At = table.Column<long>(type: "bigint", nullable: false),
                    By = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    State = table.Column<int>(type: "integer", nullable: false),
                    Reason = table.Column<string>(type: "text", nullable: true, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_campaign_event", x => x.Id);
                    table.ForeignKey(
                        name: "FK_fleet_campaign_event_fleet_campaign_CampaignId",
                        column: x => x.CampaignId,
                        principalTable: "fleet_campaign",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "fleet_campaign_place",
                columns: table => new
                {
                    CampaignId = table.Column<long>(type: "bigint", nullable: false),
                    StationId = table.Column<int>(type: "integer", nullable: false),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Slug = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Status = table.Column<int>(type: "integer", nullable: false),
                    At = table.Column<long>(type: "bigint", nullable: false),
                    Problem = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    OfferVersion = table.Column<long>(type: "bigint", nullable: true),
                    Before = table.Column<string>(type: "text", nullable: true, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_campaign_place", x => new { x.CampaignId, x.StationId });
                    table.ForeignKey(
                        name: "FK_fleet_campaign_place_fleet_campaign_CampaignId",
                        column: x => x.CampaignId,
                        principalTable: "fleet_campaign",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_fleet_bundle_Sha256",
                table: "fleet_bundle",
                column: "Sha256",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_fleet_bundle_Version",
                table: "fleet_bundle",
                column: "Version");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_campaign_Settled",
                table: "fleet_campaign",
                column: "Settled");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_campaign_event_CampaignId",
                table: "fleet_campaign_event",
                column: "CampaignId");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_campaign_place_StationId",
                table: "fleet_campaign_place",
                column: "StationId");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_claim_CodeHash",
                table: "fleet_claim",
                column: "CodeHash",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_fleet_claim_StationId",
                table: "fleet_claim",
                column: "StationId");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_command_Correlation",
                table: "fleet_command",
                column: "Correlation",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_fleet_command_StationId_Id",
                table: "fleet_command",
                columns: new[] { "StationId", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_fleet_command_Step",
                table: "fleet_command",
                column: "Step");

            migrationBuilder.CreateIndex(
                name: "IX_fleet_wanted_StationId_Version",
                table: "fleet_wanted",
                columns: new[] { "StationId", "Version" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "fleet_agent");

            migrationBuilder.DropTable(
                name: "fleet_bundle");

            migrationBuilder.DropTable(
                name: "fleet_campaign_event");

            migrationBuilder.DropTable(
                name: "fleet_campaign_place");

            migrationBuilder.DropTable(
                name: "fleet_claim");

            migrationBuilder.DropTable(
                name: "fleet_command");

            migrationBuilder.DropTable(
                name: "fleet_wanted");

            migrationBuilder.DropTable(
                name: "fleet_campaign");
        }
    }
}
