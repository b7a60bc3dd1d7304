using System.Diagnostics.Metrics;
using Hub.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>An embedded store in a folder of its own, closed and removed on dispose.</summary>
internal sealed class Store : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly LogDisk? _disk;
    private readonly IDatastreamStatistics? _statistics;
    private readonly IFindings? _findings;
    private SeriesInstruments _instruments = new();

    public Store(Action<SeriesOptions>? set = null, TimeProvider? time = null, LogDisk? disk = null, IDatastreamStatistics? statistics = null, IFindings? findings = null)
    {
        (_disk, _statistics, _findings) = (disk, statistics, findings);

        // A clean stop is one however busy the machine is; who wants another says so.
        Options = new SeriesOptions { Folder = _folder.File("series"), StopWithin = TimeSpan.FromMinutes(5) };
        set?.Invoke(Options);
        Time = time ?? TimeProvider.System;
        Series = Make();
    }

    public SeriesOptions Options { get; }

    public TimeProvider Time { get; }

    public EmbeddedSeries Series { get; private set; }

    /// <summary>Days of a datastream that a commit looks up itself; kept over reopening.</summary>
    public int LateDaysMax
    {
        get => Series.LateDaysMax;
        set => Series.LateDaysMax = value;
    }

    public bool Owns(Meter meter) => _instruments.Owns(meter);

    /// <summary>Present values of the store's gauges.</summary>
    public Dictionary<string, long> Gauges()
    {
        var values = new Dictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (Owns(instrument.Meter) && instrument.IsObservable)
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }

    public static async Task<Store> OpenAsync(Action<SeriesOptions>? set = null, TimeProvider? time = null, LogDisk? disk = null, IFindings? findings = null)
    {
        var store = new Store(set, time, disk, findings: findings);
        await store.Series.OpenAsync(TestContext.Current.CancellationToken);
        return store;
    }

    /// <summary>Stops it, cleanly if its settings give it the time, and opens it again.</summary>
    public async Task ReopenAsync() => await ReopenAsync(static () => { });

    /// <summary>The same with a change of settings in between.</summary>
    public async Task ReopenAsync(Action between)
    {
        await Series.DisposeAsync();
        _instruments.Dispose();

        // One that had no time to stop gives its folder back when its threads have ended.
        await Eventually.TrueAsync(IsFree, "the folder is free");
        between();
        _instruments = new SeriesInstruments();
        var lateDays = LateDaysMax;
        Series = Make();
        LateDaysMax = lateDays;
        await Series.OpenAsync(TestContext.Current.CancellationToken);
    }

    private bool IsFree()
    {
        try
        {
            using var taken = new FileStream(Path.Combine(Options.Folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Series.DisposeAsync();
        _instruments.Dispose();
        _folder.Dispose();
    }

    private EmbeddedSeries Make() => new(Microsoft.Extensions.Options.Options.Create(Options), Time, NullLogger<EmbeddedSeries>.Instance, _instruments, _disk, _statistics, _findings);
}
