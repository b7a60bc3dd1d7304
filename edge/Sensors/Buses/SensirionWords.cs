using System.Buffers.Binary;
using System.Device.I2c;

namespace Hub.Edge.Sensors.Buses;

/// <summary>
/// The way Sensirion's parts (and some of others) speak on I2C: 16-bit commands, and data as big-endian words, each followed by its CRC-8 (polynomial 0x31, start 0xFF).
/// Stateless; safe for concurrent callers.
/// </summary>
internal static class SensirionWords
{
    private const byte Polynomial = 0x31;

    /// <summary>CRC-8 of one word, or of any bytes.</summary>
    public static byte Crc(ReadOnlySpan<byte> bytes)
    {
        byte crc = 0xFF;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (byte)((crc & 0x80) != 0 ? (crc << 1) ^ Polynomial : crc << 1);
            }
        }

        return crc;
    }

    /// <summary>Bytes of a command with its words.</summary>
    public static byte[] Command(ushort command, params ReadOnlySpan<ushort> words)
    {
        var bytes = new byte[2 + (3 * words.Length)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, command);
        for (int index = 0; index < words.Length; index++)
        {
            Span<byte> word = bytes.AsSpan(2 + (3 * index), 3);
            BinaryPrimitives.WriteUInt16BigEndian(word, words[index]);
            word[2] = Crc(word[..2]);
        }

        return bytes;
    }

    /// <summary>Takes the data out of what came over the bus; false when the CRC of any word is wrong.</summary>
    /// <param name="wire">Three bytes a word.</param>
    /// <param name="data">Two bytes a word.</param>
    public static bool TryDecode(ReadOnlySpan<byte> wire, Span<byte> data)
    {
        bool good = true;
        for (int word = 0; 3 * word < wire.Length; word++)
        {
            ReadOnlySpan<byte> two = wire.Slice(3 * word, 2);
            two.CopyTo(data[(2 * word)..]);
            good &= Crc(two) == wire[(3 * word) + 2];
        }

        return good;
    }

    /// <summary>Sends a command.</summary>
    /// <exception cref="IOException">Nobody answers at the address, or the part refuses.</exception>
    public static void Send(this I2cDevice device, ushort command, params ReadOnlySpan<ushort> words) => device.Write(Command(command, words));

    /// <summary>Reads words that a command before has asked for.</summary>
    /// <param name="device">The part.</param>
    /// <param name="data">Two bytes a word.</param>
    /// <returns>False when the CRC of any word is wrong: nothing of it may be used.</returns>
    /// <exception cref="IOException">Nobody answers at the address, or the part has nothing to say.</exception>
    public static bool TryTake(this I2cDevice device, Span<byte> data)
    {
        Span<byte> wire = stackalloc byte[data.Length / 2 * 3];
        device.Read(wire);
        return TryDecode(wire, data);
    }

    /// <summary>One word of data.</summary>
    public static ushort Word(ReadOnlySpan<byte> data, int index) => BinaryPrimitives.ReadUInt16BigEndian(data[(2 * index)..]);
}
