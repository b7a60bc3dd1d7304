using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>Rules whose measure needs several datastreams: a station offline, the difference to other stations, the air index.</summary>
public sealed class AcrossTests
{
    internal static readonly Rule Offline = AlertsBench.NoiseRule(0, 0, slug: "offline") with { Property = "", Measure = Measure.Offline, Window = TimeSpan.FromMinutes(20) };

    internal static readonly Rule ToTown = AlertsBench.NoiseRule(6, 3, slug: "to-town") with { Measure = Measure.DifferenceToMunicipality, Window = TimeSpan.FromHours(1), OnClock = true };

    internal static readonly Rule ToNeighbours = ToTown with { Slug = "to-neighbours", Measure = Measure.DifferenceToNeighbours };

    internal static readonly Rule Air = AlertsBench.NoiseRule(4, 3, slug: "air") with { Property = "", Measure = Measure.AirIndex, Window = TimeSpan.FromHours(1), OnClock = true };

    private static DateTime T0 => AlertsBench.T0;

    /// <summary>A level for every minute of an hour that ended some hours before, and one observation after it.</summary>
    private static Observation[] Hour(int datastream, double level, int hoursAgo = 1) =>
        [.. Enumerable.Range(0, 61).Select(minute => Obs.At(datastream, T0.AddHours(-hoursAgo).AddMinutes(minute), level))];

    private static Task<AlertsBench> FourStationsAsync() => AlertsBench.StartAsync(prepare: bench =>
    {
        bench.Stations.Add(4, "parque", "laeq", 60);
        bench.Stations.Add(5, "rio", "laeq", 60);
    });

    [Fact]
    public async Task A_station_is_offline_when_the_last_of_its_datastreams_is_silent()
    {
        await using var bench = await AlertsBench.StartAsync(prepare: bench => bench.Stations.Add(7, "avenida", "no2", 60));
        await bench.Alerts.SaveAsync(Offline with { Station = "avenida" }, default);
        await bench.AppendAsync(Obs.At(1, T0.AddMinutes(-1), 60), Obs.At(7, T0.AddMinutes(-1), 20), Obs.At(3, T0.AddHours(-1), 20));
        await bench.CaughtUpAsync();

        // One falls silent for an hour, the others go on.
        for (var minute = 0; minute < 60; minute += 10)
        {
            bench.Time.SetUtcNow(T0.AddMinutes(minute + 1));
            await bench.AppendAsync(Obs.At(minute < 30 ? 7 : 3, T0.AddMinutes(minute), 20));
            await bench.CaughtUpAsync();
            Assert.Empty(bench.Alerts.Active(null));
        }

        // The hour of datastream 3 that began at 12:50 is over at 13:50.
        bench.Time.SetUtcNow(T0.AddMinutes(130));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(() => bench.Notifications.Messages.Count == 1, "the station was told offline");
        var alarm = Assert.Single(bench.Alerts.Active(null));
        Assert.Equal((1, T0.AddMinutes(110), T0.AddMinutes(130)), (alarm.Datastream, alarm.ConditionAt, alarm.StartedAt));
        var message = bench.Notifications.Messages[0];
        Assert.Equal((NotificationKind.Started, "", "min", 20d, null), (message.Kind, message.Property, message.Unit, message.Limit, message.DrawnLevel));
        Assert.Null(await bench.Courses.OfAsync(message, T0.AddDays(-1), T0.AddDays(1), default));

        // Whichever is heard of first ends it.
        await bench.AppendAsync(Obs.At(7, T0.AddMinutes(140), 20));
        bench.Time.SetUtcNow(T0.AddMinutes(141));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        Assert.Equal((NotificationKind.Ended, 30d), (bench.Notifications.Messages[1].Kind, bench.Notifications.Messages[1].Peak));
    }

