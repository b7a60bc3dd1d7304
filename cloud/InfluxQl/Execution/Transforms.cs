using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>Functions of a whole series of points, in the order in which they are asked for: differences, moving averages, running sums. Gaps are passed over.</summary>
internal static class Transforms
{
    public static bool Is(string name) => name is "derivative" or "non_negative_derivative" or "difference" or "non_negative_difference" or "moving_average" or "cumulative_sum" or "elapsed";

    /// <summary>Applies one.</summary>
    public static List<Point> Apply(CallPlan call, List<Point> points, bool ascending) => call.Name switch
    {
        "moving_average" => MovingAverage(points, (int)call.Parameter),
        "cumulative_sum" => CumulativeSum(points),
        "elapsed" => Elapsed(points, call.Unit),
        _ => Difference(call, points, ascending),
    };

    private static List<Point> Difference(CallPlan call, List<Point> points, bool ascending)
    {
        List<Point> result = [];
        var isRate = call.Name is "derivative" or "non_negative_derivative";
        var nonNegative = call.Name.StartsWith("non_negative", StringComparison.Ordinal);
        Point? previous = null;
        foreach (var point in points)
        {
            // Of several points at one time the first counts.
            if (point.Value.IsNull || previous?.Time == point.Time)
            {
                continue;
            }

            if (previous is { } before)
            {
                var change = point.Value.Kind == ValueKind.Integer ? Value.Of(unchecked(point.Value.Integer - before.Value.Integer)) : Value.Of(point.Value.Float - before.Value.Float);
                if (!nonNegative || !(change.Float < 0))
                {
                    var elapsed = ascending ? point.Time - before.Time : before.Time - point.Time;
                    result.Add(new Point(point.Time, isRate ? Value.Of(change.Float / ((double)elapsed / call.Unit)) : change));
                }
            }

            previous = point;
        }

        return result;
    }

    private static List<Point> MovingAverage(List<Point> points, int width)
    {
        List<Point> result = [];
        var window = new Queue<Value>(width);
        double sum = 0;
        long whole = 0;
        foreach (var point in points)
        {
            if (point.Value.IsNull)
            {
                continue;
            }

            if (window.Count == width)
            {
                var gone = window.Dequeue();
                sum -= gone.Float;
                whole -= gone.Integer;
            }

            window.Enqueue(point.Value);
            sum += point.Value.Float;
            whole += point.Value.Integer;
            if (window.Count == width)
            {
                result.Add(new Point(point.Time, Value.Of((point.Value.Kind == ValueKind.Integer ? whole : sum) / width)));
            }
        }

        return result;
    }

    private static List<Point> CumulativeSum(List<Point> points)
    {
        List<Point> result = [];
        double sum = 0;
        long whole = 0;
        foreach (var point in points)
        {
            if (point.Value.IsNull)
            {
                continue;
            }

            sum += point.Value.Float;
            whole += point.Value.Integer;
            result.Add(new Point(point.Time, point.Value.Kind == ValueKind.Integer ? Value.Of(whole) : Value.Of(sum)));
        }

        return result;
    }

    private static List<Point> Elapsed(List<Point> points, long unit)
    {
        List<Point> result = [];
        long? previous = null;
        foreach (var point in points)
        {
            if (point.Value.IsNull)
            {
                continue;
            }

            if (previous is { } before)
            {
                result.Add(new Point(point.Time, Value.Of((point.Time - before) / unit)));
            }

            previous = point.Time;
        }

        return result;
    }
}
