using System.Buffers.Binary;
using System.IO.Hashing;
using ZstdSharp;

namespace Hub.Cloud.Series;

/// <summary>Makes the pages of a part: levels, values in the encoding that comes out smallest, zstd where that helps, header with CRC. Used by one writer at a time.</summary>
internal sealed class PartPageEncoder : IDisposable
{
    private readonly Compressor _zstd = new(PartFormat.ZstdLevel);
    private readonly ThriftWriter _header = new();
    private byte[] _levels = [];
    private byte[] _values = [];
    private Candidate _best = new();
    private Candidate _other = new();

    public void Dispose() => _zstd.Dispose();

    /// <summary>Encodes a page and adds it, header first, to the output; returns its bytes.</summary>
    /// <param name="column">The column.</param>
    /// <param name="values">The values that are there, doubles as their bits.</param>
    /// <param name="defined">For each row whether it has a value; empty when all have.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="encoding">For doubles the encoding of the chunk; null until its first values have decided it. A chunk of doubles has one encoding, which the footer names.</param>
    /// <param name="output">Where the page goes.</param>
    public PageBytes Encode(PartColumn column, ReadOnlySpan<long> values, ReadOnlySpan<byte> defined, int rows, ref PartEncoding? encoding, GrowingBytes output)
    {
        Grow(ref _values, PartFormat.ValueBytesMax(column, values.Length));
        if (PartFormat.TypeOf(column) == PartType.Double)
        {
            EncodeDoubles(values, ref encoding);
        }
        else
        {
            EncodeIntegers(column, values);
        }

        return Append(column, defined, rows, rows - values.Length, output);
    }

    /// <summary>The encoding in which doubles come out smallest, as the first values of a chunk decide it.</summary>
    public PartEncoding Choose(ReadOnlySpan<long> values)
    {
        PartEncoding? encoding = null;
        Grow(ref _values, values.Length * sizeof(long));
        EncodeDoubles(values, ref encoding);
        return encoding ?? PartEncoding.Plain;
    }

    /// <summary>Encodes a page of one whole number, or of rows without a value.</summary>
    public PageBytes EncodeConstant(PartColumn column, long? value, int rows, PartEncoding encoding, GrowingBytes output)
    {
        var count = value is null ? 0 : rows;
        Grow(ref _values, DeltaEncoder.ConstantBytesMax(count));
        if (PartFormat.TypeOf(column) == PartType.Double)
        {
            if (value is not null)
            {
                throw new ArgumentException("A constant page holds a whole number.", nameof(column));
            }

            _best.Take(_zstd, [], encoding);
        }
        else
        {
            _best.Take(_zstd, _values.AsSpan(0, DeltaEncoder.EncodeConstant(value ?? 0, count, _values)), PartEncoding.DeltaBinaryPacked);
        }

        return AppendRun(column, value is null ? (byte)0 : (byte)1, rows, rows - count, output);
    }

    private static void Grow(ref byte[] buffer, int length)
    {
        if (buffer.Length < length)
        {
            buffer = new byte[length];
        }
    }

    private void EncodeIntegers(PartColumn column, ReadOnlySpan<long> values)
    {
        var type = PartFormat.TypeOf(column);
        _best.Take(_zstd, _values.AsSpan(0, DeltaEncoder.Encode(values, type, DeltaPacking.Bits, _values)), PartEncoding.DeltaBinaryPacked);
        if (type == PartType.Int64 && values.Length > DeltaEncoder.BitsBlock)
        {
            _other.Take(_zstd, _values.AsSpan(0, DeltaEncoder.Encode(values, type, DeltaPacking.Bytes, _values)), PartEncoding.DeltaBinaryPacked);
            TakeSmaller();
        }
    }

