using System.Diagnostics.Metrics;

namespace Hub.Edge.Thresholds;

/// <summary>Counters of Thresholds; meter <c>Hub.Edge.Thresholds</c>.</summary>
internal sealed class ThresholdsInstruments : IDisposable
{
    private readonly Meter meter = new("Hub.Edge.Thresholds");
    private readonly Counter<long> late;
    private readonly Counter<long> refusedSeries;
    private readonly Counter<long> refusedRules;
    private readonly Counter<long> changes;
    private readonly Counter<long> switched;
    private readonly Counter<long> actionFailures;
    private readonly Counter<long> fileFailures;

    public ThresholdsInstruments()
    {
        late = meter.CreateCounter<long>("hub.thresholds.readings_late", "{reading}", "Readings passed over because a later one of their series had come.");
        refusedSeries = meter.CreateCounter<long>("hub.thresholds.readings_beyond", "{reading}", "Readings passed over because their rule watches too many series.");
        refusedRules = meter.CreateCounter<long>("hub.thresholds.rules_refused", "{rule}", "Rules left out: a mistake, or too many.");
        changes = meter.CreateCounter<long>("hub.thresholds.changes", "{change}", "Readings that began or ended an alarm.");
        switched = meter.CreateCounter<long>("hub.thresholds.outputs_switched", "{switch}", "Times an output was switched, by rule and state.");
        actionFailures = meter.CreateCounter<long>("hub.thresholds.action_failures", "{failure}", "Attempts to switch an output that failed.");
        fileFailures = meter.CreateCounter<long>("hub.thresholds.file_failures", "{failure}", "Times the alarms that are on could not be written.");
    }

    public void Took(in BookStep step)
    {
        if (step.Changed)
        {
            changes.Add(1);
        }

        if (step.Late > 0)
        {
            late.Add(step.Late);
        }

        if (step.Refused > 0)
        {
            refusedSeries.Add(step.Refused);
        }
    }

    public void RuleRefused() => refusedRules.Add(1);

    public void Switched(string rule, bool on) => switched.Add(1, new("rule", rule), new("state", on ? "on" : "off"));

    public void ActionFailed(string rule) => actionFailures.Add(1, new KeyValuePair<string, object?>("rule", rule));

    public void FileFailed() => fileFailures.Add(1);

    public void Dispose() => meter.Dispose();
}
