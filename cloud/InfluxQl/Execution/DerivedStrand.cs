using System.Collections.Immutable;
using Hub.Cloud.InfluxQl.Data;
using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>A series of a question within a question for rows as they are: each row of the series below, computed anew as it passes.</summary>
internal sealed class DerivedStrand(string name, ImmutableSortedDictionary<string, string> tags, SelectPlan plan, StrandReader below, Formula[] formulas) : Strand(name, tags)
{
    public override bool IsStored => false;

    /// <summary>The series whose every row it computes; null when it leaves some out, or is of no series of observations.</summary>
    public ObservationStrand? Observations => below.Observations;

    public override int SlotOf(string field) => plan.Columns.IndexOf(field, StringComparer.Ordinal);

    public override long Estimate(Span span) => below.Strand.Estimate(span.Intersect(plan.Span));

    public override ValueTask ReadAsync(Span span, bool ascending, Func<IRow, bool> sink, CancellationToken cancellationToken)
    {
        var row = new DerivedRow(formulas);
        return below.ReadAsync(span.Intersect(plan.Span), ascending, names =>
        {
            row.Below = names;
            return sink(row);
        }, cancellationToken);
    }

    private sealed class DerivedRow(Formula[] formulas) : IRow
    {
        public IRow Below { get; set; } = null!;

        public long Time => Below.Time;

        public Value this[int slot] => formulas[slot].At(Below);
    }
}

/// <summary>Reads a series as a question sees it: only rows that satisfy its condition, each as the fields and tags that it selects.</summary>
internal sealed class StrandReader
{
    private readonly Formula? condition;
    private readonly Formula[] names;
    private readonly Budget budget;
    private readonly bool countRows;

    private StrandReader(Strand strand, Formula? condition, Formula[] names, Budget budget)
    {
        Strand = strand;
        this.condition = condition;
        this.names = names;
        this.budget = budget;
        countRows = strand is ObservationStrand;
    }

    public Strand Strand { get; }

    /// <summary>The observations it reads all of; null when it leaves some out, or reads something else.</summary>
    public ObservationStrand? Observations => condition is not null ? null : Strand as ObservationStrand ?? (Strand as DerivedStrand)?.Observations;

    /// <summary>A reader, or null when no row of the series can satisfy the condition: its tags decide that.</summary>
    public static StrandReader? Of(Strand strand, SelectPlan plan, Budget budget)
    {
        Formula? condition = null;
        if (plan.Condition is { } node)
        {
            var compiled = Ready(strand, node);
            if (!compiled.IsConstant)
            {
                condition = compiled;
            }
            else if (!compiled.Constant.IsTrue)
            {
                return null;
            }
        }

        return new StrandReader(strand, condition, [.. plan.Names.Select(name => Resolve(strand, name, missing: null))], budget);
    }

    /// <summary>Whether a row of the series may satisfy a condition, by what its tags say.</summary>
    public static bool MayHold(Strand strand, Node condition) => Ready(strand, condition) is var ready && (!ready.IsConstant || ready.Constant.IsTrue);

    /// <summary>Gives rows whose slots are the names of the plan, of those rows that have any of its fields.</summary>
    /// <param name="span">Time.</param>
    /// <param name="ascending">Order.</param>
    /// <param name="sink">Takes rows until it returns false.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    public ValueTask ReadAsync(Span span, bool ascending, Func<IRow, bool> sink, CancellationToken cancellationToken)
    {
        var row = new NamesRow(names);
        var isStored = Strand.IsStored;
        return ReadRowsAsync(span, ascending, below =>
        {
            row.Below = below;
            return (isStored && !HasField(below)) || sink(row);
        }, cancellationToken);
    }

    /// <summary>Gives the rows of the series itself that satisfy the condition.</summary>
    public ValueTask ReadRowsAsync(Span span, bool ascending, Func<IRow, bool> sink, CancellationToken cancellationToken) => Strand.ReadAsync(span, ascending, row =>
    {
        if (countRows)
        {
            budget.Read();
        }

        return (condition is { } wanted && !wanted.At(row).IsTrue) || sink(row);
    }, cancellationToken);

    /// <summary>The selected names of a row.</summary>
    public Value[] Beside(IRow row) => [.. names.Select(name => name.At(row))];

    private static Formula Ready(Strand strand, Node condition) =>
        Formula.Compile(condition, part => part is NameNode name ? Resolve(strand, name, missing: "") : null, divideToFloat: false);

    // Tags alone are no row.
    private bool HasField(IRow row)
    {
        foreach (var name in names)
        {
            if (!name.IsConstant && !name.At(row).IsNull)
            {
                return true;
            }
        }

        return false;
    }

    private static Formula Resolve(Strand strand, NameNode name, string? missing)
    {
        if (name.Kind != "tag" && strand.SlotOf(name.Name) is var slot and >= 0)
        {
            return name.Kind switch
            {
                "float" => Formula.Of(row => row[slot].As(ValueKind.Float)),
                "integer" => Formula.Of(row => row[slot].As(ValueKind.Integer)),
                _ => Formula.Slot(slot),
            };
        }

        return Formula.Of(name.Kind is null or "tag" && strand.Tags.TryGetValue(name.Name, out var tag) ? Value.Of(tag) : Value.Of(missing));
    }

    private sealed class NamesRow(Formula[] names) : IRow
    {
        public IRow Below { get; set; } = null!;

        public long Time => Below.Time;

        public Value this[int slot] => names[slot].At(Below);
    }
}
