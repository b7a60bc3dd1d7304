using System.Diagnostics.Metrics;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Sampling;

/// <summary>Counters of Sampling; meter <c>Hub.Edge.Sampling</c>.</summary>
internal sealed class SamplingInstruments : IDisposable
{
    private readonly Meter meter = new("Hub.Edge.Sampling");
    private readonly Counter<long> taken;
    private readonly Counter<long> flagged;
    private readonly Counter<long> refused;
    private readonly Counter<long> failures;
    private readonly Counter<long> deaths;
    private readonly Counter<long> appendFailures;
    private readonly Counter<long> watchFailures;
    private int dead;

    public SamplingInstruments()
    {
        taken = meter.CreateCounter<long>("hub.sampling.readings_taken", "{reading}", "Readings handed to the outbox.");
        flagged = meter.CreateCounter<long>("hub.sampling.readings_flagged", "{reading}", "Readings that Sampling flagged, by flag.");
        refused = meter.CreateCounter<long>("hub.sampling.measurements_refused", "{measurement}", "Values that are no reading, by reason.");
        failures = meter.CreateCounter<long>("hub.sampling.sensor_failures", "{failure}", "Times a sensor failed or its stream ended.");
        deaths = meter.CreateCounter<long>("hub.sampling.sensor_deaths", "{death}", "Times a sensor was silent for longer than it may be.");
        appendFailures = meter.CreateCounter<long>("hub.sampling.append_failures", "{failure}", "Appends that the outbox's disk refused; they were offered again.");
        watchFailures = meter.CreateCounter<long>("hub.sampling.watch_failures", "{failure}", "Failures of those who look at each reading; the reading went its way.");
        meter.CreateObservableGauge("hub.sampling.sensors_dead", () => Volatile.Read(ref dead), "{sensor}", "Sensors that are dead now.");
    }

    public void Taken(string sensor, int readings) => taken.Add(readings, Sensor(sensor));

    public void Flagged(string sensor, Quality flag) => flagged.Add(1, Sensor(sensor), new KeyValuePair<string, object?>("flag", NameOf(flag)));

    public void Refused(string sensor, RefusedReason reason) => refused.Add(1, Sensor(sensor), new KeyValuePair<string, object?>("reason", reason.ToString()));

    public void Failed(string sensor) => failures.Add(1, Sensor(sensor));

    public void AppendFailed() => appendFailures.Add(1);

    public void WatchFailed(string sensor) => watchFailures.Add(1, Sensor(sensor));

    public void Died(string sensor)
    {
        deaths.Add(1, Sensor(sensor));
        Interlocked.Increment(ref dead);
    }

    public void Revived() => Interlocked.Decrement(ref dead);

    public void Dispose() => meter.Dispose();

    // A sensor out of its range says so with every value: the name of a flag is not made each time.
    private static string NameOf(Quality flag) => flag switch
    {
        Quality.OutOfRange => nameof(Quality.OutOfRange),
        Quality.Stuck => nameof(Quality.Stuck),
        Quality.CalibrationDue => nameof(Quality.CalibrationDue),
        Quality.SuspectHumidity => nameof(Quality.SuspectHumidity),
        _ => flag.ToString(),
    };

    private static KeyValuePair<string, object?> Sensor(string sensor) => new("sensor", sensor);
}
