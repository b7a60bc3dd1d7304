using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed class UpgradeTests
{
    [Fact]
    public async Task What_an_earlier_version_left_in_the_outbox_is_read_and_goes_out()
    {
        Assert.SkipWhen(Hub.Tests.Kit.PostgreSql.OnPostgreSql.IsOn, "Earlier versions were on SQLite only.");
        await using var bench = await NotificationsBench.StartAsync();
        await bench.StopAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        File.Delete(bench.Folder.File("hub.db"));
        bench.BeforeMigration = async db =>
        {
            await db.GetService<IMigrator>().MigrateAsync("Initial");
            await db.Database.ExecuteSqlRawAsync(
                """
                INSERT INTO notifications_subscribers (Id, Municipality, Channel, Target, Language, Rule, SeverityMin, Secret, DisabledBecause)
                VALUES (7, 'braga', 3, '', 'pt', NULL, 1, '', NULL);
                INSERT INTO notifications_messages (Id, "Key", Json, CreatedAt)
                VALUES (1, 'a:started:1', '{{"Key":"a:started:1","Kind":1,"Alarm":"a","Municipality":"braga","MunicipalityName":"Braga","Station":"avenida","StationName":"Avenida","Rule":"night","RuleNamePt":"Ruído","RuleNameEn":"Noise","Severity":2,"Property":"laeq","Unit":"dB","Value":72,"Limit":70,"ConditionAt":"2026-05-04T10:54:00Z","StartedAt":"2026-05-04T10:59:00Z","EndedAt":null,"Peak":72,"Zone":"Europe/Lisbon","Withdrawn":false}}', '2026-05-04 11:00:00');
                INSERT INTO notifications_deliveries (Id, MessageId, SubscriberId, "Key", Alarm, Municipality, Channel, Kind, TargetMasked, OrderKey, State, Attempts, NextAt, CreatedAt, DeliveredAt, Answer)
                VALUES (1, 1, 7, 'a:started:1', 'a', 'braga', 3, 1, '', 'night/avenida', 0, 1, '2026-05-04 11:00:00', '2026-05-04 11:00:00', NULL, 'the broker is away');
                """);
        };
        await bench.StartAsync();
        await bench.SettledAsync();
        Assert.Equal(("delivered", 2), (Assert.Single(await bench.LogAsync()).State, (await bench.LogAsync())[0].Attempts));
        Assert.Equal(7, Assert.Single(await bench.Notifications.SubscribersAsync("braga", default)).Id);
    }
}
