using System.Globalization;
using System.Text;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>The server refuses lines without which nothing may be deleted; the message is its reason.</summary>
internal sealed class InfluxRefusedException(string message) : Exception(message);

/// <summary>
/// Rollups on the server that are kept without their observations. Cells count only for days that a note names, and the note is written when all cells of its day are confirmed: a write that was broken off leaves
/// cells nobody reads. README.md describes the measurements. Safe for concurrent use, but for one writer at a time.
/// </summary>
/// <param name="client">The server.</param>
/// <param name="labels">Labels of datastreams; null for none.</param>
/// <param name="options">Size of writes.</param>
/// <param name="instruments">Counters.</param>
/// <param name="beforeChange">Called before each request that changes something: throws when the database is not this hub's.</param>
internal sealed class InfluxRollups(InfluxClient client, IDatastreamLabels? labels, InfluxOptions options, InfluxInstruments instruments, Action beforeChange)
{
    public const string Measurement = "observation_rollup";
    public const string UnflaggedMeasurement = "observation_rollup_unflagged";
    public const string DayMeasurement = "observation_rollup_day";

    private const int SumIsInfinite = 1;
    private const int SumIsMinusInfinite = 2;
    private const int EnergyIsInfinite = 4;

    private const int StatementsMax = 200;

    private const string Fields = "\"count\",\"quality\",\"covered\",\"sum\",\"min\",\"max\",\"first\",\"last\",\"energy\",\"east\",\"north\",\"infinite\"";

    /// <summary>Begin of the first and of the last noted day, microseconds; null when no day is.</summary>
    public async Task<(long First, long Last)?> SpanAsync(CancellationToken cancellationToken)
    {
        var times = new List<long>();
        await client.QueryAsync(
            $"SELECT \"kept\" FROM {DayMeasurement} ORDER BY time LIMIT 1;SELECT \"kept\" FROM {DayMeasurement} ORDER BY time DESC LIMIT 1", (_, _, _, cells) => times.Add(cells[0].Integer), cancellationToken).ConfigureAwait(false);
        return times.Count == 0 ? null : (times[0], times[^1]);
    }

    /// <summary>The noted days of a datastream that begin between two times, inclusive, ascending.</summary>
    public async Task<List<int>> DaysAsync(int datastream, long from, long to, CancellationToken cancellationToken)
    {
        var days = new List<int>();
        await client.QueryAsync($"SELECT \"kept\" FROM {DayMeasurement} WHERE {InfluxRows.Of(datastream)} AND {InfluxRows.Within(from, to)}", (_, _, _, cells) => days.Add(EventTime.Day(cells[0].Integer)), cancellationToken).ConfigureAwait(false);
        return days;
    }

    /// <summary>The noted days of all datastreams that begin between two times, inclusive.</summary>
    public async Task<SortedDictionary<int, List<int>>> DaysAsync(long from, long to, CancellationToken cancellationToken)
    {
        var days = new SortedDictionary<int, List<int>>();
        await client.QueryAsync(
            $"SELECT \"kept\" FROM {DayMeasurement} WHERE {InfluxRows.Within(from, to)} GROUP BY \"datastream\"",
            (_, datastream, _, cells) =>
            {
                if (!days.TryGetValue(datastream, out var its))
                {
                    days[datastream] = its = [];
                }

                its.Add(EventTime.Day(cells[0].Integer));
            },
            cancellationToken).ConfigureAwait(false);
        days.Remove(0);
        return days;
    }

    /// <summary>For each datastream how many noted days begin between two times, inclusive.</summary>
    public async Task<Dictionary<int, int>> CountAsync(long from, long to, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<int, int>();
        await client.QueryAsync(
            $"SELECT count(\"kept\") FROM {DayMeasurement} WHERE {InfluxRows.Within(from, to)} GROUP BY \"datastream\"",
            (_, datastream, _, cells) => counts[datastream] = (int)cells[1].Integer,
            cancellationToken).ConfigureAwait(false);
        counts.Remove(0);
        return counts;
    }

