using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Hub.Cloud.Database;

/// <summary>
/// Says on a PostgreSQL that a hub serves on the database, by a lock that goes with its connection: two hubs with a folder each would evaluate and deliver the same alarms twice. (On one folder the
/// series' lock keeps the second away.) Tools do not take it.
/// </summary>
/// <remarks>A server that was restarted has forgotten the lock; whoever holds it asks <see cref="StillAsync"/> every few seconds, which takes it again. Not to be called concurrently.</remarks>
public sealed class OneHub : IAsyncDisposable
{
    /// <summary>Key of the lock: "hubh" in ASCII.</summary>
    private const long LockKey = 0x68756268;

    /// <summary>How often a lock that is taken is tried again: a hub that was killed a moment ago may still have it.</summary>
    private const int Tries = 50;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly DatabaseSetting.PostgreSql _server;

    // Tells a connection of this hub's own, which the server still takes for open, from another hub's. 45 of the 63 characters that the server keeps.
    private readonly string _name = $"hub (serves) {Guid.NewGuid():N}";
    private NpgsqlConnection? _connection;

    private OneHub(DatabaseSetting.PostgreSql server) => _server = server;

    private string Refusal => $"Another hub serves on {_server.Description}. Stop it, or give this one a database of its own with Hub:Database. (One whose machine went away keeps it for a minute.)";

    /// <summary>Takes the lock.</summary>
    /// <param name="configuration">The hub's settings.</param>
    /// <param name="time">Clock of the tries.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Holds it until it is disposed of; null where the database is SQLite.</returns>
    /// <exception cref="InvalidDataException">Another hub serves on the database; the message says what to do.</exception>
    /// <exception cref="NpgsqlException">The server cannot be asked (<see cref="DatabaseFault"/>).</exception>
    public static async Task<OneHub?> HoldAsync(IConfiguration configuration, TimeProvider time, CancellationToken cancellationToken)
    {
        if (DatabaseSetting.Read(configuration) is not DatabaseSetting.PostgreSql server)
        {
            return null;
        }

        var hub = new OneHub(server);
        try
        {
            await hub.ConnectAsync(cancellationToken).ConfigureAwait(false);
            for (var left = Tries; !await hub.TryLockAsync(cancellationToken).ConfigureAwait(false); left--)
            {
                if (left == 0)
                {
                    throw new InvalidDataException(hub.Refusal);
                }

                await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
            }

            return hub;
        }
        catch
        {
            await hub.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Looks whether the lock is still held, and takes it again where its connection or the server went away.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False when that cannot be told now: the server is away, or has not yet noticed that the earlier connection is.</returns>
    /// <exception cref="InvalidDataException">Another hub has taken it meanwhile: this one must end.</exception>
    public async Task<bool> StillAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_connection is not null)
            {
                try
                {
                    await using var ping = _connection.CreateCommand();
                    ping.CommandText = "SELECT 1";
                    await ping.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
                    return true;
                }
                catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
                {
                    await DisposeAsync().ConfigureAwait(false);
                }
            }

            await ConnectAsync(cancellationToken).ConfigureAwait(false);
            if (await TryLockAsync(cancellationToken).ConfigureAwait(false))
            {
                return true;
            }

            var holder = await HolderAsync(cancellationToken).ConfigureAwait(false);
            await DisposeAsync().ConfigureAwait(false);
            return holder is null || holder == _name ? false : throw new InvalidDataException(Refusal);
        }
        catch (NpgsqlException)
        {
            await DisposeAsync().ConfigureAwait(false);
            return false;
        }
        catch
        {
            // A connection that was left before it had the lock must not be taken for one that has it.
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Lets go of the lock.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        _connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Pooling = false, ApplicationName = _name }.ConnectionString);
        await _connection.OpenAsync(cancellationToken).ConfigureAwait(false);

        // A hub whose machine has lost its power says no good-bye: the server finds out within a minute instead of two hours.
        await using var command = _connection.CreateCommand();
        command.CommandText = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3";
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> TryLockAsync(CancellationToken cancellationToken)
    {
        await using var command = _connection!.CreateCommand();
        command.CommandText = "SELECT pg_try_advisory_lock(@key)";
        command.Give("@key", LockKey);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>Name of whoever has the lock; null when it has just been let go of. A connection of this hub's own that is lost is ended on the server.</summary>
    private async Task<string?> HolderAsync(CancellationToken cancellationToken)
    {
        await using var command = _connection!.CreateCommand();

        // A key of 64 bits is shown in two halves, with objsubid 1.
        command.CommandText = """
            SELECT holder.application_name, CASE WHEN holder.application_name = @name THEN pg_terminate_backend(holder.pid) END
            FROM pg_locks held JOIN pg_stat_activity holder USING (pid)
            WHERE held.locktype = 'advisory' AND held.granted AND held.classid = 0 AND held.objid = @key::oid AND held.objsubid = 1
                AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """;
        command.Give("@name", _name);
        command.Give("@key", LockKey);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) switch
        {
            null => null,
            string name => name,
            _ => "",
        };
    }
}
