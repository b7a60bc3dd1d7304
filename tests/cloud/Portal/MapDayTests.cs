using System.Diagnostics;
using Hub.Cloud.Alerts;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Read.Map;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Portal.Tests.World;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Portal.Tests;

/// <summary>What the day behind the map's slider costs on the store of a hub.</summary>
public sealed class MapDayTests
{
    [Fact]
    [Trait("kind", "long")]
    public async Task A_day_of_2000_stations_by_the_minute_is_read_once_for_all_who_ask_at_the_same_time()
    {
        const int Count = 2_000;
        var cancel = TestContext.Current.CancellationToken;
        using TempFolder folder = new();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Hub:Data", folder.Path)]).Build();
        await using var provider = new ServiceCollection().AddLogging().AddHubSeries(configuration).BuildServiceProvider();
        await provider.OpenSeriesAsync(cancel);
        var series = provider.GetRequiredService<ISeries>();
        DateTime now = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);
        var minute = TimeSpan.FromMinutes(1);
        StationView[] stations =
        [
            .. Enumerable.Range(1, Count).Select(id => new Station(id, "braga", $"rua-{id}", $"Rua {id}", 41.5, -8.4, Public: true, ""))
                .Select(station => new StationView(station, null, TimeZoneInfo.Utc, [new(new(station.Id, station, "sds011-1", City.Pm25, minute), null, null, minute, true)], null, minute, Status.Silent)),
        ];
        for (var at = now.AddDays(-1); at < now; at += minute)
        {
            await series.AppendAsync(Enumerable.Range(1, Count).Select(id => new Observation(id, at, 5 + (((id * 7) + at.Minute) % 60), Quality.Good)).ToArray(), cancel);
        }

        MapReader reader = new(new AirReader(new TopicSeries(series, Options.Create(new AlertsOptions()))), series, Options.Create(new AlertsOptions()), new LongReads());
        var show = MapShow.Of(City.Pm25);
        var watch = Stopwatch.StartNew();
        var days = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => reader.DayAsync("braga|pm2_5|", stations, show, TimeZoneInfo.Utc, now, cancel).AsTask()));
        TestContext.Current.TestOutputHelper!.WriteLine($"{Count} stations, {Count * 1440} observations: {watch.ElapsedMilliseconds} ms");
        Assert.Same(days[0], days[1]);
        Assert.Equal((Count, 24), (days[0]!.Values.Count, days[0]!.Count));
        Assert.DoesNotContain(days[0]!.Values["braga/rua-7"], double.IsNaN);
        watch.Restart();
        Assert.Same(days[0], await reader.DayAsync("braga|pm2_5|", [], show, TimeZoneInfo.Utc, now.AddSeconds(59), cancel));
        Assert.NotSame(days[0], await reader.DayAsync("braga|pm2_5|", stations, show, TimeZoneInfo.Utc, now.AddSeconds(60), cancel));
        TestContext.Current.TestOutputHelper!.WriteLine($"once more: {watch.ElapsedMilliseconds} ms");
    }
}
