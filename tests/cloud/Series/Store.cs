using System.Diagnostics.Metrics;
using Hub.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>A DuckDB store in a folder of its own, closed and removed on dispose.</summary>
internal sealed class Store : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private SeriesInstruments _instruments = new();

    public Store(Action<SeriesOptions>? set = null, TimeProvider? time = null)
    {
        Options = new SeriesOptions { Folder = _folder.File("series") };
        set?.Invoke(Options);
        Time = time ?? TimeProvider.System;
        Series = Make();
    }

    public SeriesOptions Options { get; }

    public TimeProvider Time { get; }

    public DuckSeries Series { get; private set; }

    public DuckDatabase Database => Series.Database;

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

    public static async Task<Store> OpenAsync(Action<SeriesOptions>? set = null, TimeProvider? time = null)
    {
        var store = new Store(set, time);
        await store.Series.OpenAsync(TestContext.Current.CancellationToken);
        return store;
    }

    /// <summary>Stops it cleanly and opens it again.</summary>
    public async Task ReopenAsync()
    {
        await Series.DisposeAsync();
        _instruments.Dispose();
        _instruments = new SeriesInstruments();
        Series = Make();
        await Series.OpenAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Series.DisposeAsync();
        _instruments.Dispose();
        _folder.Dispose();
    }

    private DuckSeries Make() => new(Microsoft.Extensions.Options.Options.Create(Options), Time, NullLogger<DuckSeries>.Instance, _instruments);
}
