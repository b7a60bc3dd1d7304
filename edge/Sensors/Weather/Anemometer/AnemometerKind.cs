using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Weather.Anemometer;

/// <summary>Kind <c>anemometer</c>, on one GPIO line, looked at every three seconds.</summary>
internal sealed class AnemometerKind() : DeviceKind("anemometer", new DeviceTiming(TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(1)))
{
    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key)
    {
        foreach (string failure in PinFailures(bus, (1, 1), "the line of the contact", key))
        {
            yield return failure;
        }

        if (sensor.Every is { } every && every != TimeSpan.FromSeconds(3))
        {
            yield return $"{key}:Every is {every}: leave it out, a gust is the mean of three seconds.";
        }

        AnemometerOptions cups = sensor.Anemometer ?? new AnemometerOptions();
        if (cups.MetresPerPulse is not (>= 0.01 and <= 10))
        {
            yield return $"{key}:Anemometer:MetresPerPulse is {cups.MetresPerPulse}: give 0.01 to 10 m/s for each pulse a second; its data sheet says it.";
        }

        if (cups.Offset is not (>= 0 and <= 3))
        {
            yield return $"{key}:Anemometer:Offset is {cups.Offset}: give 0 to 3 m/s.";
        }

        if (cups.Debounce < TimeSpan.FromSeconds(0.0002) || cups.Debounce > TimeSpan.FromSeconds(0.1))
        {
            yield return $"{key}:Anemometer:Debounce is {cups.Debounce}: give 00:00:00.0002 to 00:00:00.1.";
        }
    }

    /// <inheritdoc/>
    protected override IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context) =>
        new AnemometerDevice(context.Buses.OpenGpio, bus.Pins[0], sensor.Anemometer ?? new AnemometerOptions(), context.Time);
}
