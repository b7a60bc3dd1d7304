namespace Hub.Edge.Sensors.Traffic.Loops;

/// <summary>
/// Settings of <c>loops</c>: the contacts of inductive-loop detectors or pneumatic tubes on GPIO lines. Bound from <c>contacts:</c> of a sensor in the station file. One line
/// counts; two, one behind the other in the same lane, give direction, speed and length too.
/// </summary>
public sealed class ContactOptions
{
    /// <summary>Whether the contacts are tubes, which give a pulse for each axle, and not loops, which are covered as long as a vehicle is over them. Default false.</summary>
    public bool Tubes { get; set; }

    /// <summary>Whether the line is high while covered or hit; default false: the detector's contact closes to ground.</summary>
    public bool ActiveHigh { get; set; }

    /// <summary>Metres from the front edge of the first loop (or tube) to that of the second, 0.5 to 20; needed with two lines. A centimetre wrong in 2 m is half a percent of the speed.</summary>
    public double? Spacing { get; set; }

    /// <summary>Metres that a loop is long in the way of the vehicles, 0 to 10; default 2. Taken off what a vehicle covers to give its length. Not used by tubes.</summary>
    public double LoopLength { get; set; } = 2;

    /// <summary>A level must last this long to count, zero to 0.2 seconds; default 0.005. Tubes want 0.002.</summary>
    public TimeSpan Debounce { get; set; } = TimeSpan.FromSeconds(0.005);

    /// <summary>Two loops or tubes: longest time from the first to the second, 0.1 to 30 seconds; default 4. Beyond that the vehicle turned off, or a contact failed.</summary>
    public TimeSpan TravelMax { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>Tubes: metres of the longest distance between two axles of one vehicle, 3 to 12; default 7.</summary>
    public double AxleDistanceMax { get; set; } = 7;

    /// <summary>A single tube, which knows no speed: longest time between two axles of one vehicle, 0.1 to 3 seconds; default 0.6.</summary>
    public TimeSpan AxleTimeMax { get; set; } = TimeSpan.FromSeconds(0.6);

    /// <summary>Metres by which a vehicle is longer than from first to last axle, 0 to 5; default 1.7. Tubes only.</summary>
    public double Overhang { get; set; } = 1.7;

    /// <summary>A contact covered for longer than this is stuck and nothing is counted, 1 minute to 1 day; default 10 minutes (a jam stands shorter).</summary>
    public TimeSpan StuckOnAfter { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Without any vehicle for longer than this the contacts are taken for dead, 1 minute to 31 days; zero, the default, for never: a lane may be empty all night.</summary>
    public TimeSpan StuckOffAfter { get; set; } = TimeSpan.Zero;
}
