using System.Globalization;
using DuckDB.NET.Data;

namespace Hub.Cloud.Series;

/// <summary>
/// The database file of the store: takes the folder, opens and closes the file, lends connections to queries. The writer's connection belongs to the committer; queries have their own, so they
/// never block it. After a failed commit the whole file is closed and opened again, because the database may refuse everything from then on.
/// </summary>
internal sealed class DuckDatabase(SeriesOptions options) : IDisposable
{
    private const string Version = "1";

    private static readonly string[] Schema =
    [
        "CREATE TABLE meta (name VARCHAR NOT NULL, value VARCHAR NOT NULL)",
        $"INSERT INTO meta VALUES ('version', '{Version}')",
        $"CREATE TABLE observation {Columns}",
        $"CREATE TABLE history {Columns}",
    ];

    private readonly SemaphoreSlim _turns = new(options.QueriesMax, options.QueriesMax);
    private readonly Stack<DuckDBConnection> _idle = new();
    private readonly string _file = Path.Combine(options.Folder, "series.duckdb");
    private CancellationTokenSource _closing = new();
    private FileStream? _lock;
    private DuckDBConnection? _writer;

    private const string Columns =
        """
        (datastream INTEGER NOT NULL, "time" TIMESTAMP NOT NULL, result DOUBLE NOT NULL, quality INTEGER NOT NULL, raw DOUBLE,
         calibration INTEGER NOT NULL, coverage DOUBLE, revision INTEGER NOT NULL, "commit" BIGINT NOT NULL)
        """;

    /// <summary>The writer's connection; for the committer only.</summary>
    public DuckDBConnection Writer => _writer ?? throw new SeriesUnavailableException($"The series store in {options.Folder} is not open.");

    /// <summary>Takes the folder for this process.</summary>
    /// <exception cref="IOException">It cannot be used, or another hub has it.</exception>
    public void TakeFolder()
    {
        try
        {
            Directory.CreateDirectory(options.Folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The series folder {options.Folder} cannot be made: check the path and its permissions, or change {SeriesOptions.Section}:Folder.", e);
        }

        try
        {
            _lock = new FileStream(Path.Combine(options.Folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The series folder {options.Folder} cannot be written: check its permissions, or change {SeriesOptions.Section}:Folder.", e);
        }
        catch (IOException e)
        {
            throw new IOException($"The series folder {options.Folder} is in use by another hub: stop that one, or give this one a data folder of its own with --data (or only its series with {SeriesOptions.Section}:Folder).", e);
        }
    }

    /// <summary>Opens the file, replays what a crash left in its log, makes the tables when it is new.</summary>
    /// <param name="checkpoint">Also write everything into the file: fails while the disk is full, so success means that commits work again.</param>
    public void Open(bool checkpoint)
    {
        var writer = new DuckDBConnection(string.Create(
            CultureInfo.InvariantCulture,
            $"Data Source={_file};memory_limit={options.MemoryMegabytesMax}MiB;threads={options.Threads}"));
        try
        {
            writer.Open();

            // No extension is ever fetched, and nothing spills outside the folder.
            Execute(writer, "SET autoinstall_known_extensions = false");
            Execute(writer, "SET autoload_known_extensions = false");
            Execute(writer, $"SET temp_directory = '{Path.Combine(options.Folder, "spill").Replace("'", "''", StringComparison.Ordinal)}'");
            Execute(writer, string.Create(CultureInfo.InvariantCulture, $"SET checkpoint_threshold = '{options.CheckpointMegabytes}MiB'"));
            Prepare(writer);
            if (checkpoint)
            {
                Execute(writer, "CHECKPOINT");
            }
        }
        catch
        {
            writer.Dispose();
            throw;
        }

        _writer = writer;
    }

    /// <summary>
    /// Stops the queries that run, keeps new ones waiting, closes the file, then does <paramref name="reopen"/> (which may open it again). Called by the committer only, so nothing is being written.
    /// </summary>
    public void CloseAnd(Action reopen)
    {
        _closing.Cancel();
        for (var i = 0; i < options.QueriesMax; i++)
        {
            _turns.Wait();
        }

        try
        {
            Close();
            _closing.Dispose();
            _closing = new CancellationTokenSource();
            reopen();
        }
        finally
        {
            _turns.Release(options.QueriesMax);
        }
    }

    /// <summary>Runs a query on a connection of its own, off the caller's thread. Cancelling stops it in the database.</summary>
    public async Task<T> QueryAsync<T>(Func<DuckDBCommand, T> query, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var closing = _closing.Token;
            if (_writer is null)
            {
                throw new SeriesUnavailableException($"The series store in {options.Folder} is not open.");
            }

            return await Task.Run(() => Query(query, closing, cancellationToken), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Closes the file and gives the folder back; waits for the queries that run. Later queries are refused.</summary>
    public void Dispose()
    {
        CloseAnd(static () => { });
        _lock?.Dispose();
        _lock = null;
    }

    /// <summary>Runs one statement to its end.</summary>
    public static int Execute(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    }

    private T Query<T>(Func<DuckDBCommand, T> query, CancellationToken closing, CancellationToken cancellationToken)
    {
        var connection = Rent();
        var healthy = false;
        try
        {
            using var command = connection.CreateCommand();
            using var stopped = CancellationTokenSource.CreateLinkedTokenSource(closing, cancellationToken);
            using (stopped.Token.UnsafeRegister(static state => ((DuckDBCommand)state!).Cancel(), command))
            {
                stopped.Token.ThrowIfCancellationRequested();
                var answer = query(command);
                healthy = true;
                return answer;
            }
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested && e is DuckDBException or OperationCanceledException && !closing.IsCancellationRequested)
        {
            throw new OperationCanceledException("The query was cancelled.", e, cancellationToken);
        }
        catch (Exception e) when (closing.IsCancellationRequested && e is DuckDBException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new SeriesUnavailableException($"The series store in {options.Folder} is being opened again: ask again.", e);
        }
        finally
        {
            if (healthy)
            {
                lock (_idle)
                {
                    _idle.Push(connection);
                }
            }
            else
            {
                connection.Dispose();
            }
        }
    }

    private DuckDBConnection Rent()
    {
        lock (_idle)
        {
            if (_idle.TryPop(out var idle))
            {
                return idle;
            }
        }

        var connection = new DuckDBConnection(Writer.ConnectionString);
        connection.Open();
        return connection;
    }

    private void Close()
    {
        lock (_idle)
        {
            while (_idle.TryPop(out var idle))
            {
                idle.Dispose();
            }
        }

        // The last connection to go writes the log into the file; when it cannot, the log stays and is replayed.
        _writer?.Dispose();
        _writer = null;
    }

    private void Prepare(DuckDBConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'meta'";
        if ((long)command.ExecuteScalar()! == 0)
        {
            using var transaction = connection.BeginTransaction();
            foreach (var statement in Schema)
            {
                Execute(connection, statement);
            }

            transaction.Commit();
        }

        command.CommandText = "SELECT value FROM meta WHERE name = 'version'";
        if (command.ExecuteScalar() is not string version || version != Version)
        {
            throw new InvalidDataException($"The series store {_file} has another version than this program (which reads version {Version}): use the program that made it, or move it away.");
        }
    }
}
