using System.Collections.Immutable;
using Hub.Cloud.InfluxQl.Data;
using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>A function over many rows.</summary>
/// <param name="Key">As it is written: the same function is computed once.</param>
/// <param name="Name">Its name.</param>
/// <param name="Field">The field it is of; null when it is of another function.</param>
/// <param name="Inner">The function it is of.</param>
internal sealed record CallPlan(string Key, string Name, NameNode? Field, CallPlan? Inner)
{
    /// <summary>Of percentile the percentage, of moving_average, top and bottom the number of points.</summary>
    public double Parameter { get; init; }

    /// <summary>Of derivative and elapsed: nanoseconds of their unit.</summary>
    public long Unit { get; init; } = Nanoseconds.PerSecond;

    /// <summary>Kind of its values.</summary>
    public ValueKind Kind { get; init; }

    public bool IsTransform => Transforms.Is(Name);

    /// <summary>Whether its value is that of one point, so that it has a time and values beside it.</summary>
    public bool IsSelector => Name is "first" or "last" or "min" or "max" or "percentile" or "top" or "bottom";

    /// <summary>How many functions of it look at the bucket before.</summary>
    public int Depth => (Inner?.Depth ?? 0) + (IsTransform && Inner is not null && Name != "cumulative_sum" ? 1 : 0);
}

/// <summary>Where rows come from: a measurement, or the rows of another question.</summary>
internal sealed record PlanSource(Measurement? Measurement, SelectPlan? Select)
{
    public ValueKind KindOf(string field) => Measurement is { } measurement
        ? measurement.Fields.GetValueOrDefault(field) is var kind && kind != ValueKind.Null ? kind : measurement.TagKeys.Contains(field) ? ValueKind.Text : ValueKind.Null
        : Select!.Kinds.TryGetValue(field, out var selected) ? selected : Select.Dimensions.Contains(field) ? ValueKind.Text : ValueKind.Null;

    public IEnumerable<string> FieldNames => Measurement?.Fields.Keys ?? Select!.Kinds.Keys;

    public IEnumerable<string> TagKeys => Measurement?.TagKeys ?? Select!.Dimensions.AsEnumerable();
}

/// <summary>A SELECT that is understood: names are resolved, wildcards are written out, everything was checked.</summary>
internal sealed record SelectPlan
{
    public required SelectNode Node { get; init; }

    public required ImmutableArray<PlanSource> Sources { get; init; }

    /// <summary>What rows must satisfy, without limits of time; null for all.</summary>
    public required Node? Condition { get; init; }

    /// <summary>Time and buckets.</summary>
    public required Windows Windows { get; init; }

    public required bool Ascending { get; init; }

    /// <summary>Tags of its own GROUP BY.</summary>
    public required ImmutableArray<string> Dimensions { get; init; }

    /// <summary>The same with those of the questions around it: what its series are told apart by.</summary>
    public required ImmutableArray<string> Grouping { get; init; }

    public required ImmutableArray<SelectedField> Fields { get; init; }

    /// <summary>Names of the columns, without time.</summary>
    public required ImmutableArray<string> Columns { get; init; }

    /// <summary>Name of the column of time.</summary>
    public required string TimeColumn { get; init; }

    /// <summary>The functions over many rows, each once; none in a question for rows as they are.</summary>
    public required ImmutableArray<CallPlan> Calls { get; init; }

    /// <summary>Fields and tags selected as they are.</summary>
    public required ImmutableArray<NameNode> Names { get; init; }

    /// <summary>Kinds of its columns.</summary>
    public required IReadOnlyDictionary<string, ValueKind> Kinds { get; init; }

    public required FillKind Fill { get; init; }

    public Span Span => Windows.Span;

    public bool IsRaw => Calls.IsEmpty;

    /// <summary>One selector and nothing else: its time is that of the point it selected.</summary>
    public bool IsSelector => Calls is [{ IsSelector: true }];

    /// <summary>The expressions of the columns, over the values of the functions and then of the names.</summary>
    public Formula[] Formulas() => [.. Fields.Select(field => Formula.Compile(field.Node, Slot, divideToFloat: true))];

    private Formula? Slot(Node node)
    {
        if (node is NameNode name)
        {
            var at = Names.FindIndex(known => known.Name == name.Name && known.Kind == name.Kind);
            return at < 0 ? Formula.Of(Value.Null) : Formula.Slot(Calls.Length + at);
        }

        if (node is CallNode call && MathFunctions.Arity(call.Name) is null)
        {
            var key = call.ToString();
            return Formula.Slot(Calls.FindIndex(known => known.Key == key));
        }

        return null;
    }
}

internal static class ImmutableArrayExtensions
{
    /// <summary>Place of the first that satisfies, -1 when none does.</summary>
    public static int FindIndex<T>(this ImmutableArray<T> array, Predicate<T> match)
    {
        for (var i = 0; i < array.Length; i++)
        {
            if (match(array[i]))
            {
                return i;
            }
        }

        return -1;
    }
}
