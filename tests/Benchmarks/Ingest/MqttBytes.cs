using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Hub.Tests.Benchmarks.Ingest;

/// <summary>The little of MQTT that a load generator says, as bytes.</summary>
internal static class MqttBytes
{
    /// <summary>CONNECT with a clean start and a keep-alive of ten minutes.</summary>
    /// <param name="version">4 for MQTT 3.1.1, 5 for MQTT 5.</param>
    /// <param name="client">Client identifier.</param>
    /// <param name="user">User name; null for nobody.</param>
    /// <param name="secret">Password.</param>
    public static byte[] Connect(int version, string client, string? user, string? secret)
    {
        var body = new ArrayBufferWriter<byte>();
        WriteText(body, "MQTT"u8);
        body.Write<byte>([(byte)version, (byte)(user is null ? 0x02 : 0xC2), 600 >> 8, 600 & 0xFF]);
        if (version == 5)
        {
            body.Write<byte>([0]);
        }

        WriteText(body, Encoding.UTF8.GetBytes(client));
        if (user is not null)
        {
            WriteText(body, Encoding.UTF8.GetBytes(user));
            WriteText(body, Encoding.UTF8.GetBytes(secret ?? ""));
        }

        var packet = new ArrayBufferWriter<byte>();
        packet.Write<byte>([0x10]);
        WriteLength(packet, body.WrittenCount);
        packet.Write(body.WrittenSpan);
        return packet.WrittenSpan.ToArray();
    }

    /// <summary>A remaining length.</summary>
    public static void WriteLength(IBufferWriter<byte> output, int length)
    {
        do
        {
            var rest = length >> 7;
            output.Write<byte>([(byte)((length & 0x7F) | (rest > 0 ? 0x80 : 0))]);
            length = rest;
        }
        while (length > 0);
    }

    /// <summary>A text with its length in front.</summary>
    public static void WriteText(IBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)text.Length);
        output.Write(length);
        output.Write(text);
    }

    /// <summary>Takes one packet off the front.</summary>
    /// <param name="bytes">What was received.</param>
    /// <param name="kind">First byte of the packet.</param>
    /// <param name="body">What follows its length.</param>
    /// <param name="length">Bytes of the whole packet.</param>
    /// <returns>False when it is not all there yet.</returns>
    public static bool TryTake(ReadOnlySpan<byte> bytes, out byte kind, out ReadOnlySpan<byte> body, out int length)
    {
        kind = 0;
        body = default;
        length = 0;
        var rest = 0;
        for (var i = 1; i < bytes.Length && i <= 4; i++)
        {
            rest |= (bytes[i] & 0x7F) << (7 * (i - 1));
            if ((bytes[i] & 0x80) == 0)
            {
                if (bytes.Length < i + 1 + rest)
                {
                    return false;
                }

                kind = bytes[0];
                body = bytes.Slice(i + 1, rest);
                length = i + 1 + rest;
                return true;
            }
        }

        return false;
    }
}
