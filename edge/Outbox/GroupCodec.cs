using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox;

/// <summary>Head of one group on disk: what the 24 bytes in front of its body say.</summary>
/// <param name="Sequence">Sequence number of its first reading (of the next one when it has none).</param>
/// <param name="Count">Number of readings.</param>
/// <param name="BodyBytes">Bytes behind the head.</param>
internal readonly record struct GroupHead(long Sequence, int Count, int BodyBytes)
{
    public long Until => Sequence + Count;

    public int Bytes => GroupCodec.HeadBytes + BodyBytes;
}

/// <summary>What a group's body says besides its readings.</summary>
internal sealed class GroupContent
{
    public DateTimeOffset TakenAt { get; set; }

    public SourceCursor? Cursor { get; set; }

    /// <summary>The start of the machine from which instants before <see cref="StationClock.Earliest"/> count; null when there are none.</summary>
    public string? Boot { get; set; }

    public List<Reading> Readings { get; } = [];
}

/// <summary>
/// Bytes of a group (all integers little-endian; "varint" is seven bits a byte, low first; "signed" is zigzag): head = mark u32, body length u32,
/// CRC-32C u32 of everything else, count u32, sequence i64. Body = taken at (varint, unix seconds) · strings (varint count; each a length byte and UTF-8) ·
/// cursor (varint 0, or index of the source + 1, varint length, bytes) · readings. Reading = flags u8 · sensor, property (varint indexes) ·
/// time (signed varint, microseconds after the previous reading's) · value f64 · then, as flagged, quality, period s, raw f64, calibration, coverage f64, revision.
/// A string that begins with byte 2 is the boot id from whose start times before the year 2000 count; nothing refers to it.
/// A group stands alone: losing one never makes another unreadable.
/// </summary>
internal static class GroupCodec
{
    public const int HeadBytes = 24;
    public const int BodyBytesMax = 1024 * 1024;
    public const int ReadingsMax = 4096;
    public const int CursorBytesMax = 256;

    /// <summary>Most bytes of what the outbox itself writes down as the cursor of a source no sensor can be called (see <see cref="FileOutbox"/>).</summary>
    public const int RecordBytesMax = 2048;

    /// <summary>First bytes of every group: "HOB" and the version of this layout.</summary>
    public static ReadOnlySpan<byte> Mark => "HOB\u0001"u8;

    /// <summary>First character of the string that names a start of the machine; no sensor's name can begin so.</summary>
    private const char BootMark = '\u0002';

    [Flags]
    private enum Has : byte
    {
        Quality = 1,
        Period = 2,
        Raw = 4,
        Calibration = 8,
        Coverage = 16,
        Revision = 32,
    }