    /// <summary>Cells of a datastream that begin between two times, inclusive, in order of time, noted or not. One may stand in several series where labels have changed: it is the same in all of them.</summary>
    public async Task<List<RollupRow>> CellsAsync(int datastream, TimeSpan width, bool withoutFlagged, long from, long to, CancellationToken cancellationToken)
    {
        var (rows, micros) = (new List<RollupRow>(), width.Ticks / TimeSpan.TicksPerMicrosecond);
        await client.QueryAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"SELECT {Fields} FROM {(withoutFlagged ? UnflaggedMeasurement : Measurement)} WHERE {InfluxRows.Of(datastream)} AND \"cell\"='{width.TotalSeconds}' AND {InfluxRows.Within(from, to)}"),
            (_, _, _, cells) =>
            {
                if (rows.Count == 0 || rows[^1].Start != cells[0].Integer)
                {
                    rows.Add(Read(cells, micros));
                }
            },
            cancellationToken).ConfigureAwait(false);
        return rows;
    }

    /// <summary>Writes the cells of days of which none are noted, after removing what a write that was broken off left of them, and then the notes.</summary>
    /// <exception cref="InfluxRefusedException">The server refuses some: none of the days is noted.</exception>
    /// <exception cref="InfluxAwayException">It is not known which days are noted; each that is, is whole.</exception>
    public async Task WriteAsync(IReadOnlyList<CondensedDay> days, CancellationToken cancellationToken)
    {
        if (days.Count == 0)
        {
            return;
        }

        await RemoveStrayAsync(days, cancellationToken).ConfigureAwait(false);
        await SendAsync([.. days.SelectMany(Lines)], cancellationToken).ConfigureAwait(false);
        await SendAsync([.. days.Select(day => string.Create(CultureInfo.InvariantCulture, $"{DayMeasurement},datastream={day.Datastream} kept=1i {EventTime.Micros(day.Day)}\n"))], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Deletes the cells of every hour that [from, to] touches, and the notes of days of which none is left. Those go first: cells without a note count for nothing. Repeating it does no harm.
    /// </summary>
    public async Task CutAsync(IReadOnlyList<int> datastreams, long from, long to, CancellationToken cancellationToken)
    {
        var hour = Rollups.Coarsest.Ticks / TimeSpan.TicksPerMicrosecond;
        var (first, last) = (Math.Max(EventTime.FloorDivide(from, hour) * hour, InfluxLines.MinMicros), Math.Min(((EventTime.FloorDivide(to, hour) + 1) * hour) - 1, InfluxLines.MaxMicros));
        var (dayFirst, dayLast) = (EventTime.Day(first), EventTime.Day(last));
        var changes = new List<string>();
        foreach (var datastream in datastreams)
        {
            foreach (var day in await DaysAsync(datastream, Math.Max(dayFirst * EventTime.MicrosPerDay, InfluxLines.MinMicros), last, cancellationToken).ConfigureAwait(false))
            {
                var start = day * EventTime.MicrosPerDay;
                var isWhole = (day > dayFirst || first <= start) && (day < dayLast || last >= start + EventTime.MicrosPerDay - 1);
                if (isWhole || (await CellsAsync(datastream, Rollups.Coarsest, withoutFlagged: false, start, start + EventTime.MicrosPerDay - 1, cancellationToken).ConfigureAwait(false)).TrueForAll(cell => cell.Start >= first && cell.Start <= last))
                {
                    changes.Add(Delete(DayMeasurement, datastream, start, start));
                }
            }
        }

        changes.AddRange(datastreams.SelectMany(datastream => new[] { UnflaggedMeasurement, Measurement }.Select(measurement => Delete(measurement, datastream, first, last))));
        await ChangeAsync(changes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What is there of these days came from a write that was broken off. It may have had other cells and fields, which a write would leave.</summary>
    private async Task RemoveStrayAsync(IReadOnlyList<CondensedDay> days, CancellationToken cancellationToken)
    {
        var stray = new List<string>();
        var spans = days.GroupBy(static day => day.Datastream).Select(group => (Datastream: group.Key, Days: group.Select(static day => day.Number).ToHashSet())).ToList();
        foreach (var some in spans.Chunk(StatementsMax))
        {
            var question = string.Concat(some.Select(span =>
                $"SELECT count(\"count\") FROM {Measurement},{UnflaggedMeasurement} WHERE {InfluxRows.Of(span.Datastream)} AND {InfluxRows.Within(span.Days.Min() * EventTime.MicrosPerDay, ((span.Days.Max() + 1) * EventTime.MicrosPerDay) - 1)} GROUP BY time(1d) fill(none);"));
            await client.QueryAsync(
                question,
                (number, _, _, cells) =>
                {
                    var ((datastream, its), start) = (some[number], cells[0].Integer);
                    if (cells[1].Integer > 0 && its.Contains(EventTime.Day(start)))
                    {
                        stray.AddRange(new[] { UnflaggedMeasurement, Measurement }.Select(measurement => Delete(measurement, datastream, start, start + EventTime.MicrosPerDay - 1)));
                    }
                },
                cancellationToken).ConfigureAwait(false);
        }

        await ChangeAsync([.. stray.Distinct()], cancellationToken).ConfigureAwait(false);
    }

    private static string Delete(string measurement, int datastream, long from, long to) => $"DELETE FROM {measurement} WHERE {InfluxRows.Of(datastream)} AND {InfluxRows.Within(from, to)};";

    private async Task ChangeAsync(List<string> statements, CancellationToken cancellationToken)
    {
        foreach (var some in statements.Chunk(StatementsMax))
        {
            beforeChange();
            await client.QueryAsync(string.Concat(some), static (_, _, _, _) => { }, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(List<string> lines, CancellationToken cancellationToken)
    {
        for (var at = 0; at < lines.Count; at += options.BatchLinesMax)
        {
            await SendAsync(lines, at, Math.Min(lines.Count, at + options.BatchLinesMax), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(List<string> lines, int from, int to, CancellationToken cancellationToken)
    {
        beforeChange();
        var answer = await client.WriteAsync(Encoding.UTF8.GetBytes(string.Concat(lines.GetRange(from, to - from))), cancellationToken).ConfigureAwait(false);
        instruments.Wrote(answer.Verdict, to - from);
        if (answer.Verdict == WriteVerdict.TooLarge && to - from > 1)
        {
            var middle = from + ((to - from) / 2);
            await SendAsync(lines, from, middle, cancellationToken).ConfigureAwait(false);
            await SendAsync(lines, middle, to, cancellationToken).ConfigureAwait(false);
        }
        else if (answer.Verdict != WriteVerdict.Taken)
        {
            throw new InfluxRefusedException(answer.Reason ?? "no reason given");
        }
    }

    private IEnumerable<string> Lines(CondensedDay day)
    {
        var its = labels?.Of(day.Datastream) ?? [];
        foreach (var group in day.Cells.GroupBy(static cell => (cell.Width, cell.WithoutFlagged)))
        {
            var key = InfluxLines.Key(
                group.Key.WithoutFlagged ? UnflaggedMeasurement : Measurement, day.Datastream, its, KeyValuePair.Create("cell", group.Key.Width.TotalSeconds.ToString(CultureInfo.InvariantCulture)));
            foreach (var cell in group)
            {
                yield return Line(key, cell);
            }
        }
    }

    /// <summary>InfluxDB has no infinite numbers: the field is left out and a bit says so.</summary>
    private static string Line(string key, in CondensedCell cell)
    {
        var line = new StringBuilder(key, 256).Append(CultureInfo.InvariantCulture, $"count={cell.Count}i,quality={(int)cell.Quality}i");
        Add("covered", cell.Covered);
        Add("sum", cell.Sum);
        Add("min", cell.Min);
        Add("max", cell.Max);
        Add("first", cell.First);
        Add("last", cell.Last);
        Add("energy", cell.EnergySum);
        Add("east", cell.East);
        Add("north", cell.North);
        var infinite = (double.IsPositiveInfinity(cell.Sum) ? SumIsInfinite : 0) | (double.IsNegativeInfinity(cell.Sum) ? SumIsMinusInfinite : 0) | (double.IsInfinity(cell.EnergySum) ? EnergyIsInfinite : 0);
        if (infinite != 0)
        {
            line.Append(CultureInfo.InvariantCulture, $",infinite={infinite}i");
        }

        return line.Append(CultureInfo.InvariantCulture, $" {EventTime.Micros(cell.Start)}\n").ToString();

        void Add(string name, double number)
        {
            if (double.IsFinite(number))
            {
                line.Append(CultureInfo.InvariantCulture, $",{name}={number:R}");
            }
        }
    }

    private static RollupRow Read(ReadOnlySpan<InfluxCell> cells, long width)
    {
        var infinite = cells[12].Integer;
        var sum = (infinite & SumIsInfinite) != 0 ? double.PositiveInfinity : (infinite & SumIsMinusInfinite) != 0 ? double.NegativeInfinity : cells[4].Number;
        return new RollupRow(
            cells[0].Integer, cells[0].Integer + width, cells[1].Integer, (Quality)cells[2].Integer, cells[3].Number, sum, cells[5].Number, cells[6].Number,
            (infinite & EnergyIsInfinite) != 0 ? double.PositiveInfinity : cells[9].Number, cells[10].Number, cells[11].Number, cells[7].Number, cells[8].Number);
    }
}
