using System.Device.I2c;
using System.Device.Spi;

namespace Hub.Edge.Sensors.Weather.Bme280;

/// <summary>A BME280's registers, however it is wired.</summary>
internal interface IBme280Registers : IDisposable
{
    /// <summary>Reads registers from <paramref name="register"/> upwards.</summary>
    /// <exception cref="IOException">The part does not answer.</exception>
    void Read(byte register, Span<byte> values);

    /// <summary>Writes one register.</summary>
    /// <exception cref="IOException">The part does not answer.</exception>
    void Write(byte register, byte value);
}

/// <summary>Over I2C (section 6.2).</summary>
internal sealed class Bme280I2cRegisters(I2cDevice device) : IBme280Registers
{
    /// <inheritdoc/>
    public void Read(byte register, Span<byte> values) => device.WriteRead([register], values);

    /// <inheritdoc/>
    public void Write(byte register, byte value) => device.Write([register, value]);

    /// <inheritdoc/>
    public void Dispose() => device.Dispose();
}

/// <summary>Over SPI (section 6.3): bit 7 of the register says read (1) or write (0).</summary>
internal sealed class Bme280SpiRegisters(SpiDevice device) : IBme280Registers
{
    private const byte ReadBit = 0x80;

    /// <inheritdoc/>
    public void Read(byte register, Span<byte> values)
    {
        Span<byte> sent = stackalloc byte[1 + values.Length];
        Span<byte> received = stackalloc byte[sent.Length];
        sent[0] = (byte)(register | ReadBit);
        device.TransferFullDuplex(sent, received);
        received[1..].CopyTo(values);
    }

    /// <inheritdoc/>
    public void Write(byte register, byte value) => device.Write([(byte)(register & ~ReadBit), value]);

    /// <inheritdoc/>
    public void Dispose() => device.Dispose();
}
