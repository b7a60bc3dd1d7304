using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Hub.Cloud.Series;

/// <summary>
/// Reads the end of a part and checks it against itself: the CRC over page index and footer, the columns, that pages stand one behind the other without a gap, that they align to bundles. What it
/// throws says what is wrong; the caller adds the file. Never allocates more than a small multiple of the file.
/// </summary>
internal static class PartFooterReader
{
    public static PartIndex Read(SafeFileHandle file)
    {
        var length = RandomAccess.GetLength(file);
        if (length < PartFormat.Magic.Length + PartFormat.TailBytes)
        {
            throw new InvalidDataException($"its {length} bytes are too few for a Parquet file");
        }

        Span<byte> ends = stackalloc byte[PartFormat.Magic.Length + PartFormat.TailBytes];
        Fill(file, ends[..PartFormat.Magic.Length], 0);
        Fill(file, ends[PartFormat.Magic.Length..], length - PartFormat.TailBytes);
        if (!ends.StartsWith(PartFormat.Magic) || !ends.EndsWith(PartFormat.Magic))
        {
            throw new InvalidDataException("it does not begin and end as a Parquet file");
        }

        var footerBytes = BinaryPrimitives.ReadInt32LittleEndian(ends[PartFormat.Magic.Length..]);
        var footerAt = length - PartFormat.TailBytes - footerBytes;
        if (footerBytes <= 0 || footerAt < PartFormat.Magic.Length)
        {
            throw new InvalidDataException($"its footer of {footerBytes} bytes does not fit into the file of {length}");
        }

        var footer = new byte[footerBytes];
        Fill(file, footer, footerAt);
        var meta = PartFooterFields.Read(footer);
        var indexAt = meta.Groups[0].Chunks[0].ColumnIndexAt;
        if (indexAt < PartFormat.Magic.Length || indexAt > footerAt || footerAt - indexAt > int.MaxValue)
        {
            throw new InvalidDataException("its page index lies outside of the file");
        }

        var index = new byte[footerAt - indexAt];
        Fill(file, index, indexAt);
        CheckCrc(index, footer, meta);
        return Build(meta, index, indexAt, length);
    }

    /// <summary>Reads exactly as many bytes as the target has room for.</summary>
    public static void Fill(SafeFileHandle file, Span<byte> target, long position)
    {
        while (!target.IsEmpty)
        {
            var read = RandomAccess.Read(file, target, position);
            if (read == 0)
            {
                throw new InvalidDataException($"it ends at byte {position}, before what its footer names");
            }

            target = target[read..];
            position += read;
        }
    }

