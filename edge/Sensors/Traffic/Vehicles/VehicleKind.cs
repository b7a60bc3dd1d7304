using Hub.Edge.Sensors.Kinds;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Traffic.Vehicles;

/// <summary>A kind of sensor that vehicles pass: intervals of 1, 5 or 15 minutes, directions under names of their own.</summary>
/// <param name="name">The word in the station file.</param>
internal abstract class VehicleKind(string name) : SensorKind(name)
{
    private static readonly TimeSpan PeriodStandard = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan[] Periods = [TimeSpan.FromMinutes(1), PeriodStandard, TimeSpan.FromMinutes(15)];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Names(SensorOptions sensor)
    {
        VehicleTraits traits = Traits(sensor);
        IEnumerable<string> names = traits.Headings.Select(heading => VehicleTraits.PartOf(heading) is { } part ? $"{sensor.Name}-{part}" : sensor.Name);
        return [.. traits.Occupancy ? names.Append(sensor.Name).Distinct() : names];
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Failures(SensorOptions sensor, SensorsOptions agent, string key)
    {
        if (sensor.Period is { } period && !Periods.Contains(period))
        {
            yield return $"{key}:Period is {period}: give {string.Join(", ", Periods)}; traffic is counted in intervals of 1, 5 or 15 minutes.";
        }

        if (sensor.Every is not null)
        {
            yield return $"{key}:Every is {sensor.Every}: leave it out, a traffic detector is watched all the time.";
        }

        TrafficOptions traffic = sensor.Traffic ?? new TrafficOptions();
        if (traffic.MediumFrom is not (>= 1 and <= 30))
        {
            yield return $"{key}:Traffic:MediumFrom is {traffic.MediumFrom}: give 1 to 30 metres.";
        }

        if (!(traffic.LongFrom > traffic.MediumFrom && traffic.LongFrom <= 60))
        {
            yield return $"{key}:Traffic:LongFrom is {traffic.LongFrom}: give more than {key}:Traffic:MediumFrom ({traffic.MediumFrom}), at most 60 metres.";
        }

        if (traffic.SpeedCountMin is < 1 or > 100)
        {
            yield return $"{key}:Traffic:SpeedCountMin is {traffic.SpeedCountMin}: give 1 to 100.";
        }

        foreach (string failure in Failures(sensor, sensor.Bus ?? new BusOptions(), key))
        {
            yield return failure;
        }
    }

    /// <inheritdoc/>
    public override ISensor Create(SensorOptions sensor, SensorContext context) => new VehicleSensor(
        sensor.Name, Traits(sensor), sensor.Traffic ?? new TrafficOptions(), sensor.Period ?? PeriodStandard, () => Open(sensor, sensor.Bus ?? new BusOptions(), context),
        context.Time, context.Instruments, context.Logs.CreateLogger(typeof(VehicleSensor).FullName!));

    /// <summary>What a detector with these options can tell.</summary>
    protected abstract VehicleTraits Traits(SensorOptions sensor);

    /// <summary>All that is wrong with the bus and the kind's own settings.</summary>
    protected abstract IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key);

    /// <summary>Makes the detector; it opens its bus when started. Called again after each failure.</summary>
    protected abstract IVehicleDetector Open(SensorOptions sensor, BusOptions bus, SensorContext context);
}
