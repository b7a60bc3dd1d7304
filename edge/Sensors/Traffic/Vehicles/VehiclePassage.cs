namespace Hub.Edge.Sensors.Traffic.Vehicles;

/// <summary>Which way a vehicle went, as its detector sees it.</summary>
internal enum Heading
{
    /// <summary>The detector cannot tell; its readings bear the sensor's own name.</summary>
    Unknown,

    /// <summary>Towards a radar, or from the first to the second contact; part <c>in</c>.</summary>
    In,

    /// <summary>Away from a radar, or from the second to the first contact; part <c>out</c>.</summary>
    Out,
}

/// <summary>One vehicle that has passed. Never leaves the station: only <see cref="VehicleIntervals"/> takes it.</summary>
/// <param name="Heading">Which way it went.</param>
/// <param name="At">UTC instant at which its rear had passed; the interval that it counts in.</param>
/// <param name="Front">UTC instant at which its front came, not after <paramref name="At"/>; what headways are between.</param>
/// <param name="Speed">Metres a second, more than 0; null when not measured.</param>
/// <param name="Length">Metres, more than 0; null when not measured.</param>
internal readonly record struct VehiclePassage(Heading Heading, DateTime At, DateTime Front, double? Speed = null, double? Length = null);

/// <summary>What one look at a detector found. Filled by the detector, emptied by its caller.</summary>
internal sealed class VehicleLook
{
    /// <summary>Vehicles that have passed.</summary>
    public List<VehiclePassage> Passages { get; } = [];

    /// <summary>Spans of time in which the detector was covered; each span is told once, a long one piece by piece.</summary>
    public List<(DateTime From, DateTime To)> Covered { get; } = [];

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        Passages.Clear();
        Covered.Clear();
    }
}
