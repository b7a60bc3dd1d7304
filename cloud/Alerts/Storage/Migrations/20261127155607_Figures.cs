using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Alerts.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Figures : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<double>(
                name: "Limit",
                table: "alerts_rules",
                type: "REAL",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Tag",
                table: "alerts_rules",
                type: "TEXT",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "Limit",
                table: "alerts_rules");

            migrationBuilder.DropColumn(
                name: "Tag",
                table: "alerts_rules");
        }
    }
}
