using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Hub.Cloud.Notifications.Storage.Migrations
{
    /// <inheritdoc />
    public partial class Roles : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "MemberOf",
                table: "notifications_subscribers",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<byte>(
                name: "Role",
                table: "notifications_subscribers",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_subscribers_MemberOf_Target",
                table: "notifications_subscribers",
                columns: new[] { "MemberOf", "Target" },
                unique: true,
                filter: "MemberOf IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_notifications_subscribers_MemberOf_Target",
                table: "notifications_subscribers");

            migrationBuilder.DropColumn(
                name: "MemberOf",
                table: "notifications_subscribers");

            migrationBuilder.DropColumn(
                name: "Role",
                table: "notifications_subscribers");
        }
    }
}
