using System.Diagnostics.Metrics;

namespace Hub.Cloud.Series.Tests;

/// <summary>Counts the cells that a store took from rollups, also over its restarts.</summary>
internal sealed class Served : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _cells;

    public Served(Store store)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "hub.series.rollup.served")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Interlocked.Add(ref _cells, store.Owns(instrument.Meter) ? value : 0));
        _listener.Start();
    }

    public long Cells => Interlocked.Read(ref _cells);

    /// <summary>Those since it was asked last.</summary>
    public long Take() => Interlocked.Exchange(ref _cells, 0);

    public void Dispose() => _listener.Dispose();
}
