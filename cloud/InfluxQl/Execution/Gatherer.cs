using Hub.Cloud.InfluxQl.Data;
using Hub.Cloud.InfluxQl.Language;
using Hub.Cloud.Series;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>Gathers for one group of series what one function needs: figures of buckets, or single values where a function of a whole series is asked of them.</summary>
internal sealed class Gatherer(CallPlan call, Windows windows, bool ascending, bool besides, bool several, Budget budget)
{
    private readonly Dictionary<long, Accumulator> buckets = [];
    private readonly List<Point> points = [];
    private readonly bool single = call.IsTransform;
    private (long Start, long End) window;
    private Accumulator? current;
    private int slot = -1;
    private ValueKind cast;
    private StrandReader? reader;

    public CallPlan Call => call;

    public Windows Windows => windows;

    /// <summary>Turns to the next series.</summary>
    /// <returns>Whether it has the field.</returns>
    public bool Begin(StrandReader of)
    {
        reader = of;
        current = null;
        cast = call.Field!.Kind switch { "float" => ValueKind.Float, "integer" => ValueKind.Integer, _ => ValueKind.Null };
        slot = call.Field.Kind == "tag" ? -1 : of.Strand.SlotOf(call.Field.Name);
        return slot >= 0;
    }

    /// <summary>Takes a row of the series.</summary>
    /// <returns>Whether it had the field.</returns>
    public bool Add(IRow row)
    {
        // A bucket of a question within this one may begin before the span, and counts all the same.
        if (slot < 0 || row[slot] is not { IsNull: false } value || (row.Time is var time && (several || reader!.Strand.IsStored) && !windows.Span.Contains(time)))
        {
            return false;
        }

        value = cast == ValueKind.Null ? value : value.As(cast);
        if (single)
        {
            budget.Hold(1);
            points.Add(new Point(time, value));
            return true;
        }

        At(time).Add(time, value, besides ? () => reader!.Beside(row) : null);
        return true;
    }

    /// <summary>Takes what the store has folded.</summary>
    public void Add(Bucket bucket)
    {
        // A bucket of the store may begin before the span, where the span begins inside it; the whole of it belongs to one of ours.
        var start = Nanoseconds.Of(bucket.Start);
        At(windows.Width == 0 ? Math.Clamp(start, windows.Span.Start, windows.Span.End) : start).Add(bucket);
    }

    /// <summary>The points of the group, in the order asked for.</summary>
    /// <param name="moveToBucket">Whether points have the time of their bucket, and not their own.</param>
    public List<Point> Emit(bool moveToBucket)
    {
        if (single)
        {
            points.Sort((a, b) => ascending ? a.Time.CompareTo(b.Time) : b.Time.CompareTo(a.Time));
            return points;
        }

        List<Point> emitted = [];
        foreach (var (start, accumulator) in ascending ? buckets.OrderBy(pair => pair.Key) : buckets.OrderByDescending(pair => pair.Key))
        {
            foreach (var point in accumulator.Emit())
            {
                budget.Hold(1);
                emitted.Add(moveToBucket || point.Time == Point.NoTime ? point with { Time = Begin(point.Time == Point.NoTime ? start : point.Time) } : point);
            }
        }

        return emitted;
    }

    /// <summary>The bucket of an instant as it is told: around a change of the clock that of its begin may be another one, in InfluxDB and so here. Without a begin the one bucket is at zero.</summary>
    private long Begin(long time) => windows.Of(time).Start is var start && start <= Span.Earliest ? 0 : start;

    private Accumulator At(long time)
    {
        if (current is null || time < window.Start || time >= window.End)
        {
            window = windows.Of(time);

            // InfluxDB makes these of each series first, and of their begins then.
            var key = windows.Zone is not null && call.Name is "count" or "sum" or "mean" ? windows.Of(window.Start).Start : window.Start;
            if (!buckets.TryGetValue(key, out current))
            {
                // As much memory as a few points.
                budget.Hold(3);
                buckets[key] = current = Accumulator.For(call, ascending, budget);
            }
        }

        return current;
    }
}
