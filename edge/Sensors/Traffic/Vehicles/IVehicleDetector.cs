using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Traffic.Vehicles;

/// <summary>What a kind of detector can tell; what it cannot is not reported, not even as zero.</summary>
/// <param name="Headings">The directions it tells apart, at least one.</param>
/// <param name="Length">Whether it measures length.</param>
/// <param name="Occupancy">Whether it tells when it is covered: one figure for the detector as a whole, under the sensor's own name.</param>
internal sealed record VehicleTraits(IReadOnlyList<Heading> Headings, bool Length, bool Occupancy)
{
    /// <summary>How long after a vehicle's rear had passed the detector may tell of it; an interval waits as long for its last vehicles.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Part that readings of a direction are given under; null for those of the detector as a whole.</summary>
    public static string? PartOf(Heading heading) => heading switch
    {
        Heading.In => "in",
        Heading.Out => "out",
        _ => null,
    };
}

/// <summary>
/// An instrument that vehicles pass. Knows its data sheet and the rule that makes vehicles of its signals, nothing of intervals. One caller at a time; after any exception
/// but <see cref="NoSampleException"/> the caller disposes of it and makes another.
/// </summary>
internal interface IVehicleDetector : IAsyncDisposable
{
    /// <summary>Opens the bus, makes sure that it is this instrument, and sets it up.</summary>
    /// <exception cref="SensorException">It does not answer, or something else does; the message says what to check.</exception>
    /// <exception cref="IOException">The bus failed.</exception>
    ValueTask StartAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Watches for about a second and tells what passed. Returning means that the detector was seen to work all the while: an empty look is a lane without vehicles.
    /// </summary>
    /// <param name="look">Where it is told; empty at first.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    /// <exception cref="NoSampleException">The detector was not seen to work (silent, stuck, too weak a signal): this second is not measured. What stands in the look is passed over.</exception>
    /// <exception cref="SensorException">The instrument failed.</exception>
    /// <exception cref="IOException">The bus failed.</exception>
    ValueTask LookAsync(VehicleLook look, CancellationToken cancellationToken);
}
