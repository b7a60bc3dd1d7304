using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Benchmarks.Series;

namespace Hub.Tests.Benchmarks.Ingest;

/// <summary>
/// PUBLISH packets of one station: packs of five readings as our agent encodes them, their values drawn from the city's workload. The packets are made once; writing one puts in the packet identifier and the
/// next second, so that every reading is another one and the generator costs next to nothing. Not safe for concurrent use.
/// </summary>
internal sealed class PackWriter
{
    /// <summary>Readings of a pack.</summary>
    public const int Readings = CityWorkload.Quantities;

    private const int Variants = 16;
    private readonly Template[] _templates;
    private readonly long _start;

    /// <param name="municipality">Slug.</param>
    /// <param name="station">Slug.</param>
    /// <param name="version">4 for MQTT 3.1.1, 5 for MQTT 5.</param>
    /// <param name="start">Time of the first pack, seconds since 1970.</param>
    /// <param name="values">Where the values come from.</param>
    public PackWriter(string municipality, string station, int version, long start, CityWorkload values)
    {
        _start = start;
        var topic = Encoding.UTF8.GetBytes($"hub/v1/{municipality}/{station}/readings");
        var visits = new Visit[Variants];
        values.Take(visits);
        _templates = [.. visits.Select(visit => Template.Make(topic, version, start, visit))];
        BytesMax = _templates.Max(template => template.Bytes.Length);
        PayloadBytes = _templates.Average(template => template.PayloadBytes);
    }

    /// <summary>Bytes of the largest packet.</summary>
    public int BytesMax { get; }

    /// <summary>Mean size of a payload.</summary>
    public double PayloadBytes { get; }

    /// <summary>Packs written.</summary>
    public long Packs { get; private set; }

    /// <summary>Time of the last pack written, seconds since 1970.</summary>
    public long LastSeconds => _start + Packs - 1;

    /// <summary>Writes the next packet; its length.</summary>
    public int Write(Span<byte> packet, ushort identifier)
    {
        ref readonly var template = ref _templates[Packs % Variants];
        template.Bytes.CopyTo(packet);
        BinaryPrimitives.WriteUInt16BigEndian(packet[template.IdentifierAt..], identifier);
        var digits = packet.Slice(template.TimeAt, 10);
        for (var (rest, i) = (_start + Packs, 9); i >= 0; i--)
        {
            digits[i] = (byte)('0' + (rest % 10));
            rest /= 10;
        }

        Packs++;
        return template.Bytes.Length;
    }

    private readonly record struct Template(byte[] Bytes, int IdentifierAt, int TimeAt, int PayloadBytes)
    {
        public static Template Make(byte[] topic, int version, long start, Visit visit)
        {
            var time = DateTime.UnixEpoch.AddTicks(start * TimeSpan.TicksPerSecond);
            var readings = new Reading[Readings];
            for (var i = 0; i < Readings; i++)
            {
                readings[i] = new Reading("street", CityWorkload.Properties[i], time, visit[i]);
            }

            var payload = new ArrayBufferWriter<byte>();
            ReadingPack.Encode(payload, PackFormat.Json, readings);
            var seconds = Encoding.ASCII.GetBytes(start.ToString(CultureInfo.InvariantCulture));
            var timeAt = payload.WrittenSpan.IndexOf(seconds);
            if (timeAt < 0 || payload.WrittenSpan[(timeAt + 1)..].IndexOf(seconds) >= 0)
            {
                throw new InvalidOperationException($"The pack does not hold its time exactly once: {Encoding.UTF8.GetString(payload.WrittenSpan)}");
            }

            var variable = 2 + topic.Length + 2 + (version == 5 ? 1 : 0);
            var packet = new ArrayBufferWriter<byte>();
            packet.Write<byte>([0x32]);
            MqttBytes.WriteLength(packet, variable + payload.WrittenCount);
            var topicAt = packet.WrittenCount;
            MqttBytes.WriteText(packet, topic);
            packet.Write<byte>([0, 0]);
            if (version == 5)
            {
                packet.Write<byte>([0]);
            }

            packet.Write(payload.WrittenSpan);
            return new Template(packet.WrittenSpan.ToArray(), topicAt + 2 + topic.Length, topicAt + variable + timeAt, payload.WrittenCount);
        }
    }
}
