using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Notifications.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Channels : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "SecretPrevious",
                table: "notifications_subscribers",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<DateTime>(
                name: "SecretPreviousUntil",
                table: "notifications_subscribers",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Receipt",
                table: "notifications_deliveries",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.CreateTable(
                name: "notifications_cap",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    Station = table.Column<string>(type: "TEXT", nullable: false),
                    Alarm = table.Column<string>(type: "TEXT", nullable: false),
                    Identifier = table.Column<string>(type: "TEXT", nullable: false),
                    Sender = table.Column<string>(type: "TEXT", nullable: false),
                    SentAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    ExpiresAt = table.Column<DateTime>(type: "TEXT", nullable: true),
                    TitlePt = table.Column<string>(type: "TEXT", nullable: false),
                    TitleEn = table.Column<string>(type: "TEXT", nullable: false),
                    SummaryPt = table.Column<string>(type: "TEXT", nullable: false),
                    SummaryEn = table.Column<string>(type: "TEXT", nullable: false),
                    Xml = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_cap", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_Municipality_State_Id",
                table: "notifications_deliveries",
                columns: new[] { "Municipality", "State", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_cap_Identifier",
                table: "notifications_cap",
                column: "Identifier",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_cap_Municipality_Alarm",
                table: "notifications_cap",
                columns: new[] { "Municipality", "Alarm" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_cap_Municipality_Id",
                table: "notifications_cap",
                columns: new[] { "Municipality", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_cap_SentAt",
                table: "notifications_cap",
                column: "SentAt");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "notifications_cap");

            migrationBuilder.DropIndex(
                name: "IX_notifications_deliveries_Municipality_State_Id",
                table: "notifications_deliveries");

            migrationBuilder.DropColumn(
                name: "SecretPrevious",
                table: "notifications_subscribers");

            migrationBuilder.DropColumn(
                name: "SecretPreviousUntil",
                table: "notifications_subscribers");

            migrationBuilder.DropColumn(
                name: "Receipt",
                table: "notifications_deliveries");
        }
    }
}
