using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Sensors.Air.Sps30;

/// <summary>An answer of the part.</summary>
/// <param name="Command">The command it answers.</param>
/// <param name="State">Bit 7: the status register has something to say; the rest: 0, or why the command was refused.</param>
/// <param name="Data">What it says.</param>
internal readonly record struct Sps30Answer(byte Command, byte State, byte[] Data);

/// <summary>
/// Sensirion's SHDLC frames as the SPS30 speaks them on its serial line (data sheet, section 5): 0x7E at both ends, bytes that mean something stuffed, checksum the
/// inverted low byte of the sum. Pure; safe for concurrent callers.
/// </summary>
internal static class Sps30Frames
{
    private const byte Flag = 0x7E;
    private const byte Escape = 0x7D;
    private const byte Flipped = 0x20;
    private const byte Address = 0;

    // Address, command, state, length, 255 bytes and checksum, each of them stuffed at worst.
    private const int StuffedBytesMax = 2 * (4 + 255 + 1);

    /// <summary>Bytes of a request.</summary>
    public static byte[] Request(byte command, params ReadOnlySpan<byte> data) => Stuff([Address, command, (byte)data.Length, .. data]);

    /// <summary>Bytes of an answer, as the part makes it.</summary>
    public static byte[] Answer(byte command, byte state, params ReadOnlySpan<byte> data) => Stuff([Address, command, state, (byte)data.Length, .. data]);

    /// <summary>Looks for an answer. A flag ends one frame and may begin the next, so that a frame whose end was lost costs only itself.</summary>
    public static Cut TryCut(ReadOnlySpan<byte> bytes, out Sps30Answer answer, out int used)
    {
        answer = default;
        int start = bytes.IndexOf(Flag);
        if (start != 0)
        {
            used = start < 0 ? bytes.Length : start;
            return Cut.Skipped;
        }

        int length = bytes[1..].IndexOf(Flag);
        if (length < 0)
        {
            used = bytes.Length > StuffedBytesMax + 1 ? 1 : 0;
            return used == 0 ? Cut.More : Cut.Damaged;
        }

        used = length + 1;
        if (length == 0)
        {
            return Cut.Skipped;
        }

        return TryRead(bytes.Slice(1, length), out answer) ? Cut.Frame : Cut.Damaged;
    }

    private static bool TryRead(ReadOnlySpan<byte> stuffed, out Sps30Answer answer)
    {
        answer = default;
        if (stuffed.Length > StuffedBytesMax)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[stuffed.Length];
        int count = 0;
        for (int index = 0; index < stuffed.Length; index++)
        {
            byte value = stuffed[index];
            if (value == Escape)
            {
                if (++index == stuffed.Length)
                {
                    return false;
                }

                value = (byte)(stuffed[index] ^ Flipped);
            }

            bytes[count++] = value;
        }

        bytes = bytes[..count];
        if (count < 5 || bytes[0] != Address || bytes[3] != count - 5 || Checksum(bytes[..^1]) != bytes[^1])
        {
            return false;
        }

        answer = new Sps30Answer(bytes[1], bytes[2], bytes[4..^1].ToArray());
        return true;
    }

    private static byte[] Stuff(ReadOnlySpan<byte> content)
    {
        var bytes = new List<byte>(2 * content.Length) { Flag };
        foreach (byte value in content)
        {
            Add(bytes, value);
        }

        Add(bytes, Checksum(content));
        bytes.Add(Flag);
        return [.. bytes];
    }

    private static void Add(List<byte> bytes, byte value)
    {
        if (value is Flag or Escape or 0x11 or 0x13)
        {
            bytes.Add(Escape);
            value ^= Flipped;
        }

        bytes.Add(value);
    }

    private static byte Checksum(ReadOnlySpan<byte> content)
    {
        byte sum = 0;
        foreach (byte value in content)
        {
            sum += value;
        }

        return (byte)~sum;
    }
}
