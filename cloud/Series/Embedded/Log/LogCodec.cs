using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>First bytes of a segment.</summary>
/// <param name="Number">Number of the segment; the same as in its name.</param>
/// <param name="CommitBefore">Commit of the last record in the segments before; 0 when there never was one.</param>
/// <param name="Salt">Drawn for each segment; goes into the check sums of its records, so that bytes of an older file, or bytes a sender chose, are never taken for a record.</param>
internal readonly record struct LogSegmentHead(long Number, long CommitBefore, uint Salt);

/// <summary>First bytes of a record.</summary>
/// <param name="Commit">Number of the commit.</param>
/// <param name="Count">Rows in it.</param>
/// <param name="Bytes">Length of the whole record, these bytes included.</param>
internal readonly record struct LogRecordHead(long Commit, int Count, int Bytes);

/// <summary>
/// Bytes of the log. All integers are little-endian; "varint" is seven bits a byte, low first; "signed" is zigzag. A test pins them.
/// Segment = head, records, zeros. Head of the segment = mark "HUBLOG" 0 and version u8 · number i64 · commit before i64 · salt u32 · CRC-32C of all before it u32.
/// Record = length of the whole record u32 · count of rows u32 · commit i64 · CRC-32C of the rows u32 · CRC-32C of all before it u32 · rows; both sums begin with the salt.
/// A length of zero is the end. The head has a sum of its own so that a record can be found, and its end is known, where its rows are damaged.
/// Row = flags u8 · datastream (signed, less the row before) · time (signed, microseconds since 1970 less the row before) · result f64 · then, as flagged, quality (varint), raw f64,
/// calibration (signed), coverage f64, revision (signed).
/// </summary>
internal static class LogCodec
{
    public const int SegmentHeadBytes = 32;
    public const int RecordHeadBytes = 24;

    /// <summary>Least and most bytes a row takes.</summary>
    public const int RowBytesMin = 11;

    /// <inheritdoc cref="RowBytesMin"/>
    public const int RowBytesMax = 54;

    /// <summary>Most rows of one record: so many fit in an array of bytes whatever they are.</summary>
    public const int RowsMax = 32_000_000;

    [Flags]
    private enum Has : byte
    {
        Quality = 1,
        Raw = 2,
        Calibration = 4,
        Coverage = 8,
        Revision = 16,
        All = 31,
    }

    /// <summary>Version of this layout.</summary>
    public const byte LayoutVersion = 1;

    private static ReadOnlySpan<byte> Mark => "HUBLOG\0\u0001"u8;

    public static void WriteSegmentHead(Span<byte> room, LogSegmentHead head)
    {
        Mark.CopyTo(room);
        BinaryPrimitives.WriteInt64LittleEndian(room[8..], head.Number);
        BinaryPrimitives.WriteInt64LittleEndian(room[16..], head.CommitBefore);
        BinaryPrimitives.WriteUInt32LittleEndian(room[24..], head.Salt);
        BinaryPrimitives.WriteUInt32LittleEndian(room[28..], Sum(0, room[..28]));
    }

