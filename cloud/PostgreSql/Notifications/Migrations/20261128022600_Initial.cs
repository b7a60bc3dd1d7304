using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Hub.Cloud.PostgreSql.Notifications.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "notifications_calls",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Alarm = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Key = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Step = table.Column<int>(type: "integer", nullable: false),
                    Round = table.Column<int>(type: "integer", nullable: false),
                    BeganAt = table.Column<long>(type: "bigint", nullable: false),
                    DueAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_calls", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_calls_past",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Alarm = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Key = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Round = table.Column<int>(type: "integer", nullable: false),
                    BeganAt = table.Column<long>(type: "bigint", nullable: false),
                    EndedAt = table.Column<long>(type: "bigint", nullable: false),
                    End = table.Column<byte>(type: "smallint", nullable: false),
                    By = table.Column<string>(type: "text", nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_calls_past", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_cap",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Station = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Alarm = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Identifier = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Sender = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    SentAt = table.Column<long>(type: "bigint", nullable: false),
                    ExpiresAt = table.Column<long>(type: "bigint", nullable: true),
                    TitlePt = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    TitleEn = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    SummaryPt = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    SummaryEn = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Xml = table.Column<string>(type: "text", nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_cap", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_keys",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false),
                    Secret = table.Column<byte[]>(type: "bytea", nullable: false),
                    CreatedAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_keys", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_messages",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Key = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Json = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    CreatedAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_messages", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_requests",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Stamp = table.Column<Guid>(type: "uuid", nullable: false),
                    Kind = table.Column<byte>(type: "smallint", nullable: false),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    MunicipalityName = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Channel = table.Column<int>(type: "integer", nullable: false),
                    Target = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    TargetKey = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Language = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Summary = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    QuietFrom = table.Column<int>(type: "integer", nullable: true),
                    QuietUntil = table.Column<int>(type: "integer", nullable: true),
                    QuietExceptHighest = table.Column<bool>(type: "boolean", nullable: false),
                    CreatedAt = table.Column<long>(type: "bigint", nullable: false),
                    ExpiresAt = table.Column<long>(type: "bigint", nullable: false),
                    NextAt = table.Column<long>(type: "bigint", nullable: true),
                    Attempts = table.Column<int>(type: "integer", nullable: false),
                    Station = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Latitude = table.Column<double>(type: "double precision", nullable: true),
                    Longitude = table.Column<double>(type: "double precision", nullable: true),
                    RadiusMetres = table.Column<double>(type: "double precision", nullable: true),
                    Property = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Rule = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    SeverityMin = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_requests", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_subscribers",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Channel = table.Column<int>(type: "integer", nullable: false),
                    Target = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Language = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Rule = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    SeverityMin = table.Column<int>(type: "integer", nullable: false),
                    Secret = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    SecretPrevious = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    SecretPreviousUntil = table.Column<long>(type: "bigint", nullable: true),
                    DisabledBecause = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Digest = table.Column<bool>(type: "boolean", nullable: false),
                    Role = table.Column<byte>(type: "smallint", nullable: true),
                    MemberOf = table.Column<int>(type: "integer", nullable: true),
                    Stamp = table.Column<Guid>(type: "uuid", nullable: true),
                    TargetKey = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    QuietFrom = table.Column<int>(type: "integer", nullable: true),
                    QuietUntil = table.Column<int>(type: "integer", nullable: true),
                    QuietExceptHighest = table.Column<bool>(type: "boolean", nullable: false),
                    PausedUntil = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_subscribers", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "notifications_deliveries",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    MessageId = table.Column<long>(type: "bigint", nullable: false),
                    SubscriberId = table.Column<int>(type: "integer", nullable: false),
                    Key = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Alarm = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Channel = table.Column<int>(type: "integer", nullable: false),
                    Kind = table.Column<int>(type: "integer", nullable: false),
                    TargetMasked = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    OrderKey = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    State = table.Column<byte>(type: "smallint", nullable: false),
                    Severity = table.Column<int>(type: "integer", nullable: false),
                    Gathering = table.Column<byte>(type: "smallint", nullable: false),
                    Attempts = table.Column<int>(type: "integer", nullable: false),
                    NextAt = table.Column<long>(type: "bigint", nullable: false),
                    CreatedAt = table.Column<long>(type: "bigint", nullable: false),
                    DeliveredAt = table.Column<long>(type: "bigint", nullable: true),
                    Answer = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Receipt = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Rank = table.Column<int>(type: "integer", nullable: false),
                    AttemptedAt = table.Column<long>(type: "bigint", nullable: true),
                    Resent = table.Column<bool>(type: "boolean", nullable: false),
                    CalledAfterSeconds = table.Column<int>(type: "integer", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_deliveries", x => x.Id);
                    table.ForeignKey(
                        name: "FK_notifications_deliveries_notifications_messages_MessageId",
                        column: x => x.MessageId,
                        principalTable: "notifications_messages",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "notifications_duty",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Municipality = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    SeverityMin = table.Column<int>(type: "integer", nullable: false),
                    Step = table.Column<int>(type: "integer", nullable: false),
                    AfterSeconds = table.Column<int>(type: "integer", nullable: false),
                    SubscriberId = table.Column<int>(type: "integer", nullable: false),
                    Schedule = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    RepeatCount = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_duty", x => x.Id);
                    table.ForeignKey(
                        name: "FK_notifications_duty_notifications_subscribers_SubscriberId",
                        column: x => x.SubscriberId,
                        principalTable: "notifications_subscribers",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "notifications_subscriptions",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    SubscriberId = table.Column<int>(type: "integer", nullable: false),
                    Stamp = table.Column<Guid>(type: "uuid", nullable: false),
                    Since = table.Column<long>(type: "bigint", nullable: false),
                    Station = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Latitude = table.Column<double>(type: "double precision", nullable: true),
                    Longitude = table.Column<double>(type: "double precision", nullable: true),
                    RadiusMetres = table.Column<double>(type: "double precision", nullable: true),
                    Property = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    Rule = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    SeverityMin = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_notifications_subscriptions", x => x.Id);
                    table.ForeignKey(
                        name: "FK_notifications_subscriptions_notifications_subscribers_Subsc~",
                        column: x => x.SubscriberId,
                        principalTable: "notifications_subscribers",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_calls_Alarm",
                table: "notifications_calls",
                column: "Alarm");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_calls_DueAt",
                table: "notifications_calls",
                column: "DueAt");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_calls_past_Alarm",
                table: "notifications_calls_past",
                column: "Alarm");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_calls_past_EndedAt",
                table: "notifications_calls_past",
                column: "EndedAt");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_calls_past_Municipality_Id",
                table: "notifications_calls_past",
                columns: new[] { "Municipality", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_cap_Identifier",
                table: "notifications_cap",
                column: "Identifier",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_cap_Municipality_Alarm",
                table: "notifications_cap",
                columns: new[] { "Municipality", "Alarm" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_cap_Municipality_Id",
                table: "notifications_cap",
                columns: new[] { "Municipality", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_cap_SentAt",
                table: "notifications_cap",
                column: "SentAt");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_Channel_AttemptedAt",
                table: "notifications_deliveries",
                columns: new[] { "Channel", "AttemptedAt" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_Channel_State_NextAt",
                table: "notifications_deliveries",
                columns: new[] { "Channel", "State", "NextAt" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_Channel_State_Rank_NextAt",
                table: "notifications_deliveries",
                columns: new[] { "Channel", "State", "Rank", "NextAt" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_Key",
                table: "notifications_deliveries",
                column: "Key");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_MessageId",
                table: "notifications_deliveries",
                column: "MessageId");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_Municipality_Id",
                table: "notifications_deliveries",
                columns: new[] { "Municipality", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_Municipality_State_Id",
                table: "notifications_deliveries",
                columns: new[] { "Municipality", "State", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_SubscriberId_Alarm",
                table: "notifications_deliveries",
                columns: new[] { "SubscriberId", "Alarm" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_SubscriberId_CreatedAt",
                table: "notifications_deliveries",
                columns: new[] { "SubscriberId", "CreatedAt" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_deliveries_SubscriberId_OrderKey_State",
                table: "notifications_deliveries",
                columns: new[] { "SubscriberId", "OrderKey", "State" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_duty_Municipality_Step",
                table: "notifications_duty",
                columns: new[] { "Municipality", "Step" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_duty_SubscriberId",
                table: "notifications_duty",
                column: "SubscriberId");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_messages_CreatedAt",
                table: "notifications_messages",
                column: "CreatedAt");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_messages_Key",
                table: "notifications_messages",
                column: "Key",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_requests_ExpiresAt",
                table: "notifications_requests",
                column: "ExpiresAt");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_requests_NextAt",
                table: "notifications_requests",
                column: "NextAt");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_requests_Stamp",
                table: "notifications_requests",
                column: "Stamp",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_requests_TargetKey_CreatedAt",
                table: "notifications_requests",
                columns: new[] { "TargetKey", "CreatedAt" });

            migrationBuilder.CreateIndex(
                name: "IX_notifications_subscribers_MemberOf_Target",
                table: "notifications_subscribers",
                columns: new[] { "MemberOf", "Target" },
                unique: true,
                filter: "\"MemberOf\" IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_subscribers_Municipality",
                table: "notifications_subscribers",
                column: "Municipality");

            migrationBuilder.CreateIndex(
                name: "IX_notifications_subscribers_Stamp",
                table: "notifications_subscribers",
                column: "Stamp",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_subscribers_TargetKey_Channel_Municipality",
                table: "notifications_subscribers",
                columns: new[] { "TargetKey", "Channel", "Municipality" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_subscriptions_Stamp",
                table: "notifications_subscriptions",
                column: "Stamp",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_notifications_subscriptions_SubscriberId",
                table: "notifications_subscriptions",
                column: "SubscriberId");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "notifications_calls");

            migrationBuilder.DropTable(
                name: "notifications_calls_past");

            migrationBuilder.DropTable(
                name: "notifications_cap");

            migrationBuilder.DropTable(
                name: "notifications_deliveries");

            migrationBuilder.DropTable(
                name: "notifications_duty");

            migrationBuilder.DropTable(
                name: "notifications_keys");

            migrationBuilder.DropTable(
                name: "notifications_requests");

            migrationBuilder.DropTable(
                name: "notifications_subscriptions");

            migrationBuilder.DropTable(
                name: "notifications_messages");

            migrationBuilder.DropTable(
                name: "notifications_subscribers");
        }
    }
}