    [Fact]
    public async Task A_backlog_of_another_datastream_fills_the_silence_and_neither_it_nor_a_hub_that_was_off_makes_one()
    {
        await using var bench = await AlertsBench.StartAsync(prepare: bench => bench.Stations.Add(7, "avenida", "no2", 60));
        await bench.Alerts.SaveAsync(Offline with { Station = "avenida" }, default);
        await bench.AppendAsync(Obs.At(1, T0, 60), Obs.At(7, T0, 20));
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.CaughtUpAsync();
        Assert.Equal([NotificationKind.Started], bench.Notifications.Messages.Select(message => message.Kind));
        for (var minute = 1; minute <= 60; minute++)
        {
            await bench.AppendAsync(Obs.At(7, T0.AddMinutes(minute), 20));
            await bench.CaughtUpAsync();
            bench.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal([NotificationKind.Started, NotificationKind.Corrected], bench.Notifications.Messages.Select(message => message.Kind));
        Assert.True(bench.Notifications.Messages[1].Withdrawn);
        await bench.AppendAsync(Obs.At(1, T0.AddHours(2), 60));
        bench.Time.SetUtcNow(T0.AddHours(2).AddMinutes(1));
        await bench.CaughtUpAsync();
        var history = Assert.Single(await bench.EpisodesAsync());
        Assert.StartsWith("offline-avenida-1-20260504T132100Z", history, StringComparison.Ordinal);

        await bench.StopEvaluatorAsync();
        bench.Time.Advance(TimeSpan.FromHours(1));
        await bench.StartEvaluatorAsync();
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        bench.Time.Advance(TimeSpan.FromMinutes(21));
        await bench.CaughtUpAsync();
        Assert.Single(bench.Alerts.Active(null));
    }

    [Fact]
    public async Task A_datastream_that_is_new_keeps_the_station_online_and_the_alarm_where_it_was()
    {
        await using var bench = await AlertsBench.StartAsync();
        await bench.Alerts.SaveAsync(Offline with { Station = "se" }, default);
        await bench.AppendAsync(Obs.At(2, T0, 60));
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromMinutes(15));
        await bench.AppendAsync(Obs.At(9, T0.AddMinutes(14), 60));
        await bench.CaughtUpAsync();
        bench.Stations.Add(9, "se", "o3", 60);
        await bench.CaughtUpAsync();
        bench.Time.Advance(TimeSpan.FromMinutes(10));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        bench.Time.Advance(TimeSpan.FromMinutes(30));
        await bench.CaughtUpAsync();
        var alarm = Assert.Single(bench.Alerts.Active(null));
        Assert.Equal((2, T0.AddMinutes(15)), (alarm.Datastream, alarm.ConditionAt));
    }

