using System.Globalization;
using DuckDB.NET.Data;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>Rows of the store to observations and back, and the statements of the committer.</summary>
internal sealed class DuckRows(DuckDatabase database) : IKeyLookup
{
    /// <summary>Columns <see cref="Read"/> expects, in its order.</summary>
    public const string Selected = """o.datastream, epoch_us(o."time"), o.result, o.quality, o.raw, o.calibration, o.coverage, o.revision""";

    /// <summary>A list of keys as a table k(datastream, "time"), from parameters $1 and $2.</summary>
    private const string Keys = """(SELECT unnest($1::INTEGER[]) AS datastream, make_timestamp(unnest($2::BIGINT[])) AS "time")""";

    public static Observation Read(DuckDBDataReader reader) =>
        new(reader.GetInt32(0), EventTime.Time(reader.GetInt64(1)), reader.GetDouble(2), (Quality)reader.GetInt32(3))
        {
            Raw = reader.IsDBNull(4) ? double.NaN : reader.GetDouble(4),
            Calibration = reader.GetInt32(5),
            Coverage = reader.IsDBNull(6) ? double.NaN : reader.GetDouble(6),
            Revision = reader.GetInt32(7),
        };

    /// <summary>An instant as a constant of the query, so that parts of the file outside it are not even read.</summary>
    public static string Instant(long micros) => string.Create(CultureInfo.InvariantCulture, $"make_timestamp({micros})");

    public void Append(string table, IEnumerable<Observation> rows, long commit)
    {
        using var appender = database.Writer.CreateAppender(table);
        foreach (var row in rows)
        {
            appender.AppendRow((row, commit), static (cells, value) =>
            {
                ref readonly var o = ref value.row;
                cells.AppendValue(o.Datastream).AppendValue(o.PhenomenonTime).AppendValue(o.Result).AppendValue((int)o.Quality);
                _ = double.IsNaN(o.Raw) ? cells.AppendNullValue() : cells.AppendValue(o.Raw);
                cells.AppendValue(o.Calibration);
                _ = double.IsNaN(o.Coverage) ? cells.AppendNullValue() : cells.AppendValue(o.Coverage);
                cells.AppendValue(o.Revision).AppendValue(value.commit).EndRow();
            });
        }
    }

    /// <summary>Moves stored rows to the history, with the number of the commit that brought them.</summary>
    public void Replace(IReadOnlyCollection<Observation> rows)
    {
        var (keys, span) = KeysOf([.. rows.Select(row => (row.Datastream, EventTime.Micros(row.PhenomenonTime)))]);
        Run($"INSERT INTO history SELECT o.* FROM observation o SEMI JOIN {Keys} k USING (datastream, \"time\") WHERE {span}", keys, rows.Count);
        Run($"DELETE FROM observation o USING {Keys} k WHERE o.datastream = k.datastream AND o.\"time\" = k.\"time\" AND {span}", keys, rows.Count);
    }

    /// <summary>Everything the history holds for the keys of these observations.</summary>
    public List<Observation> HistoryOf(IReadOnlyCollection<Observation> observations) =>
        RowsOf("history", [.. observations.Select(o => (o.Datastream, EventTime.Micros(o.PhenomenonTime))).Distinct()]);

    public List<Observation> RowsOfKeys(IReadOnlyCollection<(int Datastream, long Micros)> keys) => RowsOf("observation", keys);

    public List<Observation>? RowsOfDays(IReadOnlyCollection<(int Datastream, int Day)> days, int rowsMax)
    {
        var (starts, _) = KeysOf([.. days.Select(day => (day.Datastream, day.Day * EventTime.MicrosPerDay))]);
        using var command = Command(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                SELECT {Selected} FROM observation o JOIN {Keys} k
                ON o.datastream = k.datastream AND o."time" >= k."time" AND o."time" < k."time" + INTERVAL 1 DAY
                WHERE o."time" >= {Instant(days.Min(day => day.Day) * EventTime.MicrosPerDay)} AND o."time" < {Instant((days.Max(day => day.Day) + 1) * EventTime.MicrosPerDay)}
                LIMIT {(long)rowsMax + 1}
                """),
            starts);
        var rows = ReadAll(command);
        return rows.Count > rowsMax ? null : rows;
    }

    /// <summary>Number of the last commit in the store; 0 when it is empty.</summary>
    public long LastCommit()
    {
        using var command = Command("SELECT greatest((SELECT coalesce(max(\"commit\"), 0) FROM observation), (SELECT coalesce(max(\"commit\"), 0) FROM history))", null);
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>The latest observation of every datastream, by a function called for each.</summary>
    public void ReadLatest(Action<Observation> take)
    {
        using var command = Command(
            $"SELECT {Selected} FROM observation o JOIN (SELECT datastream, max(\"time\") AS \"time\" FROM observation GROUP BY datastream) USING (datastream, \"time\")", null);
        command.UseStreamingMode = true;
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            take(Read(reader));
        }
    }

    /// <summary>Rows of commits after a number, in order of arrival, with the number of their commit.</summary>
    public List<(long Commit, Observation Observation)> RowsAfter(long commit)
    {
        using var command = Command(string.Create(CultureInfo.InvariantCulture, $"SELECT {Selected}, o.\"commit\" FROM observation o WHERE o.\"commit\" > {commit} ORDER BY o.\"commit\", o.rowid"), null);
        using var reader = command.ExecuteReader();
        var rows = new List<(long, Observation)>();
        while (reader.Read())
        {
            rows.Add((reader.GetInt64(8), Read(reader)));
        }

        return rows;
    }

    private List<Observation> RowsOf(string table, IReadOnlyCollection<(int Datastream, long Micros)> wanted)
    {
        var (keys, span) = KeysOf(wanted);
        using var command = Command($"SELECT {Selected} FROM {table} o SEMI JOIN {Keys} k USING (datastream, \"time\") WHERE {span}", keys);
        return ReadAll(command);
    }

    private static List<Observation> ReadAll(DuckDBCommand command)
    {
        using var reader = command.ExecuteReader();
        var rows = new List<Observation>();
        while (reader.Read())
        {
            rows.Add(Read(reader));
        }

        return rows;
    }

    private void Run(string sql, (List<int>, List<long>) keys, int rowsExpected)
    {
        using var command = Command(sql, keys);
        var rows = command.ExecuteNonQuery();
        if (rows != rowsExpected)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"A correction found {rows} rows where {rowsExpected} are known: the store and the memory of its keys disagree."));
        }
    }

    private static ((List<int> Datastreams, List<long> Micros) Keys, string Span) KeysOf(IReadOnlyCollection<(int Datastream, long Micros)> keys)
    {
        var datastreams = new List<int>(keys.Count);
        var times = new List<long>(keys.Count);
        var (earliest, latest) = (long.MaxValue, long.MinValue);
        foreach (var (datastream, micros) in keys)
        {
            datastreams.Add(datastream);
            times.Add(micros);
            earliest = Math.Min(earliest, micros);
            latest = Math.Max(latest, micros);
        }

        return ((datastreams, times), $"o.\"time\" >= {Instant(earliest)} AND o.\"time\" <= {Instant(latest)}");
    }

    private DuckDBCommand Command(string sql, (List<int> Datastreams, List<long> Micros)? keys)
    {
        var command = database.Writer.CreateCommand();
        command.CommandText = sql;
        if (keys is { } lists)
        {
            command.Parameters.Add(new DuckDBParameter(lists.Datastreams));
            command.Parameters.Add(new DuckDBParameter(lists.Micros));
        }

        return command;
    }
}
