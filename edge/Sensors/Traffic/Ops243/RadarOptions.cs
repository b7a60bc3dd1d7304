namespace Hub.Edge.Sensors.Traffic.Ops243;

/// <summary>Settings of an <c>ops243</c>. Bound from <c>radar:</c> of a sensor in the station file.</summary>
public sealed class RadarOptions
{
    /// <summary>
    /// Degrees between the beam's axis and the way of the vehicles, 0 to 70; default 0. A radar that looks across sees only the part of the speed that comes towards it: what it
    /// says is divided by the cosine. Beside the road, 45 keeps vehicles apart; along it, one hides the next.
    /// </summary>
    public double Angle { get; set; }

    /// <summary>Reports below this many metres a second are passed over (people, branches), 0.5 to 10; default 2.</summary>
    public double SpeedMin { get; set; } = 2;

    /// <summary>Silence after which a vehicle has passed, 0.1 to 2 seconds; default 0.35: longer than a few lost reports, shorter than the gap between two vehicles.</summary>
    public TimeSpan Gap { get; set; } = TimeSpan.FromSeconds(0.35);

    /// <summary>Least time between first and last report of a vehicle, 0 to 1 second; default 0.08.</summary>
    public TimeSpan DurationMin { get; set; } = TimeSpan.FromSeconds(0.08);

    /// <summary>Least number of reports of a vehicle, 2 to 20; default 3.</summary>
    public int ReportsMin { get; set; } = 3;

    /// <summary>
    /// How far, as a share of the speed, a report may be from the speed of a vehicle that it belongs to, 0.05 to 0.5; default 0.35 (and never less than 1.5 m/s): the angle to the
    /// part of a vehicle that is seen changes while it passes.
    /// </summary>
    public double Coherence { get; set; } = 0.35;
}
