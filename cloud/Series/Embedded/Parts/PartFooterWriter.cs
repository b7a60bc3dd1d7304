using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace Hub.Cloud.Series;

/// <summary>Gathers what the footer says of each row group and writes the end of a part: page indexes, footer, length, magic. Used by one writer.</summary>
internal sealed class PartFooterWriter
{
    private readonly List<Group> _groups = [];

    /// <summary>Adds a row group whose columns stand one behind the other from a position of the file on.</summary>
    public void AddGroup(IReadOnlyList<PartColumnWriter> columns, long position)
    {
        var chunks = new Chunk[columns.Count];
        for (var i = 0; i < chunks.Length; i++)
        {
            var column = columns[i];
            long? min = null, max = null;
            if (column.TryGetBounds(out var smallest, out var largest))
            {
                (min, max) = (smallest, largest);
            }

            chunks[i] = new Chunk(column.Column, column.Encoding, position, column.Bytes.Length, column.UncompressedBytes, column.Nulls, min, max, [.. column.Pages]);
            position += column.Bytes.Length;
        }

        _groups.Add(new Group(columns[0].Rows, chunks));
    }

    /// <summary>What was added, for the manifest.</summary>
    public PartSummary Summary(int datastreams, long bytes) => new(
        _groups.Sum(group => group.Rows),
        datastreams,
        _groups.Min(group => group.Chunks[(int)PartColumn.Time].Min!.Value),
        _groups.Max(group => group.Chunks[(int)PartColumn.Time].Max!.Value),
        bytes);

