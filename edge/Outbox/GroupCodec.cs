using System.Buffers.Binary;
using System.IO.Compression;
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

    /// <summary>What decoding works with, kept for the next group: the strings of one, and room for one unpacked.</summary>
    public List<string> Strings { get; } = [];

    /// <inheritdoc cref="Strings"/>
    public byte[] Room = [];
}

/// <summary>
/// Bytes of a group (all integers little-endian; "varint" is seven bits a byte, low first; "signed" is zigzag): head = mark u32, body length u32,
/// CRC-32C u32 of everything else, count u32, sequence i64. Body = taken at (varint, unix seconds) · strings (varint count; each a length byte and UTF-8) ·
/// cursor (varint 0, or index of the source + 1, varint length, bytes) · readings. Reading = flags u8 · sensor, property (varint indexes) ·
/// time (signed varint, microseconds after the previous reading's) · value f64 · then, as flagged, quality, period s, raw f64, calibration, coverage f64, revision.
/// A group whose mark ends in 2 has its body packed: its length (varint), then Brotli (RFC 7932). Agents read both.
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

    /// <summary>Body bytes from which packing is worth a try.</summary>
    private const int PackBytesMin = 200;

    /// <summary>Brotli's effort and window (64 KiB): a third is saved at 3 already, and more memory than this the agent has not to give.</summary>
    private const int PackQuality = 5;
    private const int PackWindow = 16;

    /// <summary>Bytes of a group past which its room is not kept.</summary>
    private const int KeptBytesMax = 64 * 1024;

    private const byte Packed = 2;

    /// <summary>First bytes of a group: "HOB" and the version of this layout.</summary>
    public static ReadOnlySpan<byte> Mark => "HOB\u0001"u8;

    /// <summary>First bytes of every group, packed or not.</summary>
    public static ReadOnlySpan<byte> AnyMark => "HOB"u8;

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

    /// <summary>
    /// Encodes head and body with the sequence still open (see <see cref="Seal"/>). The bytes stand in memory that this thread uses again: they are valid until it encodes the next group, and must not
    /// be kept over an await.
    /// </summary>
    /// <exception cref="ArgumentException">Something that cannot be kept; the message says what.</exception>
    public static Span<byte> Encode(
        ReadOnlySpan<Reading> readings, SourceCursor? cursor, DateTimeOffset takenAt, int cursorBytesMax = CursorBytesMax, string? boot = null, bool pack = false)
    {
        if (readings.Length > ReadingsMax)
        {
            throw new ArgumentException($"{readings.Length} readings in one group; at most {ReadingsMax} are kept together.", nameof(readings));
        }

        var scratch = Scratch.Clear();
        var strings = scratch.Strings;
        ref var table = ref scratch.Table;
        ref var body = ref scratch.Body;
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
            if ((flags & Has.Quality) != 0)
            {
                body.Varint((uint)reading.Quality);
            }

            if ((flags & Has.Period) != 0)
            {
                body.Varint((ulong)(reading.Period.Ticks / TimeSpan.TicksPerSecond));
            }

            if ((flags & Has.Raw) != 0)
            {
                body.Double(reading.Raw!.Value);
            }

            if ((flags & Has.Calibration) != 0)
            {
                body.Signed(reading.Calibration);
            }

            if ((flags & Has.Coverage) != 0)
            {
                body.Double(reading.Coverage!.Value);
            }

            if ((flags & Has.Revision) != 0)
            {
                body.Signed(reading.Revision);
            }
        }

        if (boot is not null)
        {
            _ = Index(strings, ref table, BootMark + boot);
        }

        ref var whole = ref scratch.Whole;
        whole.Skip(HeadBytes);
        whole.Varint((ulong)Math.Max(0, takenAt.ToUnixTimeSeconds()));
        whole.Varint((ulong)strings.Count);
        whole.Bytes(table.Written);
        whole.Bytes(body.Written);
        var group = whole.Room;
        var bodyBytes = group.Length - HeadBytes;
        if (bodyBytes > BodyBytesMax)
        {
            throw new ArgumentException($"The group takes {bodyBytes} bytes; at most {BodyBytesMax} are kept together.", nameof(readings));
        }

        var version = Mark[^1];
        if (pack && bodyBytes >= PackBytesMin && TryPack(group[HeadBytes..], ref scratch.Packed))
        {
            group = scratch.Packed.Room;
            version = Packed;
        }

        AnyMark.CopyTo(group);
        group[AnyMark.Length] = version;
        BinaryPrimitives.WriteInt32LittleEndian(group[4..], group.Length - HeadBytes);
        BinaryPrimitives.WriteInt32LittleEndian(group[12..], readings.Length);
        return group;
    }

    /// <summary>Writes a group with a body packed, its head still to be filled in; false where that would not be smaller.</summary>
    private static bool TryPack(ReadOnlySpan<byte> body, ref ByteWriter writer)
    {
        writer.Skip(HeadBytes);
        writer.Varint((ulong)body.Length);

        // No more room than a body that is not packed takes: what does not fit is not smaller.
        var room = writer.Take(HeadBytes + body.Length - writer.Length - 1);
        if (!BrotliEncoder.TryCompress(body, room, out var length, PackQuality, PackWindow))
        {
            return false;
        }

        writer.Shorten(room.Length - length);
        return true;
    }

    /// <summary>The body of a packed group, in memory that is used again for the next one; false when it is not one of ours.</summary>
    private static bool TryUnpack(ReadOnlySpan<byte> packed, ref byte[] room, out ReadOnlySpan<byte> body)
    {
        body = default;
        var reader = new ByteReader(packed);
        if (!reader.Varint(out var length) || length > BodyBytesMax || !reader.Bytes(reader.Left, out var rest))
        {
            return false;
        }

        var into = length <= (ulong)room.Length ? room : new byte[length];
        if (length <= KeptBytesMax)
        {
            room = into;
        }

        body = into.AsSpan(0, (int)length);
        return BrotliDecoder.TryDecompress(rest, into.AsSpan(0, (int)length), out var written) && written == body.Length;
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
        if (bytes.Length < HeadBytes || !bytes.StartsWith(AnyMark) || (bytes[AnyMark.Length] != Mark[^1] && bytes[AnyMark.Length] != Packed))
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
        var body = group[HeadBytes..];
        if (group[AnyMark.Length] == Packed && !TryUnpack(body, ref content.Room, out body))
        {
            return false;
        }

        var reader = new ByteReader(body);
        if (!reader.Varint(out var taken) || taken > 253_402_300_799 || !reader.Varint(out var stringCount) || stringCount > (ulong)reader.Left)
        {
            return false;
        }

        content.TakenAt = DateTimeOffset.FromUnixTimeSeconds((long)taken);
        var strings = content.Strings;
        strings.Clear();
        for (var i = 0; i < (int)stringCount; i++)
        {
            if (!reader.Byte(out var length) || !reader.Bytes(length, out var utf8))
            {
                return false;
            }

            var text = pool.Get(utf8);
            strings.Add(text);
            content.Boot = text.StartsWith(BootMark) ? text[1..] : content.Boot;
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

            content.Cursor = new SourceCursor(strings[(int)source - 1], cursor.ToArray());
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
            if (((flags & Has.Quality) != 0 && !reader.Varint(out quality)) || ((flags & Has.Period) != 0 && !reader.Varint(out period))
                || ((flags & Has.Raw) != 0 && !reader.Double(out raw)) || ((flags & Has.Calibration) != 0 && !reader.Signed(out calibration))
                || ((flags & Has.Coverage) != 0 && !reader.Double(out coverage)) || ((flags & Has.Revision) != 0 && !reader.Signed(out revision)))
            {
                return false;
            }

            micros = unchecked(micros + delta);
            if (micros < 0 || micros > DateTime.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond || period > (ulong)(TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerSecond))
            {
                return false;
            }

            content.Readings.Add(new Reading(strings[(int)sensor], strings[(int)property], new DateTime(micros * TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc), value)
            {
                Quality = (Quality)(int)(uint)quality,
                Period = TimeSpan.FromTicks((long)period * TimeSpan.TicksPerSecond),
                Raw = (flags & Has.Raw) != 0 ? raw : null,
                Calibration = (int)calibration,
                Coverage = (flags & Has.Coverage) != 0 ? coverage : null,
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
        Span<byte> room = stackalloc byte[byte.MaxValue];
        if (!Encoding.UTF8.TryGetBytes(text, room, out var length))
        {
            throw new ArgumentException($"The name '{text[..32]}...' takes {Encoding.UTF8.GetByteCount(text)} bytes; at most 255 are kept.", nameof(text));
        }

        table.Byte((byte)length);
        table.Bytes(room[..length]);
        strings.Add(text);
        return strings.Count - 1;
    }

    /// <summary>What encoding a group works with, kept by each thread: an append is encoded every few seconds for years.</summary>
    private sealed class Scratch
    {
        [ThreadStatic]
        private static Scratch? t_kept;

        public List<string> Strings { get; } = new(16);

        public ByteWriter Table = new(256);

        public ByteWriter Body = new(512);

        public ByteWriter Whole = new(1024);

        public ByteWriter Packed = new(1024);

        /// <summary>This thread's, empty. What is written into it is valid until the next group is encoded.</summary>
        public static Scratch Clear()
        {
            var scratch = t_kept ??= new Scratch();
            if (scratch.Whole.Length > KeptBytesMax)
            {
                scratch = t_kept = new Scratch();
            }

            scratch.Strings.Clear();
            scratch.Table.Clear();
            scratch.Body.Clear();
            scratch.Whole.Clear();
            scratch.Packed.Clear();
            return scratch;
        }
    }
}
