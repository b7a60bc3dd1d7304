using System.Diagnostics.Metrics;
using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The stage as a program sees it: settings, registration, counters.</summary>
public sealed class SeriesSettingsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Folder", " ")]
    [InlineData("Folder", "somewhere")]
    [InlineData("QueueObservationsMax", "999")]
    [InlineData("GroupObservationsMax", "0")]
    [InlineData("KnownKeysMax", "-1")]
    [InlineData("KnownDaysLoadedMax", "-1")]
    [InlineData("MemoryMegabytesMax", "63")]
    [InlineData("Threads", "0")]
    [InlineData("CheckpointMegabytes", "0")]
    [InlineData("QueriesMax", "65")]
    [InlineData("BucketsMax", "0")]
    [InlineData("RetryAfter", "00:00:00.001")]
    [InlineData("StopWithin", "-00:00:01")]
    public async Task Wrong_setting_is_named_with_its_full_key(string key, string value)
    {
        await using var services = Services(new() { [$"Hub:Series:{key}"] = value });
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => services.OpenSeriesAsync(Cancel));
        Assert.Contains($"Hub:Series:{key} ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Default_folder_lies_in_the_data_folder()
    {
        using var data = new TempFolder();
        await using var services = Services(new() { ["Hub:Data"] = data.Path, ["Hub:Series:MemoryMegabytesMax"] = "64" });
        await services.OpenSeriesAsync(Cancel);
        Assert.True(File.Exists(data.File("series/series.duckdb")));
        var series = services.GetRequiredService<ISeries>();
        Assert.Same(series, services.GetRequiredService<ISeriesHealth>());
        Assert.Equal(1, (await series.AppendAsync(new[] { new Observation(1, DateTime.UnixEpoch, 1, Quality.Good) }, Cancel)).Commit);
        Assert.Same(series, Assert.Single(services.GetServices<ISeries>()));
    }

    [Fact]
    public async Task Each_observation_is_counted_once_by_its_fate()
    {
        var counts = new Dictionary<string, long>();
        await using var store = new Store();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (store.Owns(instrument.Meter))
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            lock (counts)
            {
                var name = tags.Length == 0 ? instrument.Name : $"{instrument.Name} {tags[0].Value}";
                counts[name] = counts.GetValueOrDefault(name) + value;
            }
        });
        listener.Start();
        await store.Series.OpenAsync(Cancel);
        var one = new Observation(1, DateTime.UnixEpoch, 1, Quality.Good);
        await store.Series.AppendAsync(new[] { one, one with { Datastream = 2 }, one }, Cancel);
        await store.Series.AppendAsync(new[] { one with { Result = 2 }, one }, Cancel);
        await store.Series.DisposeAsync();
        Assert.Equal(2, counts["hub.series.observations stored"]);
        Assert.Equal(2, counts["hub.series.observations duplicate"]);
        Assert.Equal(1, counts["hub.series.observations corrected"]);
        Assert.Equal(1, counts["hub.series.history"]);
        Assert.Equal(2, counts["hub.series.commits"]);
    }

    [Fact]
    public async Task Edges_of_local_buckets_agree_with_the_model()
    {
        // Africa/Casablanca, whose clock changes four times a year around Ramadan, is known not to agree for every width: see BucketEdges.
        TimeZoneInfo[] zones =
        [
            .. new[] { "Europe/Lisbon", "Atlantic/Azores", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "America/Santiago", "Pacific/Apia" }
                .Select(TimeZoneInfo.FindSystemTimeZoneById),
        ];
        TimeSpan[] widths = [.. new[] { 1, 7, 15, 40, 60, 90, 180, 360, 420, 1440, 2160, 10080 }.Select(minutes => TimeSpan.FromMinutes(minutes))];
        var start = new DateTime(2012, 1, 1, 0, 0, 0, DateTimeKind.Utc);

        // Half of the instants lie within two days of a change of the clock.
        var changes = zones.Select(zone => Enumerable.Range(0, 8760 * 20).Select(hour => start.AddHours(hour)).Where(hour => hour == start || zone.GetUtcOffset(hour) != zone.GetUtcOffset(hour.AddHours(-1))).ToArray()).ToArray();
        await Gen.Select(Gen.Int[0, zones.Length - 1], Gen.Int[0, widths.Length - 1], Gen.Int[0, 1000], Gen.Int[0, 20 * 365 * 1440], Gen.Bool).SampleAsync(
            async (zone, width, change, minute, near) =>
            {
                var instant = near ? changes[zone][change % changes[zone].Length].AddMinutes((minute % 5760) - 2880) : start.AddMinutes(minute);
                using var model = new MemorySeries();
                await model.AppendAsync(new[] { new Observation(1, instant, 1, Quality.Good) }, Cancel);
                var every = new BucketWidth(widths[width], zones[zone]);
                var expected = (await model.AggregateAsync(new AggregateQuery(1, DateTime.MinValue, DateTime.MaxValue, every, Statistic.Count), Cancel))[0];
                var (from, to) = new BucketEdges(widths[width], zones[zone]).Around(EventTime.Micros(instant));
                Assert.Equal((expected.Start, expected.End), (EventTime.Time(from), EventTime.Time(to)));
                Assert.InRange(instant, expected.Start, expected.End.AddTicks(-1));
            },
            iter: 3000,
            threads: 1);
    }

    private static ServiceProvider Services(Dictionary<string, string?> settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        return new ServiceCollection().AddLogging().AddHubSeries(configuration).AddHubSeries(configuration).BuildServiceProvider();
    }
}
