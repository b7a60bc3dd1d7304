using System.Buffers.Binary;
using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Sensors.Air.Sds011;

/// <summary>A frame of the part.</summary>
/// <param name="Command">0 for a measurement, else the command it answers.</param>
/// <param name="First">PM2.5 in 0.1 ug/m3; of an answer the two bytes after the command, little-endian.</param>
/// <param name="Second">PM10 in 0.1 ug/m3.</param>
/// <param name="Id">Number of the part, as its bytes stand.</param>
internal readonly record struct Sds011Frame(byte Command, ushort First, ushort Second, ushort Id);

/// <summary>The frames of a SDS011 (Nova Fitness, Laser Dust Sensor Control Protocol V1.3). Pure; safe for concurrent callers.</summary>
internal static class Sds011Frames
{
    /// <summary>Bytes of what the part says.</summary>
    public const int Bytes = 10;

    private const byte Head = 0xAA;
    private const byte Tail = 0xAB;
    private const byte Measurement = 0xC0;
    private const byte Answer = 0xC5;
    private const byte ToPart = 0xB4;
    private const int CommandBytes = 19;

    /// <summary>Bytes of a command to whatever part is there.</summary>
    /// <param name="command">Its number.</param>
    /// <param name="set">Sets the value, or asks for it.</param>
    /// <param name="value">The value to set.</param>
    public static byte[] Command(byte command, bool set, byte value)
    {
        var bytes = new byte[CommandBytes];
        (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]) = (Head, ToPart, command, set ? (byte)1 : (byte)0, value);
        (bytes[15], bytes[16]) = (0xFF, 0xFF);
        bytes[17] = Checksum(bytes.AsSpan(2, 15));
        bytes[18] = Tail;
        return bytes;
    }

    /// <summary>Looks for a frame.</summary>
    public static Cut TryCut(ReadOnlySpan<byte> bytes, out Sds011Frame frame, out int used)
    {
        frame = default;
        int start = bytes.IndexOf(Head);
        if (start != 0)
        {
            used = start < 0 ? bytes.Length : start;
            return Cut.Skipped;
        }

        used = 1;
        if (bytes.Length > 1 && bytes[1] is not (Measurement or Answer))
        {
            return Cut.Skipped;
        }

        if (bytes.Length < Bytes)
        {
            used = 0;
            return Cut.More;
        }

        // The head may be the rest of a frame that was cut, and the next frame begin inside: only the head is used up.
        if (bytes[9] != Tail || Checksum(bytes.Slice(2, 6)) != bytes[8])
        {
            return Cut.Damaged;
        }

        used = Bytes;
        ushort id = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]);
        frame = bytes[1] == Measurement
            ? new Sds011Frame(0, BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]), BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]), id)
            : new Sds011Frame(bytes[2], BinaryPrimitives.ReadUInt16LittleEndian(bytes[3..]), bytes[5], id);
        return Cut.Frame;
    }

    /// <summary>Low byte of the sum.</summary>
    public static byte Checksum(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte value in bytes)
        {
            sum += value;
        }

        return sum;
    }
}
