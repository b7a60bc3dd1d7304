using System.Collections.Concurrent;
using Hub.Cloud.Database;
using Hub.Cloud.PostgreSql;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Hub.Tests.Kit.PostgreSql;

/// <summary>
/// With <c>HUB_TEST_DATABASE=postgresql</c>, every database that a test of this program makes is one on a real PostgreSQL instead of a file of SQLite: the same path is the same database. The server is
/// one for the program, started by the first.
/// </summary>
public static class OnPostgreSql
{
    private const string Template = "hub_template";

    private static readonly Lazy<Task<PostgreSqlServer>> Shared = new(MakeAsync);
    private static readonly ConcurrentDictionary<string, Lazy<string>> Databases = new(StringComparer.Ordinal);

    /// <summary>Whether tests run on PostgreSQL.</summary>
    public static bool IsOn { get; } = string.Equals(Environment.GetEnvironmentVariable("HUB_TEST_DATABASE"), "postgresql", StringComparison.OrdinalIgnoreCase);

    /// <summary>Called as the program starts (Start/).</summary>
    public static void Begin()
    {
        if (IsOn)
        {
            DatabaseSetting.Instead = InPlaceOf;
        }
    }

    /// <summary>A new database with the tables of all stages; the connection string.</summary>
    public static async Task<string> NewDatabaseAsync()
    {
        var server = await Shared.Value.ConfigureAwait(false);
        var name = server.NextDatabase();
        await CopyAsync(server, Template, name).ConfigureAwait(false);

        // Each database has a pool of its own, and a program has hundreds: what is not used any more is soon closed.
        return server.ConnectionString(name) + ";Maximum Pool Size=20;Connection Idle Lifetime=2;Connection Pruning Interval=1";
    }

    /// <summary>The server of this program.</summary>
    public static Task<PostgreSqlServer> ServerAsync() => Shared.Value;

    /// <summary>Where a connection to a database is to be opened that the code under test knows by SQLite's connection string; for tests that look into tables.</summary>
    public static System.Data.Common.DbConnection Connection(string sqlite) =>
        IsOn ? new NpgsqlConnection(InPlaceOf(new SqliteConnectionStringBuilder(sqlite).ToString())) : new SqliteConnection(sqlite);

    private static string InPlaceOf(string sqlite)
    {
        var source = new SqliteConnectionStringBuilder(sqlite).DataSource;
        return Databases.GetOrAdd(Path.IsPathRooted(source) ? Path.GetFullPath(source) : source, static _ => new Lazy<string>(static () => Task.Run(NewDatabaseAsync).GetAwaiter().GetResult())).Value;
    }

    private static async Task<PostgreSqlServer> MakeAsync()
    {
        var server = await PostgreSqlServer.StartNewAsync(isDurable: false).ConfigureAwait(false);
        foreach (var context in StageContexts.All(new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Database", server.ConnectionString(Template))]).Build()))
        {
            await using (context.ConfigureAwait(false))
            {
                await context.Database.MigrateHubAsync(TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
            }
        }

        NpgsqlConnection.ClearAllPools();
        return server;
    }

    private static async Task CopyAsync(PostgreSqlServer server, string from, string to)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString("postgres"));
        await connection.OpenAsync().ConfigureAwait(false);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Names of our own.
        command.CommandText = $"CREATE DATABASE {to} TEMPLATE {from} STRATEGY file_copy";
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync().ConfigureAwait(false);
    }
}
