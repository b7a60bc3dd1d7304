using CsCheck;
using Hub.Cloud.Alerts.Rules;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>A rule for an area: each observation is judged by where its station was then.</summary>
public sealed class AreaTests
{
    /// <summary>The quarter where both stations of the bench are, a tenth of a degree wide.</summary>
    private static readonly AreaPoint[] Quarter = [new(-8.47, 41.5), new(-8.37, 41.5), new(-8.37, 41.6), new(-8.47, 41.6)];

    private static readonly Rule Noise = AlertsBench.NoiseRule() with { Area = Quarter };

    private static DateTime T0 => AlertsBench.T0;

    [Theory]
    [InlineData(-8.42, 41.55, true)]
    [InlineData(-8.47, 41.55, true)]
    [InlineData(-8.37, 41.6, true)]
    [InlineData(-8.36, 41.55, false)]
    [InlineData(41.55, -8.42, false)]
    public void The_border_belongs_to_it(double longitude, double latitude, bool expected)
    {
        Assert.Equal(expected, Noise.IsAt(longitude, latitude));
        Assert.True(AlertsBench.NoiseRule().IsAt(longitude, latitude));
    }

    [Fact]
    public void An_area_that_is_hollow_on_one_side_is_judged_as_it_is_drawn()
    {
        var angle = Noise with { Area = [new(0, 0), new(4, 0), new(4, 4), new(2, 4), new(2, 2), new(0, 2), new(0, 0)] };
        Assert.Equal(6, angle.Area.Count);
        Assert.Null(RuleArea.WrongOf(angle.Area));
        Assert.Equal([true, true, false], new[] { (1d, 1d), (3, 3), (1, 3) }.Select(place => angle.IsAt(place.Item1, place.Item2)));
    }

    [Fact]
    public async Task Only_stations_in_the_area_are_concerned()
    {
        await using var bench = await AlertsBench.StartAsync(prepare: bench => bench.Stations.Move("se", DateTime.MinValue, 41.7, -8.42));
        await bench.Alerts.SaveAsync(Noise, default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 75), Obs.At(2, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        Assert.Equal(["avenida"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
        var tried = await bench.Alerts.RehearseAsync(Noise with { Area = [.. Quarter.Select(corner => corner with { Latitude = corner.Latitude + 0.15 })] }, T0.AddDays(-1), T0, 10, default);
        Assert.Equal(["se"], tried.Alarms.Select(alarm => alarm.Station));

        // Another area withdraws what it does not stand behind, and finds what is in it.
        await bench.Alerts.SaveAsync(Noise with { Area = [.. Quarter.Select(corner => corner with { Latitude = corner.Latitude + 0.15 })] }, default);
        await bench.CaughtUpAsync();
        Assert.Equal(["se"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
        await bench.Alerts.SaveAsync(AlertsBench.NoiseRule(), default);
        await bench.CaughtUpAsync();
        Assert.Equal(["avenida", "se"], bench.Alerts.Active(null).Select(alarm => alarm.Station).Order());
    }

    [Fact]
    public async Task A_station_that_leaves_ends_its_alarm_with_its_next_observation_and_its_history_stays()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(Noise, default);
        await bench.CaughtUpAsync();
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-30), 75), Obs.At(1, T0.AddMinutes(-20), 50), Obs.At(1, T0.AddMinutes(-1), 75));
        await bench.CaughtUpAsync();
        bench.Stations.Move("avenida", T0, 41.7, -8.42);
        await bench.CaughtUpAsync();
        Assert.Equal(2, (await bench.EpisodesAsync()).Length);
        Assert.Single(bench.Alerts.Active(null));

        bench.Time.Advance(TimeSpan.FromMinutes(2));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(1), 80));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        Assert.Equal([T0.AddMinutes(1), T0.AddMinutes(-20)], (await bench.HistoryAsync()).Select(alarm => alarm.EndedAt!.Value));
        Assert.Equal(["Ended Warning 1159-1201", "Past Warning 1130-1140", "Started Warning 1159-"], bench.Notifications.ToldByLevel.Order());

        // And back: what it measured elsewhere is no alarm here, late or not.
        bench.Stations.Move("avenida", T0.AddMinutes(5), 41.55, -8.42);
        bench.Time.Advance(TimeSpan.FromMinutes(6));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(4), 80));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(7), 80));
        await bench.CaughtUpAsync();
        Assert.Equal(T0.AddMinutes(7), Assert.Single(bench.Alerts.Active(null)).ConditionAt);
    }

    [Fact]
    public async Task Of_silence_the_place_of_now_counts()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(Noise with { Slug = "silent", Measure = Measure.NoData, Window = TimeSpan.FromMinutes(20) }, default);
        await bench.AppendAsync(Obs.At(1, T0, 60), Obs.At(2, T0, 60));
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromMinutes(22));
        await bench.CaughtUpAsync();
        Assert.Equal(2, bench.Alerts.Active(null).Count);
        bench.Stations.Move("se", T0.AddMinutes(22), 41.7, -8.42);
        await bench.CaughtUpAsync();
        Assert.Equal(["avenida"], bench.Alerts.Active(null).Select(alarm => alarm.Station));
    }

    [Fact]
    public async Task Whenever_moves_and_observations_become_known_the_history_is_the_same() =>
        await Gen.Select(
            Gen.Select(Gen.Int[1, 2], Gen.Int[60, 3 * 24 * 60], Gen.Int[60, 80]).Array[5, 40],
            Gen.Select(Gen.Bool, Gen.Bool, Gen.Int[60, 3 * 24 * 60]).Array[1, 4],
            Gen.Int[0, 8].Array[1, 6],
            Gen.Bool).SampleAsync(CheckAsync, iter: Repeats.Of(40, 2_000), threads: 2);

    private static async Task CheckAsync((int Datastream, int Ago, int Level)[] set, (bool First, bool Inside, int Ago)[] moves, int[] sizes, bool restart)
    {
        await using var known = await AlertsBench.StartAsync();
        foreach (var move in moves)
        {
            Move(known, move);
        }

        await known.Alerts.SaveAsync(Noise, default);
        await known.AppendAsync([.. set.OrderByDescending(one => one.Ago).Select(At)]);
        await known.CaughtUpAsync();

        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(Noise, default);
        var at = 0;
        for (var step = 0; at < set.Length || step < moves.Length; step++)
        {
            var next = Math.Min(set.Length, at + sizes[step % sizes.Length] + (step < moves.Length ? 0 : 1));
            await bench.AppendAsync([.. set[at..next].Select(At)]);
            at = next;
            await bench.CaughtUpAsync();
            if (step < moves.Length)
            {
                Move(bench, moves[step]);
                await bench.CaughtUpAsync();
            }

            if (restart && step == 1)
            {
                await bench.StopEvaluatorAsync();
                await bench.StartEvaluatorAsync();
            }
        }

        // After a start, the latest values of what is open come from the observations again.
        await bench.CaughtUpAsync();
        Assert.Equal(await known.EpisodesAsync(), await bench.EpisodesAsync());

        static Hub.Cloud.Series.Observation At((int Datastream, int Ago, int Level) one) => Obs.At(one.Datastream, T0.AddMinutes(-one.Ago), one.Level);

        static void Move(AlertsBench bench, (bool First, bool Inside, int Ago) move) => bench.Stations.Move(move.First ? "avenida" : "se", T0.AddMinutes(-move.Ago), move.Inside ? 41.55 : 41.7, -8.42);
    }
}
