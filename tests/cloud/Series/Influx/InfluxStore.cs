using System.Diagnostics.Metrics;
using Hub.Tests.Kit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>A store on InfluxDB with a folder of its own for what waits, removed on dispose.</summary>
internal sealed class InfluxStore : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly IFindings? _findings;
    private readonly ILogger<InfluxSeries> _log;
    private SeriesInstruments _instruments = new();
    private InfluxInstruments _influxInstruments = new();

    public InfluxStore(
        string address, string database, Action<SeriesOptions, InfluxOptions>? set = null, TimeProvider? time = null, IDatastreamLabels? labels = null, IFindings? findings = null, ILogger<InfluxSeries>? log = null)
    {
        _findings = findings;
        _log = log ?? NullLogger<InfluxSeries>.Instance;
        Options = new SeriesOptions { Store = SeriesStore.Influx, Folder = _folder.File("series"), StopWithin = TimeSpan.FromMinutes(5) };

        // A server on a busy machine is not away; who wants it to count as away sooner says so.
        Influx = new InfluxOptions { Address = address, Database = database, RequestTimeout = TimeSpan.FromMinutes(1), RetryMin = TimeSpan.FromMilliseconds(20), RetryMax = TimeSpan.FromMilliseconds(100) };
        set?.Invoke(Options, Influx);
        Time = time ?? TimeProvider.System;
        Labels = labels;
        Series = Make();
    }

    public SeriesOptions Options { get; }

    public InfluxOptions Influx { get; }

    public TimeProvider Time { get; }

    public IDatastreamLabels? Labels { get; }

    /// <summary>The disk of the spill.</summary>
    public BreakableDisk Disk { get; } = new();

    public InfluxSeries Series { get; private set; }

    public string File(string name) => Path.Combine(Options.Folder, "influx", name);

    public bool Owns(Meter meter) => _instruments.Owns(meter) || _influxInstruments.Owns(meter);

    public static async Task<InfluxStore> OpenAsync(
        string address, string database, Action<SeriesOptions, InfluxOptions>? set = null, TimeProvider? time = null, IDatastreamLabels? labels = null, IFindings? findings = null, ILogger<InfluxSeries>? log = null)
    {
        var store = new InfluxStore(address, database, set, time, labels, findings, log);
        await store.Series.OpenAsync(TestContext.Current.CancellationToken);
        return store;
    }

    /// <summary>Stops it cleanly and opens it again.</summary>
    public async Task ReopenAsync()
    {
        await Series.DisposeAsync();
        _instruments.Dispose();
        _influxInstruments.Dispose();
        (_instruments, _influxInstruments) = (new(), new());
        Series = Make();
        await Series.OpenAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Series.DisposeAsync();
        _instruments.Dispose();
        _influxInstruments.Dispose();
        _folder.Dispose();
    }

    private InfluxSeries Make() => new(
        Microsoft.Extensions.Options.Options.Create(Options), Microsoft.Extensions.Options.Options.Create(Influx), Time, _log, _instruments, _influxInstruments, Labels, Disk, findings: _findings);
}

/// <summary>A disk that is full when it is told to be.</summary>
internal sealed class BreakableDisk : LogDisk
{
    public volatile bool IsFull;

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        if (IsFull)
        {
            throw new IOException("No space left on device");
        }

        base.Write(file, bytes, offset);
    }
}
