using System.Diagnostics.Metrics;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Update;

/// <summary>Instruments of the update, meter <c>Hub.Edge.Update</c>. Methods are named for events; any thread.</summary>
internal sealed class UpdateInstruments : IDisposable
{
    private readonly Meter _meter = new("Hub.Edge.Update");
    private readonly Counter<long> _bytes;
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _steps;
    private readonly Counter<long> _faults;

    public UpdateInstruments()
    {
        _bytes = _meter.CreateCounter<long>("update.received", "By", "Bytes of bundles received, repeats included.");
        _attempts = _meter.CreateCounter<long>("update.attempts", "{attempt}", "Attempts at a download, by how they ended.");
        _steps = _meter.CreateCounter<long>("update.steps", "{step}", "Steps of updates reached.");
        _faults = _meter.CreateCounter<long>("update.faults", "{fault}", "Faults of the disk and damaged files, by what they hurt.");
    }

    public void Received(long bytes) => _bytes.Add(bytes);

    public void Attempted(DownloadEnd end) => _attempts.Add(1, new KeyValuePair<string, object?>("end", end.ToString()));

    public void Reached(UpdateStep step) => _steps.Add(1, new KeyValuePair<string, object?>("step", step.ToString()));

    public void Faulted(string what) => _faults.Add(1, new KeyValuePair<string, object?>("what", what));

    public void Dispose() => _meter.Dispose();
}