    private void EncodeDoubles(ReadOnlySpan<long> values, ref PartEncoding? encoding)
    {
        if (encoding is not PartEncoding.ByteStreamSplit)
        {
            for (var i = 0; i < values.Length; i++)
            {
                BinaryPrimitives.WriteInt64LittleEndian(_values.AsSpan(i * sizeof(long)), values[i]);
            }

            _best.Take(_zstd, _values.AsSpan(0, values.Length * sizeof(long)), PartEncoding.Plain);
        }

        if (encoding is not PartEncoding.Plain)
        {
            for (var stream = 0; stream < sizeof(long); stream++)
            {
                var target = _values.AsSpan(stream * values.Length, values.Length);
                for (var i = 0; i < values.Length; i++)
                {
                    target[i] = (byte)(values[i] >> (8 * stream));
                }
            }

            _other.Take(_zstd, _values.AsSpan(0, values.Length * sizeof(long)), PartEncoding.ByteStreamSplit);
            if (encoding is PartEncoding.ByteStreamSplit)
            {
                (_best, _other) = (_other, _best);
            }
            else
            {
                TakeSmaller();
            }
        }

        if (!values.IsEmpty)
        {
            encoding ??= _best.Encoding;
        }
    }

    private void TakeSmaller()
    {
        if (_other.Stored.Length < _best.Stored.Length)
        {
            (_best, _other) = (_other, _best);
        }
    }

    private PageBytes Append(PartColumn column, ReadOnlySpan<byte> defined, int rows, int nulls, GrowingBytes output)
    {
        if (defined.IsEmpty)
        {
            return AppendRun(column, 1, rows, nulls, output);
        }

        Grow(ref _levels, PartFormat.LevelBytesMax(rows));
        return Append(_levels.AsSpan(0, LevelRuns.Encode(defined, _levels)), rows, nulls, output);
    }

    private PageBytes AppendRun(PartColumn column, byte level, int rows, int nulls, GrowingBytes output)
    {
        Grow(ref _levels, PartFormat.LevelBytesMax(0));
        return Append(_levels.AsSpan(0, PartFormat.IsOptional(column) ? LevelRuns.EncodeRun(level, rows, _levels) : 0), rows, nulls, output);
    }

    private PageBytes Append(ReadOnlySpan<byte> levels, int rows, int nulls, GrowingBytes output)
    {
        var crc = new Crc32();
        crc.Append(levels);
        crc.Append(_best.Stored);
        var header = new PartPageHeader(
            levels.Length + _best.PlainBytes, levels.Length + _best.Stored.Length, (int)crc.GetCurrentHashAsUInt32(), rows, nulls, _best.Encoding, levels.Length, _best.IsCompressed);
        header.Write(_header);
        output.Add(_header.Written);
        output.Add(levels);
        output.Add(_best.Stored);
        return new PageBytes(_header.Length + header.StoredBytes, _header.Length + header.UncompressedBytes);
    }

    /// <summary>Size of a page with its header: as stored, and before compression.</summary>
    internal readonly record struct PageBytes(int Stored, int Uncompressed);

    /// <summary>Values encoded and, where that is smaller, compressed.</summary>
    private sealed class Candidate
    {
        private byte[] _bytes = [];
        private int _length;

        public PartEncoding Encoding { get; private set; }

        public bool IsCompressed { get; private set; }

        public int PlainBytes { get; private set; }

        public ReadOnlySpan<byte> Stored => _bytes.AsSpan(0, _length);

        public void Take(Compressor zstd, ReadOnlySpan<byte> values, PartEncoding encoding)
        {
            Encoding = encoding;
            PlainBytes = values.Length;
            Grow(ref _bytes, Math.Max(values.Length, Compressor.GetCompressBound(values.Length)));
            _length = values.IsEmpty ? 0 : zstd.Wrap(values, _bytes);
            IsCompressed = _length < values.Length;
            if (!IsCompressed)
            {
                values.CopyTo(_bytes);
                _length = values.Length;
            }
        }
    }
}

/// <summary>Bytes to which more are added; cleared and used again.</summary>
internal sealed class GrowingBytes
{
    private byte[] _bytes = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length - Length < bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(4096, Math.Max(_bytes.Length * 2, Length + bytes.Length)));
        }

        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
    }
}
