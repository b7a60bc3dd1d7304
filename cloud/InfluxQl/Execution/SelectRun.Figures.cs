using Hub.Cloud.InfluxQl.Data;
using Hub.Cloud.InfluxQl.Language;
using Hub.Cloud.Series;

namespace Hub.Cloud.InfluxQl.Execution;

internal sealed partial class SelectRun
{
    /// <summary>Series whose buckets are asked of the store at once.</summary>
    private const int FoldedAtOnce = 128;

    private async Task<List<SeriesRows>> FiguresAsync(SelectPlan plan, List<Group> groups)
    {
        List<SeriesRows> answer = [];
        var folding = Folding(plan);
        var formulas = plan.Formulas();
        for (var begin = 0; begin < groups.Count;)
        {
            var batch = groups.GetRange(begin, 1);
            for (var readers = batch[0].Readers.Count; begin + batch.Count < groups.Count && readers < FoldedAtOnce; readers += batch[^1].Readers.Count)
            {
                batch.Add(groups[begin + batch.Count]);
            }

            begin += batch.Count;
            var folded = folding is null ? null : await FoldAsync(folding, batch);
            foreach (var group in batch)
            {
                if (await RowsAsync(plan, group, folding, folded, formulas) is { Count: > 0 } rows)
                {
                    answer.Add(new SeriesRows(group.Name, group.Tags, rows));
                }
            }
        }

        return answer;
    }

    /// <summary>How the store can answer by itself; null when rows must be read.</summary>
    private static Folding? Folding(SelectPlan plan) =>
        IsEdgeOnly(plan) ? null : Execution.Folding.Of(plan, [.. Gatherers(plan, new Budget(new InfluxQlOptions())).Values]);

    private async Task<Dictionary<Statistic, IReadOnlyDictionary<int, IReadOnlyList<Bucket>>>> FoldAsync(Folding folding, List<Group> groups)
    {
        var strands = groups.Where(group => folding.Suits(group.Readers.Count)).SelectMany(group => group.Readers).Select(reader => reader.Observations).OfType<ObservationStrand>().ToArray();
        var found = new Dictionary<Statistic, IReadOnlyDictionary<int, IReadOnlyList<Bucket>>>();
        foreach (var statistic in folding.Statistics)
        {
            found[statistic] = await folding.AskAsync(strands, statistic, cancellationToken);
            instruments.Folded(strands.Length);
        }

        return found;
    }

    private async Task<List<ListRow>> RowsAsync(
        SelectPlan plan, Group group, Folding? folding, Dictionary<Statistic, IReadOnlyDictionary<int, IReadOnlyList<Bucket>>>? folded, Formula[] formulas)
    {
        var gatherers = Gatherers(plan, budget);
        foreach (var reader in group.Readers)
        {
            var active = gatherers.Values.Where(gatherer => gatherer.Begin(reader)).ToArray();
            if (active.Length == 0)
            {
                continue;
            }

            if (folding is not null && folding.Suits(group.Readers.Count) && reader.Observations is { } observations)
            {
                foreach (var gatherer in active)
                {
                    foreach (var bucket in folded![folding.StatisticOf(gatherer.Call.Name)].GetValueOrDefault(observations.Datastream) ?? [])
                    {
                        gatherer.Add(folding.Summed(bucket));
                    }
                }

                continue;
            }

            await ReadAsync(plan, reader, active);
        }

        var lists = plan.Calls.Select(call => Limited(plan, Points(plan, call, plan.Windows, gatherers))).ToArray();
        return Join(plan, lists, formulas);
    }

    private async Task ReadAsync(SelectPlan plan, StrandReader reader, Gatherer[] active)
    {
        var span = new Span(active.Min(gatherer => gatherer.Windows.Span.Start), active.Max(gatherer => gatherer.Windows.Span.End));
        if (IsEdgeOnly(plan))
        {
            var met = new bool[active.Length];
            await reader.ReadRowsAsync(span, active[0].Call.Name == "first", row =>
            {
                var all = true;
                for (var i = 0; i < active.Length; i++)
                {
                    met[i] = met[i] || active[i].Add(row);
                    all &= met[i];
                }

                return !all;
            }, cancellationToken);
            return;
        }

        await reader.ReadRowsAsync(span, ascending: true, row =>
        {
            foreach (var gatherer in active)
            {
                gatherer.Add(row);
            }

            return true;
        }, cancellationToken);
    }

    /// <summary>What reads rows for the functions of a plan, by function and by what it is asked about.</summary>
    private static Dictionary<(string, Span), Gatherer> Gatherers(SelectPlan plan, Budget budget)
    {
        var gatherers = new Dictionary<(string, Span), Gatherer>();
        var several = plan.Calls.Select(call => call.Depth).Distinct().Count() > 1;
        foreach (var call in plan.Calls)
        {
            var (inner, windows) = (call, plan.Windows);
            while (inner.Inner is { } next)
            {
                windows = Before(plan, inner, windows);
                inner = next;
            }

            gatherers.TryAdd((inner.Key, windows.Span), new Gatherer(inner, windows, plan.Ascending, plan.Names.Length > 0, several, budget));
        }

        return gatherers;
    }

