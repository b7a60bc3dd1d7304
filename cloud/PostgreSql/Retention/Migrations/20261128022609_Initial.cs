using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Hub.Cloud.PostgreSql.Retention.Migrations
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
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Station = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Property = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    From = table.Column<long>(type: "bigint", nullable: true),
                    To = table.Column<long>(type: "bigint", nullable: true),
                    Reason = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    SetBy = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    SetAt = table.Column<long>(type: "bigint", nullable: false),
                    ReleasedBy = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    ReleasedAt = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_retention_hold", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "retention_policy",
                columns: table => new
                {
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Property = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Days = table.Column<int>(type: "integer", nullable: true),
                    RollupDays = table.Column<int>(type: "integer", nullable: true),
                    SetBy = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    SetAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_retention_policy", x => new { x.Municipality, x.Property });
                });

            migrationBuilder.CreateTable(
                name: "retention_run",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Property = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Before = table.Column<long>(type: "bigint", nullable: false),
                    Datastreams = table.Column<int>(type: "integer", nullable: false),
                    Observations = table.Column<long>(type: "bigint", nullable: false),
                    Condensed = table.Column<long>(type: "bigint", nullable: false),
                    RollupDays = table.Column<long>(type: "bigint", nullable: false),
                    Findings = table.Column<long>(type: "bigint", nullable: false),
                    At = table.Column<long>(type: "bigint", nullable: false),
                    By = table.Column<string>(type: "text", nullable: false, collation: "C")
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
