using System.Collections.Immutable;
using Hub.Cloud.InfluxQl.Data;
using Hub.Cloud.InfluxQl.Language;
using Hub.Cloud.Series;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>
/// A question that the store answers by itself, from what it has folded (its rollups, and the rollups it keeps of observations that are gone): count, sum, mean, min, max, spread, first and last of <c>result</c>, without
/// conditions on fields; and mean, sum and count of its energy, which is how levels are averaged: <c>exp("result" * 0.2302585092994046)</c> or <c>pow(10.0, "result" / 10)</c> in a question within the question. The store is asked for buckets that divide those of the question, because the two lay them differently: weeks of the store begin on Monday, for one.
/// </summary>
internal sealed class Folding
{
    /// <summary>Buckets of the store that make up one of the question, at most: more would be slower than reading.</summary>
    private const long PiecesMax = 400;

    /// <summary>Days of which it is looked whether the clock changes.</summary>
    private const int DaysMax = 4_000;

    private readonly Span span;
    private readonly BucketWidth width;
    private readonly ISeries series;
    private readonly bool isEnergy;

    private Folding(Span span, long pieces, ISeries series, ImmutableArray<Statistic> statistics)
    {
        isEnergy = statistics is [Statistic.EnergyMean];
        this.span = span;
        this.series = series;
        width = new BucketWidth(TimeSpan.FromTicks(pieces / Nanoseconds.PerTick));
        Statistics = statistics;
    }

    /// <summary>What is asked of the store.</summary>
    public ImmutableArray<Statistic> Statistics { get; }

    /// <summary>How it can be done, or null when rows must be read.</summary>
    public static Folding? Of(SelectPlan plan, Gatherer[] gatherers)
    {
        // The time of a selected point, and what stands beside it, is not known of a bucket.
        if (plan.Names.Length > 0 || plan.Sources is not [var source] || (plan.Windows.Width == 0 && plan.Calls is [{ IsSelector: true }])
            || gatherers.Length == 0 || gatherers.Any(gatherer => gatherer.Windows.Span != gatherers[0].Windows.Span))
        {
            return null;
        }

        ImmutableArray<Statistic> statistics;
        if (source.Measurement is ObservationMeasurement measurement
            && gatherers.All(gatherer => gatherer.Call is { Field: { Name: ObservationMeasurement.Result, Kind: null or "field" or "float" }, Name: "count" or "sum" or "mean" or "min" or "max" or "spread" or "first" or "last" }))
        {
            statistics = [.. gatherers.Select(gatherer => Of(gatherer.Call.Name)).Distinct()];
        }
        else if (source.Select is { IsRaw: true, Node: { Limit: 0, Offset: 0 }, Fill: FillKind.Null, Sources: [{ Measurement: ObservationMeasurement inner }] } below
            && gatherers.All(gatherer => gatherer.Call is { Field: { Kind: null or "field" or "float" } field, Name: "count" or "sum" or "mean" }
                && below.Columns.IndexOf(field.Name, StringComparer.Ordinal) is var at and >= 0 && IsEnergy(below.Fields[at].Node)))
        {
            (measurement, statistics) = (inner, [Statistic.EnergyMean]);
        }
        else
        {
            return null;
        }

        var windows = gatherers[0].Windows;
        var pieces = windows.Width == 0 ? Nanoseconds.PerDay : Pieces(windows);
        return pieces is { } length && length % 1_000 == 0 && windows.Width / length <= PiecesMax
            ? new Folding(windows.Span, length, measurement.Series, statistics)
            : null;
    }

    /// <summary>Whether a group of so many series can be answered so: which of several has the first or last value is not known of their buckets.</summary>
    public bool Suits(int readers) => readers == 1 || !Statistics.Any(statistic => statistic is Statistic.First or Statistic.Last);

    /// <summary>The statistic that a function is made of; a bucket tells number, smallest and largest with any of them.</summary>
    public Statistic StatisticOf(string function) => isEnergy ? Statistic.EnergyMean : Of(function);

    /// <summary>A bucket of energies as one whose value is their sum; any other as it is.</summary>
    public Bucket Summed(Bucket bucket) => isEnergy ? bucket with { Value = bucket.Count * Math.Pow(10, bucket.Value / 10) } : bucket;

