using CsCheck;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Series;

namespace Hub.Cloud.Portal.Tests;

public sealed class ChartGapsTests
{
    private static readonly DateTime Start = new(2026, 11, 22, 0, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void The_line_breaks_where_values_are_missing_and_only_there()
    {
        ChartPoint[] points = [new(Start, 1, 0), new(Start + Minute, 2, 0), new(Start + 5 * Minute, 3, 4), new(Start + 6 * Minute, 4, 0)];
        var chart = ChartGaps.Broken(points, Minute, null, Statistic.Mean);
        Assert.Equal([1, 2, null, 3, 4], chart.Values);
        Assert.Equal([0, 0, 0, 4, 0], chart.Qualities);
        Assert.Equal(Start.AddMinutes(2), DateTime.UnixEpoch.AddSeconds(chart.Times[2]));
    }

    [Fact]
    public void Every_value_is_kept_in_order_and_a_break_lies_between_its_neighbours() =>
        Gen.Int[1, 20].Array[0, 60].Sample(distances =>
        {
            var at = Start;
            List<ChartPoint> points = [];
            foreach (var minutes in distances)
            {
                at += minutes * Minute;
                points.Add(new(at, points.Count, 0));
            }

            var chart = ChartGaps.Broken(points, Minute, null, Statistic.Mean);
            return chart.Values.Count == chart.Times.Count
                && chart.Values.OfType<double>().SequenceEqual(Enumerable.Range(0, distances.Length).Select(i => (double)i))
                && chart.Times.Zip(chart.Times.Skip(1)).All(pair => pair.First < pair.Second)
                && chart.Values.Count(value => value is null) == distances.Skip(1).Count(minutes => minutes >= 2);
        });

    [Fact]
    public void A_point_without_a_figure_breaks_the_line_and_keeps_what_is_known_of_it()
    {
        var chart = ChartGaps.Broken([new(Start, double.NaN, 2) { Low = 10, High = 190, Coverage = 0.7499, Invalid = true }], Minute, Minute, Statistic.CircularMean);
        Assert.Equal((null, 2, 10, 190, 74, true), (chart.Values[0], chart.Qualities[0], chart.Lows[0], chart.Highs[0], chart.Percents[0], chart.Invalid[0]));
        Assert.Equal((75, 100, 0), (ChartPoints.PercentOf(0.75 - 1e-12), ChartPoints.PercentOf(1), ChartPoints.PercentOf(0)));
        Assert.Null(ChartPoints.PercentOf(double.NaN));
    }

    [Fact]
    public void Irregular_values_break_by_their_usual_distance()
    {
        var times = new[] { 0, 5, 10, 16, 60, 65 }.Select(minute => Start.AddMinutes(minute)).ToArray();
        Assert.Equal(TimeSpan.FromMinutes(5), ChartGaps.UsualStep(times, Minute));
        Assert.Equal(Minute, ChartGaps.UsualStep(times[..2], Minute));
    }
}
