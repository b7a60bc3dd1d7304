using System.Diagnostics.Metrics;

namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>Counters of the microphones; meter <c>Hub.Edge.Sensors</c>.</summary>
internal sealed class MicrophoneInstruments
{
    // The meter lives as long as the process: instruments are shared by all sensors of an agent.
    private static readonly Meter Meter = new("Hub.Edge.Sensors");
    private readonly Counter<long> sampled = Meter.CreateCounter<long>("hub.sensors.microphone.samples", "{sample}", "Samples taken from sound cards.");
    private readonly Counter<long> lost = Meter.CreateCounter<long>("hub.sensors.microphone.samples_lost", "{sample}", "Samples lost in overruns and gaps, by the clock.");
    private readonly Counter<long> overran = Meter.CreateCounter<long>("hub.sensors.microphone.overruns", "{overrun}", "Times the sound card's buffer ran over.");
    private readonly Counter<long> discarded = Meter.CreateCounter<long>("hub.sensors.microphone.intervals_discarded", "{interval}", "Intervals with sound that were not reported: clock steps, too short.");
    private readonly Counter<long> dropped = Meter.CreateCounter<long>("hub.sensors.microphone.reports_dropped", "{interval}", "Intervals dropped, oldest first, because nobody took them.");

    public void Took(string sensor, int samples) => sampled.Add(samples, new KeyValuePair<string, object?>("sensor", sensor));

    public void LostSamples(string sensor, long samples) => lost.Add(samples, new KeyValuePair<string, object?>("sensor", sensor));

    public void Overrun(string sensor) => overran.Add(1, new KeyValuePair<string, object?>("sensor", sensor));

    public void DiscardedIntervals(string sensor, long intervals) => discarded.Add(intervals, new KeyValuePair<string, object?>("sensor", sensor));

    public void ReportDropped(string sensor) => dropped.Add(1, new KeyValuePair<string, object?>("sensor", sensor));
}
