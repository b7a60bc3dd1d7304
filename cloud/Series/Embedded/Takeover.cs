using System.Globalization;
using DuckDB.NET.Data;
using Hub.Edge.Contract.Readings;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Series;

/// <summary>
/// Takes over a store of the first layout, a database file <c>series.duckdb</c>: its rows go straight into parts, day by day, each day named in the manifest as it is done, so it goes on where it was
/// broken off. Numbers of commits go on. At the end the old file is renamed and stays as a backup.
/// </summary>
internal sealed partial class Takeover : IDisposable
{
    private const string Suffix = ".taken-over";
    private const string Selected = """datastream, epoch_us("time"), result, quality, raw, calibration, coverage, revision""";

    private readonly PartStore _store;
    private readonly ILogger _log;
    private readonly string _spill;
    private readonly DuckDBConnection _connection;

    private Takeover(PartStore store, ILogger log)
    {
        (_store, _log) = (store, log);
        _spill = Path.Combine(store.Folder.Root, "spill");
        _connection = new DuckDBConnection($"Data Source={store.Folder.Duck};memory_limit=256MiB;threads=2");
    }

    /// <summary>Does nothing when there is no old store.</summary>
    /// <exception cref="InvalidDataException">The old file cannot be read, or a new store is there beside it.</exception>
    public static void Run(PartStore store, SeriesOptions options, ILogger log, CancellationToken cancellationToken)
    {
        var file = store.Folder.Duck;
        if (!File.Exists(file))
        {
            if (store.Manifest.TakingOver)
            {
                // Stopped after the rename.
                End(store);
            }

            return;
        }

        if (!store.Manifest.TakingOver && (store.Manifest.LastCommit > 0 || store.Manifest.Parts.Length > 0 || Directory.EnumerateFiles(store.Folder.Log).Any()))
        {
            throw new InvalidDataException($"The series folder {options.Folder} holds a store and the old database {file} beside it: move the old file out of the folder; the store is complete without it.");
        }

        try
        {
            using var takeover = new Takeover(store, log);
            takeover.CopyAll(cancellationToken);
        }
        catch (DuckDBException e)
        {
            throw new InvalidDataException($"The old series store {file} cannot be read: free space if the disk is full, else restore the file from a backup.", e);
        }

        Rename(file);
        Rename(file + ".wal");
        LogDisk.Real.FlushFolder(store.Folder.Root);
        End(store);
    }

    public void Dispose()
    {
        _connection.Dispose();
        if (Directory.Exists(_spill))
        {
            Directory.Delete(_spill, recursive: true);
        }
    }

    private static void Rename(string file)
    {
        if (File.Exists(file))
        {
            File.Move(file, file + Suffix, overwrite: true);
        }
    }

    private static void End(PartStore store) => store.Edit(edit => edit with { Manifest = edit.Manifest with { TakingOver = false } });

