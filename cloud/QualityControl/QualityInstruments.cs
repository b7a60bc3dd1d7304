using System.Diagnostics.Metrics;

namespace Hub.Cloud.QualityControl;

/// <summary>Meter <c>Hub.Cloud.QualityControl</c>.</summary>
internal sealed class QualityInstruments : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _days;
    private readonly Counter<long> _observations;
    private readonly Counter<long> _found;
    private readonly Counter<long> _withdrawn;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _skipped;
    private readonly Counter<long> _failures;

    public QualityInstruments(IMeterFactory? factory = null)
    {
        _meter = factory?.Create("Hub.Cloud.QualityControl") ?? new Meter("Hub.Cloud.QualityControl");
        _days = _meter.CreateCounter<long>("hub.quality.days", "{day}", "Days of datastreams judged, each as often as it was.");
        _observations = _meter.CreateCounter<long>("hub.quality.observations", "{observation}", "Observations judged, each as often as its day was.");
        _found = _meter.CreateCounter<long>("hub.quality.findings", "{finding}", "Findings stored, by check; one that has grown is stored anew.");
        _withdrawn = _meter.CreateCounter<long>("hub.quality.findings_withdrawn", "{finding}", "Findings taken back or replaced, by check.");
        _refused = _meter.CreateCounter<long>("hub.quality.findings_refused", "{finding}", "Findings not kept because a limit was reached, by reason.");
        _skipped = _meter.CreateCounter<long>("hub.quality.days_skipped", "{day}", "Days not judged because they hold too many observations.");
        _failures = _meter.CreateCounter<long>("hub.quality.failures", "{pass}", "Passes that failed and are tried again.");
    }

    /// <summary>Tells these instruments from those of another hub in the process.</summary>
    public bool Owns(Meter meter) => meter == _meter;

    /// <summary>Reports what is held and what waits.</summary>
    public void Observe(Func<long> stretches, Func<long> commits, Func<long> datastreams)
    {
        _meter.CreateObservableGauge("hub.quality.stretches", stretches, "{stretch}", "Flagged stretches held in memory.");
        _meter.CreateObservableGauge("hub.quality.lag", commits, "{commit}", "Commits of the series not yet taken up.");
        _meter.CreateObservableGauge("hub.quality.pending", datastreams, "{datastream}", "Datastreams with days still to judge.");
    }

    public void Judged(int observations)
    {
        _days.Add(1);
        _observations.Add(observations);
    }

    public void Found(QualityCheck check) => _found.Add(1, new KeyValuePair<string, object?>("check", check.ToString()));

    public void Withdrawn(QualityCheck check) => _withdrawn.Add(1, new KeyValuePair<string, object?>("check", check.ToString()));

    public void Refused(string reason, long findings) => _refused.Add(findings, new KeyValuePair<string, object?>("reason", reason));

    public void Skipped() => _skipped.Add(1);

    public void Failed() => _failures.Add(1);

    public void Dispose() => _meter.Dispose();
}
