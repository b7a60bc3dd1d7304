using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Notifications.Storage.Migrations
{
    /// <inheritdoc />
    public partial class SignUp : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "Digest",
                table: "notifications_subscribers",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<DateTime>(
                name: "PausedUntil",
                table: "notifications_subscribers",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "QuietExceptHighest",
                table: "notifications_subscribers",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<int>(
                name: "QuietFrom",
                table: "notifications_subscribers",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "QuietUntil",
                table: "notifications_subscribers",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "Stamp",
                table: "notifications_subscribers",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "TargetKey",
                table: "notifications_subscribers",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<byte>(
                name: "Gathering",
                table: "notifications_deliveries",
                type: "INTEGER",
                nullable: false,
                defaultValue: (byte)0);

            migrationBuilder.AddColumn<int>(
                name: "Severity",
                table: "notifications_deliveries",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.CreateTable(
                name: "notifications_keys",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false),
                    Secret = table.Column<byte[]>(type: "BLOB", nullable: false),
                    CreatedAt = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_keys", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_requests",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Stamp = table.Column<Guid>(type: "TEXT", nullable: false),
                    Kind = table.Column<byte>(type: "INTEGER", nullable: false),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    MunicipalityName = table.Column<string>(type: "TEXT", nullable: false),
                    Channel = table.Column<int>(type: "INTEGER", nullable: false),
                    Target = table.Column<string>(type: "TEXT", nullable: false),
                    TargetKey = table.Column<string>(type: "TEXT", nullable: false),
                    Language = table.Column<string>(type: "TEXT", nullable: false),
                    Summary = table.Column<string>(type: "TEXT", nullable: false),
                    QuietFrom = table.Column<int>(type: "INTEGER", nullable: true),
                    QuietUntil = table.Column<int>(type: "INTEGER", nullable: true),
                    QuietExceptHighest = table.Column<bool>(type: "INTEGER", nullable: false),
                    CreatedAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    ExpiresAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    NextAt = table.Column<DateTime>(type: "TEXT", nullable: true),
                    Attempts = table.Column<int>(type: "INTEGER", nullable: false),
                    Station = table.Column<string>(type: "TEXT", nullable: true),
                    Latitude = table.Column<double>(type: "REAL", nullable: true),
                    Longitude = table.Column<double>(type: "REAL", nullable: true),
                    RadiusMetres = table.Column<double>(type: "REAL", nullable: true),
                    Property = table.Column<string>(type: "TEXT", nullable: true),
                    Rule = table.Column<string>(type: "TEXT", nullable: true),
                    SeverityMin = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_requests", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_subscriptions",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    SubscriberId = table.Column<int>(type: "INTEGER", nullable: false),
                    Stamp = table.Column<Guid>(type: "TEXT", nullable: false),
                    Since = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Station = table.Column<string>(type: "TEXT", nullable: true),
                    Latitude = table.Column<double>(type: "REAL", nullable: true),
                    Longitude = table.Column<double>(type: "REAL", nullable: true),
                    RadiusMetres = table.Column<double>(type: "REAL", nullable: true),
                    Property = table.Column<string>(type: "TEXT", nullable: true),
                    Rule = table.Column<string>(type: "TEXT", nullable: true),
                    SeverityMin = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_subscriptions", x => x.Id);
                    table.ForeignKey(
                        name: "FK_notifications_subscriptions_notifications_subscribers_SubscriberId",
                        column: x => x.SubscriberId,
                        principalTable: "notifications_subscribers",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_subscribers_Stamp",
                table: "notifications_subscribers",
                column: "Stamp",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_subscribers_TargetKey_Channel_Municipality",
                table: "notifications_subscribers",
                columns: new[] { "TargetKey", "Channel", "Municipality" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_SubscriberId_CreatedAt",
                table: "notifications_deliveries",
                columns: new[] { "SubscriberId", "CreatedAt" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_requests_ExpiresAt",
                table: "notifications_requests",
                column: "ExpiresAt");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_requests_NextAt",
                table: "notifications_requests",
                column: "NextAt");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_requests_Stamp",
                table: "notifications_requests",
                column: "Stamp",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_requests_TargetKey_CreatedAt",
                table: "notifications_requests",
                columns: new[] { "TargetKey", "CreatedAt" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_subscriptions_Stamp",
                table: "notifications_subscriptions",
                column: "Stamp",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_subscriptions_SubscriberId",
                table: "notifications_subscriptions",
                column: "SubscriberId");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "notifications_keys");

            migrationBuilder.DropTable(
                name: "notifications_requests");

            migrationBuilder.DropTable(
                name: "notifications_subscriptions");

            migrationBuilder.DropIndex(
                name: "IX_notifications_subscribers_Stamp",
                table: "notifications_subscribers");

            migrationBuilder.DropIndex(
                name: "IX_notifications_subscribers_TargetKey_Channel_Municipality",
                table: "notifications_subscribers");

            migrationBuilder.DropIndex(
                name: "IX_notifications_deliveries_SubscriberId_CreatedAt",
                table: "notifications_deliveries");

            migrationBuilder.DropColumn(
                name: "Digest",
                table: "notifications_subscribers");

            migrationBuilder.DropColumn(
                name: "PausedUntil",
                table: "notifications_subscribers");

            migrationBuilder.DropColumn(
                name: "QuietExceptHighest",
                table: "notifications_subscribers");

            migrationBuilder.DropColumn(
                name: "QuietFrom",
                table: "notifications_subscribers");

            migrationBuilder.DropColumn(
                name: "QuietUntil",
                table: "notifications_subscribers");

            migrationBuilder.DropColumn(
                name: "Stamp",
                table: "notifications_subscribers");

            migrationBuilder.DropColumn(
                name: "TargetKey",
                table: "notifications_subscribers");

            migrationBuilder.DropColumn(
                name: "Gathering",
                table: "notifications_deliveries");

            migrationBuilder.DropColumn(
                name: "Severity",
                table: "notifications_deliveries");
        }
    }
}
