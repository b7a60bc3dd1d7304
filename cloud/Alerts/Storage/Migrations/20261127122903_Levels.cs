using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Alerts.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Levels : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropPrimaryKey(
                name: "PK_alerts_checkpoints",
                table: "alerts_checkpoints");

            migrationBuilder.AddColumn<string>(
                name: "Levels",
                table: "alerts_rules",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<byte>(
                name: "Level",
                table: "alerts_checkpoints",
                type: "INTEGER",
                nullable: false,
                defaultValue: (byte)0);

            migrationBuilder.AddColumn<string>(
                name: "Incident",
                table: "alerts_alarms",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<byte>(
                name: "Level",
                table: "alerts_alarms",
                type: "INTEGER",
                nullable: false,
                defaultValue: (byte)0);

            migrationBuilder.AddPrimaryKey(
                name: "PK_alerts_checkpoints",
                table: "alerts_checkpoints",
                columns: new[] { "RuleId", "Datastream", "Level", "At" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropPrimaryKey(
                name: "PK_alerts_checkpoints",
                table: "alerts_checkpoints");

            migrationBuilder.DropColumn(
                name: "Levels",
                table: "alerts_rules");

            migrationBuilder.DropColumn(
                name: "Level",
                table: "alerts_checkpoints");

            migrationBuilder.DropColumn(
                name: "Incident",
                table: "alerts_alarms");

            migrationBuilder.DropColumn(
                name: "Level",
                table: "alerts_alarms");

            migrationBuilder.AddPrimaryKey(
                name: "PK_alerts_checkpoints",
                table: "alerts_checkpoints",
                columns: new[] { "RuleId", "Datastream", "At" });
        }
    }
}
