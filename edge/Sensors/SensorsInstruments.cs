using System.Diagnostics.Metrics;

namespace Hub.Edge.Sensors;

/// <summary>Counters of the sensors; meter <c>Hub.Edge.Sensors</c>.</summary>
internal sealed class SensorsInstruments
{
    // The meter lives as long as the process: instruments are shared by all sensors of an agent.
    private static readonly Meter Meter = new("Hub.Edge.Sensors");
    private readonly Counter<long> rowsReplayed = Meter.CreateCounter<long>("hub.sensors.replay.rows", "{row}", "Rows of publishers' files delivered.");
    private readonly Counter<long> valuesMissing = Meter.CreateCounter<long>("hub.sensors.replay.values_missing", "{value}", "Fields without a value in the files read.");
    private readonly Counter<long> rowsLeftOut = Meter.CreateCounter<long>("hub.sensors.replay.rows_left_out", "{row}", "Rows at a time that local time never had, or behind the cycle.");

    private readonly Counter<long> empty = Meter.CreateCounter<long>("hub.sensors.device.looks_empty", "{look}", "Looks at a device that gave no value, by reason.");

    private readonly Counter<long> passagesLate = Meter.CreateCounter<long>(
        "hub.sensors.traffic.passages_late", "{vehicle}", "Vehicles of an interval already given (the clock was set back), which are not counted.");

    public void PassagesLate(string sensor, long vehicles)
    {
        if (vehicles > 0)
        {
            passagesLate.Add(vehicles, new KeyValuePair<string, object?>("sensor", sensor));
        }
    }

    public void Empty(string sensor, string reason) => empty.Add(1, new KeyValuePair<string, object?>("sensor", sensor), new KeyValuePair<string, object?>("reason", reason));

    public void RowsReplayed(string sensor, int rows) => rowsReplayed.Add(rows, new KeyValuePair<string, object?>("sensor", sensor));

    public void ValuesMissing(string sensor, int values) => valuesMissing.Add(values, new KeyValuePair<string, object?>("sensor", sensor));

    public void RowsLeftOut(string sensor, int rows) => rowsLeftOut.Add(rows, new KeyValuePair<string, object?>("sensor", sensor));
}
