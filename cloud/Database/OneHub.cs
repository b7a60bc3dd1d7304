using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Hub.Cloud.Database;

/// <summary>
/// Says on a PostgreSQL that a hub serves on the database, by a lock that goes with its connection: two hubs with a folder each would evaluate and deliver the same alarms twice. (On one folder the
/// series' lock keeps the second away.) Tools do not take it.
/// </summary>
/// <remarks>Held from the start on; after the server was restarted it is not taken again, so a second hub is refused only as long as the server runs through.</remarks>
public static class OneHub
{
    /// <summary>Key of the lock: "hubh" in ASCII.</summary>
    private const long LockKey = 0x68756268;

    /// <summary>How often a lock that is taken is tried again: a hub that was killed a moment ago may still have it.</summary>
    private const int Tries = 50;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Takes the lock.</summary>
    /// <param name="configuration">The hub's settings.</param>
    /// <param name="time">Clock of the tries.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Holds it until it is disposed of; null where the database is SQLite.</returns>
    /// <exception cref="InvalidDataException">Another hub serves on the database; the message says what to do.</exception>
    /// <exception cref="NpgsqlException">The server cannot be asked (<see cref="DatabaseFault"/>).</exception>
    public static async Task<IAsyncDisposable?> HoldAsync(IConfiguration configuration, TimeProvider time, CancellationToken cancellationToken)
    {
        if (DatabaseSetting.Read(configuration) is not DatabaseSetting.PostgreSql server)
        {
            return null;
        }

        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false, ApplicationName = "hub (serves)" }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using var command = connection.CreateCommand();

            // A hub whose machine has lost its power says no good-bye: the server finds out within a minute instead of two hours.
            command.CommandText = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3";
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            command.CommandText = "SELECT pg_try_advisory_lock(@key)";
            command.Give("@key", LockKey);
            for (var left = Tries; !(bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!; left--)
            {
                if (left == 0)
                {
                    throw new InvalidDataException($"Another hub serves on {server.Description}. Stop it, or give this one a database of its own with Hub:Database. (One whose machine went away keeps it for a minute.)");
                }

                await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
            }

            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
