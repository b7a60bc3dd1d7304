using System.Device.Gpio;
using System.Device.I2c;
using System.Device.Spi;

namespace Hub.Edge.Sensors.Buses;

/// <summary>
/// Opens what instruments hang on. The one place where a driver touches the machine: tests and simulations put register maps, pulse trains and pseudo-terminals
/// in its place. Safe for concurrent callers; what it opens belongs to the caller, who disposes of it.
/// </summary>
public interface IBuses
{
    /// <summary>Opens a device on an I2C bus.</summary>
    /// <param name="bus">Number of the bus: 1 is <c>/dev/i2c-1</c>.</param>
    /// <param name="address">7-bit address, 0x08 to 0x77.</param>
    /// <exception cref="SensorException">The bus is not there or may not be used; the message says what to do.</exception>
    I2cDevice OpenI2c(int bus, int address);

    /// <summary>Opens a device on an SPI bus. A bus that is missing shows at the first transfer only (as <see cref="IOException"/>).</summary>
    /// <param name="settings">Bus, chip select, clock and mode.</param>
    /// <exception cref="SensorException">The bus is not there or may not be used.</exception>
    SpiDevice OpenSpi(SpiConnectionSettings settings);

    /// <summary>Opens the pins of the machine's GPIO chip.</summary>
    /// <exception cref="SensorException">There is no GPIO chip, or libgpiod is not installed.</exception>
    GpioController OpenGpio();

    /// <summary>Opens a serial port: 8 data bits, no parity, 1 stop bit, no flow control; for this process alone.</summary>
    /// <param name="path">Device file, e.g. <c>/dev/serial0</c> or a link in <c>/dev/serial/by-id</c>.</param>
    /// <param name="baudRate">One of the standard rates, 1200 to 921600.</param>
    /// <exception cref="SensorException">There is no such port, it is in use, or it may not be used.</exception>
    ISerialPort OpenSerial(string path, int baudRate);
}

/// <summary>
/// An open serial port. One reader and one writer at a time. Input that nobody reads is kept up to 4 KiB; beyond that the oldest bytes are dropped and counted: an
/// instrument's newest frame is worth more than its oldest.
/// </summary>
public interface ISerialPort : IDisposable
{
    /// <summary>Bytes dropped because nobody read them.</summary>
    long Dropped { get; }

    /// <summary>Takes what has arrived, waiting for the first byte.</summary>
    /// <param name="buffer">Where to put it, one byte or more.</param>
    /// <param name="patience">How long to wait for the first byte.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Bytes taken; 0 when none came in time.</returns>
    /// <exception cref="IOException">The port is gone (unplugged) or failed; open it again.</exception>
    ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan patience, CancellationToken cancellationToken);

    /// <summary>Sends bytes, waiting at most a second for room in the port's buffer.</summary>
    /// <exception cref="IOException">The port is gone, failed, or takes nothing.</exception>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Forgets what has arrived and was not read.</summary>
    void DiscardInput();
}