    private static void CheckCrc(byte[] index, byte[] footer, PartFooterFields meta)
    {
        if (meta.CrcAt == 0 || !uint.TryParse(Encoding.ASCII.GetString(footer, meta.CrcAt, PartFormat.CrcZeros.Length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var expected))
        {
            throw new InvalidDataException($"its footer lacks {PartFormat.CrcKey}: it was not written by this hub");
        }

        var crc = new Crc32();
        crc.Append(index);
        crc.Append(footer.AsSpan(0, meta.CrcAt));
        crc.Append("00000000"u8);
        crc.Append(footer.AsSpan(meta.CrcAt + PartFormat.CrcZeros.Length));
        if (crc.GetCurrentHashAsUInt32() != expected)
        {
            throw new InvalidDataException("the checksum of its page index and footer is wrong");
        }
    }

    private static PartIndex Build(PartFooterFields meta, byte[] index, long indexAt, long length)
    {
        var groups = new PartGroup[meta.Groups.Count];
        var bundles = new List<PartBundleBounds>();
        var end = (long)PartFormat.Magic.Length;
        for (var i = 0; i < groups.Length; i++)
        {
            var group = meta.Groups[i];
            if (group.Rows is <= 0 or > PartFormat.GroupRowsMax)
            {
                throw new InvalidDataException($"its row group {i} has {group.Rows} rows");
            }

            var chunks = new PartChunk[PartFormat.ColumnCount];
            for (var column = 0; column < chunks.Length; column++)
            {
                chunks[column] = BuildChunk((PartColumn)column, i, group, index, indexAt, ref end);
            }

            groups[i] = new PartGroup(i, (int)group.Rows, chunks);
            AddBundles(groups[i], group, index, indexAt, bundles);
        }

        if (end != indexAt || meta.Rows != groups.Sum(group => (long)group.Rows))
        {
            throw new InvalidDataException("its row groups are not what its footer says in sum");
        }

        return new PartIndex(groups, [.. bundles], meta.Datastreams, length);
    }

    private static PartChunk BuildChunk(PartColumn column, int ordinal, PartFooterFields.Group group, byte[] index, long indexAt, ref long end)
    {
        var chunk = group.Chunks[(int)column];
        var (offsets, rows) = ReadOffsetIndex(Slice(index, indexAt, chunk.OffsetIndexAt, chunk.OffsetIndexBytes), (int)group.Rows, end);
        var isDouble = PartFormat.TypeOf(column) == PartType.Double;
        var kind = chunk.Nulls == group.Rows ? PartChunkKind.Empty
            : chunk.Nulls == 0 && chunk.Min is { } min && chunk.Max == min && !PartFormat.IsKey(column) ? PartChunkKind.Constant
            : PartChunkKind.Paged;
        var isEncodingKnown = isDouble ? chunk.Encoding is PartEncoding.Plain or PartEncoding.ByteStreamSplit : chunk.Encoding == PartEncoding.DeltaBinaryPacked;
        if (chunk.Column != column || chunk.Values != group.Rows || chunk.At != end || offsets[^1] != end + chunk.Bytes || offsets[^1] > indexAt || !isEncodingKnown
            || chunk.Nulls < 0 || chunk.Nulls > (PartFormat.IsOptional(column) ? group.Rows : 0) || (PartFormat.IsKey(column) && (chunk.Min is null || chunk.Max is null)))
        {
            throw new InvalidDataException($"column {PartFormat.Name(column)} of its row group {ordinal} is not as this hub writes it");
        }

        end = offsets[^1];
        return new PartChunk(column, kind, chunk.Encoding, chunk.Nulls, chunk.Min, chunk.Max, offsets, rows);
    }

    private static void AddBundles(PartGroup group, PartFooterFields.Group meta, byte[] index, long indexAt, List<PartBundleBounds> bundles)
    {
        var grid = group.Chunks[0];
        foreach (var chunk in group.Chunks)
        {
            if (!chunk.FirstRows.AsSpan().SequenceEqual(grid.FirstRows) && !(chunk.Pages == 1 && chunk.Kind != PartChunkKind.Paged))
            {
                throw new InvalidDataException($"the pages of column {PartFormat.Name(chunk.Column)} of its row group {group.Ordinal} do not align to the others");
            }
        }

        var datastreams = ReadColumnIndex(Slice(index, indexAt, meta.Chunks[0].ColumnIndexAt, meta.Chunks[0].ColumnIndexBytes), PartType.Int32, grid.Pages);
        var times = ReadColumnIndex(Slice(index, indexAt, meta.Chunks[1].ColumnIndexAt, meta.Chunks[1].ColumnIndexBytes), PartType.Int64, grid.Pages);
        for (var page = 0; page < grid.Pages; page++)
        {
            var bundle = new PartBundleBounds(
                group, page, grid.RowsOf(page), (int)datastreams[page].Min, (int)datastreams[page].Max, times[page].Min, times[page].Max);
            if (bundle.Rows > PartFormat.BundleRowsReadMax || bundle.MinDatastream > bundle.MaxDatastream || bundle.MinMicros > bundle.MaxMicros
                || (bundles.Count > 0 && bundle.MinDatastream < bundles[^1].MaxDatastream))
            {
                throw new InvalidDataException($"page {page} of its row group {group.Ordinal} is not in order");
            }

            bundles.Add(bundle);
        }
    }

    private static ReadOnlySpan<byte> Slice(byte[] index, long indexAt, long at, int bytes) =>
        at >= indexAt && bytes > 0 && at - indexAt <= index.Length - bytes
            ? index.AsSpan((int)(at - indexAt), bytes)
            : throw new InvalidDataException("a part of its page index lies outside of it");

    private static (long[] Offsets, int[] Rows) ReadOffsetIndex(ReadOnlySpan<byte> bytes, int rows, long end)
    {
        var thrift = new ThriftReader(bytes);
        long[] offsets = [];
        int[] firsts = [];
        thrift.Begin();
        while (thrift.Next(out var field, out var type))
        {
            if (field != 1)
            {
                thrift.Skip(type);
                continue;
            }

            var count = thrift.List(type, ThriftType.Struct);
            offsets = new long[count + 1];
            firsts = new int[count + 1];
            for (var page = 0; page < count; page++)
            {
                var (offset, size, first) = ReadLocation(ref thrift);
                if (offset != end || size <= 0 || (page == 0 ? first != 0 : first <= firsts[page - 1]) || first >= rows)
                {
                    throw new InvalidDataException($"its page at byte {offset} is not where it should be");
                }

                (offsets[page], firsts[page]) = (offset, (int)first);
                end += size;
            }

            (offsets[count], firsts[count]) = (end, rows);
        }

        return offsets.Length > 1 ? (offsets, firsts) : throw new InvalidDataException("a column has no pages");
    }

    private static (long Offset, int Size, long First) ReadLocation(ref ThriftReader thrift)
    {
        long offset = -1, first = -1;
        var size = -1;
        thrift.Begin();
        while (thrift.Next(out var field, out var type))
        {
            switch (field)
            {
                case 1:
                    offset = thrift.I64(type);
                    break;
                case 2:
                    size = thrift.I32(type);
                    break;
                case 3:
                    first = thrift.I64(type);
                    break;
                default:
                    thrift.Skip(type);
                    break;
            }
        }

        return (offset, size, first);
    }

    private static (long Min, long Max)[] ReadColumnIndex(ReadOnlySpan<byte> bytes, PartType physical, int pages)
    {
        var thrift = new ThriftReader(bytes);
        var bounds = new (long Min, long Max)[pages];
        var seen = 0;
        thrift.Begin();
        while (thrift.Next(out var field, out var type))
        {
            var count = field is 1 or 2 or 3 ? thrift.List(type, field == 1 ? ThriftType.True : ThriftType.Binary) : -1;
            if (count < 0)
            {
                thrift.Skip(type);
                continue;
            }

            if (count != pages)
            {
                throw new InvalidDataException($"an index of {count} pages stands where {pages} are");
            }

            seen += field;
            for (var page = 0; page < count; page++)
            {
                switch (field)
                {
                    case 1:
                        _ = thrift.Bool();
                        break;
                    case 2:
                        bounds[page].Min = thrift.Plain(physical);
                        break;
                    default:
                        bounds[page].Max = thrift.Plain(physical);
                        break;
                }
            }
        }

        return seen == 6 ? bounds : throw new InvalidDataException("its index lacks the bounds of the pages");
    }
}
