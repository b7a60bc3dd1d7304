namespace Hub.Edge.Sensors.Traffic;

/// <summary>How a traffic detector makes figures of vehicles. Bound from <c>traffic:</c> of a sensor in the station file; the length of the interval is its <c>period</c>.</summary>
public sealed class TrafficOptions
{
    /// <summary>Metres from which a vehicle is of medium length, 1 to 30; default 6. Used by detectors that measure length.</summary>
    public double MediumFrom { get; set; } = 6;

    /// <summary>Metres from which a vehicle is long, more than <see cref="MediumFrom"/>, at most 60; default 12.</summary>
    public double LongFrom { get; set; } = 12;

    /// <summary>
    /// Vehicles that speeds and headway need in an interval, 1 to 100; default 3. The mean of a single vehicle is that vehicle: what is about one vehicle stays on the station.
    /// </summary>
    public int SpeedCountMin { get; set; } = 3;
}
