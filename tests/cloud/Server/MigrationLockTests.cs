using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Server.Tests;

public sealed class MigrationLockTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_row_left_by_a_killed_hub_is_removed_after_a_while()
    {
        await ExecuteAsync("CREATE TABLE __EFMigrationsLock (Id INTEGER PRIMARY KEY, Timestamp TEXT NOT NULL); INSERT INTO __EFMigrationsLock VALUES (1, '2026-01-01')");
        var release = ReleaseAsync();
        Assert.False(release.IsCompleted);

        await AdvanceUntilAsync(release);

        Assert.Equal(0L, await ExecuteAsync("SELECT count(*) FROM __EFMigrationsLock"));
        Assert.True(_time.GetUtcNow() - _time.Start >= TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_row_of_a_tool_at_work_is_waited_for()
    {
        await ExecuteAsync("CREATE TABLE __EFMigrationsLock (Id INTEGER PRIMARY KEY, Timestamp TEXT NOT NULL); INSERT INTO __EFMigrationsLock VALUES (1, '2026-01-01')");
        var release = ReleaseAsync();

        // The tool changes hands again and again, for longer than one migration may take: no holder is robbed.
        for (var holder = 0; holder < 15; holder++)
        {
            await ExecuteAsync($"UPDATE __EFMigrationsLock SET Timestamp = 'holder {holder}'");
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(1L, await ExecuteAsync("SELECT count(*) FROM __EFMigrationsLock"));
        }

        await ExecuteAsync("DELETE FROM __EFMigrationsLock");
        await AdvanceUntilAsync(release);
    }

    [Fact]
    public async Task Nothing_to_release_returns_at_once()
    {
        await ReleaseAsync();
        await ExecuteAsync("CREATE TABLE other (id INTEGER)");
        await ReleaseAsync();
        await ExecuteAsync("CREATE TABLE __EFMigrationsLock (Id INTEGER PRIMARY KEY, Timestamp TEXT NOT NULL)");
        await ReleaseAsync();
        Assert.Equal(_time.Start, _time.GetUtcNow());
    }

    private Task ReleaseAsync() => MigrationLock.ReleaseStaleAsync(
        new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Database", _folder.File("hub.db"))]).Build(), _time, Stop);

    private async Task AdvanceUntilAsync(Task release)
    {
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return release.IsCompleted;
            },
            "the lock is free");
        await release;
    }

    private async Task<object?> ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _folder.File("hub.db"), Pooling = false }.ToString());
        await connection.OpenAsync(Stop);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The statements are the tests' own.
        command.CommandText = sql;
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync(Stop);
    }
}