    [Fact]
    public async Task A_difference_is_the_mean_less_the_median_of_the_others_and_needs_three_of_them()
    {
        await using var bench = await FourStationsAsync();
        await bench.Alerts.SaveAsync(ToTown, default);
        await bench.AppendAsync([.. Hour(1, 70), .. Hour(2, 60), .. Hour(4, 63)]);
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));

        // The third that says something comes late: 60, 63 and 80 have the median 63.
        await bench.AppendAsync(Hour(5, 80));
        await bench.CaughtUpAsync();
        var alarms = bench.Alerts.Active(null).OrderBy(alarm => alarm.Datastream).ToList();
        Assert.Equal([(1, 7d), (5, 17d)], alarms.Select(alarm => (alarm.Datastream, Math.Round(alarm.StartValue, 6))));
        Assert.All(alarms, alarm => Assert.Equal(T0, alarm.StartedAt));
        var message = bench.Notifications.Messages.Single(one => one.Datastream == 1);
        Assert.Equal((7d, 6d, "dB(A)", null), (Math.Round(message.Value, 6), message.Limit, message.Unit, message.DrawnLevel));

        // Another that is loud as well, for half of its minutes: 10 lg((10^6 + 10^7) / 2) is 67.4 dB, the energy's mean; 70 is no more than 6 above the median of 67.4, 63 and 80.
        await bench.AppendAsync([.. Enumerable.Range(0, 30).Select(minute => Obs.At(2, T0.AddHours(-1).AddMinutes(minute), 70, revision: 1))]);
        await bench.CaughtUpAsync();
        Assert.Equal([5], bench.Alerts.Active(null).Select(alarm => alarm.Datastream));
        Assert.Equal(80 - 67.404, bench.Alerts.Active(null)[0].StartValue, 3);
        Assert.Contains(await bench.HistoryAsync(), alarm => alarm is { Datastream: 1, Withdrawn: true });

        // Less than three quarters of the hour say nothing: again there are only two others.
        await bench.AppendAsync([.. Enumerable.Range(0, 16).Select(minute => Obs.At(4, T0.AddHours(-1).AddMinutes(minute), 63, Quality.Stuck, revision: 1))]);
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
    }

    [Fact]
    public async Task Neighbours_are_those_within_three_kilometres_of_where_the_station_stood()
    {
        await using var bench = await FourStationsAsync();
        bench.Stations.Move("se", DateTime.MinValue, 41.57, -8.42);
        bench.Stations.Move("parque", DateTime.MinValue, 41.60, -8.42);
        bench.Stations.Move("rio", DateTime.MinValue, 41.61, -8.42);
        await bench.Alerts.SaveAsync(ToNeighbours, default);
        await bench.AppendAsync([.. Hour(1, 70), .. Hour(2, 60), .. Hour(4, 71), .. Hour(5, 72)]);
        await bench.CaughtUpAsync();

        // Avenida and Sé are 2.2 km apart, Parque and Rio 1.1 km; Sé and Parque 3.3 km.
        Assert.Equal([(1, 10d)], bench.Alerts.Active(null).Select(alarm => (alarm.Datastream, Math.Round(alarm.StartValue, 6))));

        // Sé stood by Parque in the hour: it was its neighbour then, and Avenida had none.
        bench.Stations.Move("se", T0.AddHours(-3), 41.595, -8.42);
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await bench.CaughtUpAsync();
        Assert.Equal([(4, 71 - 66d), (5, 72 - 65.5)], (await bench.Alerts.RehearseAsync(ToNeighbours with { SetLevel = 5 }, T0.AddDays(-1), T0.AddDays(1), 10, default))
            .Alarms.OrderBy(alarm => alarm.Datastream).Select(alarm => (alarm.Datastream, Math.Round(alarm.StartValue, 6))));
        Assert.Equal([5], bench.Alerts.Active(null).Select(alarm => alarm.Datastream));
    }

    [Fact]
    public async Task A_station_that_is_new_counts_from_its_first_observation_on_and_one_that_is_gone_no_more()
    {
        await using var bench = await FourStationsAsync();
        await bench.Alerts.SaveAsync(ToTown with { Station = "avenida" }, default);
        await bench.AppendAsync([.. Hour(1, 70, 2), .. Hour(1, 70), .. Hour(2, 60, 2), .. Hour(2, 60), .. Hour(4, 62, 2), .. Hour(4, 62)]);
        await bench.CaughtUpAsync();
        Assert.Empty(await bench.HistoryAsync());
        await bench.AppendAsync(Hour(8, 64));
        bench.Stations.Add(8, "norte", "laeq", 60);
        await bench.CaughtUpAsync();
        var alarm = Assert.Single(bench.Alerts.Active(null));
        Assert.Equal((T0, 8d), (alarm.StartedAt, Math.Round(alarm.StartValue, 6)));
    }

    [Fact]
    public async Task The_air_index_is_the_worst_class_of_the_pollutants_that_are_known()
    {
        await using var bench = await AlertsBench.StartAsync(prepare: bench =>
        {
            bench.Stations.Add(7, "avenida", "no2", 60);
            bench.Stations.Add(8, "avenida", "no2", 60);
        });
        await bench.Alerts.SaveAsync(Air with { Severity = Severity.Warning, Levels = [new(Severity.Alert, 5, 4)] }, default);

        // PM10 of 45 is the bound of class 2, NO2 of 60.1 is class 4 of 2024; the second instrument is not asked while the first says something.
        await bench.AppendAsync([Obs.At(3, T0.AddHours(-1), 45), .. Hour(7, 60.1), .. Hour(8, 500)]);
        await bench.CaughtUpAsync();
        var alarm = Assert.Single(bench.Alerts.Active(null));
        Assert.Equal((3, Severity.Warning, T0, 4d, 4d), (alarm.Datastream, alarm.Severity, alarm.StartedAt, alarm.StartValue, alarm.Peak));
        var message = Assert.Single(bench.Notifications.Messages);
        Assert.Equal(("", "", 4d, 4d), (message.Property, message.Unit, message.Value, message.Limit));

        // Late: the first instrument was stuck for more than a quarter of the hour. The other one counts: above 150, class 6.
        await bench.AppendAsync([.. Enumerable.Range(0, 16).Select(minute => Obs.At(7, T0.AddHours(-1).AddMinutes(minute), 60.1, Quality.Stuck, revision: 1))]);
        await bench.CaughtUpAsync();
        Assert.Equal([(Severity.Warning, 6d), (Severity.Alert, 6d)], bench.Alerts.Active(null).OrderBy(one => one.Severity).Select(one => (one.Severity, one.StartValue)));

        // The next hour closes when any of its pollutants goes on, and PM10 alone is enough to end them.
        await bench.AppendAsync(Obs.At(3, T0, 10), Obs.At(3, T0.AddHours(1), 10));
        bench.Time.SetUtcNow(T0.AddHours(2));
        await bench.CaughtUpAsync();
        Assert.Empty(bench.Alerts.Active(null));
        Assert.All((await bench.HistoryAsync()).Where(one => !one.Withdrawn), one => Assert.Equal((T0.AddHours(1), 1d), (one.EndedAt, one.LastValue)));
    }

    [Fact]
    public async Task An_observation_in_a_window_that_is_open_costs_no_other_station_a_reading()
    {
        await using var bench = await AlertsBench.StartAsync(prepare: bench =>
        {
            for (var id = 10; id < 40; id++)
            {
                bench.Stations.Add(id, $"s{id}", "laeq", 60);
            }
        });
        await bench.Alerts.SaveAsync(ToTown, default);
        for (var minute = 0; minute < 60; minute++)
        {
            await bench.AppendAsync([.. Enumerable.Range(10, 30).Select(id => Obs.At(id, T0.AddMinutes(minute), id == 10 ? 70 : 60))]);
        }

        await bench.CaughtUpAsync();
        var before = bench.Series.RangesRead;
        for (var second = 0; second < 30; second++)
        {
            await bench.AppendAsync(Obs.At(10 + second, T0.AddMinutes(59).AddSeconds(1 + second), second == 0 ? 70 : 60));
            await bench.CaughtUpAsync();
        }

        Assert.Equal(before, bench.Series.RangesRead);
        bench.Time.SetUtcNow(T0.AddHours(1));
        for (var id = 10; id < 40; id++)
        {
            await bench.AppendAsync(Obs.At(id, T0.AddHours(1).AddSeconds(id), 60));
            await bench.CaughtUpAsync();
        }

        // The first to close the hour reads all 30; each other one looks only where its own begins.
        Assert.InRange(bench.Series.RangesRead - before, 30, 70);
        Assert.Equal([10], bench.Alerts.Active(null).Select(alarm => alarm.Datastream));
    }

    [Fact]
    public async Task A_rehearsal_finds_what_saving_finds()
    {
        await using var bench = await FourStationsAsync();
        await bench.AppendAsync([Obs.At(3, T0.AddHours(-1), 290), Obs.At(3, T0, 100), .. Hour(1, 70), .. Hour(2, 60), .. Hour(4, 63), .. Hour(5, 64), .. Hour(1, 60, 4)]);
        bench.Time.SetUtcNow(T0.AddHours(3));
        foreach (var rule in new[] { Offline, ToTown, ToNeighbours, Air })
        {
            var rehearsed = await bench.Alerts.RehearseAsync(rule, T0.AddDays(-2), T0.AddDays(2), 100, default);
            await bench.Alerts.SaveAsync(rule, default);
            await bench.CaughtUpAsync();
            if (rule.Measure == Measure.Offline)
            {
                bench.Time.Advance(TimeSpan.FromMinutes(30));
                await bench.CaughtUpAsync();
            }

            Assert.NotEqual(0, rehearsed.Count);
            Assert.Equal(
                (await bench.HistoryAsync()).Where(alarm => alarm.Rule == rule.Slug).OrderBy(alarm => alarm.Id, StringComparer.Ordinal).Select(Text),
                rehearsed.Alarms.OrderBy(alarm => alarm.Id, StringComparer.Ordinal).Select(Text));
        }

        static string Text(Alarm alarm) => $"{alarm.Id} {alarm.ConditionAt:O} {alarm.EndedAt:O} {alarm.StartValue} {alarm.Peak} {alarm.LastValue} {alarm.Station}";
    }
}
