namespace Hub.Cloud.Series;

/// <summary>The columns of a part, in their order in the file.</summary>
internal enum PartColumn
{
    Datastream,
    Time,
    ResultScaled,
    ResultDecimals,
    ResultDouble,
    Quality,
    RawScaled,
    RawDecimals,
    RawDouble,
    Calibration,
    Coverage,
    Revision,
}

/// <summary>Physical types of Parquet that a part uses, with their numbers.</summary>
internal enum PartType
{
    Int32 = 1,
    Int64 = 2,
    Double = 5,
}

/// <summary>Encodings of Parquet that a part uses, with their numbers.</summary>
internal enum PartEncoding
{
    Plain = 0,
    Rle = 3,
    DeltaBinaryPacked = 5,
    ByteStreamSplit = 9,
}

/// <summary>Numbers of the Parquet format and the limits of a part. README.md of this folder describes the file.</summary>
internal static class PartFormat
{
    public const int ColumnCount = 12;

    /// <summary>A bundle ends at the end of a datastream once it has this many rows.</summary>
    public const int BundleRows = 16_384;

    /// <summary>A bundle never has more rows: a longer datastream goes on in the next one. What is written, merged and read needs memory for a bundle each.</summary>
    public const int BundleRowsMax = 32_768;

    /// <summary>Parts of earlier versions of the hub have bundles of this many.</summary>
    public const int BundleRowsReadMax = 65_536;

    /// <summary>A row group ends with the bundle that brings it to this many rows.</summary>
    public const int GroupRows = 1_048_576;

    public const int GroupRowsMax = GroupRows + BundleRowsReadMax;

    /// <summary>More than the header of a page takes.</summary>
    public const int HeaderBytesMax = 128;

    public const int CodecZstd = 6;

    public const int ZstdLevel = 3;

    public const int PageTypeDataV2 = 3;

    public const string CreatedBy = "hub";

    public const string FormatKey = "hub.format";

    public const string Format = "1";

    /// <summary>Number of different datastreams.</summary>
    public const string DatastreamsKey = "hub.datastreams";

    /// <summary>CRC-32, eight hexadecimal digits, of everything from the first page index to the end of the footer with the eight digits taken as zeros: Parquet itself has none there.</summary>
    public const string CrcKey = "hub.crc";

    public const string CrcZeros = "00000000";

    /// <summary>Length of the footer (4 bytes) and the magic (4 bytes) at the end of the file.</summary>
    public const int TailBytes = 8;

    private static readonly string[] Names =
    [
        "datastream", "time", "result_scaled", "result_decimals", "result_double", "quality", "raw_scaled", "raw_decimals", "raw_double", "calibration", "coverage", "revision",
    ];

    public static ReadOnlySpan<byte> Magic => "PAR1"u8;

    public static string Name(PartColumn column) => Names[(int)column];

    public static PartType TypeOf(PartColumn column) => column switch
    {
        PartColumn.Time or PartColumn.ResultScaled or PartColumn.RawScaled => PartType.Int64,
        PartColumn.ResultDouble or PartColumn.RawDouble or PartColumn.Coverage => PartType.Double,
        _ => PartType.Int32,
    };

    /// <summary>Whether a row may lack the value; these columns carry definition levels.</summary>
    public static bool IsOptional(PartColumn column) =>
        column is not (PartColumn.Datastream or PartColumn.Time or PartColumn.Quality or PartColumn.Calibration or PartColumn.Revision);

    /// <summary>The two columns of the order, which have a page per bundle always: they are the grid by which a reader finds its bundle.</summary>
    public static bool IsKey(PartColumn column) => column is PartColumn.Datastream or PartColumn.Time;

    /// <summary>The most bytes the values of a page can take before compression.</summary>
    public static int ValueBytesMax(PartColumn column, int rows) => TypeOf(column) == PartType.Double ? rows * sizeof(double) : DeltaEncoder.BytesMax(rows);

    /// <summary>The most bytes the definition levels of a page can take.</summary>
    public static int LevelBytesMax(int rows) => rows + 16;
}
