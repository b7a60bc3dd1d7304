using System.Buffers.Binary;
using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Sensors.Air.Pms5003;

/// <summary>A frame of the part.</summary>
/// <param name="Length">What it says of its length: bytes after the length itself, checksum included. Tells the layout.</param>
/// <param name="Pm1">PM1 in the atmosphere, ug/m3; only where the layout is known.</param>
/// <param name="Pm25">PM2.5 in the atmosphere, ug/m3.</param>
/// <param name="Pm10">PM10 in the atmosphere, ug/m3.</param>
/// <param name="Count">Particles over 0.3 um in 0.1 l.</param>
/// <param name="Error">Error byte; 0 when well.</param>
internal readonly record struct Pms5003Frame(int Length, int Pm1, int Pm25, int Pm10, int Count, byte Error)
{
    /// <summary>True when the words mean what this driver takes them for.</summary>
    public bool IsKnown => Length is Pms5003Frames.LengthUsual or Pms5003Frames.LengthLong;
}

/// <summary>
/// The frames of Plantower's PMS5003 (data sheet V2.3, appendix I) and of its sisters. The 5003T puts temperature and humidity in the place of two counts, the 5003ST has
/// four words more; in all of them the atmospheric masses and the count over 0.3 um stand in the same place. Pure; safe for concurrent callers.
/// </summary>
internal static class Pms5003Frames
{
    /// <summary>Length in the frames of PMS5003, PMS5003T and PMS7003.</summary>
    public const int LengthUsual = 28;

    /// <summary>Length in the frames of the PMS5003ST.</summary>
    public const int LengthLong = 36;

    private const int HeadBytes = 4;
    private const int LengthAnswer = 4;
    private const byte First = 0x42;
    private const byte Second = 0x4D;

    // Beyond what any part of the family sends: a length that was hit would make us wait for bytes that never come.
    private const int LengthMax = 64;

    /// <summary>Bytes of a command.</summary>
    public static byte[] Command(byte command, ushort value)
    {
        byte[] bytes = [First, Second, command, (byte)(value >> 8), (byte)value, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(5), Sum(bytes.AsSpan(0, 5)));
        return bytes;
    }

    /// <summary>Looks for a frame; answers to commands are skipped.</summary>
    public static Cut TryCut(ReadOnlySpan<byte> bytes, out Pms5003Frame frame, out int used)
    {
        frame = default;
        int start = bytes.IndexOf(First);
        if (start != 0)
        {
            used = start < 0 ? bytes.Length : start;
            return Cut.Skipped;
        }

        used = 1;
        if (bytes.Length > 1 && bytes[1] != Second)
        {
            return Cut.Skipped;
        }

        if (bytes.Length < HeadBytes)
        {
            used = 0;
            return Cut.More;
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if (length is < LengthAnswer or > LengthMax || length % 2 != 0)
        {
            return Cut.Damaged;
        }

        int whole = HeadBytes + length;
        if (bytes.Length < whole)
        {
            used = 0;
            return Cut.More;
        }

        if (Sum(bytes[..(whole - 2)]) != BinaryPrimitives.ReadUInt16BigEndian(bytes[(whole - 2)..]))
        {
            return Cut.Damaged;
        }

        used = whole;
        if (length == LengthAnswer)
        {
            return Cut.Skipped;
        }

        frame = new Pms5003Frame(length, 0, 0, 0, 0, 0);
        if (frame.IsKnown)
        {
            frame = new Pms5003Frame(length, Word(bytes, 4), Word(bytes, 5), Word(bytes, 6), Word(bytes, 7), bytes[whole - 3]);
        }

        return Cut.Frame;
    }

    private static int Word(ReadOnlySpan<byte> bytes, int number) => BinaryPrimitives.ReadUInt16BigEndian(bytes[(HeadBytes + (2 * (number - 1)))..]);

    private static ushort Sum(ReadOnlySpan<byte> bytes)
    {
        ushort sum = 0;
        foreach (byte value in bytes)
        {
            sum += value;
        }

        return sum;
    }
}
