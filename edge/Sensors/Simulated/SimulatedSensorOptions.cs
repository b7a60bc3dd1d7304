namespace Hub.Edge.Sensors.Simulated;

/// <summary>A made-up instrument. Bound from <c>simulated:</c> of a sensor in the station file.</summary>
public sealed class SimulatedSensorOptions
{
    /// <summary>Quantity ids to produce; default <c>pm10</c>, <c>pm2_5</c>, <c>no2</c>, <c>temperature</c>, <c>relative_humidity</c>.</summary>
    public IList<string> Quantities { get; } = [];

    /// <summary>Time between values, whole seconds, 1 s to 1 day; also the averaging period. Default one minute.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Seed: the same seed, quantity and instant give the same value, on any machine. Default 1.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>Backlog of the first start, zero (default) to 366 days.</summary>
    public TimeSpan History { get; set; }

    /// <summary>Time zone whose local time drives the daily curve, IANA name. Default <c>Europe/Lisbon</c>.</summary>
    public string Zone { get; set; } = "Europe/Lisbon";
}