    /// <summary>Functions that look at the bucket before have one more: otherwise the first bucket asked for would have no value. A moving average gets no more than that, as in InfluxDB 1.6.</summary>
    private static Windows Before(SelectPlan plan, CallPlan call, Windows windows)
    {
        var more = call.IsTransform && call.Name != "cumulative_sum" ? 1 : 0;
        var length = more * windows.Width;
        var span = windows.Span;
        return windows with
        {
            Span = plan.Ascending
                ? span with { Start = span.Start < Span.Earliest + length ? Span.Earliest : span.Start - length }
                : span with { End = span.End > Span.Latest - length ? Span.Latest : span.End + length },
        };
    }

    private List<Point> Points(SelectPlan plan, CallPlan call, Windows windows, Dictionary<(string, Span), Gatherer> gatherers)
    {
        if (call.IsTransform)
        {
            var of = call.Inner is { } below ? Points(plan, below, Before(plan, call, windows), gatherers) : gatherers[(call.Key, windows.Span)].Emit(moveToBucket: false);
            return Transforms.Apply(call, of, plan.Ascending);
        }

        List<Point> points;
        if (call.Inner is { } distinct)
        {
            points = Counted(gatherers[(distinct.Key, windows.Span)].Emit(moveToBucket: true), windows);
        }
        else
        {
            points = gatherers[(call.Key, windows.Span)].Emit(moveToBucket: call.Name is not ("top" or "bottom") && (!plan.IsSelector || windows.Width != 0));
        }

        if (windows.Width == 0 || plan.Fill == FillKind.None || points.Count == 0 || call.Name is "distinct" or "top" or "bottom")
        {
            return points;
        }

        // Of nothing there are none.
        return call.Name == "count" && plan.Fill == FillKind.Null
            ? Filling.Fill(points, FillKind.Number, Value.Of(0L), windows, plan.Ascending, call.Kind, budget)
            : Filling.Fill(points, plan.Fill, plan.Node.FillValue.As(call.Kind), windows, plan.Ascending, call.Kind, budget);
    }

    /// <summary>How many there are of each bucket.</summary>
    private static List<Point> Counted(List<Point> distinct, Windows windows)
    {
        List<Point> counted = [];
        for (var begin = 0; begin < distinct.Count;)
        {
            var (start, end) = windows.Of(distinct[begin].Time);
            var next = begin + 1;
            while (next < distinct.Count && (windows.Width == 0 || (distinct[next].Time >= start && distinct[next].Time < end)))
            {
                next++;
            }

            counted.Add(new Point(windows.Width == 0 ? distinct[begin].Time : windows.Of(start).Start, Value.Of((long)(next - begin))));
            begin = next;
        }

        return counted;
    }

    private static List<Point> Limited(SelectPlan plan, List<Point> points) =>
        plan.Node is { Limit: 0, Offset: 0 } ? points : [.. points.Skip(plan.Node.Offset).Take(plan.Node.Limit > 0 ? plan.Node.Limit : int.MaxValue)];

    /// <summary>Rows where any of the functions has a point; what the others say there is what fill() says.</summary>
    private static List<ListRow> Join(SelectPlan plan, List<Point>[] lists, Formula[] formulas)
    {
        List<ListRow> rows = [];
        var at = new int[lists.Length];
        var values = new Value[plan.Calls.Length + plan.Names.Length];
        var row = new JoinedRow(values);
        while (true)
        {
            long? time = null;
            for (var i = 0; i < lists.Length; i++)
            {
                if (at[i] < lists[i].Count && lists[i][at[i]].Time is var next && (time is null || (plan.Ascending ? next < time : next > time)))
                {
                    time = next;
                }
            }

            if (time is not { } now)
            {
                return rows;
            }

            for (var i = 0; i < lists.Length; i++)
            {
                var point = at[i] < lists[i].Count && lists[i][at[i]].Time == now ? lists[i][at[i]++] : (Point?)null;
                Put(i, point?.Value ?? Value.Null, plan.Calls[i].Kind);
                for (var j = 0; j < plan.Names.Length; j++)
                {
                    Put(plan.Calls.Length + j, point?.Beside is { } beside ? beside[j] : Value.Null, ValueKind.Null);
                }
            }

            row.Time = now;
            rows.Add(new ListRow(now, Array.ConvertAll(formulas, formula => formula.At(row))));
        }

        void Put(int slot, Value value, ValueKind kind)
        {
            if (!value.IsNull)
            {
                values[slot] = value;
            }
            else if (plan.Fill != FillKind.Previous)
            {
                values[slot] = plan.Fill == FillKind.Number ? plan.Node.FillValue.As(kind) : Value.Null;
            }
        }
    }

    private sealed class JoinedRow(Value[] values) : IRow
    {
        public long Time { get; set; }

        public Value this[int slot] => values[slot];
    }
}
