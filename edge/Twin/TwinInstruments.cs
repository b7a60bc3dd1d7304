using System.Diagnostics.Metrics;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Twin;

/// <summary>Counters of the twin; meter <c>Hub.Edge.Twin</c>.</summary>
internal sealed class TwinInstruments : IDisposable
{
    private readonly Meter _meter = new("Hub.Edge.Twin");
    private readonly Counter<long> _outcomes;
    private readonly Counter<long> _damaged;

    public TwinInstruments()
    {
        _outcomes = _meter.CreateCounter<long>("hub.twin.outcomes", "{document}", "Desired documents by what became of them.");
        _damaged = _meter.CreateCounter<long>("hub.twin.damaged", "{file}", "State files that could not be read; the station file stood alone.");
    }

    public void Outcome(TwinOutcome outcome) => _outcomes.Add(1, new KeyValuePair<string, object?>("outcome", outcome.ToString()));

    public void Damaged() => _damaged.Add(1);

    public void Dispose() => _meter.Dispose();
}