    /// <summary>False when these are not the whole and undamaged first bytes of a segment.</summary>
    public static bool TryReadSegmentHead(ReadOnlySpan<byte> bytes, out LogSegmentHead head)
    {
        head = default;
        if (bytes.Length < SegmentHeadBytes || !bytes.StartsWith(Mark) || BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..]) != Sum(0, bytes[..28]))
        {
            return false;
        }

        head = new LogSegmentHead(BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]));
        return true;
    }

    /// <summary>Version of the layout a segment says it has; null when its mark is not of any.</summary>
    public static byte? Version(ReadOnlySpan<byte> bytes) => bytes.Length >= Mark.Length && bytes.StartsWith(Mark[..^1]) ? bytes[Mark.Length - 1] : null;

    /// <summary>Encodes a record without its sums (see <see cref="Seal"/>). The room must hold <see cref="RecordHeadBytes"/> and <see cref="RowBytesMax"/> for each row.</summary>
    /// <returns>Length of the record.</returns>
    public static int Encode(Span<byte> room, long commit, ReadOnlySpan<Observation> rows)
    {
        var at = RecordHeadBytes;
        long datastream = 0;
        long time = 0;
        foreach (ref readonly var row in rows)
        {
            // One check of the room for the whole row.
            var bytes = room.Slice(at, RowBytesMax);
            var has = default(Has);
            var micros = EventTime.Micros(row.PhenomenonTime);
            var n = Signed(bytes, 1, row.Datastream - datastream);
            n = Signed(bytes, n, micros - time);
            datastream = row.Datastream;
            time = micros;
            n = Double(bytes, n, row.Result);
            if (row.Quality != 0)
            {
                has |= Has.Quality;
                n = Varint(bytes, n, (uint)row.Quality);
            }

            if (!double.IsNaN(row.Raw))
            {
                has |= Has.Raw;
                n = Double(bytes, n, row.Raw);
            }

            if (row.Calibration != 0)
            {
                has |= Has.Calibration;
                n = Signed(bytes, n, row.Calibration);
            }

            if (!double.IsNaN(row.Coverage))
            {
                has |= Has.Coverage;
                n = Double(bytes, n, row.Coverage);
            }

            if (row.Revision != 0)
            {
                has |= Has.Revision;
                n = Signed(bytes, n, row.Revision);
            }

            bytes[0] = (byte)has;
            at += n;
        }

        BinaryPrimitives.WriteInt32LittleEndian(room, at);
        BinaryPrimitives.WriteInt32LittleEndian(room[4..], rows.Length);
        BinaryPrimitives.WriteInt64LittleEndian(room[8..], commit);
        return at;
    }

    /// <summary>Gives an encoded record its sums for the segment it goes to.</summary>
    public static void Seal(Span<byte> record, uint salt)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(record[16..], Sum(salt, record[RecordHeadBytes..]));
        BinaryPrimitives.WriteUInt32LittleEndian(record[20..], Sum(salt, record[..20]));
    }

    /// <summary>Reads the head of a record; false when these bytes are not the undamaged head of one of this segment. The rows are not looked at.</summary>
    public static bool TryReadRecordHead(ReadOnlySpan<byte> bytes, uint salt, out LogRecordHead head)
    {
        head = default;
        if (bytes.Length < RecordHeadBytes)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if (length < RecordHeadBytes || count < 0 || (length - RecordHeadBytes) / RowBytesMin < count || BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]) != Sum(salt, bytes[..20]))
        {
            return false;
        }

        head = new LogRecordHead(BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]), count, length);
        return true;
    }

    /// <summary>Whether the rows of a record, whose head was read, are as they were written.</summary>
    public static bool RowsAreWhole(ReadOnlySpan<byte> record, uint salt) => BinaryPrimitives.ReadUInt32LittleEndian(record[16..]) == Sum(salt, record[RecordHeadBytes..]);

    /// <summary>Decodes the rows of a whole record; false when they are not rows.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, Span<Observation> rows)
    {
        long datastream = 0;
        long time = 0;
        foreach (ref var row in rows)
        {
            if (bytes.IsEmpty)
            {
                return false;
            }

            var has = (Has)bytes[0];
            bytes = bytes[1..];
            if ((has & ~Has.All) != 0 || !TakeSigned(ref bytes, out var step) || !TakeSigned(ref bytes, out var micros) || !TakeDouble(ref bytes, out var result))
            {
                return false;
            }

            datastream += step;
            time += micros;
            if (datastream is < int.MinValue or > int.MaxValue || time < EventTime.MinMicros || time > EventTime.MaxMicros)
            {
                return false;
            }

            ulong quality = 0;
            long calibration = 0;
            long revision = 0;
            var raw = double.NaN;
            var coverage = double.NaN;
            if (((has & Has.Quality) != 0 && !TakeVarint(ref bytes, out quality))
                || ((has & Has.Raw) != 0 && !TakeDouble(ref bytes, out raw))
                || ((has & Has.Calibration) != 0 && !TakeSigned(ref bytes, out calibration))
                || ((has & Has.Coverage) != 0 && !TakeDouble(ref bytes, out coverage))
                || ((has & Has.Revision) != 0 && !TakeSigned(ref bytes, out revision))
                || quality > uint.MaxValue || (int)calibration != calibration || (int)revision != revision)
            {
                return false;
            }

            row = new Observation((int)datastream, EventTime.Time(time), result, (Quality)(uint)quality) { Raw = raw, Calibration = (int)calibration, Coverage = coverage, Revision = (int)revision };
        }

        return bytes.IsEmpty;
    }

    /// <summary>CRC-32C (Castagnoli), begun with a salt.</summary>
    private static uint Sum(uint salt, ReadOnlySpan<byte> bytes)
    {
        var sum = ~salt;
        while (bytes.Length >= sizeof(ulong))
        {
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var b in bytes)
        {
            sum = BitOperations.Crc32C(sum, b);
        }

        return ~sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Double(Span<byte> bytes, int at, double value)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[at..], value);
        return at + sizeof(double);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Signed(Span<byte> bytes, int at, long value) => Varint(bytes, at, (ulong)((value << 1) ^ (value >> 63)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Varint(Span<byte> bytes, int at, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            bytes[at++] = (byte)(value | 0x80);
        }

        bytes[at++] = (byte)value;
        return at;
    }

    private static bool TakeDouble(ref ReadOnlySpan<byte> bytes, out double value)
    {
        if (!BinaryPrimitives.TryReadDoubleLittleEndian(bytes, out value))
        {
            return false;
        }

        bytes = bytes[sizeof(double)..];
        return true;
    }

    private static bool TakeSigned(ref ReadOnlySpan<byte> bytes, out long value)
    {
        var taken = TakeVarint(ref bytes, out var zigzag);
        value = (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
        return taken;
    }

    private static bool TakeVarint(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var (i, shift) = (0, 0); i < bytes.Length && shift < 64; i++, shift += 7)
        {
            value |= (ulong)(bytes[i] & 0x7f) << shift;
            if (bytes[i] < 0x80)
            {
                bytes = bytes[(i + 1)..];
                return true;
            }
        }

        return false;
    }
}
