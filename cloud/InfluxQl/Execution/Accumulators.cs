using Hub.Cloud.InfluxQl.Language;
using Hub.Cloud.Series;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>A value at a time; without a value it stands for a gap.</summary>
/// <param name="Time">Nanoseconds since 1970; <see cref="NoTime"/> for that of its bucket.</param>
/// <param name="Value">The value.</param>
/// <param name="Beside">Other values of the row a selector took it from; null when there are none.</param>
internal readonly record struct Point(long Time, Value Value, Value[]? Beside = null)
{
    public const long NoTime = long.MinValue;
}

/// <summary>Makes one figure of the values of a bucket. The order in which values come, but for those of one series, does not matter.</summary>
internal abstract class Accumulator
{
    /// <summary>Takes a value.</summary>
    /// <param name="time">When it was.</param>
    /// <param name="value">Never null.</param>
    /// <param name="beside">Reads the values beside it; null when nobody asked for them.</param>
    public abstract void Add(long time, Value value, Func<Value[]>? beside);

    /// <summary>Takes what the store has folded of observations, of which there is at least one.</summary>
    public virtual void Add(Bucket bucket) => throw new NotSupportedException();

    /// <summary>The figure, once all was added; several of functions that give several, in order of time.</summary>
    public abstract IEnumerable<Point> Emit();

    public static Accumulator For(CallPlan call, bool ascending, Budget budget) => call.Name switch
    {
        "count" => new CountAccumulator(),
        "sum" => new SumAccumulator(mean: false),
        "mean" => new SumAccumulator(mean: true),
        "min" or "max" or "spread" => new ExtremeAccumulator(call.Name),
        "first" or "last" => new EdgeAccumulator(call.Name == "last"),
        "distinct" => new DistinctAccumulator(ascending, budget),
        _ => new CollectingAccumulator(call, budget),
    };
}

internal sealed class CountAccumulator : Accumulator
{
    private long count;

    public override void Add(long time, Value value, Func<Value[]>? beside) => count++;

    public override void Add(Bucket bucket) => count += bucket.Count;

    public override IEnumerable<Point> Emit() => [new(Point.NoTime, Value.Of(count))];
}

internal sealed class SumAccumulator(bool mean) : Accumulator
{
    private double sum;
    private long whole;
    private long count;
    private bool isWhole = true;

    public override void Add(long time, Value value, Func<Value[]>? beside)
    {
        isWhole &= value.Kind == ValueKind.Integer;
        whole = unchecked(whole + value.Integer);
        sum += value.Float;
        count++;
    }

    public override void Add(Bucket bucket)
    {
        isWhole = false;
        sum += bucket.Value;
        count += bucket.Count;
    }

    public override IEnumerable<Point> Emit() =>
        [new(Point.NoTime, mean ? Value.Of((isWhole ? whole : sum) / count) : isWhole ? Value.Of(whole) : Value.Of(sum))];
}

internal sealed class ExtremeAccumulator(string name) : Accumulator
{
    private Point least;
    private Point most;
    private bool any;

    public override void Add(long time, Value value, Func<Value[]>? beside)
    {
        if (!any || Order(value, least.Value) is var low && (low < 0 || (low == 0 && time < least.Time)))
        {
            least = new Point(time, value, name == "min" ? beside?.Invoke() : null);
        }

        if (!any || Order(value, most.Value) is var high && (high > 0 || (high == 0 && time < most.Time)))
        {
            most = new Point(time, value, name == "max" ? beside?.Invoke() : null);
        }

        any = true;
    }

    public override void Add(Bucket bucket)
    {
        var time = Nanoseconds.Of(bucket.Start);
        Add(time, Value.Of(bucket.Min), null);
        Add(time, Value.Of(bucket.Max), null);
    }

    public override IEnumerable<Point> Emit() => name switch
    {
        "min" => [least],
        "max" => [most],
        _ => [new Point(Point.NoTime, most.Value.Kind == ValueKind.Integer ? Value.Of(most.Value.Integer - least.Value.Integer) : Value.Of(most.Value.Float - least.Value.Float))],
    };

    internal static int Order(Value a, Value b) => a.Kind switch
    {
        ValueKind.Integer => a.Integer.CompareTo(b.Integer),
        ValueKind.Boolean => a.IsTrue.CompareTo(b.IsTrue),
        ValueKind.Text => string.CompareOrdinal(a.Text, b.Text),
        _ => a.Float.CompareTo(b.Float),
    };
}

