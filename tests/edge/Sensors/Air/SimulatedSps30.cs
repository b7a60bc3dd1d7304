using System.Buffers.Binary;
using System.Text;
using Hub.Edge.Sensors.Air.Sps30;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Tests.Buses;

namespace Hub.Edge.Sensors.Tests.Air;

/// <summary>What an SPS30 does, however it is wired.</summary>
internal sealed class SimulatedSps30
{
    public float[] Values { get; } = [1.5f, 2.5f, 3.5f, 4.5f, 10, 12, 13, 14, 15, 0.6f];

    public bool New { get; set; } = true;

    public bool Measuring { get; set; }

    public bool Asleep { get; set; }

    public uint Status { get; set; }

    public uint CleaningSeconds { get; set; } = 604_800;

    public (byte Major, byte Minor) Firmware { get; set; } = (2, 3);

    public int Reads { get; private set; }

    public byte[] Measurement()
    {
        if (!New || !Measuring)
        {
            return [];
        }

        // A measurement is given once.
        New = false;
        Reads++;
        var bytes = new byte[40];
        for (int index = 0; index < 10; index++)
        {
            BinaryPrimitives.WriteSingleBigEndian(bytes.AsSpan(4 * index), Values[index]);
        }

        return bytes;
    }

    public static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}

/// <summary>On its serial line.</summary>
internal sealed class SerialSps30(SimulatedSps30 part) : SerialPart
{
    private readonly List<byte> heard = [];

    /// <summary>Changes the bytes of an answer on their way; empty says nothing.</summary>
    public Func<byte[], byte[]> Way { get; set; } = bytes => bytes;

    public List<byte[]> Requests { get; } = [];

    public override void OnHeard(byte[] bytes)
    {
        heard.AddRange(bytes);
        while (heard.IndexOf(0x7E) is >= 0 and var start && heard.IndexOf(0x7E, start + 1) is > 0 and var end)
        {
            byte[] request = [.. heard[start..(end + 1)]];
            heard.RemoveRange(0, end + 1);
            Requests.Add(request);
            byte[] answer = Way(Answer(request));
            if (answer.Length > 0)
            {
                Say!(answer);
            }
        }
    }

    private byte[] Answer(byte[] request)
    {
        // Of a request: flag, address, command, length, data. The commands used have nothing to stuff but the wake-up.
        bool wake = request[2] == 0x7D;
        byte command = wake ? (byte)0x11 : request[2];
        byte argument = request[3] > 0 ? request[4] : (byte)0;
        if (part.Asleep && command != 0x11)
        {
            return [];
        }

        (byte state, byte[] data) = command switch
        {
            0x11 => Wake(),
            0x00 => Start(),
            0x01 => Stop(),
            0x03 => part.Measuring ? ((byte)0, part.Measurement()) : ((byte)0x43, Array.Empty<byte>()),
            0x80 => ((byte)0, SimulatedSps30.Number(part.CleaningSeconds)),
            0xD0 => ((byte)0, Encoding.ASCII.GetBytes("8A2D4F\0")),
            0xD1 => ((byte)0, new byte[] { part.Firmware.Major, part.Firmware.Minor, 0, 7, 0, 2, 0 }),
            0xD2 => Status(clear: argument == 1),
            _ => ((byte)0x02, Array.Empty<byte>()),
        };
        return Sps30Frames.Answer(command, (byte)(state | (part.Status != 0 ? 0x80 : 0)), data);
    }

    private (byte, byte[]) Wake()
    {
        byte state = part.Asleep ? (byte)0 : (byte)0x43;
        part.Asleep = false;
        return (state, []);
    }

    private (byte, byte[]) Start()
    {
        byte state = part.Measuring ? (byte)0x43 : (byte)0;
        part.Measuring = true;
        return (state, []);
    }

    private (byte, byte[]) Stop()
    {
        byte state = part.Measuring ? (byte)0 : (byte)0x43;
        part.Measuring = false;
        return (state, []);
    }

    private (byte, byte[]) Status(bool clear)
    {
        byte[] data = [.. SimulatedSps30.Number(part.Status), 0];
        part.Status = clear ? 0 : part.Status;
        return (0, data);
    }
}

/// <summary>On I2C.</summary>
internal sealed class I2cSps30(SimulatedSps30 part) : SimulatedSensirionPart
{
    protected override byte[]? OnCommand(int command, ushort[] words)
    {
        if (part.Asleep && command != 0x1103)
        {
            throw new IOException("Error 121 performing I2C data transfer.");
        }

        switch (command)
        {
            case 0x1103:
                part.Asleep = false;
                return null;
            case 0x0010:
                Assert.Equal([0x0300], words);
                part.Measuring = true;
                return null;
            case 0x0104:
                part.Measuring = false;
                return null;
            case 0x0202:
                return Words(part is { New: true, Measuring: true } ? 1 : 0);
            case 0x0300:
                return part.Measurement();
            case 0x8004:
                return SimulatedSps30.Number(part.CleaningSeconds);
            case 0xD033:
                return [.. Encoding.ASCII.GetBytes("8A2D4F".PadRight(32, '\0'))];
            case 0xD100:
                return [part.Firmware.Major, part.Firmware.Minor];
            case 0xD206:
                return SimulatedSps30.Number(part.Status);
            case 0xD210:
                part.Status = 0;
                return null;
            default:
                throw new IOException("Error 121 performing I2C data transfer.");
        }
    }
}
