using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Alerts.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Measures : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<double>(
                name: "CoverageMin",
                table: "alerts_rules",
                type: "REAL",
                nullable: false,
                defaultValue: 0.75);

            migrationBuilder.AddColumn<int>(
                name: "Measure",
                table: "alerts_rules",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<long>(
                name: "OffForTicks",
                table: "alerts_rules",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<bool>(
                name: "OnClock",
                table: "alerts_rules",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<double>(
                name: "Percent",
                table: "alerts_rules",
                type: "REAL",
                nullable: false,
                defaultValue: 0.0);

            migrationBuilder.AddColumn<string>(
                name: "Schedule",
                table: "alerts_rules",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<string>(
                name: "Source",
                table: "alerts_rules",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<long>(
                name: "WindowTicks",
                table: "alerts_rules",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<DateTime>(
                name: "ClearAt",
                table: "alerts_checkpoints",
                type: "TEXT",
                nullable: false,
                defaultValue: new DateTime(1, 1, 1, 0, 0, 0, 0, DateTimeKind.Unspecified));
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "CoverageMin",
                table: "alerts_rules");

            migrationBuilder.DropColumn(
                name: "Measure",
                table: "alerts_rules");

            migrationBuilder.DropColumn(
                name: "OffForTicks",
                table: "alerts_rules");

            migrationBuilder.DropColumn(
                name: "OnClock",
                table: "alerts_rules");

            migrationBuilder.DropColumn(
                name: "Percent",
                table: "alerts_rules");

            migrationBuilder.DropColumn(
                name: "Schedule",
                table: "alerts_rules");

            migrationBuilder.DropColumn(
                name: "Source",
                table: "alerts_rules");

            migrationBuilder.DropColumn(
                name: "WindowTicks",
                table: "alerts_rules");

            migrationBuilder.DropColumn(
                name: "ClearAt",
                table: "alerts_checkpoints");
        }
    }
}
