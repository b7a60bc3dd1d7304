using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Notifications.Storage.Migrations
{
    /// <inheritdoc />
    public partial class RosterAndRates : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "RepeatCount",
                table: "notifications_duty",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<DateTime>(
                name: "AttemptedAt",
                table: "notifications_deliveries",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "Rank",
                table: "notifications_deliveries",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            // Of what is there, calls go first as well, and what tells of the past last.
            migrationBuilder.Sql("UPDATE notifications_deliveries SET Rank = CASE WHEN CalledAfterSeconds IS NOT NULL THEN 0 WHEN Kind IN (3, 5) THEN 4 ELSE 4 - Severity END;");

            migrationBuilder.AddColumn<bool>(
                name: "Resent",
                table: "notifications_deliveries",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<int>(
                name: "Round",
                table: "notifications_calls",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.CreateTable(
                name: "notifications_calls_past",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    Alarm = table.Column<string>(type: "TEXT", nullable: false),
                    Key = table.Column<string>(type: "TEXT", nullable: false),
                    Round = table.Column<int>(type: "INTEGER", nullable: false),
                    BeganAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    EndedAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    End = table.Column<byte>(type: "INTEGER", nullable: false),
                    By = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_calls_past", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_Channel_AttemptedAt",
                table: "notifications_deliveries",
                columns: new[] { "Channel", "AttemptedAt" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_Channel_State_Rank_NextAt",
                table: "notifications_deliveries",
                columns: new[] { "Channel", "State", "Rank", "NextAt" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_Key",
                table: "notifications_deliveries",
                column: "Key");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_calls_past_Alarm",
                table: "notifications_calls_past",
                column: "Alarm");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_calls_past_EndedAt",
                table: "notifications_calls_past",
                column: "EndedAt");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_calls_past_Municipality_Id",
                table: "notifications_calls_past",
                columns: new[] { "Municipality", "Id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "notifications_calls_past");

            migrationBuilder.DropIndex(
                name: "IX_notifications_deliveries_Channel_AttemptedAt",
                table: "notifications_deliveries");

            migrationBuilder.DropIndex(
                name: "IX_notifications_deliveries_Channel_State_Rank_NextAt",
                table: "notifications_deliveries");

            migrationBuilder.DropIndex(
                name: "IX_notifications_deliveries_Key",
                table: "notifications_deliveries");

            migrationBuilder.DropColumn(
                name: "RepeatCount",
                table: "notifications_duty");

            migrationBuilder.DropColumn(
                name: "AttemptedAt",
                table: "notifications_deliveries");

            migrationBuilder.DropColumn(
                name: "Rank",
                table: "notifications_deliveries");

            migrationBuilder.DropColumn(
                name: "Resent",
                table: "notifications_deliveries");

            migrationBuilder.DropColumn(
                name: "Round",
                table: "notifications_calls");
        }
    }
}
