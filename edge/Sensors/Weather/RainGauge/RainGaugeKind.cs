using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Kinds;

namespace Hub.Edge.Sensors.Weather.RainGauge;

/// <summary>Kind <c>raingauge</c>, on one GPIO line.</summary>
internal sealed class RainGaugeKind() : DeviceKind("raingauge", new DeviceTiming(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)))
{
    /// <inheritdoc/>
    protected override IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key)
    {
        foreach (string failure in PinFailures(bus, (1, 1), "the line of the contact", key))
        {
            yield return failure;
        }

        RainGaugeOptions gauge = sensor.RainGauge ?? new RainGaugeOptions();
        if (gauge.MillimetresPerTip is not (>= 0.01 and <= 5))
        {
            yield return $"{key}:RainGauge:MillimetresPerTip is {gauge.MillimetresPerTip}: give 0.01 to 5; it stands on the gauge.";
        }

        if (gauge.Debounce < TimeSpan.FromSeconds(0.001) || gauge.Debounce > TimeSpan.FromSeconds(2))
        {
            yield return $"{key}:RainGauge:Debounce is {gauge.Debounce}: give 00:00:00.001 to 00:00:02.";
        }
    }

    /// <inheritdoc/>
    protected override IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context) =>
        new RainGaugeDevice(context.Buses.OpenGpio, bus.Pins[0], sensor.RainGauge ?? new RainGaugeOptions(), context.Time);
}
