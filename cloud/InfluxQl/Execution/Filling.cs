using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>Puts points into buckets of a series that have none, from the begin to the end of what is asked about, as InfluxDB does step by step (query/iterator.gen.go, floatFillIterator).</summary>
internal static class Filling
{
    /// <param name="points">Points of one series at the begins of their buckets, in the order asked for; at least one.</param>
    /// <param name="kind">What stands in the gaps.</param>
    /// <param name="number">Of <see cref="FillKind.Number"/>: the number, of the kind of the series.</param>
    /// <param name="windows">The buckets.</param>
    /// <param name="ascending">Whether time goes forward.</param>
    /// <param name="valueKind">Kind of the series.</param>
    /// <param name="budget">What may be held.</param>
    public static List<Point> Fill(List<Point> points, FillKind kind, Value number, Windows windows, bool ascending, ValueKind valueKind, Budget budget)
    {
        var first = windows.Of(ascending ? windows.Span.Start : windows.Span.End).Start;
        var last = windows.Of(ascending ? windows.Span.End : windows.Span.Start).Start;
        var at = first == Span.Earliest ? windows.Of(points[0].Time).Start : first;
        var offset = windows.ZoneOffset(at);
        List<Point> filled = [];
        Point? previous = null;
        var next = 0;
        while (next < points.Count || (ascending ? at <= last : at >= last && last != Span.Earliest))
        {
            if (next < points.Count && (ascending ? points[next].Time <= at : points[next].Time >= at))
            {
                previous = points[next];
                filled.Add(points[next++]);
            }
            else
            {
                Point? following = next < points.Count ? points[next] : null;
                filled.Add(new Point(at, Gap(kind, number, windows.Width, at, previous, following, valueKind)));
                budget.Hold(1);
            }

            at = ascending ? at + windows.Width : at - windows.Width;
            if (windows.Zone is not null && windows.ZoneOffset(at - 1) is var now && now != offset)
            {
                var moved = offset - now;
                if (Math.Abs(moved) < windows.Width)
                {
                    at += moved;
                }

                offset = now;
            }
        }

        return filled;
    }

    private static Value Gap(FillKind kind, Value number, long width, long at, Point? previous, Point? following, ValueKind valueKind)
    {
        switch (kind)
        {
            case FillKind.Number:
                return number;
            case FillKind.Previous:
                return previous?.Value ?? Value.Null;
            case FillKind.Linear when previous is { } before && following is { } after && before.Value.IsNumber && after.Value.IsNumber:
                var slope = (after.Value.Float - before.Value.Float) / ((after.Time / width) - (before.Time / width));
                var value = (slope * ((at / width) - (before.Time / width))) + before.Value.Float;
                return Value.Of(value).As(valueKind == ValueKind.Integer ? ValueKind.Integer : ValueKind.Float);
            default:
                return Value.Null;
        }
    }
}
