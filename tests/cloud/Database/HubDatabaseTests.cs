using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Database.Tests;

public sealed class HubDatabaseTests : IDisposable
{
    private const string Held =
        "CREATE TABLE \"__EFMigrationsLock\" (\"Id\" INTEGER NOT NULL CONSTRAINT \"PK___EFMigrationsLock\" PRIMARY KEY, \"Timestamp\" TEXT NOT NULL); INSERT INTO \"__EFMigrationsLock\" VALUES (1, '2026-02-01 10:00:00+00:00')";

    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Path => _folder.File("data/hub.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_new_database_is_made_with_its_folder_in_WAL_mode_and_again_nothing_happens()
    {
        for (var time = 0; time < 2; time++)
        {
            await using var context = Context();
            await context.Database.MigrateHubAsync(_time, Stop);
        }

        Assert.Equal("wal", await ExecuteAsync("PRAGMA journal_mode"));
        Assert.Equal(1L, await ExecuteAsync("SELECT count(*) FROM things_history"));
        Assert.Equal(0L, await ExecuteAsync("SELECT count(*) FROM things"));
    }

    [Theory]
    [InlineData("Hub:Database", "data/hub.db")]
    [InlineData("Hub:Database", "Data Source=data/hub.db")]
    [InlineData("Hub:Data", "data")]
    public async Task It_is_where_the_settings_say(string key, string value)
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection([new(key, value.Replace("data", _folder.File("data"), StringComparison.Ordinal))]).Build();
        await using var context = Context(settings);
        Assert.Equal(Path, context.Database.GetDbConnection().DataSource);
        Assert.Equal(30, new SqliteConnectionStringBuilder(context.Database.GetConnectionString()).DefaultTimeout);
    }

    [Fact]
    public async Task A_lock_left_by_a_killed_hub_is_removed_after_a_while()
    {
        Directory.CreateDirectory(_folder.File("data"));
        await ExecuteAsync(Held);
        await using var context = Context();
        var migrating = context.Database.MigrateHubAsync(_time, Stop);
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.False(migrating.IsFaulted, migrating.Exception?.ToString());
                if (migrating.IsCompleted || 0L.Equals(await ExecuteAsync("SELECT count(*) FROM \"__EFMigrationsLock\" WHERE \"Timestamp\" = '2026-02-01 10:00:00+00:00'")))
                {
                    return true;
                }

                _time.Advance(TimeSpan.FromSeconds(1));
                return false;
            },
            "the lock is removed");

        // From here on the clock stands still: a busy machine has all the time it needs.
        await migrating.WaitAsync(Eventually.Limit, TimeProvider.System, Stop);
        Assert.True(_time.GetUtcNow() - _time.Start >= TimeSpan.FromSeconds(10));
        Assert.Equal(0L, await ExecuteAsync("SELECT count(*) FROM things"));
    }

    [Fact]
    public async Task One_that_changes_hands_is_waited_for_and_nobody_is_robbed()
    {
        Directory.CreateDirectory(_folder.File("data"));
        await ExecuteAsync(Held);
        await using var context = Context();
        var migrating = context.Database.MigrateHubAsync(_time, Stop);
        for (var holder = 0; holder < 30; holder++)
        {
            await ExecuteAsync($"UPDATE \"__EFMigrationsLock\" SET \"Timestamp\" = '2026-02-01 10:01:{holder:00}+00:00'");
            _time.Advance(TimeSpan.FromSeconds(3));
            Assert.Equal(1L, await ExecuteAsync("SELECT count(*) FROM \"__EFMigrationsLock\""));
            Assert.False(migrating.IsCompleted);
        }

        await ExecuteAsync("DELETE FROM \"__EFMigrationsLock\"");
        await Eventually.TrueAsync(
            () =>
            {
                // A try that was broken off in the moment it took the lock leaves it behind: it goes like that of a killed hub. Small steps: a try needs real time.
                _time.Advance(TimeSpan.FromMilliseconds(200));
                return migrating.IsCompleted;
            },
            "it is free, and the tables are brought up to date");
        await migrating;
    }

    [Fact]
    public async Task A_migration_that_takes_longer_than_any_should_is_not_begun_anew_for_ever()
    {
        InitialThings.Making = () => _time.Advance(TimeSpan.FromSeconds(15));
        try
        {
            await using var context = Context();
            await context.Database.MigrateHubAsync(_time, Stop).WaitAsync(Eventually.Limit, TimeProvider.System, Stop);
        }
        finally
        {
            InitialThings.Making = null;
        }

        Assert.Equal(0L, await ExecuteAsync("SELECT count(*) FROM things"));
    }

    [Fact]
    public async Task A_lock_nobody_needs_holds_nobody_up()
    {
        await using (var context = Context())
        {
            await context.Database.MigrateHubAsync(_time, Stop);
        }

        await ExecuteAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\"");
        await ExecuteAsync(Held);
        await using var again = Context();
        await again.Database.MigrateHubAsync(_time, Stop);
        Assert.Equal(_time.Start, _time.GetUtcNow());
    }

    private Things Context(IConfiguration? settings = null)
    {
        var options = new DbContextOptionsBuilder<Things>();
        options.UseHubDatabase(settings ?? new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Database", Path)]).Build(), "things_history");
        return new Things(options.Options);
    }

    private async Task<object?> ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path, Pooling = false }.ToString());
        await connection.OpenAsync(Stop);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The statements are the tests' own.
        command.CommandText = sql;
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync(Stop);
    }
}

/// <summary>The tables of a stage that there is not.</summary>
internal sealed class Things(DbContextOptions<Things> options) : DbContext(options);

[DbContext(typeof(Things))]
[Migration("20261126000000_Initial")]
internal sealed class InitialThings : Migration
{
    /// <summary>Called when the migration is made: how a test lets it take its time.</summary>
    public static Action? Making { get; set; }

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        Making?.Invoke();
        migrationBuilder.Sql("CREATE TABLE things (id INTEGER PRIMARY KEY)");
    }
}
