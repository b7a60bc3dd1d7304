using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.Lidar;

/// <summary>A kind of distance sensor that looks across a lane: counts and occupancy, no direction, speed or length.</summary>
internal abstract class RangingKind(string name) : VehicleKind(name)
{
    /// <inheritdoc/>
    protected override VehicleTraits Traits(SensorOptions sensor) => new([Heading.Unknown], Length: false, Occupancy: true)
    {
        // The end of a vehicle is certain when the lane has been free for that long.
        Grace = (sensor.Ranging ?? new RangingOptions()).FreeMin + TimeSpan.FromSeconds(2),
    };

    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key)
    {
        foreach (string failure in BusFailures(bus, key))
        {
            yield return failure;
        }

        RangingOptions ranging = sensor.Ranging ?? new RangingOptions();
        if (ranging.Background is { } background && background is not (0 or (>= 0.3 and <= 12)))
        {
            yield return $"{key}:Ranging:Background is {background}: give 0.3 to 12 metres, or 0 for none.";
        }

        if (ranging.Threshold is not (>= 0.1 and <= 8))
        {
            yield return $"{key}:Ranging:Threshold is {ranging.Threshold}: give 0.1 to 8 metres.";
        }

        if (!(ranging.Release > 0 && ranging.Release < ranging.Threshold))
        {
            yield return $"{key}:Ranging:Release is {ranging.Release}: give more than 0 and less than {key}:Ranging:Threshold ({ranging.Threshold}).";
        }

        if (ranging.LaneEnd is not (>= 0.3 and <= 12))
        {
            yield return $"{key}:Ranging:LaneEnd is {ranging.LaneEnd}: give 0.3 to 12 metres.";
        }

        foreach ((string setting, TimeSpan value, TimeSpan min, TimeSpan max) in new[]
        {
            (nameof(ranging.TakenMin), ranging.TakenMin, TimeSpan.Zero, TimeSpan.FromSeconds(1)),
            (nameof(ranging.FreeMin), ranging.FreeMin, TimeSpan.FromSeconds(0.02), TimeSpan.FromSeconds(2)),
            (nameof(ranging.BlockedAfter), ranging.BlockedAfter, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)),
        })
        {
            if (value < min || value > max)
            {
                yield return $"{key}:Ranging:{setting} is {value}: give {min} to {max}.";
            }
        }
    }

    /// <summary>What is wrong with the bus.</summary>
    protected abstract IEnumerable<string> BusFailures(BusOptions bus, string key);
}
