using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Database;

/// <summary>The hub's relational database: one file, in which each stage has tables and a migration history of its own.</summary>
public static class HubDatabase
{
    /// <summary>How long a command waits while another stage, or a tool, writes; seconds.</summary>
    private const int WriterPatienceSeconds = 30;

    /// <summary>Longer than any migration of ours takes: who holds the lock for so long was killed.</summary>
    private static readonly TimeSpan MigrationLongest = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Opens the database of <c>Hub:Database</c> (a path, or a whole connection string), by default <c>hub.db</c> in the folder <c>Hub:Data</c>, itself by default <c>hub-data</c>; the
    /// folder is made where it is missing. Called while options are built, by the stages' factories.
    /// </summary>
    /// <param name="options">Options of the stage's context.</param>
    /// <param name="configuration">The hub's settings.</param>
    /// <param name="historyTable">Table of the stage's own migration history.</param>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    public static DbContextOptionsBuilder UseHubDatabase(this DbContextOptionsBuilder options, IConfiguration configuration, string historyTable)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options
            .UseSqlite(ConnectionString(configuration), sqlite => sqlite.MigrationsHistoryTable(historyTable))
            // Every statement at Information would drown what operators need to see.
            .ConfigureWarnings(warnings => warnings.Log((RelationalEventId.CommandExecuted, LogLevel.Debug)));
    }

    /// <summary>
    /// Brings a stage's tables up to date. Entity Framework Core takes a lock in the file while it migrates, even when there is nothing to do, and a process killed in that moment leaves it there
    /// for ever. So nothing is touched when nothing is pending, and a lock whose holder has not changed for longer than any migration takes is removed; a younger one is waited for. Where nobody holds
    /// it and time runs out all the same, the machine is slow, and the next try gets twice the time.
    /// </summary>
    /// <param name="database">Database of the stage's context.</param>
    /// <param name="time">Clock of the wait.</param>
    /// <param name="cancellationToken">Gives up; what was begun is rolled back.</param>
    /// <exception cref="SqliteException">The database cannot be opened or written; the message says why.</exception>
    public static async Task MigrateHubAsync(this DatabaseFacade database, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        // Readers do not wait for the writer; set once, remembered in the file.
        await database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL", cancellationToken).ConfigureAwait(false);
        var patience = MigrationLongest;
        while ((await database.GetPendingMigrationsAsync(cancellationToken).ConfigureAwait(false)).Any())
        {
            var holder = await HolderAsync(database, cancellationToken).ConfigureAwait(false);
            using var limit = new CancellationTokenSource(patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                await database.MigrateAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                if (holder is null)
                {
                    patience *= 2;
                }
                else
                {
                    // Only the one that was there all the time: a tool at work may have taken it meanwhile.
                    await database.ExecuteSqlAsync($"DELETE FROM \"__EFMigrationsLock\" WHERE \"Timestamp\" = {holder}", cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private static string ConnectionString(IConfiguration configuration)
    {
        var database = configuration["Hub:Database"];
        if (string.IsNullOrWhiteSpace(database))
        {
            database = Path.Combine(configuration["Hub:Data"] is { Length: > 0 } data ? data : "hub-data", "hub.db");
        }

        var builder = database.Contains('=', StringComparison.Ordinal)
            ? new SqliteConnectionStringBuilder(database)
            : new SqliteConnectionStringBuilder { DataSource = database };
        builder.DefaultTimeout = Math.Max(builder.DefaultTimeout, WriterPatienceSeconds);
        if (Path.GetDirectoryName(builder.DataSource) is { Length: > 0 } folder && builder.Mode != SqliteOpenMode.Memory)
        {
            Directory.CreateDirectory(folder);
        }

        return builder.ToString();
    }

    /// <summary>When the lock was taken, as written by its holder; null while it is free.</summary>
    private static async Task<string?> HolderAsync(DatabaseFacade database, CancellationToken cancellationToken)
    {
        var tables = await database.SqlQuery<int>($"SELECT count(*) AS \"Value\" FROM sqlite_master WHERE name = '__EFMigrationsLock'").ToListAsync(cancellationToken).ConfigureAwait(false);
        return tables[0] == 0
            ? null
            : (await database.SqlQuery<string>($"SELECT \"Timestamp\" AS \"Value\" FROM \"__EFMigrationsLock\"").ToListAsync(cancellationToken).ConfigureAwait(false)).FirstOrDefault();
    }
}
