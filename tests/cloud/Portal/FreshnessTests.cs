using CsCheck;
using Hub.Cloud.Portal.Show;

namespace Hub.Cloud.Portal.Tests;

public sealed class FreshnessTests
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan FiveMinutes = TimeSpan.FromMinutes(5);

    [Fact]
    public void A_value_is_stale_after_three_periods_and_not_before()
    {
        var limit = Freshness.StaleAfter(TimeSpan.FromMinutes(1), FiveMinutes);
        Assert.Equal(TimeSpan.FromMinutes(3), limit);
        Assert.False(Freshness.IsStale(Noon, limit, Noon + limit));
        Assert.True(Freshness.IsStale(Noon, limit, Noon + limit + TimeSpan.FromTicks(1)));
    }

    [Fact]
    public void An_instantaneous_value_counts_by_the_expected_step() =>
        Assert.Equal(TimeSpan.FromMinutes(15), Freshness.StaleAfter(TimeSpan.Zero, FiveMinutes));

    [Fact]
    public void Very_short_periods_leave_time_for_the_way() =>
        Assert.Equal(TimeSpan.FromSeconds(60), Freshness.StaleAfter(TimeSpan.FromSeconds(1), FiveMinutes));

    [Fact]
    public void Age_counts_from_the_end_of_the_period() =>
        Assert.Equal(Noon + TimeSpan.FromHours(1), Freshness.EndOf(Noon, TimeSpan.FromHours(1)));

    [Fact]
    public void Never_heard_of_is_silent_and_an_alarm_outranks_it()
    {
        Assert.Equal(Status.Silent, Freshness.Of(null, FiveMinutes, 0, Noon));
        Assert.Equal(Status.Alarm, Freshness.Of(null, FiveMinutes, 1, Noon));
        Assert.Equal(Status.Silent, Freshness.Of(Noon - TimeSpan.FromHours(25), FiveMinutes, 0, Noon));
        Assert.Equal(Status.Stale, Freshness.Of(Noon - TimeSpan.FromHours(2), FiveMinutes, 0, Noon));
        Assert.Equal(Status.Fresh, Freshness.Of(Noon, FiveMinutes, 0, Noon));
    }

    [Fact]
    public void A_value_never_becomes_fresher_by_waiting() =>
        Gen.Select(Gen.Int[0, 100_000], Gen.Int[1, 100_000], Gen.Int[0, 100_000], Gen.Int[0, 100_000]).Sample((age, period, wait, more) =>
        {
            var end = Noon - TimeSpan.FromSeconds(age);
            var limit = Freshness.StaleAfter(TimeSpan.FromSeconds(period), FiveMinutes);
            var early = Freshness.Of(end, limit, 0, Noon + TimeSpan.FromSeconds(wait));
            var late = Freshness.Of(end, limit, 0, Noon + TimeSpan.FromSeconds(wait + more));
            return late >= early && (!Freshness.IsStale(end, limit, Noon + TimeSpan.FromSeconds(wait)) || Freshness.IsStale(end, limit, Noon + TimeSpan.FromSeconds(wait + more)));
        });

    [Fact]
    public void The_scripts_use_the_same_limits()
    {
        var script = World.Source.Files(".ts").Single(file => file.Path.EndsWith("/ages.ts", StringComparison.Ordinal)).Text;
        Assert.Contains($"age > {(int)Freshness.SilentAfter.TotalHours} * 3600_000", script, StringComparison.Ordinal);
    }
}