    /// <summary>Encodes head and body with the sequence still open (see <see cref="Seal"/>).</summary>
    /// <exception cref="ArgumentException">Something that cannot be kept; the message says what.</exception>
    public static byte[] Encode(ReadOnlySpan<Reading> readings, SourceCursor? cursor, DateTimeOffset takenAt, int cursorBytesMax = CursorBytesMax, string? boot = null)
    {
        if (readings.Length > ReadingsMax)
        {
            throw new ArgumentException($"{readings.Length} readings in one group; at most {ReadingsMax} are kept together.", nameof(readings));
        }

        var strings = new List<string>(8);
        var table = new ByteWriter(256);
        var body = new ByteWriter(64 + (readings.Length * 24));
        if (cursor is { } position)
        {
            if (position.Value.Length > cursorBytesMax)
            {
                throw new ArgumentException($"The cursor of '{position.Source}' has {position.Value.Length} bytes; at most {cursorBytesMax} are kept.", nameof(cursor));
            }

            body.Varint((ulong)Index(strings, ref table, position.Source) + 1);
            body.Varint((ulong)position.Value.Length);
            body.Bytes(position.Value.Span);
        }
        else
        {
            body.Varint(0);
        }

        long previous = 0;
        foreach (ref readonly var reading in readings)
        {
            Check(in reading);
            var flags = (reading.Quality != 0 ? Has.Quality : 0) | (reading.Period != TimeSpan.Zero ? Has.Period : 0) | (reading.Raw is not null ? Has.Raw : 0)
                | (reading.Calibration != 0 ? Has.Calibration : 0) | (reading.Coverage is not null ? Has.Coverage : 0) | (reading.Revision != 0 ? Has.Revision : 0);
            body.Byte((byte)flags);
            body.Varint((ulong)Index(strings, ref table, reading.Sensor));
            body.Varint((ulong)Index(strings, ref table, reading.Property));
            var micros = reading.PhenomenonTime.Ticks / TimeSpan.TicksPerMicrosecond;
            body.Signed(micros - previous);
            previous = micros;
            body.Double(reading.Value);
            if (flags.HasFlag(Has.Quality))
            {
                body.Varint((uint)reading.Quality);
            }

            if (flags.HasFlag(Has.Period))
            {
                body.Varint((ulong)(reading.Period.Ticks / TimeSpan.TicksPerSecond));
            }

            if (flags.HasFlag(Has.Raw))
            {
                body.Double(reading.Raw!.Value);
            }

            if (flags.HasFlag(Has.Calibration))
            {
                body.Signed(reading.Calibration);
            }

            if (flags.HasFlag(Has.Coverage))
            {
                body.Double(reading.Coverage!.Value);
            }

            if (flags.HasFlag(Has.Revision))
            {
                body.Signed(reading.Revision);
            }
        }

        if (boot is not null)
        {
            _ = Index(strings, ref table, BootMark + boot);
        }

        var whole = new ByteWriter(HeadBytes + 16 + table.Length + body.Length);
        whole.Skip(HeadBytes);
        whole.Varint((ulong)Math.Max(0, takenAt.ToUnixTimeSeconds()));
        whole.Varint((ulong)strings.Count);
        whole.Bytes(table.Written);
        whole.Bytes(body.Written);
        var group = whole.Written.ToArray();
        var bodyBytes = group.Length - HeadBytes;
        if (bodyBytes > BodyBytesMax)
        {
            throw new ArgumentException($"The group takes {bodyBytes} bytes; at most {BodyBytesMax} are kept together.", nameof(readings));
        }

        Mark.CopyTo(group);
        BinaryPrimitives.WriteInt32LittleEndian(group.AsSpan(4), bodyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(group.AsSpan(12), readings.Length);
        return group;
    }

    /// <summary>Gives an encoded group its sequence number and its check sum.</summary>
    public static void Seal(Span<byte> group, long sequence)
    {
        BinaryPrimitives.WriteInt64LittleEndian(group[16..], sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(group[8..], Sum(group));
    }

    /// <summary>Number of readings an encoded group says it has.</summary>
    public static int Count(ReadOnlySpan<byte> group) => BinaryPrimitives.ReadInt32LittleEndian(group[12..]);

    /// <summary>Reads a head; false when these 24 bytes cannot be one (the check sum is not looked at yet).</summary>
    public static bool TryReadHead(ReadOnlySpan<byte> bytes, out GroupHead head)
    {
        head = default;
        if (bytes.Length < HeadBytes || !bytes.StartsWith(Mark))
        {
            return false;
        }

        var body = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        var sequence = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]);
        if (body is < 3 or > BodyBytesMax || count is < 0 or > ReadingsMax || sequence is < 0 or > long.MaxValue - ReadingsMax)
        {
            return false;
        }

        head = new GroupHead(sequence, count, body);
        return true;
    }

    /// <summary>True when a whole group carries the check sum of its bytes.</summary>
    public static bool IsIntact(ReadOnlySpan<byte> group) => BinaryPrimitives.ReadUInt32LittleEndian(group[8..]) == Sum(group);