    private void CopyAll(CancellationToken cancellationToken)
    {
        _connection.Open();
        Execute("SET autoinstall_known_extensions = false");
        Execute("SET autoload_known_extensions = false");
        Execute($"SET temp_directory = '{_spill.Replace("'", "''", StringComparison.Ordinal)}'");
        if (Scalar("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'meta'") == 0 || Text("SELECT max(value) FROM meta WHERE name = 'version'") != "1")
        {
            throw new InvalidDataException($"The old series store {_store.Folder.Duck} has another version than this program (which takes over version 1): use the program that made it, or move it away.");
        }

        var last = Scalar("SELECT greatest((SELECT coalesce(max(\"commit\"), 0) FROM observation), (SELECT coalesce(max(\"commit\"), 0) FROM history))");
        if (_store.Manifest.LastCommit == last && _store.Manifest.TakingOver && last > 0)
        {
            // Stopped between the last day and the rename.
            return;
        }

        _store.Edit(edit => edit with { Manifest = edit.Manifest with { TakingOver = true } });
        CopyDays(PartKind.Observations, "observation", cancellationToken);
        CopyDays(PartKind.History, "history", cancellationToken);
        _store.Edit(edit => edit with
        {
            Manifest = edit.Manifest with { LastCommit = last, Latest = new LatestFile(_store).Write(ReadLatest()) },
            Changes = last > 0 ? edit.Changes.With(ChangeNote.Of(1, last, 0, ReadEarliest()), _store.Folder, _store.NextNumber) : edit.Changes,
        });
    }

    private void CopyDays(PartKind kind, string table, CancellationToken cancellationToken)
    {
        var days = Read($"SELECT DISTINCT CAST(\"time\" AS DATE) - DATE '1970-01-01' AS day FROM {table} ORDER BY day", static reader => (int)reader.GetInt64(0)).ToList();
        var done = _store.Manifest.Parts.Where(part => part.Kind == kind).Select(part => part.Day).ToHashSet();
        for (var i = 0; i < days.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!done.Contains(days[i]))
            {
                var part = CopyDay(kind, table, days[i]);
                _store.Edit(edit => edit with { Manifest = edit.Manifest with { Parts = PartOrder.Sorted(edit.Manifest.Parts.Add(part)) } });
                LogCopied(_log, EventTime.TimeClamped(days[i] * EventTime.MicrosPerDay), i + 1, days.Count, table, part.Summary.Rows);
            }
        }
    }

    private PartInfo CopyDay(PartKind kind, string table, int day)
    {
        var name = _store.NewPartName(day);
        using var writer = new PartWriter(Path.Combine(_store.Folder.Parts(kind), name));
        var (datastream, rows) = (0, new ObservationColumns());
        var sql = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            SELECT {Selected} FROM {table} WHERE "time" >= make_timestamp({day * EventTime.MicrosPerDay}) AND "time" < make_timestamp({(day + 1) * EventTime.MicrosPerDay})
            ORDER BY datastream, "time"
            """);
        foreach (var row in Read(sql, ToObservation))
        {
            if (row.Datastream != datastream || rows.Count == PartFiles.RowsAtOnce)
            {
                Flush();
                datastream = row.Datastream;
            }

            rows.Add(row);
        }

        Flush();
        return _store.Describe(name, kind, day, writer.Complete());

        void Flush()
        {
            if (rows.Count > 0)
            {
                writer.Add(datastream, rows);
                rows.Clear();
            }
        }
    }

    private List<Observation> ReadLatest() =>
        [.. Read($"SELECT {Selected} FROM observation SEMI JOIN (SELECT datastream, max(\"time\") AS \"time\" FROM observation GROUP BY datastream) USING (datastream, \"time\")", ToObservation)];

    private Dictionary<int, long> ReadEarliest() =>
        Read("SELECT datastream, epoch_us(min(\"time\")) FROM observation GROUP BY datastream", static reader => KeyValuePair.Create(reader.GetInt32(0), reader.GetInt64(1))).ToDictionary();

    private static Observation ToObservation(DuckDBDataReader reader) =>
        new(reader.GetInt32(0), EventTime.Time(reader.GetInt64(1)), reader.GetDouble(2), (Quality)reader.GetInt32(3))
        {
            Raw = reader.IsDBNull(4) ? double.NaN : reader.GetDouble(4),
            Calibration = reader.GetInt32(5),
            Coverage = reader.IsDBNull(6) ? double.NaN : reader.GetDouble(6),
            Revision = reader.GetInt32(7),
        };

    private IEnumerable<T> Read<T>(string sql, Func<DuckDBDataReader, T> read)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.UseStreamingMode = true;
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            yield return read(reader);
        }
    }

    private void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private long Scalar(string sql) => Convert.ToInt64(Value(sql), CultureInfo.InvariantCulture);

    private string? Text(string sql) => Value(sql) as string;

    private object? Value(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    [LoggerMessage(40, LogLevel.Information, "Taking over the old store: {Day:yyyy-MM-dd}, day {Number} of {Days} of {Table}, {Rows} rows.")]
    private static partial void LogCopied(ILogger logger, DateTime day, int number, int days, string table, long rows);
}
