using System.Collections.Immutable;
using Hub.Cloud.InfluxQl.Data;
using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>Rows of an answer with the same tags.</summary>
/// <param name="Name">Name of the measurement.</param>
/// <param name="Tags">What they are told apart by; empty when nothing.</param>
/// <param name="Rows">Rows in the order asked for; values as the columns of the plan.</param>
internal sealed record SeriesRows(string Name, ImmutableSortedDictionary<string, string> Tags, IReadOnlyList<ListRow> Rows);

/// <summary>Answers a plan. Used by one question.</summary>
internal sealed partial class SelectRun(Budget budget, Turns turns, InfluxQlInstruments instruments, CancellationToken cancellationToken)
{
    /// <summary>Series of one group are told apart from those of others by this.</summary>
    private sealed record Group(string Name, ImmutableSortedDictionary<string, string> Tags, List<StrandReader> Readers);

    /// <summary>Answers it.</summary>
    /// <exception cref="RefusedException">A limit is reached.</exception>
    public async Task<List<SeriesRows>> RunAsync(SelectPlan plan, bool isTop = true)
    {
        if (plan.Fields.IsEmpty || plan.Span.IsEmpty)
        {
            return [];
        }

        var groups = await GroupsAsync(plan);
        var estimate = Estimate(plan, groups);
        budget.Demand(estimate);
        using var turn = await turns.TakeAsync(estimate, cancellationToken);
        var answer = plan.IsRaw ? await RawAsync(plan, groups) : await FiguresAsync(plan, groups);
        if (isTop)
        {
            budget.Send(answer.Sum(series => (long)series.Rows.Count));
        }

        return answer;
    }

    /// <summary>The groups in the order of the answer, with SLIMIT and SOFFSET applied.</summary>
    private async Task<List<Group>> GroupsAsync(SelectPlan plan)
    {
        var groups = new Dictionary<(string Name, string Tags), Group>();
        foreach (var source in plan.Sources)
        {
            foreach (var strand in await StrandsAsync(plan, source))
            {
                if (StrandReader.Of(strand, plan, budget) is not { } reader)
                {
                    continue;
                }

                var tags = ImmutableSortedDictionary.CreateRange(
                    StringComparer.Ordinal, plan.Grouping.Select(tag => KeyValuePair.Create(tag, strand.Tags.GetValueOrDefault(tag) ?? "")));
                var key = (strand.Name, string.Join('\0', tags.Values));
                if (!groups.TryGetValue(key, out var group))
                {
                    groups[key] = group = new Group(strand.Name, tags, []);
                }

                group.Readers.Add(reader);
            }
        }

        IEnumerable<KeyValuePair<(string Name, string Tags), Group>> chosen = groups;
        if (plan.Node.SeriesLimit > 0 || plan.Node.SeriesOffset > 0)
        {
            // Which they are is counted in another order than they are told in, as InfluxDB does.
            chosen = groups.GroupBy(pair => pair.Value.Name).SelectMany(of => of.OrderBy(pair => string.Join('|', pair.Value.Tags.Values), StringComparer.Ordinal)
                .Skip(plan.Node.SeriesOffset).Take(plan.Node.SeriesLimit > 0 ? plan.Node.SeriesLimit : int.MaxValue));
        }

        var ordered = chosen.OrderBy(pair => pair.Key.Name, StringComparer.Ordinal).ThenBy(pair => pair.Key.Tags, StringComparer.Ordinal).Select(pair => pair.Value);
        return [.. plan.Ascending ? ordered : ordered.Reverse()];
    }

    private async Task<IEnumerable<Strand>> StrandsAsync(SelectPlan plan, PlanSource source)
    {
        if (source.Measurement is { } measurement)
        {
            return await measurement.StrandsAsync(plan.Span, cancellationToken);
        }

        var inner = source.Select!;
        if (inner.Fields.IsEmpty || inner.Span.IsEmpty)
        {
            return [];
        }

        if (inner is { IsRaw: true, Node: { Limit: 0, Offset: 0 }, Fill: FillKind.Null })
        {
            // Rows pass through one by one.
            var formulas = inner.Formulas();
            return from @group in await GroupsAsync(inner) from reader in @group.Readers select new DerivedStrand(@group.Name, @group.Tags, inner, reader, formulas);
        }

        var rows = await RunAsync(inner, isTop: false);
        budget.Hold(rows.Sum(series => (long)series.Rows.Count));
        return rows.Select(series => new ListStrand(series.Name, series.Tags, inner.Columns, series.Rows, isStored: false));
    }