    /// <summary>Decodes an intact group; false, with nothing promised of <paramref name="content"/>, when its body is not one of ours.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> group, StringPool pool, GroupContent content)
    {
        content.Readings.Clear();
        content.Cursor = null;
        content.Boot = null;
        var count = Count(group);
        var reader = new ByteReader(group[HeadBytes..]);
        if (!reader.Varint(out var taken) || taken > 253_402_300_799 || !reader.Varint(out var stringCount) || stringCount > (ulong)reader.Left)
        {
            return false;
        }

        content.TakenAt = DateTimeOffset.FromUnixTimeSeconds((long)taken);
        var strings = new string[stringCount];
        for (var i = 0; i < strings.Length; i++)
        {
            if (!reader.Byte(out var length) || !reader.Bytes(length, out var utf8))
            {
                return false;
            }

            strings[i] = pool.Get(utf8);
            content.Boot = strings[i].StartsWith(BootMark) ? strings[i][1..] : content.Boot;
        }

        if (!reader.Varint(out var source) || source > stringCount)
        {
            return false;
        }

        if (source > 0)
        {
            if (!reader.Varint(out var length) || length > RecordBytesMax || !reader.Bytes((int)length, out var cursor))
            {
                return false;
            }

            content.Cursor = new SourceCursor(strings[source - 1], cursor.ToArray());
        }

        long micros = 0;
        for (var i = 0; i < count; i++)
        {
            if (!reader.Byte(out var bits) || !reader.Varint(out var sensor) || sensor >= stringCount || !reader.Varint(out var property) || property >= stringCount
                || !reader.Signed(out var delta) || !reader.Double(out var value))
            {
                return false;
            }

            var flags = (Has)bits;
            ulong quality = 0, period = 0;
            double raw = 0, coverage = 0;
            long calibration = 0, revision = 0;
            if ((flags.HasFlag(Has.Quality) && !reader.Varint(out quality)) || (flags.HasFlag(Has.Period) && !reader.Varint(out period))
                || (flags.HasFlag(Has.Raw) && !reader.Double(out raw)) || (flags.HasFlag(Has.Calibration) && !reader.Signed(out calibration))
                || (flags.HasFlag(Has.Coverage) && !reader.Double(out coverage)) || (flags.HasFlag(Has.Revision) && !reader.Signed(out revision)))
            {
                return false;
            }

            micros = unchecked(micros + delta);
            if (micros < 0 || micros > DateTime.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond || period > (ulong)(TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerSecond))
            {
                return false;
            }

            content.Readings.Add(new Reading(strings[sensor], strings[property], new DateTime(micros * TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc), value)
            {
                Quality = (Quality)(int)(uint)quality,
                Period = TimeSpan.FromTicks((long)period * TimeSpan.TicksPerSecond),
                Raw = flags.HasFlag(Has.Raw) ? raw : null,
                Calibration = (int)calibration,
                Coverage = flags.HasFlag(Has.Coverage) ? coverage : null,
                Revision = (int)revision,
            });
        }

        return reader.Left == 0;
    }

    /// <summary>CRC-32C (Castagnoli) of some bytes, continuing from <paramref name="crc"/>.</summary>
    public static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        foreach (var b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return crc;
    }

    private static uint Sum(ReadOnlySpan<byte> group) => ~Crc(Crc(uint.MaxValue, group[..8]), group[12..]);

    private static void Check(in Reading reading)
    {
        if (!double.IsFinite(reading.Value) || (reading.Raw is { } raw && !double.IsFinite(raw)) || (reading.Coverage is { } coverage && !double.IsFinite(coverage)))
        {
            throw new ArgumentException($"A value of {reading.Sensor}/{reading.Property} is not a finite number.", nameof(reading));
        }

        if (reading.PhenomenonTime.Kind != DateTimeKind.Utc)
        {
            throw new ArgumentException($"The time of {reading.Sensor}/{reading.Property} is not UTC.", nameof(reading));
        }

        if (reading.Period < TimeSpan.Zero || reading.Period.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            throw new ArgumentException($"The period of {reading.Sensor}/{reading.Property} is {reading.Period}; whole seconds, 0 or more, are kept.", nameof(reading));
        }
    }

    private static int Index(List<string> strings, ref ByteWriter table, string text)
    {
        var index = strings.IndexOf(text);
        if (index >= 0)
        {
            return index;
        }

        ArgumentException.ThrowIfNullOrEmpty(text);
        var utf8 = Encoding.UTF8.GetBytes(text);
        if (utf8.Length > byte.MaxValue)
        {
            throw new ArgumentException($"The name '{text[..32]}...' takes {utf8.Length} bytes; at most 255 are kept.", nameof(text));
        }

        table.Byte((byte)utf8.Length);
        table.Bytes(utf8);
        strings.Add(text);
        return strings.Count - 1;
    }
}