    /// <summary>Observations read, about.</summary>
    public long Estimate(IEnumerable<StrandReader> readers)
    {
        var sum = 0L;
        foreach (var reader in readers)
        {
            if (reader.Observations is not { } strand || strand.Stretch(span) is not var (from, to))
            {
                sum += reader.Strand.Estimate(span);
                continue;
            }

            sum += Statistics.Length * QuestionCost.Of(series.HeldWithin(from, to), strand.Cadence, Question(from, to, Statistics[0]));
        }

        return sum;
    }

    /// <summary>The buckets of some series that hold anything.</summary>
    /// <exception cref="RefusedException">They are more than the store gives at once.</exception>
    public async Task<IReadOnlyDictionary<int, IReadOnlyList<Bucket>>> AskAsync(IReadOnlyList<ObservationStrand> strands, Statistic statistic, CancellationToken cancellationToken)
    {
        var asked = strands.Select(strand => (strand.Datastream, Stretch: strand.Stretch(span))).Where(pair => pair.Stretch is not null).ToArray();
        if (asked.Length == 0)
        {
            return ImmutableDictionary<int, IReadOnlyList<Bucket>>.Empty;
        }

        try
        {
            var question = Question(asked.Min(pair => pair.Stretch!.Value.From), asked.Max(pair => pair.Stretch!.Value.To), statistic);
            return await series.AggregateManyAsync([.. asked.Select(pair => pair.Datastream)], question, cancellationToken);
        }
        catch (ArgumentException refused) when (refused is not ArgumentOutOfRangeException)
        {
            throw new RefusedException(refused.Message);
        }
    }

    private AggregateQuery Question(DateTime from, DateTime to, Statistic statistic) => new(0, from, to, width, statistic);

    private static Statistic Of(string function) => function switch
    {
        "first" => Statistic.First,
        "last" => Statistic.Last,
        _ => Statistic.Sum,
    };

    /// <summary>Whether an expression is 10^(result/10), in one of the ways to write it.</summary>
    private static bool IsEnergy(Node node) => node switch
    {
        ParenthesesNode parentheses => IsEnergy(parentheses.Inner),
        CallNode { Name: "exp", Arguments: [BinaryNode { Sign: "*", Left: NameNode name, Right: LiteralNode factor }] } => IsResult(name) && Is(factor, Math.Log(10) / 10),
        CallNode { Name: "exp", Arguments: [BinaryNode { Sign: "*", Left: LiteralNode factor, Right: NameNode name }] } => IsResult(name) && Is(factor, Math.Log(10) / 10),
        CallNode { Name: "pow", Arguments: [LiteralNode ten, BinaryNode { Sign: "/", Left: NameNode name, Right: LiteralNode divisor }] } => IsResult(name) && Is(ten, 10) && Is(divisor, 10),
        _ => false,
    };

    private static bool IsResult(NameNode name) => name is { Name: ObservationMeasurement.Result, Kind: null or "field" or "float" };

    // Of the constant people write sixteen digits.
    private static bool Is(LiteralNode literal, double number) => literal.Value.IsNumber && Math.Abs(literal.Value.Float - number) <= 1e-15;

    private static long? Pieces(Windows windows)
    {
        var zone = 0L;
        if (windows.Zone is not null)
        {
            if (windows.Span.Start == Span.Earliest || (windows.Span.End - (decimal)windows.Span.Start) / Nanoseconds.PerDay > DaysMax)
            {
                return null;
            }

            // Where the clock changes the edges are InfluxDB's own.
            zone = windows.ZoneOffset(windows.Span.Start - windows.Width);
            for (var at = windows.Span.Start - windows.Width; at < windows.Span.End; at += Math.Min(Nanoseconds.PerDay, Math.Max(1, windows.Span.End - at)))
            {
                if (windows.ZoneOffset(at) != zone)
                {
                    return null;
                }
            }

            if (windows.ZoneOffset(windows.Span.End) != zone)
            {
                return null;
            }
        }

        var pieces = Divisor(Divisor(windows.Width, Math.Abs(windows.Offset)), Math.Abs(zone));
        return pieces % (7 * Nanoseconds.PerDay) == 0 ? Nanoseconds.PerDay : pieces;
    }

    private static long Divisor(long a, long b) => b == 0 ? a : Divisor(b, a % b);
}