    /// <summary>The end of the file, which begins at a position of it.</summary>
    public byte[] Complete(long position, int datastreams)
    {
        var index = new ThriftWriter();
        var columnIndexes = new List<(int From, int Bytes)>();
        var offsetIndexes = new List<(int From, int Bytes)>();
        foreach (var chunk in _groups.SelectMany(group => group.Chunks))
        {
            var from = index.Length;
            if (PartFormat.IsKey(chunk.Column))
            {
                WriteColumnIndex(index, chunk);
            }

            columnIndexes.Add((from, index.Length - from));
        }

        foreach (var chunk in _groups.SelectMany(group => group.Chunks))
        {
            var from = index.Length;
            WriteOffsetIndex(index, chunk);
            offsetIndexes.Add((from, index.Length - from));
        }

        var footer = new ThriftWriter();
        footer.Begin();
        footer.I32(1, 2);
        WriteSchema(footer);
        footer.I64(3, _groups.Sum(group => group.Rows));
        footer.List(4, ThriftType.Struct, _groups.Count);
        for (var i = 0; i < _groups.Count; i++)
        {
            WriteGroup(footer, i, position, columnIndexes, offsetIndexes);
        }

        footer.List(5, ThriftType.Struct, 3);
        WritePair(footer, PartFormat.FormatKey, PartFormat.Format);
        WritePair(footer, PartFormat.DatastreamsKey, datastreams.ToString(CultureInfo.InvariantCulture));
        WritePair(footer, PartFormat.CrcKey, PartFormat.CrcZeros);
        var digits = footer.Length - 1 - PartFormat.CrcZeros.Length;
        footer.Text(6, PartFormat.CreatedBy);
        footer.List(7, ThriftType.Struct, PartFormat.ColumnCount);
        for (var i = 0; i < PartFormat.ColumnCount; i++)
        {
            footer.Begin();
            footer.Begin(1);
            footer.End();
            footer.End();
        }

        footer.End();
        var crc = new Crc32();
        crc.Append(index.Written);
        crc.Append(footer.Written);
        footer.Patch(digits, Encoding.ASCII.GetBytes(crc.GetCurrentHashAsUInt32().ToString("x8", CultureInfo.InvariantCulture)));
        var length = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, footer.Length);
        return [.. index.Written, .. footer.Written, .. length, .. PartFormat.Magic];
    }

    private static void WriteColumnIndex(ThriftWriter index, Chunk chunk)
    {
        var type = PartFormat.TypeOf(chunk.Column);
        index.Begin();
        index.List(1, ThriftType.True, chunk.Pages.Length);
        foreach (var _ in chunk.Pages)
        {
            index.Bool(false);
        }

        index.List(2, ThriftType.Binary, chunk.Pages.Length);
        foreach (var page in chunk.Pages)
        {
            index.Plain(type, page.Min);
        }

        index.List(3, ThriftType.Binary, chunk.Pages.Length);
        foreach (var page in chunk.Pages)
        {
            index.Plain(type, page.Max);
        }

        // The pages of the datastreams ascend; those of the times begin anew with each bundle.
        index.I32(4, chunk.Column == PartColumn.Datastream ? 1 : 0);
        index.End();
    }

    private static void WriteOffsetIndex(ThriftWriter index, Chunk chunk)
    {
        index.Begin();
        index.List(1, ThriftType.Struct, chunk.Pages.Length);
        var (offset, row) = (chunk.Position, 0L);
        foreach (var page in chunk.Pages)
        {
            index.Begin();
            index.I64(1, offset);
            index.I32(2, page.Bytes);
            index.I64(3, row);
            index.End();
            offset += page.Bytes;
            row += page.Rows;
        }

        index.End();
    }

    private static void WriteSchema(ThriftWriter footer)
    {
        footer.List(2, ThriftType.Struct, PartFormat.ColumnCount + 1);
        footer.Begin();
        footer.Text(4, "observations");
        footer.I32(5, PartFormat.ColumnCount);
        footer.End();
        for (var column = PartColumn.Datastream; (int)column < PartFormat.ColumnCount; column++)
        {
            footer.Begin();
            footer.I32(1, (int)PartFormat.TypeOf(column));
            footer.I32(3, PartFormat.IsOptional(column) ? 1 : 0);
            footer.Text(4, PartFormat.Name(column));
            if (column == PartColumn.Time)
            {
                // TIMESTAMP_MICROS, and the same as logical type: in UTC, in microseconds.
                footer.I32(6, 10);
                footer.Begin(10);
                footer.Begin(8);
                footer.Bool(1, true);
                footer.Begin(2);
                footer.Begin(2);
                footer.End();
                footer.End();
                footer.End();
                footer.End();
            }
            else if (column is PartColumn.ResultDecimals or PartColumn.RawDecimals)
            {
                // INT_8, and the same as logical type: 8 bits, signed.
                footer.I32(6, 15);
                footer.Begin(10);
                footer.Begin(10);
                footer.I8(1, 8);
                footer.Bool(2, true);
                footer.End();
                footer.End();
            }

            footer.End();
        }
    }

    private static void WritePair(ThriftWriter footer, string key, string value)
    {
        footer.Begin();
        footer.Text(1, key);
        footer.Text(2, value);
        footer.End();
    }

    private static void WriteStatistics(ThriftWriter footer, Chunk chunk)
    {
        footer.Begin(12);
        footer.I64(3, chunk.Nulls);
        if (chunk.Min is { } min && chunk.Max is { } max)
        {
            var type = PartFormat.TypeOf(chunk.Column);
            footer.Plain(5, type, max);
            footer.Plain(6, type, min);
        }

        footer.End();
    }

    private void WriteGroup(ThriftWriter footer, int ordinal, long position, List<(int From, int Bytes)> columnIndexes, List<(int From, int Bytes)> offsetIndexes)
    {
        var group = _groups[ordinal];
        footer.Begin();
        footer.List(1, ThriftType.Struct, group.Chunks.Length);
        for (var i = 0; i < group.Chunks.Length; i++)
        {
            var chunk = group.Chunks[i];
            var (columnIndex, offsetIndex) = (columnIndexes[(ordinal * PartFormat.ColumnCount) + i], offsetIndexes[(ordinal * PartFormat.ColumnCount) + i]);
            footer.Begin();
            footer.I64(2, 0);
            WriteChunk(footer, chunk, group.Rows);
            footer.I64(4, position + offsetIndex.From);
            footer.I32(5, offsetIndex.Bytes);
            if (columnIndex.Bytes > 0)
            {
                footer.I64(6, position + columnIndex.From);
                footer.I32(7, columnIndex.Bytes);
            }

            footer.End();
        }

        footer.I64(2, group.Chunks.Sum(chunk => chunk.UncompressedBytes));
        footer.I64(3, group.Rows);
        footer.List(4, ThriftType.Struct, 2);
        for (var i = 0; i < 2; i++)
        {
            footer.Begin();
            footer.I32(1, i);
            footer.Bool(2, false);
            footer.Bool(3, false);
            footer.End();
        }

        footer.I64(5, group.Chunks[0].Position);
        footer.I64(6, group.Chunks.Sum(chunk => chunk.Bytes));
        if (ordinal <= short.MaxValue)
        {
            footer.I16(7, (short)ordinal);
        }

        footer.End();
    }

    private static void WriteChunk(ThriftWriter footer, Chunk chunk, long rows)
    {
        footer.Begin(3);
        footer.I32(1, (int)PartFormat.TypeOf(chunk.Column));
        var isOptional = PartFormat.IsOptional(chunk.Column);
        footer.List(2, ThriftType.I32, isOptional ? 2 : 1);
        footer.Signed((int)chunk.Encoding);
        if (isOptional)
        {
            footer.Signed((int)PartEncoding.Rle);
        }

        footer.List(3, ThriftType.Binary, 1);
        footer.Text(PartFormat.Name(chunk.Column));
        footer.I32(4, PartFormat.CodecZstd);
        footer.I64(5, rows);
        footer.I64(6, chunk.UncompressedBytes);
        footer.I64(7, chunk.Bytes);
        footer.I64(9, chunk.Position);
        WriteStatistics(footer, chunk);
        footer.End();
    }

    private sealed record Group(long Rows, Chunk[] Chunks);

    private sealed record Chunk(PartColumn Column, PartEncoding Encoding, long Position, long Bytes, long UncompressedBytes, long Nulls, long? Min, long? Max, PartPage[] Pages);
}
