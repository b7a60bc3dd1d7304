using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The store on a real InfluxDB keeps what the seam promises, but for the times it cannot hold.</summary>
public class InfluxConformanceTests(InfluxServer server) : SeriesConformance, IClassFixture<InfluxServer>, IAsyncLifetime
{
    private InfluxStore? _store;

    protected override (DateTime Earliest, DateTime Latest) Times =>
        (Utc(1677, 9, 21, 0, 12).AddSeconds(43).AddMicroseconds(145_225), Utc(2262, 4, 11, 23, 47).AddSeconds(16).AddMicroseconds(854_775));

    [Fact]
    public async Task The_times_it_can_hold_are_said() => Assert.Equal(Times, (await OpenAsync()).Times);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    protected override async Task<ISeries> OpenAsync()
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        _store = await InfluxStore.OpenAsync(server.Address, server.NextDatabase(), Set, labels: Labels);
        return _store.Series;
    }

    private protected virtual IDatastreamLabels? Labels => null;

    private protected virtual void Set(SeriesOptions series, InfluxOptions influx)
    {
    }
}

/// <summary>The same in writes of a few lines, uncompressed, with no key held in memory.</summary>
[Trait("kind", "long")]
public sealed class InfluxInSmallWritesTests(InfluxServer server) : InfluxConformanceTests(server)
{
    private protected override void Set(SeriesOptions series, InfluxOptions influx)
    {
        (series.KnownKeysMax, series.KnownDaysLoadedMax) = (0, 0);

        // A long range in writes of seven lines would take minutes, and show nothing more.
        (influx.BatchLinesMax, influx.Gzip, influx.WritesMax) = (700, false, 4);
    }
}

/// <summary>The same while every commit finds other labels: each key may be in several series of the server, and is read as one.</summary>
[Trait("kind", "long")]
public sealed class InfluxWithChangingLabelsTests(InfluxServer server) : InfluxConformanceTests(server)
{
    private protected override IDatastreamLabels? Labels => new Changing();

    private protected override void Set(SeriesOptions series, InfluxOptions influx) => (series.KnownKeysMax, series.KnownDaysLoadedMax) = (20, 2);

    private sealed class Changing : IDatastreamLabels
    {
        public long Version => ++field;

        public IReadOnlyCollection<KeyValuePair<string, string>> Of(int datastream) =>
            [KeyValuePair.Create("station", $"Praça {Version % 3}, \\"), KeyValuePair.Create("property", Version % 2 == 0 ? "" : "pm2_5 = a"), KeyValuePair.Create("datastream", "7")];
    }
}
