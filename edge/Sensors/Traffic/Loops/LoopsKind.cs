using Hub.Edge.Sensors.Kinds;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.Loops;

/// <summary>Kind <c>loops</c>: the contacts of one or two inductive loops or tubes on GPIO lines, in the order in which a vehicle going <c>in</c> meets them.</summary>
internal sealed class LoopsKind() : VehicleKind("loops")
{
    // The last axle of a slow vehicle is waited for.
    private static readonly TimeSpan TubesGrace = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    protected override VehicleTraits Traits(SensorOptions sensor)
    {
        bool two = sensor.Bus?.Pins.Count == 2;
        bool tubes = sensor.Contacts?.Tubes ?? false;
        var traits = new VehicleTraits(two ? [Heading.In, Heading.Out] : [Heading.Unknown], Length: two, Occupancy: !tubes);
        return tubes ? traits with { Grace = TubesGrace } : traits;
    }

    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key)
    {
        foreach (string failure in PinFailures(bus, (1, 2), "one contact, or two one behind the other,", key))
        {
            yield return failure;
        }

        ContactOptions contacts = sensor.Contacts ?? new ContactOptions();
        if (bus.Pins.Count == 2 && contacts.Spacing is not (>= 0.5 and <= 20))
        {
            yield return $"{key}:Contacts:Spacing is {contacts.Spacing?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "missing"}: give 0.5 to 20 metres from the front edge of the first contact to that of the second.";
        }

        if (contacts.LoopLength is not (>= 0 and <= 10))
        {
            yield return $"{key}:Contacts:LoopLength is {contacts.LoopLength}: give 0 to 10 metres.";
        }

        foreach ((string name, TimeSpan value, TimeSpan min, TimeSpan max) in new[]
        {
            (nameof(contacts.Debounce), contacts.Debounce, TimeSpan.Zero, TimeSpan.FromSeconds(0.2)),
            (nameof(contacts.TravelMax), contacts.TravelMax, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(30)),
            (nameof(contacts.AxleTimeMax), contacts.AxleTimeMax, TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(3)),
            (nameof(contacts.StuckOnAfter), contacts.StuckOnAfter, TimeSpan.FromMinutes(1), TimeSpan.FromDays(1)),
        })
        {
            if (value < min || value > max)
            {
                yield return $"{key}:Contacts:{name} is {value}: give {min} to {max}.";
            }
        }

        if (contacts.StuckOffAfter != TimeSpan.Zero && (contacts.StuckOffAfter < TimeSpan.FromMinutes(1) || contacts.StuckOffAfter > TimeSpan.FromDays(31)))
        {
            yield return $"{key}:Contacts:StuckOffAfter is {contacts.StuckOffAfter}: give zero (never), or 00:01:00 to 31.00:00:00.";
        }

        if (contacts.AxleDistanceMax is not (>= 3 and <= 12))
        {
            yield return $"{key}:Contacts:AxleDistanceMax is {contacts.AxleDistanceMax}: give 3 to 12 metres.";
        }

        if (contacts.Overhang is not (>= 0 and <= 5))
        {
            yield return $"{key}:Contacts:Overhang is {contacts.Overhang}: give 0 to 5 metres.";
        }
    }

    /// <inheritdoc/>
    protected override IVehicleDetector Open(SensorOptions sensor, BusOptions bus, SensorContext context) =>
        new LoopsDetector(context.Buses.OpenGpio, [.. bus.Pins], sensor.Contacts ?? new ContactOptions(), context.Time);
}
