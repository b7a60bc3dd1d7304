using System.Diagnostics.Metrics;
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
    [InlineData("FlushObservationsMax", "0")]
    [InlineData("FlushAfter", "00:00:00")]
    [InlineData("LogMegabytesMax", "0")]
    [InlineData("SettleAfter", "-00:00:01")]
    [InlineData("Rollups", "00:15:00, 00:10:00")]
    [InlineData("PartsPerDayMax", "0")]
    [InlineData("OpenPartsMax", "0")]
    [InlineData("QueriesMax", "65")]
    [InlineData("BucketsMax", "0")]
    [InlineData("QuestionRowsMax", "99999")]
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
        await using var services = Services(new() { ["Hub:Data"] = data.Path, ["Hub:Series:QueriesMax"] = "2" });
        await services.OpenSeriesAsync(Cancel);
        Assert.True(Directory.Exists(data.File("series/log")));
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

    private static ServiceProvider Services(Dictionary<string, string?> settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        return new ServiceCollection().AddLogging().AddHubSeries(configuration).AddHubSeries(configuration).BuildServiceProvider();
    }
}
