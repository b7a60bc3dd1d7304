using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Alerts.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Levels : Migration
    {
        private const string Columns = "RuleId, Datastream, At, Phase, ConditionAt, StartedAt, StartValue, Peak, LastAt, LastValue, ClearAt";

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Not by another primary key of the same table, which SQLite makes of a copy outside of the transaction: a kill in between would leave half of the migration.
            migrationBuilder.RenameTable(name: "alerts_checkpoints", newName: "alerts_checkpoints_before");
            CreateCheckpoints(migrationBuilder, withLevel: true);
            migrationBuilder.Sql($"INSERT INTO alerts_checkpoints (Level, {Columns}) SELECT 0, {Columns} FROM alerts_checkpoints_before;");
            migrationBuilder.DropTable(name: "alerts_checkpoints_before");

            migrationBuilder.AddColumn<string>(
                name: "Levels",
                table: "alerts_rules",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

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
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.RenameTable(name: "alerts_checkpoints", newName: "alerts_checkpoints_after");
            CreateCheckpoints(migrationBuilder, withLevel: false);
            migrationBuilder.Sql($"INSERT INTO alerts_checkpoints ({Columns}) SELECT {Columns} FROM alerts_checkpoints_after WHERE Level = 0;");
            migrationBuilder.DropTable(name: "alerts_checkpoints_after");

            migrationBuilder.DropColumn(
                name: "Levels",
                table: "alerts_rules");

            migrationBuilder.DropColumn(
                name: "Incident",
                table: "alerts_alarms");

            migrationBuilder.DropColumn(
                name: "Level",
                table: "alerts_alarms");
        }

        private static void CreateCheckpoints(MigrationBuilder migrationBuilder, bool withLevel)
        {
            var key = withLevel ? "RuleId, Datastream, Level, At" : "RuleId, Datastream, At";
            migrationBuilder.Sql(
                $"""
                CREATE TABLE alerts_checkpoints (
                    RuleId INTEGER NOT NULL,
                    Datastream INTEGER NOT NULL,
                    {(withLevel ? "Level INTEGER NOT NULL," : "")}
                    At TEXT NOT NULL,
                    Phase INTEGER NOT NULL,
                    ConditionAt TEXT NOT NULL,
                    StartedAt TEXT NOT NULL,
                    StartValue REAL NOT NULL,
                    Peak REAL NOT NULL,
                    LastAt TEXT NOT NULL,
                    LastValue REAL NOT NULL,
                    ClearAt TEXT NOT NULL,
                    CONSTRAINT PK_alerts_checkpoints PRIMARY KEY ({key})
                );
                """);
        }
    }
}
