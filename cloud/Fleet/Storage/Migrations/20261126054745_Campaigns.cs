using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Fleet.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Campaigns : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "fleet_bundle",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Sha256 = table.Column<string>(type: "TEXT", nullable: false),
                    Version = table.Column<string>(type: "TEXT", nullable: false),
                    Runtime = table.Column<string>(type: "TEXT", nullable: false),
                    Bytes = table.Column<long>(type: "INTEGER", nullable: false),
                    SignatureChecked = table.Column<bool>(type: "INTEGER", nullable: false),
                    PublishedBy = table.Column<string>(type: "TEXT", nullable: false),
                    PublishedAt = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_bundle", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_campaign",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Name = table.Column<string>(type: "TEXT", nullable: false),
                    Version = table.Column<string>(type: "TEXT", nullable: false),
                    Municipality = table.Column<string>(type: "TEXT", nullable: true),
                    WaveSize = table.Column<int>(type: "INTEGER", nullable: false),
                    FailureLimit = table.Column<int>(type: "INTEGER", nullable: false),
                    FailuresForgiven = table.Column<int>(type: "INTEGER", nullable: false),
                    Force = table.Column<bool>(type: "INTEGER", nullable: false),
                    State = table.Column<int>(type: "INTEGER", nullable: false),
                    Reason = table.Column<string>(type: "TEXT", nullable: true),
                    StartedBy = table.Column<string>(type: "TEXT", nullable: false),
                    StartedAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    ChangedBy = table.Column<string>(type: "TEXT", nullable: false),
                    ChangedAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Settled = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_fleet_campaign", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "fleet_campaign_event",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    CampaignId = table.Column<long>(type: "INTEGER", nullable: false),
                    At = table.Column<DateTime>(type: "TEXT", nullable: false),
                    By = table.Column<string>(type: "TEXT", nullable: false),
                    State = table.Column<int>(type: "INTEGER", nullable: false),
                    Reason = table.Column<string>(type: "TEXT", nullable: true)
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
                    CampaignId = table.Column<long>(type: "INTEGER", nullable: false),
                    StationId = table.Column<int>(type: "INTEGER", nullable: false),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    Slug = table.Column<string>(type: "TEXT", nullable: false),
                    Status = table.Column<int>(type: "INTEGER", nullable: false),
                    At = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Problem = table.Column<string>(type: "TEXT", nullable: true),
                    OfferVersion = table.Column<long>(type: "INTEGER", nullable: true),
                    Before = table.Column<string>(type: "TEXT", nullable: true)
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
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "fleet_bundle");

            migrationBuilder.DropTable(
                name: "fleet_campaign_event");

            migrationBuilder.DropTable(
                name: "fleet_campaign_place");

            migrationBuilder.DropTable(
                name: "fleet_campaign");
        }
    }
}
