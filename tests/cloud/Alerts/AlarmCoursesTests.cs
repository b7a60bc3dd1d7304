using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>What a mail draws is what the rule judged.</summary>
public sealed class AlarmCoursesTests
{
    private static Observation At(int datastream, DateTime time, double value, Quality quality = Quality.Good) => new(datastream, time, value, quality);

    [Fact]
    public async Task The_message_names_its_datastream_and_level_and_the_course_is_what_was_judged()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        var begin = AlertsBench.T0.AddHours(-1);
        await bench.AppendAsync(
            At(1, begin, 60), At(1, begin.AddMinutes(1), 70),

            // Passed over by the rule, so it is not drawn either.
            At(1, begin.AddMinutes(2), 120, Quality.Stuck),
            At(1, AlertsBench.T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        var message = bench.Notifications.Messages[^1];
        Assert.Equal((1, 70.0), (message.Datastream, message.DrawnLevel));
        var course = (await bench.Courses.OfAsync(message, AlertsBench.T0.AddHours(-24), AlertsBench.T0, default))!;
        Assert.Equal(TimeSpan.FromMinutes(10), course.Step);
        Assert.Equal([begin, AlertsBench.T0.AddMinutes(-10)], course.Points.Select(point => point.At));

        // The mean of the energies of 60 and 70 dB.
        Assert.Equal(67.404, course.Points[0].Value, 3);
        Assert.Equal((60.0, 70.0), (course.Points[0].Min, course.Points[0].Max));
    }

    [Theory]
    [InlineData(Measure.Count)]
    [InlineData(Measure.NoData)]
    [InlineData(Measure.Change)]
    public async Task A_level_that_is_no_value_of_the_quantity_is_not_drawn(Measure measure)
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(measure == Measure.Count ? 1 : 5, 0) with { Measure = measure, Window = TimeSpan.FromMinutes(10), CoverageMin = 0 }, default);
        await bench.AppendAsync([.. Enumerable.Range(0, 20).Select(i => At(1, AlertsBench.T0.AddHours(-2).AddMinutes(i), 50 + i))]);
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.CaughtUpAsync();
        Assert.NotEmpty(bench.Notifications.Messages);
        Assert.All(bench.Notifications.Messages, message => Assert.Null(message.DrawnLevel));
    }

    [Fact]
    public async Task There_is_none_of_an_unknown_datastream_or_without_observations()
    {
        await using var bench = await AlertsBench.StartAsync();
        var message = new AlarmMessage(
            "a", NotificationKind.Started, "a", "braga", "Braga", "avenida", "Avenida", "r", "r", "r", Severity.Warning, "laeq", "dB(A)", 1, 1, AlertsBench.T0, AlertsBench.T0, null, 1, "Europe/Lisbon");
        Assert.Null(await bench.Courses.OfAsync(message with { Datastream = 99 }, AlertsBench.T0.AddDays(-1), AlertsBench.T0, default));
        Assert.Null(await bench.Courses.OfAsync(message with { Datastream = 1 }, AlertsBench.T0.AddDays(-1), AlertsBench.T0, default));
    }
}
