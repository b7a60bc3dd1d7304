using System.Buffers.Binary;

namespace Hub.Edge.Sensors.Noise.Dnms;

/// <summary>A measurement of a DNMS sound level module, dB(A).</summary>
/// <param name="LAeq">Equivalent continuous level since the last calculation.</param>
/// <param name="LAmin">Smallest level in it.</param>
/// <param name="LAmax">Largest level in it.</param>
internal readonly record struct DnmsLevels(double LAeq, double LAmin, double LAmax);

/// <summary>
/// The words of the DNMS (Digital Noise Measurement Sensor, hbitter/DNMS) on its I2C address 0x55: commands of 16 bits, answers in words of two bytes with a
/// checksum each, as Sensirion's sensors have. Pure; the bus is somebody else's.
/// </summary>
internal static class DnmsWords
{
    /// <summary>Address on the bus.</summary>
    public const int Address = 0x55;

    /// <summary>Begin anew.</summary>
    public const ushort Reset = 0x0001;

    /// <summary>Name and version, <see cref="VersionCharacters"/> characters.</summary>
    public const ushort ReadVersion = 0x0002;

    /// <summary>Calculate the levels of the time since the last calculation; at the soonest 125 ms after it.</summary>
    public const ushort Calculate = 0x0003;

    /// <summary>Whether the levels are ready: ask every 5 ms, for 200 ms at most.</summary>
    public const ushort ReadReady = 0x0004;

    /// <summary>Read the levels.</summary>
    public const ushort ReadLevels = 0x0005;

    /// <summary>Characters of the version.</summary>
    public const int VersionCharacters = 18;

    /// <summary>Bytes of the answer to <see cref="ReadLevels"/>: three numbers.</summary>
    public const int LevelsBytes = 3 * NumberBytes;

    private const int WordBytes = 3;
    private const int NumberBytes = 2 * WordBytes;

    /// <summary>Checksum of a word: CRC-8, polynomial 0x31, beginning with 0xFF.</summary>
    public static byte Checksum(ReadOnlySpan<byte> word)
    {
        int sum = 0xFF;
        foreach (byte part in word)
        {
            sum ^= part;
            for (int bit = 0; bit < 8; bit++)
            {
                sum = (sum & 0x80) != 0 ? (sum << 1) ^ 0x31 : sum << 1;
            }
        }

        return (byte)sum;
    }

    /// <summary>Takes the payload out of an answer.</summary>
    /// <param name="answer">Words of three bytes: two and their checksum.</param>
    /// <param name="payload">Two bytes for each word.</param>
    /// <returns>False if the answer is no whole number of words, does not fit the payload, or a checksum is wrong: nothing of it is to be used.</returns>
    public static bool TryUnpack(ReadOnlySpan<byte> answer, Span<byte> payload)
    {
        if (answer.Length % WordBytes != 0 || payload.Length != answer.Length / WordBytes * 2)
        {
            return false;
        }

        for (int word = 0; word < answer.Length / WordBytes; word++)
        {
            ReadOnlySpan<byte> bytes = answer.Slice(word * WordBytes, WordBytes);
            if (Checksum(bytes[..2]) != bytes[2])
            {
                return false;
            }

            bytes[..2].CopyTo(payload[(word * 2)..]);
        }

        return true;
    }

    /// <summary>Decodes the answer to <see cref="ReadLevels"/>.</summary>
    /// <returns>False if a checksum is wrong, the length is, or what it holds cannot be levels (not numbers, outside 0 to 160 dB, or out of order).</returns>
    public static bool TryLevels(ReadOnlySpan<byte> answer, out DnmsLevels levels)
    {
        levels = default;
        Span<byte> payload = stackalloc byte[LevelsBytes / WordBytes * 2];
        if (answer.Length != LevelsBytes || !TryUnpack(answer, payload))
        {
            return false;
        }

        float equivalent = BinaryPrimitives.ReadSingleBigEndian(payload);
        float least = BinaryPrimitives.ReadSingleBigEndian(payload[4..]);
        float most = BinaryPrimitives.ReadSingleBigEndian(payload[8..]);

        // Not >= and not <=: a NaN is neither.
        if (!(least >= 0 && least <= equivalent && equivalent <= most && most <= 160))
        {
            return false;
        }

        levels = new DnmsLevels(equivalent, least, most);
        return true;
    }

    /// <summary>Decodes the answer to <see cref="ReadReady"/>: ready, or not, or null when the answer is damaged.</summary>
    public static bool? Ready(ReadOnlySpan<byte> answer)
    {
        Span<byte> payload = stackalloc byte[2];
        return TryUnpack(answer, payload) ? BinaryPrimitives.ReadUInt16BigEndian(payload) != 0 : null;
    }

    /// <summary>Decodes the answer to <see cref="ReadVersion"/>.</summary>
    /// <returns>False if it is damaged, or the device is no DNMS.</returns>
    public static bool TryVersion(ReadOnlySpan<byte> answer, out string version)
    {
        version = "";
        Span<byte> payload = stackalloc byte[VersionCharacters];
        if (!TryUnpack(answer, payload) || !payload.StartsWith("DNMS"u8))
        {
            return false;
        }

        int end = payload.IndexOf((byte)0);
        version = System.Text.Encoding.ASCII.GetString(end < 0 ? payload : payload[..end]).TrimEnd();
        return true;
    }
}