    /// <summary>Observations read, about.</summary>
    private static long Estimate(SelectPlan plan, List<Group> groups)
    {
        var readers = groups.SelectMany(group => group.Readers);
        if (plan.Sources.All(source => source.Measurement is null or not ObservationMeasurement) && plan.Sources.All(source => source.Measurement is not null))
        {
            return 0;
        }

        // The first or the last few rows of each series: they are looked for from that end.
        if (plan.IsRaw && plan.Node.Limit > 0)
        {
            return readers.Sum(reader => Math.Min(reader.Strand.Estimate(plan.Span), (2L * (plan.Node.Limit + (long)plan.Node.Offset)) + 1_000));
        }

        if (IsEdgeOnly(plan))
        {
            return readers.Sum(reader => Math.Min(reader.Strand.Estimate(plan.Span), 1_000));
        }

        return Folding(plan) is { } folding ? folding.Estimate(readers) : readers.Sum(reader => reader.Strand.Estimate(plan.Span));
    }

    /// <summary>Whether only the first or only the last of each series is asked for.</summary>
    private static bool IsEdgeOnly(SelectPlan plan) => plan.Windows.Width == 0 && (plan.Calls.All(call => call is { Name: "first", Inner: null }) || plan.Calls.All(call => call is { Name: "last", Inner: null }));

    private async Task<List<SeriesRows>> RawAsync(SelectPlan plan, List<Group> groups)
    {
        List<SeriesRows> answer = [];
        var formulas = plan.Formulas();
        var most = plan.Node.Limit == 0 ? int.MaxValue : (int)Math.Min((long)plan.Node.Limit + plan.Node.Offset, int.MaxValue);
        foreach (var group in groups)
        {
            List<ListRow> rows = [];
            foreach (var reader in group.Readers)
            {
                var before = rows.Count;
                await reader.ReadAsync(plan.Span, plan.Ascending, row =>
                {
                    var values = new Value[plan.Names.Length];
                    for (var i = 0; i < values.Length; i++)
                    {
                        values[i] = row[i];
                    }

                    budget.Hold(1);
                    rows.Add(new ListRow(row.Time, values));
                    return rows.Count - before < most;
                }, cancellationToken);

                if (group.Readers.Count > 1 && rows.Count - (long)most > most)
                {
                    Order(rows, plan.Ascending, most);
                }
            }

            Order(rows, plan.Ascending, most);
            var selected = rows.Skip(plan.Node.Offset);
            var filled = new RawFill(plan);
            var computed = selected.Select(filled.Apply).Select(row => new ListRow(row.Time, Array.ConvertAll(formulas, formula => formula.At(row)))).ToArray();
            if (computed.Length > 0)
            {
                answer.Add(new SeriesRows(group.Name, group.Tags, computed));
            }
        }

        return answer;
    }

    private void Order(List<ListRow> rows, bool ascending, int most)
    {
        var ordered = (ascending ? rows.OrderBy(row => row.Time) : rows.OrderByDescending(row => row.Time)).Take(most).ToArray();
        budget.Release(rows.Count - ordered.Length);
        rows.Clear();
        rows.AddRange(ordered);
    }

    /// <summary>What stands in for values that a row does not have.</summary>
    private sealed class RawFill(SelectPlan plan)
    {
        private readonly Value[] previous = new Value[plan.Names.Length];

        public ListRow Apply(ListRow row)
        {
            if (plan.Fill is not (FillKind.Number or FillKind.Previous))
            {
                return row;
            }

            for (var i = 0; i < row.Values.Length; i++)
            {
                if (row.Values[i].IsNull)
                {
                    row.Values[i] = plan.Fill == FillKind.Previous ? previous[i] : plan.Node.FillValue.As(KindOf(plan.Names[i].Name));
                }

                previous[i] = row.Values[i];
            }

            return row;
        }

        private ValueKind KindOf(string name) => plan.Sources.Select(source => source.KindOf(name)).FirstOrDefault(kind => kind != ValueKind.Null);
    }
}
