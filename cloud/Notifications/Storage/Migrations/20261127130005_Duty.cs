using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Notifications.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Duty : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "CalledAfterSeconds",
                table: "notifications_deliveries",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "notifications_calls",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    Alarm = table.Column<string>(type: "TEXT", nullable: false),
                    Key = table.Column<string>(type: "TEXT", nullable: false),
                    Step = table.Column<int>(type: "INTEGER", nullable: false),
                    BeganAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    DueAt = table.Column<DateTime>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_calls", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_duty",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    SeverityMin = table.Column<int>(type: "INTEGER", nullable: false),
                    Step = table.Column<int>(type: "INTEGER", nullable: false),
                    AfterSeconds = table.Column<int>(type: "INTEGER", nullable: false),
                    SubscriberId = table.Column<int>(type: "INTEGER", nullable: false),
                    Schedule = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_duty", x => x.Id);
                    table.ForeignKey(
                        name: "FK_notifications_duty_notifications_subscribers_SubscriberId",
                        column: x => x.SubscriberId,
                        principalTable: "notifications_subscribers",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_calls_Alarm",
                table: "notifications_calls",
                column: "Alarm");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_calls_DueAt",
                table: "notifications_calls",
                column: "DueAt");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_duty_Municipality_Step",
                table: "notifications_duty",
                columns: new[] { "Municipality", "Step" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_duty_SubscriberId",
                table: "notifications_duty",
                column: "SubscriberId");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "notifications_calls");

            migrationBuilder.DropTable(
                name: "notifications_duty");

            migrationBuilder.DropColumn(
                name: "CalledAfterSeconds",
                table: "notifications_deliveries");
        }
    }
}
