using System.Buffers.Binary;
using System.Device.Gpio;
using System.Device.I2c;
using System.Device.Spi;
using Hub.Edge.Sensors;
using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Agent.Tests;

/// <summary>An I2C bus with one ADS1115 at 0x48 on it: an NO2 cell on inputs 0 and 1, a thermistor at 25 °C on input 3. What the cell's working electrode gives is the test's.</summary>
internal sealed class SimulatedGasBoard : IBuses
{
    public const double ElectronicZero = 230;

    /// <summary>mV of the working electrode above its electronic zero, asked for at each conversion.</summary>
    public Func<double> Working { get; set; } = () => 0;

    public I2cDevice OpenI2c(int bus, int address) => address == 0x48 ? new Converter(this) : throw new SensorException($"Cannot open I2C address {address}.");

    public SpiDevice OpenSpi(SpiConnectionSettings settings) => throw new SensorException("none");

    public GpioController OpenGpio() => throw new SensorException("none");

    public ISerialPort OpenSerial(string path, int baudRate) => throw new SensorException("none");

    private sealed class Converter(SimulatedGasBoard board) : I2cDevice
    {
        private ushort configuration;
        private short conversion;
        private byte register;

        public override I2cConnectionSettings ConnectionSettings { get; } = new(1, 0x48);

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            register = buffer[0];
            if (buffer.Length == 3 && register == 1)
            {
                configuration = BinaryPrimitives.ReadUInt16BigEndian(buffer[1..]);
                double millivolts = ((configuration >> 12) & 3) switch { 0 => ElectronicZero + board.Working(), 1 => ElectronicZero, _ => 1650 };

                // Full scale 4.096 V: an eighth of a millivolt a count.
                conversion = (short)Math.Clamp(Math.Round(millivolts * 8), short.MinValue, short.MaxValue);
            }
        }

        public override void Read(Span<byte> buffer) => BinaryPrimitives.WriteUInt16BigEndian(buffer, register == 1 ? configuration : (ushort)conversion);

        public override void WriteRead(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer)
        {
            Write(writeBuffer);
            Read(readBuffer);
        }
    }
}
