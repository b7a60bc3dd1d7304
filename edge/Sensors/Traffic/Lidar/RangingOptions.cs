namespace Hub.Edge.Sensors.Traffic.Lidar;

/// <summary>
/// Settings of a distance sensor that looks across a lane (<c>tfluna</c>, <c>hcsr04</c>): what comes nearer than the background is a vehicle. Bound from <c>ranging:</c> of a sensor
/// in the station file.
/// </summary>
public sealed class RangingOptions
{
    /// <summary>Metres to what stands behind the lane (wall, kerb, road surface), 0.3 to 12; default: learned while nothing passes. Zero: there is nothing, no echo is an empty lane.</summary>
    public double? Background { get; set; }

    /// <summary>Metres nearer than the background from which the lane is taken, 0.1 to 8; default 0.5.</summary>
    public double Threshold { get; set; } = 0.5;

    /// <summary>Metres nearer than the background up to which it is free again, less than <see cref="Threshold"/>; default 0.3.</summary>
    public double Release { get; set; } = 0.3;

    /// <summary>Metres: the far edge of the lane where there is no background, 0.3 to 12; default 5.</summary>
    public double LaneEnd { get; set; } = 5;

    /// <summary>Time the lane must be taken to be a vehicle, zero to 1 second; default 0.05. Keeps out leaves and birds.</summary>
    public TimeSpan TakenMin { get; set; } = TimeSpan.FromSeconds(0.05);

    /// <summary>Time the lane must be free before the next vehicle, 0.02 to 2 seconds; default 0.15. Bridges windows and couplings.</summary>
    public TimeSpan FreeMin { get; set; } = TimeSpan.FromSeconds(0.15);

    /// <summary>A lane taken for longer than this is blocked and nothing is counted, 1 minute to 1 day; default 10 minutes.</summary>
    public TimeSpan BlockedAfter { get; set; } = TimeSpan.FromMinutes(10);
}
