using System.Globalization;
using System.Text;

namespace Hub.Cloud.Series;

/// <summary>The fields of a footer that a reader of parts needs, as they stand in it; nothing but the columns and the format is checked here.</summary>
internal sealed class PartFooterFields
{
    public List<Group> Groups { get; } = [];

    public long Rows { get; private set; }

    public string? Format { get; private set; }

    public int Datastreams { get; private set; }

    /// <summary>Where the digits of the CRC stand in the footer; 0 when they are missing.</summary>
    public int CrcAt { get; private set; }

    /// <exception cref="InvalidDataException">The bytes are no footer of a part.</exception>
    public static PartFooterFields Read(ReadOnlySpan<byte> footer)
    {
        var meta = new PartFooterFields();
        var thrift = new ThriftReader(footer);
        thrift.Begin();
        while (thrift.Next(out var field, out var type))
        {
            switch (field)
            {
                case 2:
                    ReadSchema(ref thrift, type);
                    break;
                case 3:
                    meta.Rows = thrift.I64(type);
                    break;
                case 4:
                    var groups = thrift.List(type, ThriftType.Struct);
                    for (var i = 0; i < groups; i++)
                    {
                        meta.Groups.Add(ReadGroup(ref thrift));
                    }

                    break;
                case 5:
                    ReadPairs(ref thrift, type, meta);
                    break;
                case 7:
                    var orders = thrift.List(type, ThriftType.Struct);
                    for (var i = 0; i < orders; i++)
                    {
                        thrift.Skip(ThriftType.Struct);
                    }

                    break;
                default:
                    thrift.Skip(type);
                    break;
            }
        }

        if (meta.Format != PartFormat.Format)
        {
            throw new InvalidDataException(meta.Format is null
                ? $"its footer lacks {PartFormat.FormatKey}: it was not written by this hub"
                : $"its format is {meta.Format} and this hub reads {PartFormat.Format}: use the version of the hub that wrote it, or a newer one");
        }

        return thrift.Position == footer.Length && meta.Groups.Count > 0 ? meta : throw new InvalidDataException("its footer is not complete");
    }

    private static void ReadSchema(ref ThriftReader thrift, ThriftType type)
    {
        var count = thrift.List(type, ThriftType.Struct);
        if (count != PartFormat.ColumnCount + 1)
        {
            throw new InvalidDataException($"it has {count - 1} columns: it was not written by this hub");
        }

        for (var i = -1; i < PartFormat.ColumnCount; i++)
        {
            int physical = -1, repetition = -1;
            var name = "";
            thrift.Begin();
            while (thrift.Next(out var field, out var kind))
            {
                switch (field)
                {
                    case 1:
                        physical = thrift.I32(kind);
                        break;
                    case 3:
                        repetition = thrift.I32(kind);
                        break;
                    case 4:
                        name = Encoding.UTF8.GetString(thrift.Binary(kind));
                        break;
                    default:
                        thrift.Skip(kind);
                        break;
                }
            }

            var column = (PartColumn)i;
            if (i >= 0 && (physical != (int)PartFormat.TypeOf(column) || repetition != (PartFormat.IsOptional(column) ? 1 : 0) || name != PartFormat.Name(column)))
            {
                throw new InvalidDataException($"its column {i} is not {PartFormat.Name(column)} as this hub writes it");
            }
        }
    }

