using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using ZstdSharp;

namespace Hub.Cloud.Series;

/// <summary>Which rows of a slice have a value.</summary>
internal enum PartPresence
{
    None,
    All,
    Some,
}

/// <summary>The values of one column in some rows of a bundle. Made once and filled again.</summary>
internal sealed class PartSlice
{
    private long[] _values = [];
    private byte[] _levels = [];

    public PartPresence Presence { get; set; }

    /// <summary>Whether all rows have <see cref="Constant"/>.</summary>
    public bool IsConstant { get; set; }

    public long Constant { get; set; }

    /// <summary>The values that are there, in order; doubles as their bits. Not filled when constant.</summary>
    public ReadOnlySpan<long> Values => _values.AsSpan(0, Count);

    public int Count { get; private set; }

    /// <summary>For each row whether it has a value; filled when some have.</summary>
    public ReadOnlySpan<byte> Defined => _levels.AsSpan(From, Rows);

    public int From { get; set; }

    public int Rows { get; set; }

    public Span<long> Room(int count)
    {
        if (_values.Length < count)
        {
            _values = new long[Math.Max(count, 4096)];
        }

        Count = count;
        return _values.AsSpan(0, count);
    }

    public Span<byte> LevelRoom(int rows)
    {
        if (_levels.Length < rows)
        {
            _levels = new byte[rows];
        }

        return _levels.AsSpan(0, rows);
    }
}

/// <summary>
/// Everything a reader needs to turn pages into rows: buffers and decompressor, kept from one question to the next. One caller at a time uses one.
/// </summary>
internal sealed class PartScratch : IDisposable
{
    /// <summary>Those of questions, merges and flushes that are done.</summary>
    public static readonly Spares<PartScratch> Spare = new(static () => new(), Math.Max(4, Environment.ProcessorCount * 2));

    private readonly Decompressor _zstd = new();
    private readonly ThriftWriter _header = new();
    private readonly PartSlice _first = new();
    private readonly PartSlice _second = new();
    private readonly PartSlice _third = new();
    private byte[] _stored = [];
    private byte[] _plain = [];

    public void Dispose() => _zstd.Dispose();

    /// <summary>Rows [start, end) of a datastream in a bundle; empty when it is not there.</summary>
    public (int Start, int End) Find(SafeFileHandle file, in PartBundleBounds bundle, int datastream) => Find(file, bundle, datastream, datastream);

    /// <summary>Rows [start, end) of the datastreams from one to another in a bundle; empty when none is there.</summary>
    public (int Start, int End) Find(SafeFileHandle file, in PartBundleBounds bundle, int smallest, int largest)
    {
        if (bundle.MinDatastream >= smallest && bundle.MaxDatastream <= largest)
        {
            return (0, bundle.Rows);
        }

        var chunk = bundle.Group.Chunks[(int)PartColumn.Datastream];
        try
        {
            var page = Load(file, chunk, bundle.Page);
            return new DeltaDecoder(page.Values, page.ValueBytes, bundle.Rows).Find(smallest, largest);
        }
        catch (InvalidDataException error)
        {
            throw In(error, bundle.Group, chunk, bundle.Page);
        }
    }

    /// <summary>The datastreams of a bundle and where the rows of each end.</summary>
    public void Runs(SafeFileHandle file, in PartBundleBounds bundle, List<int> datastreams, List<int> ends)
    {
        datastreams.Clear();
        ends.Clear();
        if (bundle.MinDatastream == bundle.MaxDatastream)
        {
            datastreams.Add(bundle.MinDatastream);
            ends.Add(bundle.Rows);
            return;
        }

        Slice(file, bundle, PartColumn.Datastream, 0, bundle.Rows, _first);
        var values = _first.Values;
        for (var row = 0; row < values.Length;)
        {
            var next = values[row..].IndexOfAnyExcept(values[row]);
            next = next < 0 ? values.Length : row + next;
            datastreams.Add((int)values[row]);
            ends.Add(next);
            if (datastreams.Count > 1 && datastreams[^1] <= datastreams[^2])
            {
                throw In(new InvalidDataException("its datastreams do not ascend"), bundle.Group, bundle.Group.Chunks[0], bundle.Page);
            }

            row = next;
        }
    }

