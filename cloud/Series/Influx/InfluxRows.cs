using System.Globalization;
using System.Text;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>
/// Questions about the rows on the server. A datastream may have several series there, one for each set of labels it has had: they are read as one, and of several values for one key the winner is
/// taken. Safe for concurrent use.
/// </summary>
internal sealed class InfluxRows(InfluxClient client)
{
    /// <summary>What <see cref="Read"/> expects, after the time.</summary>
    private const string Fields = "\"quality\",\"raw\",\"calibration\",\"coverage\",\"revision\",\"unstated\",\"commit\"";

    private const int StatementsMax = 200;

    /// <summary>Keys of one datastream that are no further apart are asked for in one statement.</summary>
    private const long KeyGapMicros = 3_600_000_000;

    private const int FirstPageRows = 4_096;
    private const int PageRows = 65_536;

    /// <summary>Rows of a datastream, from and to inclusive microseconds, in order of time, each key once.</summary>
    public IAsyncEnumerable<List<Observation>> PagesAsync(int datastream, long from, long to, CancellationToken cancellationToken) =>
        PagesAsync(InfluxLines.Measurement, datastream, from, to, AddWinner, cancellationToken);

    /// <summary>Values of a datastream that lost, from and to inclusive microseconds, in order of time; those of one time are in one page.</summary>
    public IAsyncEnumerable<List<Observation>> HistoryPagesAsync(int datastream, long from, long to, CancellationToken cancellationToken) =>
        PagesAsync(InfluxLines.HistoryMeasurement, datastream, from, to, static (List<Observation> rows, in Observation row) => rows.Add(row), cancellationToken);

    /// <summary>In pages: a slow reader holds nothing on the server, and a long series takes no more memory than a short one.</summary>
    private async IAsyncEnumerable<List<Observation>> PagesAsync(
        string measurement, int datastream, long from, long to, AddRow add, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var limit = FirstPageRows;
        (from, to) = Clamp(from, to);
        while (from <= to)
        {
            var (rows, count) = (new List<Observation>(), 0);
            var question = string.Create(CultureInfo.InvariantCulture, $"SELECT \"result\",{Fields} FROM {measurement} WHERE {Of(datastream)} AND {Within(from, to)} LIMIT {limit}");
            await client.QueryAsync(
                question,
                (_, _, _, cells) =>
                {
                    count++;
                    add(rows, Read(datastream, cells));
                },
                cancellationToken).ConfigureAwait(false);
            if (count < limit)
            {
                yield return rows;
                yield break;
            }

            // More values for the last time may follow: it is asked for again. A datastream has few sets of labels, so a page has many times.
            var last = EventTime.Micros(rows[^1].PhenomenonTime);
            var isWhole = last > from;
            if (isWhole)
            {
                rows.RemoveAll(row => EventTime.Micros(row.PhenomenonTime) == last);
                yield return rows;
                from = last;
            }

            limit = Math.Max(PageRows, isWhole ? limit : 2 * limit);
        }
    }

    private delegate void AddRow(List<Observation> rows, in Observation row);

    /// <summary>The latest row of every datastream.</summary>
    public async Task<List<Observation>> LatestAsync(CancellationToken cancellationToken)
    {
        // By every tag, so that of several values for the latest time the winner is taken here: the server would take the larger result.
        var latest = new Dictionary<int, Observation>();
        await client.QueryAsync(
            $"SELECT last(\"result\") AS \"result\",{Fields} FROM {InfluxLines.Measurement} WHERE {Within(InfluxLines.MinMicros, InfluxLines.MaxMicros)} GROUP BY *",
            (_, datastream, _, cells) =>
            {
                if (datastream > 0 && Read(datastream, cells) is var row
                    && (!latest.TryGetValue(datastream, out var other) || row.PhenomenonTime > other.PhenomenonTime
                        || (row.PhenomenonTime == other.PhenomenonTime && ObservationOrder.Compare(row, other) > 0)))
                {
                    latest[datastream] = row;
                }
            },
            cancellationToken).ConfigureAwait(false);
        return [.. latest.Values];
    }

