using System.Device.Gpio;
using System.Device.I2c;
using System.Device.Spi;
using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Sensors.Tests.Buses;

/// <summary>Buses with nothing but what a test has wired to them. Serial ports are real: give the path of a <see cref="Pty"/>.</summary>
internal sealed class SimulatedBuses(TimeProvider time) : IBuses
{
    /// <summary>Parts by bus and address.</summary>
    public Dictionary<(int Bus, int Address), SimulatedI2cPart> I2c { get; } = [];

    /// <summary>Parts by bus and chip select.</summary>
    public Dictionary<(int Bus, int ChipSelect), SimulatedSpiPart> Spi { get; } = [];

    /// <summary>The GPIO chip.</summary>
    public GpioDriver? Gpio { get; set; }

    public I2cDevice OpenI2c(int bus, int address) => new I2cLine(this, bus, address);

    public SpiDevice OpenSpi(SpiConnectionSettings settings) => new SpiLine(this, settings);

    public GpioController OpenGpio() => Gpio is null ? throw new SensorException("Cannot open the GPIO chip: there is none.") : new GpioController(Gpio);

    public ISerialPort OpenSerial(string path, int baudRate) => TermiosPort.Open(path, baudRate, time);

    /// <summary>An address nobody answers at says so as Linux does.</summary>
    private sealed class I2cLine(SimulatedBuses buses, int bus, int address) : I2cDevice
    {
        public override I2cConnectionSettings ConnectionSettings { get; } = new(bus, address);

        public override void Read(Span<byte> buffer) => Part().OnRead(buffer);

        public override void Write(ReadOnlySpan<byte> buffer) => Part().OnWrite(buffer);

        public override void WriteRead(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer)
        {
            SimulatedI2cPart part = Part();
            part.OnWrite(writeBuffer);
            part.OnRead(readBuffer);
        }

        private SimulatedI2cPart Part() => buses.I2c.TryGetValue((bus, address), out SimulatedI2cPart? part) && !part.Unplugged
            ? part : throw new IOException("Error 121 performing I2C data transfer.");
    }

    private sealed class SpiLine(SimulatedBuses buses, SpiConnectionSettings settings) : SpiDevice
    {
        public override SpiConnectionSettings ConnectionSettings => settings;

        public override void Read(Span<byte> buffer) => Transfer(new byte[buffer.Length], buffer);

        public override void Write(ReadOnlySpan<byte> buffer) => Transfer(buffer, new byte[buffer.Length]);

        public override void TransferFullDuplex(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer) => Transfer(writeBuffer, readBuffer);

        // Nobody at the other end: the line floats high.
        private void Transfer(ReadOnlySpan<byte> sent, Span<byte> received)
        {
            if (buses.Spi.TryGetValue((settings.BusId, settings.ChipSelectLine), out SimulatedSpiPart? part))
            {
                part.OnTransfer(sent, received);
            }
            else
            {
                received.Fill(0xFF);
            }
        }
    }
}

/// <summary>A part on an I2C bus, one call at a time.</summary>
internal abstract class SimulatedI2cPart
{
    /// <summary>True while the part does not answer at all.</summary>
    public bool Unplugged { get; set; }

    public abstract void OnWrite(ReadOnlySpan<byte> bytes);

    public abstract void OnRead(Span<byte> bytes);
}

/// <summary>A part on an SPI bus.</summary>
internal abstract class SimulatedSpiPart
{
    public abstract void OnTransfer(ReadOnlySpan<byte> sent, Span<byte> received);
}
