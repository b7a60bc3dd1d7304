using Hub.Tests.Kit;

namespace Hub.Cloud.Retention.Tests;

/// <summary>Policies, holds, dry runs and deletions as they are kept.</summary>
public sealed class RetentionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_deleted_where_nobody_said_so()
    {
        await using var host = await RetentionHost.StartAsync();
        await host.FillAsync(host.Pm10, 400);
        Assert.Empty(await host.Retention.ForecastAsync("braga", null, Cancel));
        Assert.Empty(await host.Retention.RunAsync("braga", "ana", Cancel));
        Assert.Equal(400, (await host.DaysAsync(host.Pm10)).Count);
    }

    [Fact]
    public async Task A_run_deletes_what_the_dry_run_said_and_is_on_record()
    {
        await using var host = await RetentionHost.StartAsync();
        await host.FillAsync(host.Pm10, 40);
        await host.FillAsync(host.Laeq, 40);
        await host.FillAsync(host.Elsewhere, 40);
        RetentionPolicy[] policies = [new(null, 30), new("laeq", 5)];

        // Tried before it is saved.
        var tried = await host.Retention.ForecastAsync("braga", policies, Cancel);
        Assert.Equal([("laeq", 1, 34L, 0L), ("pm10", 1, 9L, 0L)], tried.Select(f => (f.Property, f.Datastreams, f.Observations, f.Held)));
        Assert.Empty(await host.Retention.PoliciesAsync("braga", Cancel));

        await host.Retention.SavePoliciesAsync("braga", policies, "ana", Cancel);
        Assert.Equal(policies, await host.Retention.PoliciesAsync("braga", Cancel));
        Assert.Equal(tried, await host.Retention.ForecastAsync("braga", null, Cancel));
        var runs = await host.Retention.RunAsync("braga", "ana", Cancel);
        Assert.Equal([("laeq", 34L), ("pm10", 9L)], runs.Select(run => (run.Property, run.Observations)));
        Assert.Equal(Enumerable.Range(0, 31), await host.DaysAsync(host.Pm10));
        Assert.Equal(Enumerable.Range(0, 6), await host.DaysAsync(host.Laeq));
        Assert.Equal(40, (await host.DaysAsync(host.Elsewhere)).Count);
        Assert.Equal(runs.Reverse(), await host.Retention.RunsAsync("braga", 10, Cancel));
        Assert.All(runs, run => Assert.Equal(("ana", RetentionHost.Now), (run.By, run.At)));

        // Nothing more to do, nothing more on record.
        Assert.Empty(await host.Retention.RunAsync("braga", "ana", Cancel));
        Assert.Equal(2, (await host.Retention.RunsAsync("braga", 10, Cancel)).Count);
        Assert.Empty(await host.Retention.RunsAsync("aveiro", 10, Cancel));
    }

    [Fact]
    public async Task What_a_hold_covers_stays_until_it_is_released()
    {
        await using var host = await RetentionHost.StartAsync();
        await host.FillAsync(host.Pm10, 40);
        await host.Retention.SavePoliciesAsync("braga", [new(null, 10)], "ana", Cancel);
        var hold = await host.Retention.HoldAsync(
            new RetentionHold(0, "braga", "centro", "pm10", RetentionHost.Now.AddDays(-20), RetentionHost.Now.AddDays(-15), " Processo 123/26 "), "ana", Cancel);
        Assert.Equal(("Processo 123/26", "ana", RetentionHost.Now, (string?)null), (hold.Reason, hold.SetBy, hold.SetAt, hold.ReleasedBy));
        Assert.Equal([hold], await host.Retention.HoldsAsync("braga", released: false, Cancel));
        Assert.Equal((24L, 5L), (await host.Retention.ForecastAsync("braga", null, Cancel)).Select(f => (f.Observations, f.Held)).Single());

        await host.Retention.RunAsync("braga", "ana", Cancel);
        Assert.Equal([.. Enumerable.Range(0, 11), 16, 17, 18, 19, 20], await host.DaysAsync(host.Pm10));

        Assert.False(await host.Retention.ReleaseAsync("aveiro", hold.Id, "rui", Cancel));
        Assert.True(await host.Retention.ReleaseAsync("braga", hold.Id, "rui", Cancel));
        Assert.False(await host.Retention.ReleaseAsync("braga", hold.Id, "rui", Cancel));
        Assert.Empty(await host.Retention.HoldsAsync("braga", released: false, Cancel));
        Assert.Equal(("rui", RetentionHost.Now), (await host.Retention.HoldsAsync("braga", released: true, Cancel)).Select(h => (h.ReleasedBy!, h.ReleasedAt!.Value)).Single());
        await host.Retention.RunAsync("braga", "ana", Cancel);
        Assert.Equal(Enumerable.Range(0, 11), await host.DaysAsync(host.Pm10));
    }

    [Fact]
    public async Task Rollups_outlive_their_observations_and_go_in_their_turn()
    {
        await using var host = await RetentionHost.StartAsync();
        await host.FillAsync(host.Pm10, 60);
        RetentionPolicy[] policies = [new("pm10", 10) { RollupDays = 40 }];
        await host.Retention.SavePoliciesAsync("braga", policies, "ana", Cancel);
        Assert.Equal(policies, await host.Retention.PoliciesAsync("braga", Cancel));

        // Kept are legal days: today and ten before it raw, thirty more as rollups; nineteen go. Midnight is 23:00 UTC, so the day on the edge goes raw with the next run.
        var tried = Assert.Single(await host.Retention.ForecastAsync("braga", null, Cancel));
        Assert.Equal((1, 48L, 29L, 0L, 0L), (tried.Datastreams, tried.Observations, tried.Condensed, tried.RollupDays, tried.Held));
        Assert.Equal((Before(10), Before(40)), (tried.Before, tried.RollupsBefore));
        var run = Assert.Single(await host.Retention.RunAsync("braga", "ana", Cancel));
        Assert.Equal((48L, 29L, 0L), (run.Observations, run.Condensed, run.RollupDays));
        Assert.Equal(Enumerable.Range(0, 12), await host.DaysAsync(host.Pm10));
        Assert.Equal(Enumerable.Range(0, 41), await FiguresAsync());
        Assert.Empty(await host.Retention.RunAsync("braga", "ana", Cancel));

        // A day later one more of each.
        host.Time.Advance(TimeSpan.FromDays(1));
        tried = Assert.Single(await host.Retention.ForecastAsync("braga", null, Cancel));
        Assert.Equal((1, 1L, 1L, 1L), (tried.Datastreams, tried.Observations, tried.Condensed, tried.RollupDays));
        run = Assert.Single(await host.Retention.RunAsync("braga", "ana", Cancel));
        Assert.Equal((1L, 1L, 1L), (run.Observations, run.Condensed, run.RollupDays));
        Assert.Equal(run, (await host.Retention.RunsAsync("braga", 1, Cancel))[0]);
        Assert.Equal(Enumerable.Range(0, 40), await FiguresAsync());

        // A hold keeps rollups and observations.
        await host.Retention.HoldAsync(new RetentionHold(0, "braga", null, null, null, null, "why"), "ana", Cancel);
        host.Time.Advance(TimeSpan.FromDays(100));
        Assert.Empty(await host.Retention.RunAsync("braga", "ana", Cancel));
        Assert.Equal(Enumerable.Range(0, 40), await FiguresAsync());

        async Task<List<int>> FiguresAsync()
        {
            var days = await host.Series.AggregateAsync(
                new Series.AggregateQuery(host.Pm10, DateTime.MinValue, DateTime.MaxValue, new Series.BucketWidth(TimeSpan.FromHours(1)), Series.Statistic.Last), Cancel);
            return [.. days.Select(day => (int)day.Value).Order()];
        }

        static DateTime Before(int days) => RetentionHost.Now.Date.AddDays(-days).AddHours(-1);
    }

    /// <summary>Values are days back: those older than 20 days are flagged.</summary>
    [Fact]
    public async Task Findings_go_with_their_observations_also_when_a_run_was_cut_off_between_the_two()
    {
        await using var host = await RetentionHost.StartAsync();
        await host.FillAsync(host.Pm10, 40);
        await host.FlagAsync(above: 20);
        Assert.Equal(Enumerable.Range(21, 19), await host.FoundAsync(host.Pm10));
        await host.Retention.SavePoliciesAsync("braga", [new(null, 30)], "ana", Cancel);
        host.IsCutOff = true;
        await Assert.ThrowsAsync<IOException>(async () => await host.Retention.RunAsync("braga", "ana", Cancel));
        Assert.Equal(31, (await host.DaysAsync(host.Pm10)).Count);
        Assert.Equal(19, (await host.FoundAsync(host.Pm10)).Count);

        // Nothing is stored any more of what is to be deleted; what was found of it goes, and is on record.
        host.IsCutOff = false;
        var run = Assert.Single(await host.Retention.RunAsync("braga", "ana", Cancel));
        Assert.Equal((0L, 9L), (run.Observations, run.Findings));
        Assert.Equal(Enumerable.Range(21, 10), await host.FoundAsync(host.Pm10));
        Assert.Equal([run], await host.Retention.RunsAsync("braga", 10, Cancel));
        Assert.Empty(await host.Retention.RunAsync("braga", "ana", Cancel));

        // A hold keeps observations and findings; released, both go at once.
        var hold = await host.Retention.HoldAsync(new RetentionHold(0, "braga", null, null, RetentionHost.Now.AddDays(-26), RetentionHost.Now.AddDays(-24), "why"), "ana", Cancel);
        await host.Retention.SavePoliciesAsync("braga", [new(null, 22)], "ana", Cancel);
        run = Assert.Single(await host.Retention.RunAsync("braga", "ana", Cancel));
        Assert.Equal((6L, 6L), (run.Observations, run.Findings));
        Assert.Equal([21, 22, 25, 26], await host.FoundAsync(host.Pm10));
        await host.Retention.ReleaseAsync("braga", hold.Id, "ana", Cancel);
        Assert.Equal((2L, 2L), (await host.Retention.RunAsync("braga", "ana", Cancel)).Select(one => (one.Observations, one.Findings)).Single());
        Assert.Equal([21, 22], await host.FoundAsync(host.Pm10));
    }

    [Fact]
    public async Task Findings_go_with_observations_that_are_condensed()
    {
        await using var host = await RetentionHost.StartAsync();
        await host.FillAsync(host.Pm10, 40);
        await host.FlagAsync(above: 20);
        await host.Retention.SavePoliciesAsync("braga", [new("pm10", 25) { RollupDays = 30 }], "ana", Cancel);
        var run = Assert.Single(await host.Retention.RunAsync("braga", "ana", Cancel));
        Assert.Equal((13L, 4L, 13L), (run.Observations, run.Condensed, run.Findings));
        Assert.Equal(Enumerable.Range(0, 27), await host.DaysAsync(host.Pm10));
        Assert.Equal(Enumerable.Range(21, 6), await host.FoundAsync(host.Pm10));

        // What comes late for a condensed day is flagged like anything, and goes with the next run.
        await host.Series.AppendAsync(new[] { new Series.Observation(host.Pm10, RetentionHost.Now.AddDays(-28), 28, Edge.Contract.Readings.Quality.Good) }, Cancel);
        await host.Checks.CaughtUpAsync(Cancel);
        Assert.Equal([.. Enumerable.Range(21, 6), 28], await host.FoundAsync(host.Pm10));
        Assert.Equal((1L, 1L), (await host.Retention.RunAsync("braga", "ana", Cancel)).Select(one => (one.Condensed, one.Findings)).Single());
        Assert.Equal(Enumerable.Range(21, 6), await host.FoundAsync(host.Pm10));
    }

    [Fact]
    public async Task Rollups_are_not_promised_where_the_store_cannot_keep_them()
    {
        await using var host = await RetentionHost.StartAsync();
        host.Series.CanCondense = false;
        var error = await Assert.ThrowsAsync<ArgumentException>(async () => await host.Retention.SavePoliciesAsync("braga", [new("pm10", 10) { RollupDays = 40 }], "ana", Cancel));
        Assert.Contains("Hub:Series:Store", error.Message, StringComparison.Ordinal);
        Assert.Empty(await host.Retention.PoliciesAsync("braga", Cancel));
    }

    [Fact]
    public async Task Observations_of_a_station_that_is_gone_go_too()
    {
        await using var host = await RetentionHost.StartAsync();
        await host.FillAsync(host.Pm10, 40);
        await host.Stations.RemoveAsync(host.Centro.Id, Cancel);
        await host.Retention.SavePoliciesAsync("braga", [new(null, 10)], "ana", Cancel);
        await host.Retention.RunAsync("braga", "ana", Cancel);
        Assert.Equal(11, (await host.DaysAsync(host.Pm10)).Count);
    }

    public static readonly TheoryData<string> Faults = ["property", "days 0", "days 36526", "rollups 6", "rollups 36526", "rollups alone", "twice", "many", "municipality"];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Policies_that_are_none_are_refused_and_change_nothing(string fault)
    {
        await using var host = await RetentionHost.StartAsync();
        await host.Retention.SavePoliciesAsync("braga", [new("pm10", 7)], "ana", Cancel);
        RetentionPolicy[] wrong = fault switch
        {
            "property" => [new("pm11", 7)],
            "days 0" => [new(null, 0)],
            "days 36526" => [new(null, 36_526)],
            "rollups 6" => [new(null, 7) { RollupDays = 6 }],
            "rollups 36526" => [new(null, 7) { RollupDays = 36_526 }],
            "rollups alone" => [new(null, null) { RollupDays = 7 }],
            "twice" => [new("no2", 7), new("no2", 8)],
            "many" => [.. Enumerable.Repeat(new RetentionPolicy("no2", 7), 501)],
            _ => [],
        };
        await Assert.ThrowsAsync<ArgumentException>(async () => await host.Retention.SavePoliciesAsync(fault == "municipality" ? "porto" : "braga", wrong, "ana", Cancel));
        Assert.Equal([new("pm10", 7)], await host.Retention.PoliciesAsync("braga", Cancel));
    }

    [Fact]
    public async Task Holds_that_are_none_are_refused()
    {
        await using var host = await RetentionHost.StartAsync();
        var good = new RetentionHold(0, "braga", null, null, null, null, "why");
        foreach (var wrong in new[]
        {
            good with { Reason = " " }, good with { Reason = new string('x', 501) }, good with { Property = "pm11" }, good with { Municipality = "porto" },
            good with { From = RetentionHost.Now, To = RetentionHost.Now }, good with { From = DateTime.SpecifyKind(RetentionHost.Now, DateTimeKind.Local) },
        })
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await host.Retention.HoldAsync(wrong, "ana", Cancel));
        }

        Assert.Empty(await host.Retention.HoldsAsync("braga", released: true, Cancel));
    }

    [Fact]
    public async Task The_keeper_runs_at_once_when_the_night_was_missed_and_then_each_night()
    {
        await using var host = await RetentionHost.StartAsync();
        await host.FillAsync(host.Pm10, 40);
        await host.Retention.SavePoliciesAsync("braga", [new(null, 10)], "ana", Cancel);
        await host.Keeper.StartAsync(Cancel);

        // The hub was off at three in the morning: it runs at once.
        await Eventually.TrueAsync(async () => (await host.Retention.RunsAsync("braga", 10, Cancel)).Count == 1, "the keeper has run");
        Assert.Equal("schedule", (await host.Retention.RunsAsync("braga", 10, Cancel))[0].By);
        Assert.Equal(11, (await host.DaysAsync(host.Pm10)).Count);

        // And again as days pass, not before three o'clock local time. There the clock stands still, for the keeper to look.
        await Eventually.TrueAsync(
            async () =>
            {
                if (host.Time.GetUtcNow().UtcDateTime < RetentionHost.Now.Date.AddDays(1).AddHours(2).AddMinutes(10))
                {
                    host.Time.Advance(TimeSpan.FromMinutes(5));
                }

                return (await host.Retention.RunsAsync("braga", 10, Cancel)).Count == 2;
            },
            "the keeper has run again");
        var at = (await host.Retention.RunsAsync("braga", 10, Cancel))[0].At;
        Assert.Equal(RetentionHost.Now.Date.AddDays(1), at.Date);
        Assert.Equal(2, at.Hour);
        await host.Keeper.StopAsync(Cancel);
    }
}