    /// <summary>The latest row of each of these datastreams that has one.</summary>
    public async Task<List<Observation>> LatestAsync(IReadOnlyList<int> datastreams, CancellationToken cancellationToken)
    {
        var latest = new List<Observation>();
        await AskAsync(
            datastreams,
            datastream => $"SELECT last(\"result\") AS \"result\",{Fields} FROM {InfluxLines.Measurement} WHERE {Of(datastream)} AND {Within(InfluxLines.MinMicros, InfluxLines.MaxMicros)} GROUP BY *",
            (datastream, _, cells) => latest.Add(Read(datastream, cells)),
            cancellationToken).ConfigureAwait(false);
        return latest;
    }

    /// <summary>The time of the earliest row of any of these datastreams between two times, inclusive; null when there is none.</summary>
    public async Task<long?> EarliestAsync(IReadOnlyList<int> datastreams, long from, long to, CancellationToken cancellationToken)
    {
        long? earliest = null;
        (from, to) = Clamp(from, to);
        await AskAsync(
            datastreams,
            datastream => $"SELECT first(\"result\") FROM {InfluxLines.Measurement} WHERE {Of(datastream)} AND {Within(from, to)}",
            (_, _, cells) => earliest = Math.Min(cells[0].Integer, earliest ?? long.MaxValue),
            cancellationToken).ConfigureAwait(false);
        return earliest;
    }

    /// <summary>Of UTC days of datastreams, those with a row. A datastream is asked for all between its first and last day.</summary>
    public async Task<HashSet<(int Datastream, int Day)>> DaysWithRowsAsync(IEnumerable<(int Datastream, int Day)> days, CancellationToken cancellationToken)
    {
        var found = new HashSet<(int, int)>();
        await AskAsync(
            days.GroupBy(static day => day.Datastream, static day => day.Day).Select(static group => (Datastream: group.Key, First: group.Min(), Last: group.Max())).ToList(),
            span =>
            {
                var (from, to) = Clamp(span.First * EventTime.MicrosPerDay, ((span.Last + 1) * EventTime.MicrosPerDay) - 1);
                return $"SELECT count(\"result\") FROM {InfluxLines.Measurement} WHERE {Of(span.Datastream)} AND {Within(from, to)} GROUP BY time(1d) fill(none)";
            },
            (span, _, cells) => found.Add((span.Datastream, EventTime.Day(cells[0].Integer))),
            cancellationToken).ConfigureAwait(false);
        return found;
    }

