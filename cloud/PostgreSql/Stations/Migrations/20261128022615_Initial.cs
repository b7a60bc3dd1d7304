using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Hub.Cloud.PostgreSql.Stations.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "stations_station",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Slug = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Name = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Latitude = table.Column<double>(type: "double precision", nullable: false),
                    Longitude = table.Column<double>(type: "double precision", nullable: false),
                    Public = table.Column<bool>(type: "boolean", nullable: false),
                    Attribution = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Tags = table.Column<string>(type: "text", nullable: false, defaultValue: "", collation: "C"),
                    RegisteredAt = table.Column<long>(type: "bigint", nullable: false),
                    RemovedAt = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stations_station", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "stations_adapter_credential",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    StationId = table.Column<int>(type: "integer", nullable: false),
                    Adapter = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Hash = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    CreatedAt = table.Column<long>(type: "bigint", nullable: false),
                    ValidUntil = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stations_adapter_credential", x => x.Id);
                    table.ForeignKey(
                        name: "FK_stations_adapter_credential_stations_station_StationId",
                        column: x => x.StationId,
                        principalTable: "stations_station",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "stations_credential",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    StationId = table.Column<int>(type: "integer", nullable: false),
                    Hash = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    CreatedAt = table.Column<long>(type: "bigint", nullable: false),
                    ValidUntil = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stations_credential", x => x.Id);
                    table.ForeignKey(
                        name: "FK_stations_credential_stations_station_StationId",
                        column: x => x.StationId,
                        principalTable: "stations_station",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "stations_location",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    StationId = table.Column<int>(type: "integer", nullable: false),
                    Since = table.Column<long>(type: "bigint", nullable: false),
                    Latitude = table.Column<double>(type: "double precision", nullable: false),
                    Longitude = table.Column<double>(type: "double precision", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stations_location", x => x.Id);
                    table.ForeignKey(
                        name: "FK_stations_location_stations_station_StationId",
                        column: x => x.StationId,
                        principalTable: "stations_station",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "stations_note",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    StationId = table.Column<int>(type: "integer", nullable: false),
                    At = table.Column<long>(type: "bigint", nullable: false),
                    By = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Text = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Public = table.Column<bool>(type: "boolean", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stations_note", x => x.Id);
                    table.ForeignKey(
                        name: "FK_stations_note_stations_station_StationId",
                        column: x => x.StationId,
                        principalTable: "stations_station",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "stations_sensor",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    StationId = table.Column<int>(type: "integer", nullable: false),
                    Name = table.Column<string>(type: "text", nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stations_sensor", x => x.Id);
                    table.ForeignKey(
                        name: "FK_stations_sensor_stations_station_StationId",
                        column: x => x.StationId,
                        principalTable: "stations_station",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "stations_note_photo",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    NoteId = table.Column<long>(type: "bigint", nullable: false),
                    ContentType = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Width = table.Column<int>(type: "integer", nullable: false),
                    Height = table.Column<int>(type: "integer", nullable: false),
                    Size = table.Column<int>(type: "integer", nullable: false),
                    Data = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stations_note_photo", x => x.Id);
                    table.ForeignKey(
                        name: "FK_stations_note_photo_stations_note_NoteId",
                        column: x => x.NoteId,
                        principalTable: "stations_note",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "stations_datastream",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    SensorId = table.Column<int>(type: "integer", nullable: false),
                    Property = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    PeriodSeconds = table.Column<int>(type: "integer", nullable: false),
                    FirstSeenAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stations_datastream", x => x.Id);
                    table.ForeignKey(
                        name: "FK_stations_datastream_stations_sensor_SensorId",
                        column: x => x.SensorId,
                        principalTable: "stations_sensor",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "IX_stations_adapter_credential_StationId_Adapter",
                table: "stations_adapter_credential",
                columns: new[] { "StationId", "Adapter" });

            migrationBuilder.CreateIndex(
                name: "IX_stations_credential_StationId",
                table: "stations_credential",
                column: "StationId");

            migrationBuilder.CreateIndex(
                name: "IX_stations_datastream_SensorId_Property_PeriodSeconds",
                table: "stations_datastream",
                columns: new[] { "SensorId", "Property", "PeriodSeconds" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_stations_location_StationId_Since",
                table: "stations_location",
                columns: new[] { "StationId", "Since" });

            migrationBuilder.CreateIndex(
                name: "IX_stations_note_StationId_Id",
                table: "stations_note",
                columns: new[] { "StationId", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_stations_note_photo_NoteId",
                table: "stations_note_photo",
                column: "NoteId");

            migrationBuilder.CreateIndex(
                name: "IX_stations_sensor_StationId_Name",
                table: "stations_sensor",
                columns: new[] { "StationId", "Name" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_stations_station_Municipality_Slug",
                table: "stations_station",
                columns: new[] { "Municipality", "Slug" },
                unique: true,
                filter: "\"RemovedAt\" IS NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "stations_adapter_credential");

            migrationBuilder.DropTable(
                name: "stations_credential");

            migrationBuilder.DropTable(
                name: "stations_datastream");

            migrationBuilder.DropTable(
                name: "stations_location");

            migrationBuilder.DropTable(
                name: "stations_note_photo");

            migrationBuilder.DropTable(
                name: "stations_sensor");

            migrationBuilder.DropTable(
                name: "stations_note");

            migrationBuilder.DropTable(
                name: "stations_station");
        }
    }
}
