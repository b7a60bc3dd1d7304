using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Alerts.Storage.Migrations
{
    /// <inheritdoc />
    public partial class EdgeRules : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<bool>(
                name: "Edge",
                table: "alerts_rules",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "Edge",
                table: "alerts_rules");
        }
    }
}
