namespace Hub.Edge.Sensors.Weather.RainGauge;

/// <summary>Settings of a <c>raingauge</c>. Bound from <c>rainGauge:</c> of a sensor in the station file.</summary>
public sealed class RainGaugeOptions
{
    /// <summary>Millimetres of rain for each tip of the bucket, 0.01 to 5; default 0.2. Stands on the gauge (0.2794 for many small ones).</summary>
    public double MillimetresPerTip { get; set; } = 0.2;

    /// <summary>Time after a tip in which another is bounce, 0.001 to 2 seconds; default 0.15. No rain tips a bucket that fast.</summary>
    public TimeSpan Debounce { get; set; } = TimeSpan.FromSeconds(0.15);
}
