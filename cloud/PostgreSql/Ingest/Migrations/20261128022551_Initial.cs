using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Hub.Cloud.PostgreSql.Ingest.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "ingest_quarantine",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Station = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Pool = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    ReceivedAt = table.Column<long>(type: "bigint", nullable: false),
                    LastReceivedAt = table.Column<long>(type: "bigint", nullable: false),
                    Times = table.Column<long>(type: "bigint", nullable: false),
                    Transport = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Format = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    RecordIndex = table.Column<int>(type: "integer", nullable: false),
                    Reason = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Detail = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Payload = table.Column<byte[]>(type: "bytea", nullable: false),
                    PayloadLength = table.Column<long>(type: "bigint", nullable: false),
                    Pinned = table.Column<bool>(type: "boolean", nullable: false),
                    Hash = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ingest_quarantine", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "ingest_retained",
                columns: table => new
                {
                    Topic = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Payload = table.Column<byte[]>(type: "bytea", nullable: false),
                    ContentType = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Qos = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ingest_retained", x => x.Topic);
                });

            migrationBuilder.CreateIndex(
                name: "IX_ingest_quarantine_Municipality_Station_Hash",
                table: "ingest_quarantine",
                columns: new[] { "Municipality", "Station", "Hash" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_ingest_quarantine_Municipality_Station_Id",
                table: "ingest_quarantine",
                columns: new[] { "Municipality", "Station", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_ingest_quarantine_Pool_Id",
                table: "ingest_quarantine",
                columns: new[] { "Pool", "Id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "ingest_quarantine");

            migrationBuilder.DropTable(
                name: "ingest_retained");
        }
    }
}