    /// <summary>Deletes the rows of datastreams between two times, inclusive, and their history. Repeating it does no harm.</summary>
    public async Task DeleteAsync(IReadOnlyList<int> datastreams, long from, long to, CancellationToken cancellationToken)
    {
        (from, to) = Clamp(from, to);
        foreach (var measurement in new[] { InfluxLines.HistoryMeasurement, InfluxLines.Measurement })
        {
            await AskAsync(datastreams, datastream => $"DELETE FROM {measurement} WHERE {Of(datastream)} AND {Within(from, to)}", static (_, _, _) => { }, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The last note about commits: its second, the last commit and the earliest time it changed. Zeros when there is none.</summary>
    public async Task<(long Second, long Commit, long? Earliest)> LastNoteAsync(CancellationToken cancellationToken)
    {
        (long, long, long?) note = (0, 0, null);
        await client.QueryAsync(
            $"SELECT \"last\",\"earliest\" FROM {InfluxLines.CommitMeasurement} ORDER BY time DESC LIMIT 1",
            (_, _, _, cells) => note = (EventTime.FloorDivide(cells[0].Integer, 1_000_000), cells[1].Integer, cells[2].IsNull ? null : cells[2].Integer),
            cancellationToken).ConfigureAwait(false);
        return note;
    }

    /// <summary>The earliest time that commits after a number changed in each datastream.</summary>
    public async Task<Dictionary<int, long>> ChangedSinceAsync(long commit, CancellationToken cancellationToken)
    {
        var changed = new Dictionary<int, long>();
        if (await EarliestAfterAsync(commit, cancellationToken).ConfigureAwait(false) is not { } earliest)
        {
            return changed;
        }

        await client.QueryAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"SELECT first(\"commit\") FROM {InfluxLines.Measurement} WHERE \"commit\" > {commit} AND {Within(earliest, InfluxLines.MaxMicros)} GROUP BY \"datastream\""),
            (_, datastream, _, cells) =>
            {
                if (datastream > 0)
                {
                    changed[datastream] = cells[0].Integer;
                }
            },
            cancellationToken).ConfigureAwait(false);
        return changed;
    }

    /// <summary>Rows of commits after a number, not earlier than a time.</summary>
    public async Task<List<Observation>> RowsAfterAsync(long commit, long earliest, CancellationToken cancellationToken)
    {
        var rows = new List<Observation>();
        await client.QueryAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"SELECT \"result\",{Fields} FROM {InfluxLines.Measurement} WHERE \"commit\" > {commit} AND {Within(earliest, InfluxLines.MaxMicros)} GROUP BY \"datastream\""),
            (_, datastream, _, cells) =>
            {
                if (datastream > 0)
                {
                    rows.Add(Read(datastream, cells));
                }
            },
            cancellationToken).ConfigureAwait(false);
        return rows;
    }

    /// <summary>Datastreams with a row between two times, inclusive.</summary>
    public async Task<HashSet<int>> DatastreamsAsync(long from, long to, CancellationToken cancellationToken)
    {
        var found = new HashSet<int>();
        (from, to) = Clamp(from, to);
        if (from <= to)
        {
            await client.QueryAsync(
                $"SELECT first(\"result\") FROM {InfluxLines.Measurement} WHERE {Within(from, to)} GROUP BY \"datastream\"",
                (_, datastream, _, _) =>
                {
                    if (datastream > 0)
                    {
                        found.Add(datastream);
                    }
                },
                cancellationToken).ConfigureAwait(false);
        }

        return found;
    }

    /// <summary>All rows of days of datastreams, each key once; null when there are more than <paramref name="rowsMax"/>.</summary>
    public async Task<List<Observation>?> RowsOfDaysAsync(IReadOnlyCollection<(int Datastream, int Day)> days, int rowsMax, CancellationToken cancellationToken)
    {
        var spans = days.Select(day => (day.Datastream, From: day.Day * EventTime.MicrosPerDay, To: ((day.Day + 1) * EventTime.MicrosPerDay) - 1)).ToList();
        var rows = new List<Observation>();
        await AskAsync(
            InfluxLines.Measurement,
            spans,
            string.Create(CultureInfo.InvariantCulture, $" LIMIT {(long)rowsMax + 1}"),
            (row, _) =>
            {
                // What is beyond the limit is not kept, only noticed.
                if (rows.Count <= rowsMax)
                {
                    AddWinner(rows, row);
                }
            },
            cancellationToken).ConfigureAwait(false);
        return rows.Count > rowsMax ? null : rows;
    }

    /// <summary>The rows with exactly these keys, each once.</summary>
    public async Task<List<Observation>> RowsOfKeysAsync(IReadOnlyCollection<(int Datastream, long Micros)> keys, CancellationToken cancellationToken)
    {
        var rows = new List<Observation>();
        var wanted = keys as IReadOnlySet<(int, long)> ?? keys.ToHashSet();
        await AskAsync(
            InfluxLines.Measurement,
            Spans(keys),
            "",
            (row, _) =>
            {
                if (wanted.Contains((row.Datastream, EventTime.Micros(row.PhenomenonTime))))
                {
                    AddWinner(rows, row);
                }
            },
            cancellationToken).ConfigureAwait(false);
        return rows;
    }

    /// <summary>Everything the history holds for these keys, with the number in the tag <c>loser</c>.</summary>
    public async Task<List<(Observation Row, int Loser)>> HistoryOfKeysAsync(IReadOnlyCollection<(int Datastream, long Micros)> keys, CancellationToken cancellationToken)
    {
        var rows = new List<(Observation, int)>();
        var wanted = keys.ToHashSet();
        await AskAsync(
            InfluxLines.HistoryMeasurement,
            Spans(keys),
            " GROUP BY \"loser\"",
            (row, loser) =>
            {
                if (wanted.Contains((row.Datastream, EventTime.Micros(row.PhenomenonTime))))
                {
                    rows.Add((row, loser));
                }
            },
            cancellationToken).ConfigureAwait(false);
        return rows;
    }

    /// <summary>The earliest time that commits after a number changed, or a little before it; null when there are none.</summary>
    private async Task<long?> EarliestAfterAsync(long commit, CancellationToken cancellationToken)
    {
        long? earliest = null;
        await client.QueryAsync(
            string.Create(CultureInfo.InvariantCulture, $"SELECT min(\"earliest\") FROM {InfluxLines.CommitMeasurement} WHERE \"last\" > {commit}"),
            (_, _, _, cells) => earliest = cells[1].IsNull ? earliest : cells[1].Integer,
            cancellationToken).ConfigureAwait(false);
        return earliest;
    }

    private Task AskAsync(
        string measurement, List<(int Datastream, long From, long To)> spans, string end, Action<Observation, int> take, CancellationToken cancellationToken) => AskAsync(
            spans,
            span =>
            {
                var (from, to) = Clamp(span.From, span.To);
                return $"SELECT \"result\",{Fields} FROM {measurement} WHERE {Of(span.Datastream)} AND {Within(from, to)}{end}";
            },
            (span, loser, cells) => take(Read(span.Datastream, cells), loser),
            cancellationToken);

    /// <summary>Asks one statement for each item, many in one request.</summary>
    private async Task AskAsync<T>(IReadOnlyList<T> items, Func<T, string> statement, ItemRow<T> take, CancellationToken cancellationToken)
    {
        for (var at = 0; at < items.Count; at += StatementsMax)
        {
            var start = at;
            var question = new StringBuilder();
            for (var i = at; i < Math.Min(items.Count, at + StatementsMax); i++)
            {
                question.Append(statement(items[i])).Append(';');
            }

            await client.QueryAsync(question.ToString(), (number, _, loser, cells) => take(items[start + number], loser, cells), cancellationToken).ConfigureAwait(false);
        }
    }

    private delegate void ItemRow<T>(T item, int loser, ReadOnlySpan<InfluxCell> cells);

    private static List<(int Datastream, long From, long To)> Spans(IEnumerable<(int Datastream, long Micros)> keys)
    {
        var spans = new List<(int Datastream, long From, long To)>();
        foreach (var (datastream, micros) in keys.Order())
        {
            if (spans.Count > 0 && spans[^1] is var last && last.Datastream == datastream && micros - last.To <= KeyGapMicros)
            {
                spans[^1] = last with { To = micros };
            }
            else
            {
                spans.Add((datastream, micros, micros));
            }
        }

        return spans;
    }

    /// <summary>Adds a row behind those before it; of two with the same key the winner stays.</summary>
    private static void AddWinner(List<Observation> rows, in Observation row)
    {
        if (rows.Count == 0 || rows[^1].PhenomenonTime != row.PhenomenonTime || rows[^1].Datastream != row.Datastream)
        {
            rows.Add(row);
        }
        else if (ObservationOrder.Compare(row, rows[^1]) > 0)
        {
            rows[^1] = row;
        }
    }

    private static Observation Read(int datastream, ReadOnlySpan<InfluxCell> cells)
    {
        var unstated = cells[7].Integer;
        return new Observation(datastream, EventTime.Time(cells[0].Integer), cells[1].Number, (Quality)cells[2].Integer)
        {
            Raw = (unstated & 1) != 0 ? double.NaN : cells[3].Number,
            Calibration = (int)cells[4].Integer,
            Coverage = (unstated & 2) != 0 ? double.NaN : cells[5].Number,
            Revision = (int)cells[6].Integer,
        };
    }

    /// <summary>Held within what the server can hold.</summary>
    public static (long From, long To) Clamp(long from, long to) => (Math.Max(from, InfluxLines.MinMicros), Math.Min(to, InfluxLines.MaxMicros));

    /// <summary>Condition for rows of a datastream.</summary>
    public static string Of(int datastream) => string.Create(CultureInfo.InvariantCulture, $"\"datastream\"='{datastream}'");

    /// <summary>Condition for rows between two times, inclusive, microseconds.</summary>
    public static string Within(long from, long to) => string.Create(CultureInfo.InvariantCulture, $"time >= {from}u AND time <= {to}u");
}
