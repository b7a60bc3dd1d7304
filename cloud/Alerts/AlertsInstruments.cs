using System.Diagnostics.Metrics;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;

namespace Hub.Cloud.Alerts;

/// <summary>Counters of the Alerts stage, meter <c>Hub.Cloud.Alerts</c>.</summary>
internal sealed class AlertsInstruments : IDisposable
{
    private readonly Meter meter;
    private readonly Counter<long> observations;
    private readonly Counter<long> refolds;
    private readonly Counter<long> beyondHorizon;
    private readonly Counter<long> transitions;
    private readonly Counter<long> told;
    private readonly Counter<long> handed;
    private readonly Counter<long> handled;
    private readonly Counter<long> failures;

    public AlertsInstruments(IMeterFactory? factory = null)
    {
        meter = factory?.Create("Hub.Cloud.Alerts") ?? new Meter("Hub.Cloud.Alerts");
        observations = meter.CreateCounter<long>("hub.alerts.observations", "{observation}", "Observations taken by rules, once for each rule, re-evaluation included.");
        refolds = meter.CreateCounter<long>("hub.alerts.refolds", "{stretch}", "Stretches evaluated again because of late or corrected data, a changed rule or a restart.");
        beyondHorizon = meter.CreateCounter<long>("hub.alerts.beyond_horizon", "{stretch}", "Changed stretches older than the horizon, not evaluated.");
        transitions = meter.CreateCounter<long>("hub.alerts.transitions", "{transition}", "Changes of alarms, by kind and cause.");
        told = meter.CreateCounter<long>("hub.alerts.messages", "{message}", "Messages made, by kind.");
        handed = meter.CreateCounter<long>("hub.alerts.messages_handed", "{message}", "Messages handed to Notifications; one more than once after a crash between the two.");
        handled = meter.CreateCounter<long>("hub.alerts.handled", "{event}", "What people, and the ends of shelvings, did to alarms, by kind and cause.");
        failures = meter.CreateCounter<long>("hub.alerts.failures", "{pass}", "Evaluation passes that failed and are tried again.");
    }

    /// <summary>Reports how many alarms are active.</summary>
    public void ObserveActive(Func<int> count) => meter.CreateObservableGauge("hub.alerts.active", count, "{alarm}", "Alarms active now.");

    /// <summary>Reports how many commits are noted but not yet evaluated.</summary>
    public void ObserveLag(Func<long> commits) => meter.CreateObservableGauge("hub.alerts.lag", commits, "{commit}", "Commits of the series not yet evaluated.");

    public void Evaluated(long count) => observations.Add(count);

    public void Refolded() => refolds.Add(1);

    public void BeyondHorizon() => beyondHorizon.Add(1);

    public void Changed(TransitionKind kind, Cause cause) =>
        transitions.Add(1, new KeyValuePair<string, object?>("kind", kind.ToString()), new KeyValuePair<string, object?>("cause", cause.ToString()));

    public void Told(NotificationKind kind) => told.Add(1, new KeyValuePair<string, object?>("kind", kind.ToString()));

    public void Handed(int count) => handed.Add(count);

    public void Handled(AlarmEventKind kind, AlarmEventCause cause) =>
        handled.Add(1, new KeyValuePair<string, object?>("kind", kind.ToString()), new KeyValuePair<string, object?>("cause", cause.ToString()));

    /// <summary>Reports how much is shelved or out of service.</summary>
    public void ObserveSuppressed(Func<int> count) => meter.CreateObservableGauge("hub.alerts.suppressed", count, "{suppression}", "Shelvings and takings out of service in force.");

    public void Failed() => failures.Add(1);

    public void Dispose() => meter.Dispose();
}