    /// <summary>Times of rows [from, to) of a bundle; valid until the next call.</summary>
    public ReadOnlySpan<long> Times(SafeFileHandle file, in PartBundleBounds bundle, int from, int to)
    {
        Slice(file, bundle, PartColumn.Time, from, to, _first);
        return _first.Values;
    }

    /// <summary>Appends the datastream of each of the rows [from, to) of a bundle.</summary>
    public void AppendDatastreams(SafeFileHandle file, in PartBundleBounds bundle, int from, int to, List<int> into) =>
        AppendIntegers(file, bundle, PartColumn.Datastream, from, to, Room(into, to - from));

    /// <summary>Appends all columns but the time of rows [from, to) of a bundle.</summary>
    public void Append(SafeFileHandle file, in PartBundleBounds bundle, int from, int to, ObservationColumns into)
    {
        AppendMeasured(file, bundle, PartColumn.ResultScaled, from, to, Room(into.Results, to - from), mayLack: false);
        AppendIntegers(file, bundle, PartColumn.Quality, from, to, Room(into.Qualities, to - from));
        AppendMeasured(file, bundle, PartColumn.RawScaled, from, to, Room(into.Raws, to - from), mayLack: true);
        AppendIntegers(file, bundle, PartColumn.Calibration, from, to, Room(into.Calibrations, to - from));
        AppendCoverages(file, bundle, from, to, Room(into.Coverages, to - from));
        AppendIntegers(file, bundle, PartColumn.Revision, from, to, Room(into.Revisions, to - from));
    }

    /// <summary>What figures are made of, in rows [from, to) of a bundle: times, results, flags and, unless there is no room for them, coverages.</summary>
    public void Figures(SafeFileHandle file, in PartBundleBounds bundle, int from, int to, Span<long> micros, Span<double> results, Span<int> qualities, Span<double> coverages)
    {
        Times(file, bundle, from, to).CopyTo(micros);
        AppendMeasured(file, bundle, PartColumn.ResultScaled, from, to, results, mayLack: false);
        AppendIntegers(file, bundle, PartColumn.Quality, from, to, qualities);
        if (!coverages.IsEmpty)
        {
            AppendCoverages(file, bundle, from, to, coverages);
        }
    }

    /// <summary>The values of one column in rows [from, to) of a bundle.</summary>
    public void Slice(SafeFileHandle file, in PartBundleBounds bundle, PartColumn column, int from, int to, PartSlice into)
    {
        var chunk = bundle.Group.Chunks[(int)column];
        into.IsConstant = chunk.Kind == PartChunkKind.Constant;
        into.Constant = into.IsConstant ? chunk.Min!.Value : 0;
        into.Presence = chunk.Kind == PartChunkKind.Empty ? PartPresence.None : PartPresence.All;
        into.From = from;
        into.Rows = to - from;
        into.Room(0);
        if (chunk.Kind != PartChunkKind.Paged)
        {
            return;
        }

        try
        {
            Decode(Load(file, chunk, bundle.Page), chunk, bundle.Rows, from, to, into);
        }
        catch (InvalidDataException error)
        {
            throw In(error, bundle.Group, chunk, bundle.Page);
        }
    }

