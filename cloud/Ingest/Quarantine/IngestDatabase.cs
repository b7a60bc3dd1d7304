using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;

namespace Hub.Cloud.Ingest.Quarantine;

/// <summary>Where the relational database is and how it is opened.</summary>
internal static class IngestDatabase
{
    /// <summary>
    /// Connection string from <c>Hub:Database</c>: a file path or a whole connection string; without it <c>hub.db</c> in the folder <c>Hub:Data</c>
    /// (default <c>hub-data</c>). Waits up to 30 s for another writer.
    /// </summary>
    public static string ConnectionString(IConfiguration configuration)
    {
        var database = configuration["Hub:Database"];
        if (string.IsNullOrWhiteSpace(database))
        {
            database = Path.Combine(configuration["Hub:Data"] ?? "hub-data", "hub.db");
        }

        var builder = database.Contains('=', StringComparison.Ordinal)
            ? new SqliteConnectionStringBuilder(database)
            : new SqliteConnectionStringBuilder { DataSource = database };
        builder.DefaultTimeout = 30;
        return builder.ToString();
    }
}

/// <summary>
/// Makes every commit survive a power cut: what the quarantine and the retained messages hold has been acknowledged. (WAL alone would sync only at checkpoints.)
/// </summary>
internal sealed class DurableSqlite : DbConnectionInterceptor
{
    private const string Pragmas = "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
