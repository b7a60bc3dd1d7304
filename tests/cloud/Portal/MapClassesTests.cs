using System.Globalization;
using Hub.Cloud.Portal.Read.Map;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Portal.Tests;

/// <summary>Into which classes values fall on the map, and how wide the steps of its slider are.</summary>
public sealed class MapClassesTests
{
    [Theory]
    [InlineData("pm2_5", "5 15 50 90 140", nameof(ClassSource.AirIndex))]
    [InlineData("no2", "10 25 60 100 150", nameof(ClassSource.AirIndex))]
    [InlineData("laeq", "55 60 65 70 75", nameof(ClassSource.NoiseMaps))]
    [InlineData("temperature", "5 10 15 20", nameof(ClassSource.Steps))]
    [InlineData("wind_direction", "100 200 300", nameof(ClassSource.Steps))]
    public void Classes_are_those_of_law_where_there_are_some_and_else_round_steps(string quantity, string bounds, string source)
    {
        var classes = MapClasses.Of(ShowOf(quantity), [3.2, 8, 24.9]);
        Assert.Equal(bounds, string.Join(' ', classes.Bounds.Select(bound => bound.ToString(CultureInfo.InvariantCulture))));
        Assert.Equal(source, classes.Source.ToString());
        Assert.InRange(classes.Count, 1, MapClasses.CountMax);
    }

    [Theory]
    [InlineData(-3.5, 1)]
    [InlineData(5, 1)]
    [InlineData(5.000001, 2)]
    [InlineData(5.0000001, 1)]
    [InlineData(139.9, 5)]
    [InlineData(900, 6)]
    public void An_upper_bound_belongs_to_the_class_below_it(double value, int expected) => Assert.Equal(expected, MapClasses.Of(ShowOf("pm2_5"), []).ClassOf(value));

    [Fact]
    public void Round_steps_hold_all_values_in_six_classes_at_most_whatever_their_range()
    {
        foreach (var (low, high) in new[] { (0.0, 0.001), (-12.5, 3), (999.2, 1031.7), (0, 1e6), (17, 17.4), (-0.2, -0.1), (0, 6), (0.3, 59.9) })
        {
            var classes = MapClasses.Of(ShowOf("temperature"), [low, high]);
            Assert.InRange(classes.Count, 2, MapClasses.CountMax);
            Assert.Equal(1, classes.ClassOf(low));
            Assert.Equal(classes.Count, classes.ClassOf(high));
            Assert.All(classes.Bounds, bound => Assert.Equal(bound, Math.Round(bound, classes.Decimals), 1e-9));
        }

        Assert.Equal(1, MapClasses.Of(ShowOf("temperature"), []).Count);
        Assert.Equal(1, MapClasses.Of(ShowOf("temperature"), [8.5, 8.5]).Count);
    }

    [Fact]
    public void Counts_are_shown_by_the_hour_so_that_periods_can_be_compared()
    {
        var show = ShowOf("vehicle_count");
        Assert.Equal(88, show.Shown(22, TimeSpan.FromMinutes(15)));
        Assert.Equal(88, show.Shown(88, TimeSpan.FromHours(1)));
        Assert.Equal("/h", show.Unit);
        Assert.Equal(22, ShowOf("pm2_5").Shown(22, TimeSpan.FromMinutes(15)));
    }

    [Fact]
    public void Steps_are_as_wide_as_values_and_number_of_stations_ask_for()
    {
        var minute = TimeSpan.FromMinutes(1);
        Assert.Equal(TimeSpan.FromMinutes(15), MapReader.StepOf(ShowOf("laeq"), 500, minute));
        Assert.Equal(TimeSpan.FromHours(1), MapReader.StepOf(ShowOf("laeq"), 501, minute));
        Assert.Equal(TimeSpan.FromHours(1), MapReader.StepOf(ShowOf("no2"), 3, TimeSpan.FromMinutes(30)));
        Assert.Equal(TimeSpan.FromHours(1), MapReader.StepOf(MapShow.Index, 3, minute));
    }

    private static MapShow ShowOf(string quantity)
    {
        Assert.True(QuantityCatalogue.TryGet(quantity, out var found));
        return MapShow.Of(found);
    }
}
