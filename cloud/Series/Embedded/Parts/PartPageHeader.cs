namespace Hub.Cloud.Series;

/// <summary>What stands before the bytes of a page: a PageHeader of Parquet with a data page of version 2.</summary>
/// <param name="UncompressedBytes">Levels and values before compression.</param>
/// <param name="StoredBytes">Levels and values as stored.</param>
/// <param name="Crc">CRC-32 of the stored levels and values.</param>
/// <param name="Rows">Rows of the page.</param>
/// <param name="Nulls">Rows without a value.</param>
/// <param name="Encoding">Encoding of the values.</param>
/// <param name="LevelBytes">Bytes of the definition levels, which are never compressed.</param>
/// <param name="IsCompressed">Whether the values are.</param>
internal readonly record struct PartPageHeader(int UncompressedBytes, int StoredBytes, int Crc, int Rows, int Nulls, PartEncoding Encoding, int LevelBytes, bool IsCompressed)
{
    /// <summary>Writes the header; the writer is cleared first.</summary>
    public void Write(ThriftWriter thrift)
    {
        thrift.Clear();
        thrift.Begin();
        thrift.I32(1, PartFormat.PageTypeDataV2);
        thrift.I32(2, UncompressedBytes);
        thrift.I32(3, StoredBytes);
        thrift.I32(4, Crc);
        thrift.Begin(8);
        thrift.I32(1, Rows);
        thrift.I32(2, Nulls);
        thrift.I32(3, Rows);
        thrift.I32(4, (int)Encoding);
        thrift.I32(5, LevelBytes);
        thrift.I32(6, 0);
        thrift.Bool(7, IsCompressed);
        thrift.End();
        thrift.End();
    }

    /// <summary>Reads the header at the beginning of a page and says how long it is.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static PartPageHeader Read(ReadOnlySpan<byte> page, out int length)
    {
        var thrift = new ThriftReader(page);
        int type = -1, uncompressed = -1, stored = -1, crc = 0, rows = -1, nulls = -1, encoding = -1, levels = -1;
        var isCompressed = true;
        thrift.Begin();
        while (thrift.Next(out var field, out var kind))
        {
            switch (field)
            {
                case 1:
                    type = thrift.I32(kind);
                    break;
                case 2:
                    uncompressed = thrift.I32(kind);
                    break;
                case 3:
                    stored = thrift.I32(kind);
                    break;
                case 4:
                    crc = thrift.I32(kind);
                    break;
                case 8 when kind == ThriftType.Struct:
                    thrift.Begin();
                    while (thrift.Next(out var inner, out kind))
                    {
                        switch (inner)
                        {
                            case 1:
                                rows = thrift.I32(kind);
                                break;
                            case 2:
                                nulls = thrift.I32(kind);
                                break;
                            case 4:
                                encoding = thrift.I32(kind);
                                break;
                            case 5:
                                levels = thrift.I32(kind);
                                break;
                            case 7:
                                isCompressed = ThriftReader.Bool(kind);
                                break;
                            default:
                                thrift.Skip(kind);
                                break;
                        }
                    }

                    break;
                default:
                    thrift.Skip(kind);
                    break;
            }
        }

        length = thrift.Position;
        return type == PartFormat.PageTypeDataV2
            ? new PartPageHeader(uncompressed, stored, crc, rows, nulls, (PartEncoding)encoding, levels, isCompressed)
            : throw new InvalidDataException("its header is not that of a data page");
    }
}
