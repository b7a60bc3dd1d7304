using Hub.Edge.Sensors.Tests.Buses;

namespace Hub.Edge.Sensors.Tests.Weather;

/// <summary>A register map that behaves as a BME280: a forced measurement puts counts into the data registers, humidity's control is latched by the other one.</summary>
internal sealed class SimulatedBme280 : SimulatedI2cPart
{
    private readonly byte[] registers = new byte[256];
    private byte pointer;
    private byte latchedHumidity;

    public SimulatedBme280()
    {
        registers[0xD0] = 0x60;

        // Data sheet's worked example (temperature and pressure), and a humidity trim with negative coefficients.
        short[] trim = [27504, 26435, -1000, unchecked((short)36477), -10685, 3024, 2855, 140, -7, 15500, -14600, 6000];
        for (int index = 0; index < trim.Length; index++)
        {
            BitConverter.TryWriteBytes(registers.AsSpan(0x88 + (2 * index)), trim[index]);
        }

        registers[0xA1] = 75;
        BitConverter.TryWriteBytes(registers.AsSpan(0xE1), (short)362);
        registers[0xE3] = 0;
        (Temperature, Pressure, Humidity) = (519888, 415148, 27000);
        SetHumidityTrim(h4: 313, h5: 50, h6: 30);
    }

    public int Temperature { get; set; }

    public int Pressure { get; set; }

    public int Humidity { get; set; }

    /// <summary>How often the part was asked to measure.</summary>
    public int Measurements { get; private set; }

    public byte this[int register]
    {
        get => registers[register];
        set => registers[register] = value;
    }

    /// <summary>The two 12-bit coefficients share a byte (data sheet table 16).</summary>
    public void SetHumidityTrim(int h4, int h5, sbyte h6)
    {
        registers[0xE4] = (byte)(h4 >> 4);
        registers[0xE5] = (byte)((h4 & 0x0F) | ((h5 & 0x0F) << 4));
        registers[0xE6] = (byte)(h5 >> 4);
        registers[0xE7] = (byte)h6;
    }

    public override void OnWrite(ReadOnlySpan<byte> bytes)
    {
        pointer = bytes[0];
        for (int index = 1; index < bytes.Length; index += 2)
        {
            Write(bytes[index - 1], bytes[index]);
        }
    }

    public override void OnRead(Span<byte> bytes)
    {
        for (int index = 0; index < bytes.Length; index++)
        {
            bytes[index] = registers[(pointer + index) & 0xFF];
        }
    }

    public void Write(byte register, byte value)
    {
        registers[register] = value;
        if (register == 0xE0 && value == 0xB6)
        {
            Store(0x80000, 0x80000, 0x8000);
            latchedHumidity = 0;
        }
        else if (register == 0xF4)
        {
            latchedHumidity = registers[0xF2];
            if ((value & 3) == 1)
            {
                Measurements++;
                Store((value >> 5) == 0 ? 0x80000 : Temperature, ((value >> 2) & 7) == 0 ? 0x80000 : Pressure, latchedHumidity == 0 ? 0x8000 : Humidity);
                registers[0xF4] &= 0xFC;
            }
        }
    }

    private void Store(int temperature, int pressure, int humidity)
    {
        byte[] data =
        [
            (byte)(pressure >> 12), (byte)(pressure >> 4), (byte)(pressure << 4),
            (byte)(temperature >> 12), (byte)(temperature >> 4), (byte)(temperature << 4),
            (byte)(humidity >> 8), (byte)humidity,
        ];
        data.CopyTo(registers, 0xF7);
    }
}

/// <summary>The same part on SPI.</summary>
internal sealed class SimulatedSpiBme280(SimulatedBme280 part) : SimulatedSpiPart
{
    public override void OnTransfer(ReadOnlySpan<byte> sent, Span<byte> received)
    {
        received.Clear();
        if ((sent[0] & 0x80) != 0)
        {
            part.OnWrite([sent[0]]);
            part.OnRead(received[1..]);
        }
        else
        {
            part.Write((byte)(sent[0] | 0x80), sent[1]);
        }
    }
}
