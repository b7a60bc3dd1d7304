using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Stations.Migrations
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
                    Id = table.Column<int>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    Municipality = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    Slug = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    Name = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    Latitude = table.Column<double>(type: "REAL", nullable: false),
                    Longitude = table.Column<double>(type: "REAL", nullable: false),
                    Public = table.Column<bool>(type: "INTEGER", nullable: false),
                    Attribution = table.Column<string>(type: "TEXT", maxLength: 2000, nullable: false),
                    RegisteredAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    RemovedAt = table.Column<DateTime>(type: "TEXT", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stations_station", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "stations_credential",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    StationId = table.Column<int>(type: "INTEGER", nullable: false),
                    Hash = table.Column<string>(type: "TEXT", maxLength: 200, nullable: false),
                    CreatedAt = table.Column<DateTime>(type: "TEXT", nullable: false),
                    ValidUntil = table.Column<DateTime>(type: "TEXT", nullable: true)
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
                    Id = table.Column<int>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    StationId = table.Column<int>(type: "INTEGER", nullable: false),
                    Since = table.Column<DateTime>(type: "TEXT", nullable: false),
                    Latitude = table.Column<double>(type: "REAL", nullable: false),
                    Longitude = table.Column<double>(type: "REAL", nullable: false)
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
                name: "stations_sensor",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    StationId = table.Column<int>(type: "INTEGER", nullable: false),
                    Name = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false)
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
                name: "stations_datastream",
                columns: table => new
                {
                    Id = table.Column<int>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    SensorId = table.Column<int>(type: "INTEGER", nullable: false),
                    Property = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    PeriodSeconds = table.Column<int>(type: "INTEGER", nullable: false),
                    FirstSeenAt = table.Column<DateTime>(type: "TEXT", nullable: false)
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
                name: "stations_credential");

            migrationBuilder.DropTable(
                name: "stations_datastream");

            migrationBuilder.DropTable(
                name: "stations_location");

            migrationBuilder.DropTable(
                name: "stations_sensor");

            migrationBuilder.DropTable(
                name: "stations_station");
        }
    }
}
