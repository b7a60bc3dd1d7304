using System.Device.Spi;
using Hub.Edge.Sensors.Buses;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Kinds;

/// <summary>What sensors are made of.</summary>
/// <param name="Agent">What all sensors of the agent share.</param>
/// <param name="Buses">The machine's buses.</param>
/// <param name="Time">Clock of everything they do.</param>
/// <param name="Instruments">Their counters.</param>
/// <param name="Logs">Where they log.</param>
internal sealed record SensorContext(SensorsOptions Agent, IBuses Buses, TimeProvider Time, SensorsInstruments Instruments, ILoggerFactory Logs);

/// <summary>One value of <c>kind:</c> in the station file: checks the options of such a sensor and makes it. Stateless; safe for concurrent callers.</summary>
/// <param name="name">The word in the station file: small letters and digits.</param>
internal abstract class SensorKind(string name)
{
    /// <summary>The word in the station file.</summary>
    public string Name => name;

    /// <summary>7-bit I2C addresses at which such a part may answer, by its data sheet; empty when it is not on I2C.</summary>
    public virtual IReadOnlyList<int> Addresses => [];

    /// <summary>True when such an instrument may hang on a serial port.</summary>
    public virtual bool IsSerial => false;

    /// <summary>All that is wrong with a sensor of this kind; each line begins with the full key and says what to give.</summary>
    /// <param name="sensor">The sensor.</param>
    /// <param name="agent">What all sensors of the agent share.</param>
    /// <param name="key">Full key of the sensor, e.g. <c>Agent:Sensors:0</c>.</param>
    public abstract IEnumerable<string> Failures(SensorOptions sensor, SensorsOptions agent, string key);

    /// <summary>Names that the readings of such a sensor bear: its own, or those of its parts (<see cref="Measurement.Part"/>).</summary>
    public virtual IReadOnlyList<string> Names(SensorOptions sensor) => [sensor.Name];

    /// <summary>Makes a sensor whose options have been found good; it does nothing until it is read.</summary>
    public abstract ISensor Create(SensorOptions sensor, SensorContext context);

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