internal sealed class EdgeAccumulator(bool last) : Accumulator
{
    private Point edge;
    private bool any;

    public override void Add(long time, Value value, Func<Value[]>? beside)
    {
        // Of two values at the same time the greater one.
        if (!any || (last ? time > edge.Time : time < edge.Time) || (time == edge.Time && ExtremeAccumulator.Order(value, edge.Value) > 0))
        {
            edge = new Point(time, value, beside?.Invoke());
            any = true;
        }
    }

    // The store tells the begin of the bucket: enough to say which of several buckets is first or last.
    public override void Add(Bucket bucket) => Add(Nanoseconds.Of(bucket.Start), Value.Of(bucket.Value), null);

    public override IEnumerable<Point> Emit() => [edge];
}

internal sealed class DistinctAccumulator(bool ascending, Budget budget) : Accumulator
{
    private readonly Dictionary<Value, long> met = [];

    public override void Add(long time, Value value, Func<Value[]>? beside)
    {
        if (!met.TryGetValue(value, out var known))
        {
            budget.Hold(1);
            met[value] = time;
        }
        else if (ascending ? time < known : time > known)
        {
            met[value] = time;
        }
    }

    public override IEnumerable<Point> Emit() =>
        met.Select(pair => new Point(pair.Value, pair.Key)).Order(Comparer<Point>.Create((a, b) => a.Time != b.Time ? a.Time.CompareTo(b.Time) : ExtremeAccumulator.Order(a.Value, b.Value)));
}

/// <summary>Keeps all values of the bucket, for figures that need them all at once.</summary>
internal sealed class CollectingAccumulator(CallPlan call, Budget budget) : Accumulator
{
    private readonly List<Point> points = [];

    public override void Add(long time, Value value, Func<Value[]>? beside)
    {
        budget.Hold(1);
        points.Add(new Point(time, value, beside?.Invoke()));
    }

    public override IEnumerable<Point> Emit()
    {
        if (call.Name is "top" or "bottom")
        {
            var sign = call.Name == "top" ? -1 : 1;
            points.Sort((a, b) => ExtremeAccumulator.Order(a.Value, b.Value) is var order && order != 0 ? sign * order : a.Time.CompareTo(b.Time));
            return points.Take((int)call.Parameter).OrderBy(point => point.Time).ToArray();
        }

        if (call.Name == "stddev")
        {
            return [new(Point.NoTime, Value.Of(Deviation()))];
        }

        points.Sort((a, b) => ExtremeAccumulator.Order(a.Value, b.Value) is var order && order != 0 ? order : a.Time.CompareTo(b.Time));
        return call.Name switch
        {
            // A single value keeps its time.
            "median" => [new(points.Count == 1 ? points[0].Time : Point.NoTime, Value.Of(Median()))],
            "mode" => [new(points.Count == 1 ? points[0].Time : Point.NoTime, Mode())],
            _ => Percentile(),
        };
    }

    private double Median()
    {
        var (low, high) = (points[(points.Count - 1) / 2].Value.Float, points[points.Count / 2].Value.Float);
        return points.Count % 2 == 0 ? low + ((high - low) / 2) : high;
    }

    private IEnumerable<Point> Percentile()
    {
        // Nearest rank, as InfluxDB: of few values a low percentage is none of them.
        var at = (int)Math.Floor((points.Count * call.Parameter / 100) + 0.5) - 1;
        return at < 0 || at >= points.Count ? [] : [points[at]];
    }

    private Value Mode()
    {
        var (most, current) = (0, 0);
        var (mostValue, currentValue) = (points[0].Value, points[0].Value);
        var (mostTime, currentTime) = (points[0].Time, points[0].Time);
        foreach (var point in points)
        {
            if (!point.Value.Equals(currentValue))
            {
                (current, currentValue, currentTime) = (1, point.Value, point.Time);
                continue;
            }

            current++;
            if (most > current || (most == current && currentTime > mostTime))
            {
                continue;
            }

            (most, mostValue, mostTime) = (current, point.Value, point.Time);
        }

        return mostValue;
    }

    private double Deviation()
    {
        if (points.Count < 2)
        {
            return double.NaN;
        }

        double mean = 0, variance = 0;
        var count = 0;
        foreach (var point in points)
        {
            mean += (point.Value.Float - mean) / ++count;
        }

        foreach (var point in points)
        {
            variance += (point.Value.Float - mean) * (point.Value.Float - mean);
        }

        return Math.Sqrt(variance / (count - 1));
    }
}
