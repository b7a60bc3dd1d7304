using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>A rule that is tried says what it will say when it is saved, and leaves nothing behind.</summary>
public sealed class RehearsalTests
{
    private static DateTime T0 => AlertsBench.T0;

    private static readonly Gen<(int Datastream, int Minute, int Level)[]> AnyObservations =
        Gen.Select(Gen.Int[1, 2], Gen.Int[1, (2 * 24 * 60) - 1], Gen.Int[55, 85]).Array[5, 80];

    [Fact]
    public async Task What_a_rehearsal_finds_is_what_the_saved_rule_makes() =>
        await Gen.Select(AnyObservations, OrderIndependenceTests.SomeRules).SampleAsync(CheckAsync, iter: Repeats.Of(15, 2_000), threads: 2);

    [Fact]
    public async Task All_are_counted_and_the_newest_listed()
    {
        await using var bench = await AlertsBench.StartAsync();
        for (var hour = 0; hour < 5; hour++)
        {
            await bench.AppendAsync(Obs.At(1, T0.AddHours(hour - 10), 80), Obs.At(1, T0.AddHours(hour - 10).AddMinutes(30), 50));
        }

        var found = await bench.Alerts.RehearseAsync(AlertsBench.NoiseRule(), T0.AddHours(-10), T0, 2, default);
        Assert.Equal((5, 2, 10, 0.125), (found.Count, found.Datastreams, (int)found.Observations, found.ActiveShare));
        Assert.Equal([T0.AddHours(-6), T0.AddHours(-7)], found.Alarms.Select(alarm => alarm.StartedAt));
        Assert.Empty(bench.Notifications.Messages);
        Assert.Empty(await bench.HistoryAsync());
        await using var db = await bench.Contexts.CreateDbContextAsync();
        Assert.Equal((0, 0), (await db.Rules.CountAsync(), await db.Checkpoints.CountAsync()));
    }

    [Fact]
    public async Task What_cannot_be_rehearsed_is_refused_with_what_to_do()
    {
        await using var bench = await AlertsBench.StartAsync(prepare: bench => bench.Settings["Hub:Alerts:RehearsalObservationsMax"] = "1000");
        for (var minute = 0; minute <= 1_001; minute++)
        {
            await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-minute), 60));
        }

        var tooLarge = await Assert.ThrowsAsync<RehearsalTooLargeException>(async () => await bench.Alerts.RehearseAsync(AlertsBench.NoiseRule(), T0.AddDays(-1), T0.AddDays(1), 10, default));
        Assert.Contains("Hub:Alerts:RehearsalObservationsMax", tooLarge.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Alerts.RehearseAsync(AlertsBench.NoiseRule(), T0.AddDays(1), T0.AddDays(2), 10, default));
        Assert.Equal("Property", (await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Alerts.RehearseAsync(AlertsBench.NoiseRule() with { Property = "x" }, T0.AddDays(-1), T0, 10, default))).ParamName);
    }

    private static async Task CheckAsync((int Datastream, int Minute, int Level)[] set, Rule[] some)
    {
        var levels = some.Select(rule => rule with { Slug = $"{rule.Slug}-levels" });
        await using var bench = await AlertsBench.StartAsync();
        await bench.AppendAsync([.. set.Select(one => Obs.At(one.Datastream, T0.AddDays(-2).AddMinutes(one.Minute), one.Level, Quality.Good))]);
        var silent = AlertsBench.NoiseRule(slug: "silent") with { Measure = Measure.NoData, Window = TimeSpan.FromHours(3) };
        foreach (var rule in OrderIndependenceTests.AllRules.Concat(levels).Append(silent))
        {
            var rehearsed = await bench.Alerts.RehearseAsync(rule, T0.AddDays(-2), T0.AddDays(2), 10_000, default);
            await bench.Alerts.SaveAsync(rule, default);
            await bench.CaughtUpAsync();
            if (rule.Measure == Measure.NoData)
            {
                bench.Time.Advance(TimeSpan.FromHours(4));
                await bench.CaughtUpAsync();

                // It has heard nothing since the rule was saved; the rehearsal knows the silence by then.
                rehearsed = await bench.Alerts.RehearseAsync(rule, T0.AddDays(-2), T0.AddDays(2), 10_000, default);
            }

            Assert.Equal(
                (await bench.HistoryAsync()).Where(alarm => alarm.Rule == rule.Slug).OrderBy(alarm => alarm.Id, StringComparer.Ordinal).Select(Text),
                rehearsed.Alarms.OrderBy(alarm => alarm.Id, StringComparer.Ordinal).Select(Text));
            Assert.Equal(rehearsed.Count, rehearsed.Alarms.Count);
        }

        static string Text(Alarm alarm) => $"{alarm.Id} {alarm.ConditionAt:O} {alarm.EndedAt:O} {alarm.StartValue} {alarm.Peak} {alarm.LastValue} {alarm.Station} {alarm.Severity}";
    }
}
