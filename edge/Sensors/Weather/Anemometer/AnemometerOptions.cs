namespace Hub.Edge.Sensors.Weather.Anemometer;

/// <summary>Settings of an <c>anemometer</c>. Bound from <c>anemometer:</c> of a sensor in the station file.</summary>
public sealed class AnemometerOptions
{
    /// <summary>Metres a second for each pulse a second, 0.01 to 10; default 0.667 (2.4 km/h, as of many small cup anemometers). In its data sheet, or from its calibration.</summary>
    public double MetresPerPulse { get; set; } = 0.667;

    /// <summary>Metres a second at which the cups begin to turn, added to what the pulses say while they turn, 0 to 3; default 0.</summary>
    public double Offset { get; set; }

    /// <summary>Time after a pulse in which another is bounce, 0.0002 to 0.1 seconds; default 0.002 (500 pulses a second at most).</summary>
    public TimeSpan Debounce { get; set; } = TimeSpan.FromSeconds(0.002);
}