    /// <summary>Reads and checks a page: the header against the page index, the checksum, the sizes; decompresses it. Valid until the next call.</summary>
    public Page Load(SafeFileHandle file, PartChunk chunk, int page)
    {
        var bytes = chunk.Offsets[page + 1] - chunk.Offsets[page];
        var rows = chunk.RowsOf(page);
        if (bytes > ValueBytesMax(chunk, rows) + PartFormat.LevelBytesMax(rows) + PartFormat.HeaderBytesMax)
        {
            throw new InvalidDataException($"its {bytes} bytes are more than its {rows} rows can take");
        }

        Grow(ref _stored, (int)bytes + DeltaDecoder.Slack);
        var stored = _stored.AsSpan(0, (int)bytes);
        PartFooterReader.Fill(file, stored, chunk.Offsets[page]);
        var header = PartPageHeader.Read(stored, out var length);
        Check(header, stored, length, chunk, rows);
        var body = stored[length..];
        if ((int)Crc32.HashToUInt32(body) != header.Crc)
        {
            throw new InvalidDataException("its checksum is wrong");
        }

        var levels = body[..header.LevelBytes];
        var valueBytes = header.UncompressedBytes - header.LevelBytes;
        if (!header.IsCompressed)
        {
            return new Page(levels, _stored.AsSpan(length + header.LevelBytes), valueBytes, header.Nulls);
        }

        Grow(ref _plain, valueBytes + DeltaDecoder.Slack);
        int unpacked;
        try
        {
            unpacked = _zstd.Unwrap(body[header.LevelBytes..], _plain.AsSpan(0, valueBytes));
        }
        catch (ZstdException error)
        {
            throw new InvalidDataException("it cannot be decompressed", error);
        }

        return unpacked == valueBytes ? new Page(levels, _plain, valueBytes, header.Nulls) : throw new InvalidDataException("it is shorter than its header says");
    }

    /// <summary>The same error with the place in the file.</summary>
    public static InvalidDataException In(InvalidDataException error, PartGroup group, PartChunk chunk, int page) =>
        new($"row group {group.Ordinal}, column {PartFormat.Name(chunk.Column)}, page {page}: {error.Message}", error);

    private static void Decode(Page page, PartChunk chunk, int rows, int from, int to, PartSlice into)
    {
        var (before, count) = (from, to - from);
        if (page.Nulls > 0)
        {
            var levels = into.LevelRoom(rows);
            if (LevelRuns.Decode(page.Levels, levels) != rows - page.Nulls)
            {
                throw new InvalidDataException("its header says another number of values than its levels");
            }

            (before, count) = (levels[..from].Count((byte)1), levels[from..to].Count((byte)1));
            into.Presence = count == 0 ? PartPresence.None : count == to - from ? PartPresence.All : PartPresence.Some;
        }
        else if (!page.Levels.IsEmpty)
        {
            CheckAllDefined(page.Levels, rows);
        }

        var values = into.Room(count);
        if (PartFormat.TypeOf(chunk.Column) != PartType.Double)
        {
            var decoder = new DeltaDecoder(page.Values, page.ValueBytes, rows - page.Nulls);
            decoder.Skip(before);
            decoder.Read(values);
            return;
        }

        if (page.ValueBytes != (rows - page.Nulls) * sizeof(long))
        {
            throw new InvalidDataException("its values are too few or too many");
        }

        if (chunk.Encoding == PartEncoding.Plain)
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = BinaryPrimitives.ReadInt64LittleEndian(page.Values[((before + i) * sizeof(long))..]);
            }

