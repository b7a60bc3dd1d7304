using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Retention.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "retention_hold",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    Station = table.Column<string>(type: "TEXT", nullable: true),
                    Property = table.Column<string>(type: "TEXT", nullable: true),
                    From = table.Column<long>(type: "INTEGER", nullable: true),
                    To = table.Column<long>(type: "INTEGER", nullable: true),
                    Reason = table.Column<string>(type: "TEXT", nullable: false),
                    SetBy = table.Column<string>(type: "TEXT", nullable: false),
                    SetAt = table.Column<long>(type: "INTEGER", nullable: false),
                    ReleasedBy = table.Column<string>(type: "TEXT", nullable: true),
                    ReleasedAt = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_retention_hold", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "retention_policy",
                columns: table => new
                {
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    Property = table.Column<string>(type: "TEXT", nullable: false),
                    Days = table.Column<int>(type: "INTEGER", nullable: true),
                    RollupDays = table.Column<int>(type: "INTEGER", nullable: true),
                    SetBy = table.Column<string>(type: "TEXT", nullable: false),
                    SetAt = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_retention_policy", x => new { x.Municipality, x.Property });
                });

            migrationBuilder.CreateTable(
                name: "retention_run",
                columns: table => new
                {
                    Id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Municipality = table.Column<string>(type: "TEXT", nullable: false),
                    Property = table.Column<string>(type: "TEXT", nullable: false),
                    Before = table.Column<long>(type: "INTEGER", nullable: false),
                    Datastreams = table.Column<int>(type: "INTEGER", nullable: false),
                    Observations = table.Column<long>(type: "INTEGER", nullable: false),
                    Condensed = table.Column<long>(type: "INTEGER", nullable: false),
                    RollupDays = table.Column<long>(type: "INTEGER", nullable: false),
                    At = table.Column<long>(type: "INTEGER", nullable: false),
                    By = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_retention_run", x => x.Id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_retention_hold_Municipality",
                table: "retention_hold",
                column: "Municipality");

            migrationBuilder.CreateIndex(
                name: "IX_retention_run_Municipality_Id",
                table: "retention_run",
                columns: new[] { "Municipality", "Id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "retention_hold");

            migrationBuilder.DropTable(
                name: "retention_policy");

            migrationBuilder.DropTable(
                name: "retention_run");
        }
    }
}
