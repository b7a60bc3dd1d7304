using System.Device.Spi;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Kinds;

/// <summary>A kind of sensor that is a device on a bus, looked at every so often.</summary>
/// <param name="name">The word in the station file.</param>
/// <param name="standard">Its shortest time between looks, which is also the default, and its default averaging interval.</param>
internal abstract class DeviceKind(string name, DeviceTiming standard) : SensorKind(name)
{
    /// <inheritdoc/>
    public override IEnumerable<string> Failures(SensorOptions sensor, SensorsOptions agent, string key) =>
        DeviceTiming.Failures(sensor, standard, key).Concat(Failures(sensor, sensor.Bus ?? new BusOptions(), key));

    /// <inheritdoc/>
    public override ISensor Create(SensorOptions sensor, SensorContext context) => new DeviceSensor(
        sensor.Name, DeviceTiming.Of(sensor, standard), () => Open(sensor, sensor.Bus ?? new BusOptions(), context), context.Time, context.Instruments,
        context.Logs.CreateLogger(typeof(DeviceSensor).FullName!)) { IsOptical = IsOptical };

    /// <summary>True for instruments that count particles by the light they scatter (see <see cref="ISensor.IsOptical"/>).</summary>
    protected virtual bool IsOptical => false;

    /// <summary>All that is wrong with the bus and the kind's own settings.</summary>
    protected abstract IEnumerable<string> Failures(SensorOptions sensor, BusOptions bus, string key);

    /// <summary>Makes the device; it opens its bus when started. Called again after each failure.</summary>
    protected abstract IDevice Open(SensorOptions sensor, BusOptions bus, SensorContext context);

    /// <summary>What is wrong with a serial port.</summary>
    protected static IEnumerable<string> SerialFailures(BusOptions bus, string key)
    {
        if (string.IsNullOrEmpty(bus.Serial))
        {
            yield return $"{key}:Bus:Serial is missing: name the port, e.g. /dev/serial0; hub-agent sensors lists the ports there are.";
        }

        if (bus.BaudRate is { } rate && !Termios.Rates.Contains(rate))
        {
            yield return $"{key}:Bus:BaudRate is {rate}: give one of {string.Join(", ", Termios.Rates)}.";
        }
    }

    /// <summary>What is wrong with an I2C bus and address.</summary>
    protected static IEnumerable<string> I2cFailures(BusOptions bus, int standardAddress, string key)
    {
        if (bus.I2c is not (>= 0 and <= 255))
        {
            yield return bus.I2c is null ? $"{key}:Bus:I2c is missing: give the number of the bus, 1 on a Raspberry Pi." : $"{key}:Bus:I2c is {bus.I2c}: give 0 to 255.";
        }

        if (!bus.TryAddress(standardAddress, out _))
        {
            yield return $"{key}:Bus:Address is '{bus.Address}': give 0x08 to 0x77; this kind has 0x{standardAddress:x2} unless wired otherwise.";
        }
    }

    /// <summary>What is wrong with the GPIO lines.</summary>
    /// <param name="bus">The bus options.</param>
    /// <param name="counts">How many lines are right, fewest and most.</param>
    /// <param name="what">What the lines are, in order.</param>
    /// <param name="key">Full key of the sensor.</param>
    protected static IEnumerable<string> PinFailures(BusOptions bus, (int Min, int Max) counts, string what, string key)
    {
        if (bus.Pins.Count < counts.Min || bus.Pins.Count > counts.Max)
        {
            yield return $"{key}:Bus:Pins has {bus.Pins.Count} lines: give {what} by their BCM numbers.";
        }

        if (bus.Pins.Any(pin => pin is < 0 or > 1023) || bus.Pins.Distinct().Count() != bus.Pins.Count)
        {
            yield return $"{key}:Bus:Pins is {string.Join(", ", bus.Pins)}: give different lines, 0 to 1023.";
        }
    }

    /// <summary>The I2C address in force; the options have been found good.</summary>
    protected static int Address(BusOptions bus, int standardAddress) => bus.TryAddress(standardAddress, out int address) ? address : standardAddress;

    /// <summary>Settings for an SPI device.</summary>
    protected static SpiConnectionSettings SpiSettings(BusOptions bus, int clockHertz, SpiMode mode) =>
        new(bus.Spi ?? 0, bus.ChipSelect) { ClockFrequency = clockHertz, Mode = mode };
}
