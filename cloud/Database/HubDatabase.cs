using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Hub.Cloud.Database;

/// <summary>The hub's relational database, a file of SQLite or a database on a PostgreSQL, in which each stage has tables and a migration history of its own.</summary>
public static class HubDatabase
{
    /// <summary>Project with the migrations for PostgreSQL; those for SQLite are in the stages.</summary>
    internal const string PostgreSqlMigrations = "Hub.Cloud.PostgreSql";

    /// <summary>What a server that answers at all does not need; seconds.</summary>
    private const int ProbePatienceSeconds = 5;

    /// <summary>Longer than any migration of ours takes: who holds the lock for so long was killed.</summary>
    private static readonly TimeSpan MigrationLongest = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Opens the database of <c>Hub:Database</c>: a path or a connection string of SQLite, by default <c>hub.db</c> in the folder <c>Hub:Data</c>, itself by default <c>hub-data</c> (the folder is made where
    /// it is missing); or a connection string with a host, or an address <c>postgresql://...</c>, of a PostgreSQL, with its password in the file <c>Hub:DatabasePasswordFile</c>.
    /// Called while options are built, by the stages' factories.
    /// </summary>
    /// <param name="options">Options of the stage's context.</param>
    /// <param name="configuration">The hub's settings.</param>
    /// <param name="historyTable">Table of the stage's own migration history.</param>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    /// <exception cref="InvalidDataException">The setting is malformed, or the password's file cannot be read; the message says what to do.</exception>
    public static DbContextOptionsBuilder UseHubDatabase(this DbContextOptionsBuilder options, IConfiguration configuration, string historyTable)
    {
        ArgumentNullException.ThrowIfNull(options);
        var setting = DatabaseSetting.Read(configuration);
        return (setting is DatabaseSetting.PostgreSql ? options.UsePostgreSql(setting.ConnectionString, historyTable) : options.UseSqlite(setting.ConnectionString, sqlite => sqlite.MigrationsHistoryTable(historyTable)))
            // Every statement at Information would drown what operators need to see.
            .ConfigureWarnings(warnings => warnings.Log((RelationalEventId.CommandExecuted, LogLevel.Debug)));
    }

    /// <summary>A PostgreSQL with the meaning that SQLite has: <see cref="PostgreSqlModel"/>, <see cref="OneWriter"/>, <see cref="StorableText"/>.</summary>
    private static DbContextOptionsBuilder UsePostgreSql(this DbContextOptionsBuilder options, string connectionString, string historyTable) => options
        .UseNpgsql(
            connectionString,
            // Nothing is tried again on its own, as on SQLite: who has lost its connection knows whether it may begin anew, and gets the driver's exception as it is.
            server => server.MigrationsHistoryTable(historyTable).MigrationsAssembly(PostgreSqlMigrations).ExecutionStrategy(static dependencies => new NonRetryingExecutionStrategy(dependencies)))
        .ReplaceService<IModelCustomizer, PostgreSqlModel>()
        .AddInterceptors(new OneWriter(), new StorableText());

    /// <summary>Whether the settings name a PostgreSQL.</summary>
    public static bool IsPostgreSql(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return DatabaseSetting.IsPostgreSql(configuration["Hub:Database"]);
    }

    /// <summary>The database in words, for messages and logs: where it is, never a password.</summary>
    /// <param name="configuration">The hub's settings.</param>
    public static string Describe(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        try
        {
            return DatabaseSetting.Read(configuration) switch
            {
                DatabaseSetting.PostgreSql server => server.Description,
                var file => $"SQLite {new SqliteConnectionStringBuilder(file.ConnectionString).DataSource}",
            };
        }
        catch (InvalidDataException)
        {
            return "PostgreSQL";
        }
    }

    /// <summary>Asks the server of <c>Hub:Database</c> whether it answers. Nothing is asked where the database is SQLite.</summary>
    /// <param name="configuration">The hub's settings.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null when all is well, else one line that says what is not.</returns>
    public static async Task<string?> ProbeAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        if (DatabaseSetting.Read(configuration) is not DatabaseSetting.PostgreSql server)
        {
            return null;
        }

        try
        {
            await using var connection = new NpgsqlConnection(server.ConnectionString);
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using var command = new NpgsqlCommand("SELECT 1", connection) { CommandTimeout = ProbePatienceSeconds };
            await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (NpgsqlException exception)
        {
            return DatabaseFault.Explain(exception, configuration) ?? $"{server.Description} does not answer ({exception.Message}).";
        }
    }

    /// <summary>
    /// Brings a stage's tables up to date. Entity Framework Core takes a lock in the file while it migrates, even when there is nothing to do, and a process killed in that moment leaves it there
    /// for ever. So nothing is touched when nothing is pending, and a lock whose holder has not changed for longer than any migration takes is removed; a younger one is waited for. Where nobody holds
    /// it and time runs out all the same, the machine is slow, and the next try gets twice the time. On PostgreSQL the lock is the server's and goes with the process.
    /// </summary>
    /// <param name="database">Database of the stage's context.</param>
    /// <param name="time">Clock of the wait.</param>
    /// <param name="cancellationToken">Gives up; what was begun is rolled back.</param>
    /// <exception cref="System.Data.Common.DbException">The database cannot be opened or written; the message says why (<see cref="DatabaseFault"/>).</exception>
    public static async Task MigrateHubAsync(this DatabaseFacade database, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(database);
        if (!database.IsSqlite())
        {
            await MigratePostgreSqlAsync(database, cancellationToken).ConfigureAwait(false);
            return;
        }

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

    private static async Task MigratePostgreSqlAsync(DatabaseFacade database, CancellationToken cancellationToken)
    {
        if ((await database.GetPendingMigrationsAsync(cancellationToken).ConfigureAwait(false)).Any())
        {
            // Also makes the database where there is none and the user may.
            await database.MigrateAsync(cancellationToken).ConfigureAwait(false);
        }

        var encoding = await database.SqlQuery<string>($"SELECT current_setting('server_encoding') AS \"Value\"").SingleAsync(cancellationToken).ConfigureAwait(false);
        if (encoding != "UTF8")
        {
            throw new InvalidDataException($"Hub:Database names a database on PostgreSQL with the encoding {encoding}, which cannot hold every text. Create it anew: createdb --encoding UTF8 --template template0 --owner USER DATABASE.");
        }
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
