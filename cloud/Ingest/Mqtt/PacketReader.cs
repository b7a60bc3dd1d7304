using System.Buffers.Binary;
using System.Text;
using Hub.Edge.Contract.Encoding;
using MQTTnet.Exceptions;
using MQTTnet.Protocol;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>The beginning of every MQTT packet: type and flags, then the length of the rest in up to four groups of seven bits (MQTT 5, 2.1).</summary>
/// <param name="First">Type in the upper, flags in the lower half.</param>
/// <param name="Bytes">Bytes the header takes.</param>
/// <param name="BodyBytes">Bytes of the rest.</param>
internal readonly record struct PacketHeader(byte First, int Bytes, int BodyBytes)
{
    /// <summary>Bytes of the whole packet.</summary>
    public int TotalBytes => Bytes + BodyBytes;

    /// <summary>Kind of the packet.</summary>
    public MqttControlPacketType Type => (MqttControlPacketType)(First >> 4);

    /// <summary>Quality of service of a PUBLISH, 0 to 3 as received.</summary>
    public int QualityOfService => (First >> 1) & 3;

    /// <summary>Whether a PUBLISH wants to be retained.</summary>
    public bool IsRetained => (First & 1) != 0;

    /// <summary>Reads the header at the front; false while it is not all there.</summary>
    /// <exception cref="PacketException">The length has more than four bytes.</exception>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out PacketHeader header)
    {
        header = default;
        var length = 0;
        for (var i = 1; i <= 4; i++)
        {
            if (i >= bytes.Length)
            {
                return false;
            }

            length |= (bytes[i] & 0x7f) << (7 * (i - 1));
            if ((bytes[i] & 0x80) == 0)
            {
                header = new PacketHeader(bytes[0], i + 1, length);
                return true;
            }
        }

        throw new PacketException(MqttDisconnectReasonCode.MalformedPacket, "The remaining length of a packet has more than four bytes.");
    }
}

/// <summary>A packet that ends its connection; MQTT 5 is told the code.</summary>
internal sealed class PacketException(MqttDisconnectReasonCode code, string message) : MqttProtocolViolationException(message)
{
    /// <summary>What an MQTT 5 client is told.</summary>
    public MqttDisconnectReasonCode Code { get; } = code;
}

/// <summary>A PUBLISH of readings on the station's own topic. Its spans point into the receive buffer.</summary>
internal readonly ref struct ReadingsPublish
{
    private static ReadOnlySpan<byte> JsonType => "application/senml+json"u8;

    private static ReadOnlySpan<byte> CborType => "application/senml+cbor"u8;

    /// <summary>To be acknowledged.</summary>
    public ushort PacketIdentifier { get; init; }

    /// <summary>Alias that from now on means the topic; 0 for none.</summary>
    public ushort TopicAlias { get; init; }

    /// <summary>Content type as announced; empty for none.</summary>
    public ReadOnlySpan<byte> ContentType { get; init; }

    /// <summary>The pack.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>Encoding of the pack; null when it is not known.</summary>
    public PackFormat? Format =>
        ContentType.SequenceEqual(JsonType) ? PackFormat.Json
        : ContentType.SequenceEqual(CborType) ? PackFormat.Cbor
        : PackFormats.TryParse(Encoding.UTF8.GetString(ContentType), Payload, out var format) ? format : null;

    /// <summary>
    /// Reads the body of a PUBLISH with quality of service 1. False when its topic is another one: then nothing else has been looked at but, where it has an alias alone, the alias.
    /// </summary>
    /// <param name="body">What follows the header.</param>
    /// <param name="hasProperties">True for MQTT 5.</param>
    /// <param name="topic">The station's own topic of readings, UTF-8.</param>
    /// <param name="aliases">Aliases that mean this topic, by number; index 0 is never used.</param>
    /// <param name="publish">The publish.</param>
    /// <exception cref="PacketException">The packet is malformed, or its alias out of range.</exception>
    public static bool TryRead(ReadOnlySpan<byte> body, bool hasProperties, ReadOnlySpan<byte> topic, ReadOnlySpan<bool> aliases, out ReadingsPublish publish)
    {
        publish = default;
        var rest = body;
        var given = Take(ref rest, TakeNumber(ref rest));
        if (!given.SequenceEqual(topic) && !(hasProperties && given.IsEmpty))
        {
            return false;
        }

        var identifier = TakeNumber(ref rest);
        if (identifier == 0)
        {
            throw Malformed("A PUBLISH with quality of service 1 has the packet identifier 0.");
        }

        ReadOnlySpan<byte> contentType = default;
        var alias = 0;
        if (hasProperties)
        {
            var properties = Take(ref rest, TakeVariable(ref rest));
            ReadProperties(properties, ref contentType, ref alias);
            if (alias >= aliases.Length)
            {
                throw new PacketException(MqttDisconnectReasonCode.TopicAliasInvalid, "A topic alias is over the limit announced.");
            }

            if (given.IsEmpty && !aliases[alias])
            {
                return false;
            }
        }

        publish = new ReadingsPublish { PacketIdentifier = (ushort)identifier, TopicAlias = (ushort)alias, ContentType = contentType, Payload = rest };
        return true;
    }

    private static void ReadProperties(ReadOnlySpan<byte> properties, ref ReadOnlySpan<byte> contentType, ref int alias)
    {
        while (!properties.IsEmpty)
        {
            var property = (MqttPropertyId)properties[0];
            properties = properties[1..];
            switch (property)
            {
                case MqttPropertyId.PayloadFormatIndicator:
                    Take(ref properties, 1);
                    break;
                case MqttPropertyId.MessageExpiryInterval:
                    // A reading does not become wrong by coming late.
                    Take(ref properties, 4);
                    break;
                case MqttPropertyId.ContentType:
                    contentType = Take(ref properties, TakeNumber(ref properties));
                    break;
                case MqttPropertyId.ResponseTopic:
                case MqttPropertyId.CorrelationData:
                    Take(ref properties, TakeNumber(ref properties));
                    break;
                case MqttPropertyId.SubscriptionIdentifier:
                    TakeVariable(ref properties);
                    break;
                case MqttPropertyId.TopicAlias:
                    alias = TakeNumber(ref properties);
                    if (alias == 0)
                    {
                        throw new PacketException(MqttDisconnectReasonCode.TopicAliasInvalid, "A topic alias is 0.");
                    }

                    break;
                case MqttPropertyId.UserProperty:
                    Take(ref properties, TakeNumber(ref properties));
                    Take(ref properties, TakeNumber(ref properties));
                    break;
                default:
                    throw Malformed($"Property {(int)property} has no place in a PUBLISH.");
            }
        }
    }

    private static ReadOnlySpan<byte> Take(scoped ref ReadOnlySpan<byte> rest, int count)
    {
        if (count > rest.Length)
        {
            throw Malformed("A PUBLISH ends in the middle of a field.");
        }

        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    private static int TakeNumber(scoped ref ReadOnlySpan<byte> rest) => BinaryPrimitives.ReadUInt16BigEndian(Take(ref rest, 2));

    private static int TakeVariable(scoped ref ReadOnlySpan<byte> rest)
    {
        var value = 0;
        for (var shift = 0; shift < 28; shift += 7)
        {
            var next = Take(ref rest, 1)[0];
            value |= (next & 0x7f) << shift;
            if ((next & 0x80) == 0)
            {
                return value;
            }
        }

        throw Malformed("A length in a PUBLISH has more than four bytes.");
    }

    private static PacketException Malformed(string message) => new(MqttDisconnectReasonCode.MalformedPacket, message);
}