    private static void ReadPairs(ref ThriftReader thrift, ThriftType type, PartFooterFields meta)
    {
        var count = thrift.List(type, ThriftType.Struct);
        for (var i = 0; i < count; i++)
        {
            string key = "", value = "";
            var end = 0;
            thrift.Begin();
            while (thrift.Next(out var field, out var kind))
            {
                if (field is 1 or 2)
                {
                    var text = Encoding.UTF8.GetString(thrift.Binary(kind));
                    (key, value) = field == 1 ? (text, value) : (key, text);
                    end = thrift.Position;
                }
                else
                {
                    thrift.Skip(kind);
                }
            }

            switch (key)
            {
                case PartFormat.FormatKey:
                    meta.Format = value;
                    break;
                case PartFormat.DatastreamsKey:
                    meta.Datastreams = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var datastreams) ? datastreams : 0;
                    break;
                case PartFormat.CrcKey when value.Length == PartFormat.CrcZeros.Length:
                    meta.CrcAt = end - PartFormat.CrcZeros.Length;
                    break;
                default:
                    break;
            }
        }
    }

    private static Group ReadGroup(ref ThriftReader thrift)
    {
        var group = new Group();
        thrift.Begin();
        while (thrift.Next(out var field, out var type))
        {
            switch (field)
            {
                case 1:
                    var chunks = thrift.List(type, ThriftType.Struct);
                    for (var i = 0; i < chunks; i++)
                    {
                        group.Chunks.Add(ReadChunk(ref thrift));
                    }

                    break;
                case 3:
                    group.Rows = thrift.I64(type);
                    break;
                case 4:
                    var sorting = thrift.List(type, ThriftType.Struct);
                    for (var i = 0; i < sorting; i++)
                    {
                        thrift.Skip(ThriftType.Struct);
                    }

                    break;
                default:
                    thrift.Skip(type);
                    break;
            }
        }

        return group.Chunks.Count == PartFormat.ColumnCount ? group : throw new InvalidDataException($"a row group has {group.Chunks.Count} columns");
    }

    private static Chunk ReadChunk(ref ThriftReader thrift)
    {
        var chunk = new Chunk();
        thrift.Begin();
        while (thrift.Next(out var field, out var type))
        {
            switch (field)
            {
                case 3 when type == ThriftType.Struct:
                    ReadColumn(ref thrift, chunk);
                    break;
                case 4:
                    chunk.OffsetIndexAt = thrift.I64(type);
                    break;
                case 5:
                    chunk.OffsetIndexBytes = thrift.I32(type);
                    break;
                case 6:
                    chunk.ColumnIndexAt = thrift.I64(type);
                    break;
                case 7:
                    chunk.ColumnIndexBytes = thrift.I32(type);
                    break;
                default:
                    thrift.Skip(type);
                    break;
            }
        }

        return chunk;
    }

    private static void ReadColumn(ref ThriftReader thrift, Chunk chunk)
    {
        var codec = -1;
        thrift.Begin();
        while (thrift.Next(out var field, out var type))
        {
            switch (field)
            {
                case 2:
                    var encodings = thrift.List(type, ThriftType.I32);
                    for (var i = 0; i < encodings; i++)
                    {
                        var encoding = (PartEncoding)thrift.Signed();
                        chunk.Encoding = encoding == PartEncoding.Rle ? chunk.Encoding : encoding;
                    }

                    break;
                case 3:
                    var names = thrift.List(type, ThriftType.Binary);
                    for (var i = 0; i < names; i++)
                    {
                        var name = Encoding.UTF8.GetString(thrift.Binary());
                        for (var column = PartColumn.Datastream; (int)column < PartFormat.ColumnCount; column++)
                        {
                            chunk.Column = name == PartFormat.Name(column) ? column : chunk.Column;
                        }
                    }

                    break;
                case 4:
                    codec = thrift.I32(type);
                    break;
                case 5:
                    chunk.Values = thrift.I64(type);
                    break;
                case 7:
                    chunk.Bytes = thrift.I64(type);
                    break;
                case 9:
                    chunk.At = thrift.I64(type);
                    break;
                case 12 when type == ThriftType.Struct:
                    ReadStatistics(ref thrift, chunk);
                    break;
                default:
                    thrift.Skip(type);
                    break;
            }
        }

        if (codec != PartFormat.CodecZstd)
        {
            throw new InvalidDataException($"a column is compressed by codec {codec}");
        }
    }

    private static void ReadStatistics(ref ThriftReader thrift, Chunk chunk)
    {
        // The path stands before the statistics, so the type of the bounds is known.
        var physical = (int)chunk.Column >= 0 ? PartFormat.TypeOf(chunk.Column) : PartType.Int64;
        thrift.Begin();
        while (thrift.Next(out var field, out var type))
        {
            switch (field)
            {
                case 3:
                    chunk.Nulls = thrift.I64(type);
                    break;
                case 5:
                    chunk.Max = thrift.Plain(type, physical);
                    break;
                case 6:
                    chunk.Min = thrift.Plain(type, physical);
                    break;
                default:
                    thrift.Skip(type);
                    break;
            }
        }
    }

    internal sealed class Group
    {
        public List<Chunk> Chunks { get; } = [];

        public long Rows { get; set; }
    }

    internal sealed class Chunk
    {
        public PartColumn Column { get; set; } = (PartColumn)(-1);

        public PartEncoding Encoding { get; set; } = (PartEncoding)(-1);

        public long Values { get; set; }

        public long Bytes { get; set; }

        public long At { get; set; }

        public long Nulls { get; set; } = -1;

        public long? Min { get; set; }

        public long? Max { get; set; }

        public long OffsetIndexAt { get; set; }

        public int OffsetIndexBytes { get; set; }

        public long ColumnIndexAt { get; set; }

        public int ColumnIndexBytes { get; set; }
    }
}
