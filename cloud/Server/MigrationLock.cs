using Microsoft.Data.Sqlite;

namespace Hub.Cloud.Server;

/// <summary>
/// The lock that Entity Framework Core keeps as a row while it migrates. A hub killed in that moment leaves it behind and the next one would wait for ever: a row that stays
/// longer than any migration takes is removed, a younger one may belong to a tool at work and is waited for.
/// </summary>
internal static class MigrationLock
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>Returns once nobody holds the lock.</summary>
    public static async Task ReleaseStaleAsync(IConfiguration configuration, TimeProvider time, CancellationToken stop)
    {
        var database = configuration["Hub:Database"]!;
        if (database.Contains('=', StringComparison.Ordinal) || !File.Exists(database))
        {
            return;
        }

        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = database, Pooling = false }.ToString());
        await connection.OpenAsync(stop);
        var seen = await HolderAsync(connection, stop);
        for (var waited = TimeSpan.Zero; seen is not null; waited += Pause)
        {
            if (waited >= Longest)
            {
                await using var release = connection.CreateCommand();
                release.CommandText = "DELETE FROM __EFMigrationsLock WHERE Timestamp = $seen";
                release.Parameters.AddWithValue("$seen", seen);
                await release.ExecuteNonQueryAsync(stop);
                return;
            }

            await Task.Delay(Pause, time, stop);
            var now = await HolderAsync(connection, stop);
            waited = now == seen ? waited : -Pause;
            seen = now;
        }
    }

    /// <summary>When the lock was taken, as written by its holder; null while it is free.</summary>
    private static async Task<string?> HolderAsync(SqliteConnection connection, CancellationToken stop)
    {
        await using var table = connection.CreateCommand();
        table.CommandText = "SELECT count(*) FROM sqlite_master WHERE name = '__EFMigrationsLock'";
        if ((long)(await table.ExecuteScalarAsync(stop))! == 0)
        {
            return null;
        }

        await using var rows = connection.CreateCommand();
        rows.CommandText = "SELECT Timestamp FROM __EFMigrationsLock LIMIT 1";
        return (string?)await rows.ExecuteScalarAsync(stop);
    }
}