            return;
        }

        Gather(page.Values, rows - page.Nulls, before, values);
    }

    /// <summary>Puts together numbers whose first, second and further bytes stand in eight streams, one behind the other.</summary>
    private static void Gather(ReadOnlySpan<byte> streams, int length, int from, Span<long> values)
    {
        var b0 = streams.Slice((0 * length) + from, values.Length);
        var b1 = streams.Slice((1 * length) + from, values.Length);
        var b2 = streams.Slice((2 * length) + from, values.Length);
        var b3 = streams.Slice((3 * length) + from, values.Length);
        var b4 = streams.Slice((4 * length) + from, values.Length);
        var b5 = streams.Slice((5 * length) + from, values.Length);
        var b6 = streams.Slice((6 * length) + from, values.Length);
        var b7 = streams.Slice((7 * length) + from, values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            var low = (uint)(b0[i] | (b1[i] << 8) | (b2[i] << 16) | (b3[i] << 24));
            var high = (uint)(b4[i] | (b5[i] << 8) | (b6[i] << 16) | (b7[i] << 24));
            values[i] = (long)(((ulong)high << 32) | low);
        }
    }

    private static int ValueBytesMax(PartChunk chunk, int rows) =>
        chunk.Kind == PartChunkKind.Paged || PartFormat.TypeOf(chunk.Column) == PartType.Double ? PartFormat.ValueBytesMax(chunk.Column, rows) : DeltaEncoder.ConstantBytesMax(rows);

    private static void CheckAllDefined(ReadOnlySpan<byte> levels, int rows)
    {
        Span<byte> expected = stackalloc byte[8];
        if (!levels.SequenceEqual(expected[..LevelRuns.EncodeRun(1, rows, expected)]))
        {
            throw new InvalidDataException("its header says another number of values than its levels");
        }
    }

    private static Span<T> Room<T>(List<T> list, int count)
    {
        var from = list.Count;
        CollectionsMarshal.SetCount(list, from + count);
        return CollectionsMarshal.AsSpan(list)[from..];
    }

    private static void Grow(ref byte[] buffer, int length)
    {
        if (buffer.Length < length)
        {
            buffer = new byte[length];
        }
    }

    private static void PutDoubles(PartSlice slice, Span<double> target)
    {
        if (slice.Presence == PartPresence.None)
        {
            return;
        }

        if (slice.IsConstant)
        {
            target.Fill(BitConverter.Int64BitsToDouble(slice.Constant));
        }
        else if (slice.Presence == PartPresence.All)
        {
            MemoryMarshal.Cast<long, double>(slice.Values).CopyTo(target);
        }
        else
        {
            var values = slice.Values;
            var defined = slice.Defined;
            for (int i = 0, next = 0; i < defined.Length; i++)
            {
                if (defined[i] != 0)
                {
                    target[i] = BitConverter.Int64BitsToDouble(values[next++]);
                }
            }
        }
    }

    /// <summary>The header must be, byte for byte, the one this hub writes for what it says: with it the few numbers in it are all that can be wrong, and each is compared with something that a checksum covers.</summary>
    private void Check(PartPageHeader header, ReadOnlySpan<byte> stored, int length, PartChunk chunk, int rows)
    {
        header.Write(_header);
        var valueBytes = header.UncompressedBytes - header.LevelBytes;
        if (!_header.Written.SequenceEqual(stored[..length]) || header.Rows != rows || header.StoredBytes != stored.Length - length || header.Encoding != chunk.Encoding
            || header.LevelBytes < 0 || header.LevelBytes > header.StoredBytes || header.LevelBytes == 0 == PartFormat.IsOptional(chunk.Column)
            || header.Nulls < 0 || header.Nulls > (PartFormat.IsOptional(chunk.Column) ? rows : 0)
            || valueBytes < 0 || valueBytes > ValueBytesMax(chunk, rows) || (header.IsCompressed ? header.UncompressedBytes <= header.StoredBytes : header.UncompressedBytes != header.StoredBytes))
        {
            throw new InvalidDataException("its header does not agree with the footer");
        }
    }

    private void AppendIntegers(SafeFileHandle file, in PartBundleBounds bundle, PartColumn column, int from, int to, Span<int> target)
    {
        Slice(file, bundle, column, from, to, _first);
        if (_first.IsConstant)
        {
            target.Fill((int)_first.Constant);
            return;
        }

        var values = _first.Values;
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = (int)values[i];
        }
    }

    private void AppendCoverages(SafeFileHandle file, in PartBundleBounds bundle, int from, int to, Span<double> target)
    {
        Slice(file, bundle, PartColumn.Coverage, from, to, _first);
        target.Fill(double.NaN);
        PutDoubles(_first, target);
    }

    private void AppendMeasured(SafeFileHandle file, in PartBundleBounds bundle, PartColumn column, int from, int to, Span<double> target, bool mayLack)
    {
        Slice(file, bundle, column, from, to, _first);
        if (_first.Presence != PartPresence.None)
        {
            Slice(file, bundle, column + 1, from, to, _second);
        }

        Slice(file, bundle, column + 2, from, to, _third);
        if (_first.Presence != PartPresence.All && _third.Presence != PartPresence.All)
        {
            target.Fill(double.NaN);
            if (!mayLack && !IsComplete(_first, _third, target.Length))
            {
                throw In(new InvalidDataException("a row has no result"), bundle.Group, bundle.Group.Chunks[(int)column], bundle.Page);
            }
        }

        if (_first.Presence != PartPresence.None && !TryPutScaled(target))
        {
            throw In(new InvalidDataException("its decimals are none"), bundle.Group, bundle.Group.Chunks[(int)column + 1], bundle.Page);
        }

        PutDoubles(_third, target);
    }

    private static bool IsComplete(PartSlice scaled, PartSlice doubles, int rows)
    {
        if (scaled.Presence != PartPresence.Some || doubles.Presence != PartPresence.Some)
        {
            return false;
        }

        var one = scaled.Defined;
        var other = doubles.Defined;
        for (var i = 0; i < rows; i++)
        {
            if ((one[i] | other[i]) == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Divides the whole numbers of the first slice by the powers of ten of the second.</summary>
    private bool TryPutScaled(Span<double> target)
    {
        var powers = DecimalScale.PowersOfTen;
        var decimals = _second.Values;
        var isOne = _second.IsConstant || (_second.Presence == PartPresence.All && decimals.IndexOfAnyExcept(decimals[0]) < 0);
        if (_first.Presence == PartPresence.All && isOne)
        {
            var one = _second.IsConstant ? _second.Constant : decimals[0];
            if ((ulong)one > DecimalScale.DecimalsMax)
            {
                return false;
            }

            Divide(powers[(int)one], 0, target);
            return true;
        }

        if (_second.Presence == PartPresence.None)
        {
            return false;
        }

        // Rows that lack a value, and rows with other decimals, come in stretches: one datastream after the other.
        var (lacks, someDecimals) = (_first.Presence == PartPresence.Some, _second.Presence == PartPresence.Some);
        var defined = lacks ? _first.Defined : [];
        var decimalsDefined = someDecimals ? _second.Defined : [];
        int next = 0, nextDecimals = 0;
        for (var row = 0; row < target.Length;)
        {
            var count = lacks ? Run(defined[row..]) : target.Length - row;
            if (lacks && defined[row] == 0)
            {
                nextDecimals += someDecimals ? decimalsDefined.Slice(row, count).Count((byte)1) : count;
                row += count;
                continue;
            }

            if (someDecimals)
            {
                count = Math.Min(count, Run(decimalsDefined[row..]));
                if (decimalsDefined[row] == 0)
                {
                    return false;
                }
            }

            var places = _second.Constant;
            if (!_second.IsConstant)
            {
                places = decimals[nextDecimals];
                count = Run(decimals.Slice(nextDecimals, count));
                nextDecimals += count;
            }

            if ((ulong)places > DecimalScale.DecimalsMax)
            {
                return false;
            }

            Divide(powers[(int)places], next, target.Slice(row, count));
            next += count;
            row += count;
        }

        return true;
    }

    /// <summary>How many equal ones a span begins with.</summary>
    private static int Run<T>(ReadOnlySpan<T> values)
        where T : IEquatable<T>
    {
        var end = values.IndexOfAnyExcept(values[0]);
        return end < 0 ? values.Length : end;
    }

    private void Divide(double power, int from, Span<double> target)
    {
        if (_first.IsConstant)
        {
            target.Fill(_first.Constant / power);
            return;
        }

        var values = _first.Values.Slice(from, target.Length);
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = values[i] / power;
        }
    }

    /// <summary>A page ready to be decoded.</summary>
    /// <param name="levels">Definition levels.</param>
    /// <param name="values">The values, followed by the slack of <see cref="DeltaDecoder"/>.</param>
    /// <param name="valueBytes">How many bytes the values are.</param>
    /// <param name="nulls">Rows without a value.</param>
    internal readonly ref struct Page(ReadOnlySpan<byte> levels, ReadOnlySpan<byte> values, int valueBytes, int nulls)
    {
        public ReadOnlySpan<byte> Levels { get; } = levels;

        public ReadOnlySpan<byte> Values { get; } = values;

        public int ValueBytes { get; } = valueBytes;

        public int Nulls { get; } = nulls;
    }
}
