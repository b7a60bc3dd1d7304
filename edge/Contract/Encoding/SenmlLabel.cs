namespace Hub.Edge.Contract.Encoding;

/// <summary>The fields a record can have: those of RFC 8428 (table 1) and ours (FORMAT.md). The number is a bit position, nothing on the wire.</summary>
internal enum SenmlLabel
{
    Unknown,
    BaseName,
    BaseTime,
    BaseUnit,
    BaseValue,
    BaseSum,
    BaseVersion,
    Name,
    Unit,
    Value,
    StringValue,
    BooleanValue,
    DataValue,
    Sum,
    Time,
    UpdateTime,
    Quality,
    Period,
    Raw,
    Coverage,
    Calibration,
    Revision,
}

internal enum SenmlFieldType
{
    Number,
    Text,
    Boolean,

    /// <summary>Base64url text in JSON, a byte string in CBOR.</summary>
    Data,
}

internal static class SenmlLabels
{
    public const uint BaseMask = (1u << (int)SenmlLabel.BaseName) | (1u << (int)SenmlLabel.BaseTime) | (1u << (int)SenmlLabel.BaseUnit)
        | (1u << (int)SenmlLabel.BaseValue) | (1u << (int)SenmlLabel.BaseSum) | (1u << (int)SenmlLabel.BaseVersion);

    public const uint ValueMask = (1u << (int)SenmlLabel.Value) | (1u << (int)SenmlLabel.StringValue)
        | (1u << (int)SenmlLabel.BooleanValue) | (1u << (int)SenmlLabel.DataValue);

    /// <summary>All labels that say something about the record itself, which a record with only base fields lacks.</summary>
    public const uint RegularMask = ~(BaseMask | 1u);

    // In the order of the enumeration. CBOR uses the integers of RFC 8428 table 6 and, as the RFC asks, texts for everything later.
    private static readonly byte[][] Texts =
    [
        [], "bn"u8.ToArray(), "bt"u8.ToArray(), "bu"u8.ToArray(), "bv"u8.ToArray(), "bs"u8.ToArray(), "bver"u8.ToArray(),
        "n"u8.ToArray(), "u"u8.ToArray(), "v"u8.ToArray(), "vs"u8.ToArray(), "vb"u8.ToArray(), "vd"u8.ToArray(), "s"u8.ToArray(),
        "t"u8.ToArray(), "ut"u8.ToArray(),
        "hq"u8.ToArray(), "hp"u8.ToArray(), "hr"u8.ToArray(), "hc"u8.ToArray(), "hv"u8.ToArray(), "hn"u8.ToArray(),
    ];

    public static bool Has(uint mask, SenmlLabel label) => (mask & (1u << (int)label)) != 0;

    public static ReadOnlySpan<byte> Utf8(SenmlLabel label) => Texts[(int)label];

    public static string Text(SenmlLabel label) => System.Text.Encoding.ASCII.GetString(Texts[(int)label]);

    public static SenmlFieldType TypeOf(SenmlLabel label) => label switch
    {
        SenmlLabel.BaseName or SenmlLabel.BaseUnit or SenmlLabel.Name or SenmlLabel.Unit or SenmlLabel.StringValue => SenmlFieldType.Text,
        SenmlLabel.BooleanValue => SenmlFieldType.Boolean,
        SenmlLabel.DataValue => SenmlFieldType.Data,
        _ => SenmlFieldType.Number,
    };

    public static SenmlLabel FromText(ReadOnlySpan<byte> text)
    {
        if (text.Length == 1)
        {
            return text[0] switch
            {
                (byte)'n' => SenmlLabel.Name,
                (byte)'u' => SenmlLabel.Unit,
                (byte)'v' => SenmlLabel.Value,
                (byte)'s' => SenmlLabel.Sum,
                (byte)'t' => SenmlLabel.Time,
                _ => SenmlLabel.Unknown,
            };
        }

        if (text.Length == 2)
        {
            return (text[0], text[1]) switch
            {
                ((byte)'b', (byte)'n') => SenmlLabel.BaseName,
                ((byte)'b', (byte)'t') => SenmlLabel.BaseTime,
                ((byte)'b', (byte)'u') => SenmlLabel.BaseUnit,
                ((byte)'b', (byte)'v') => SenmlLabel.BaseValue,
                ((byte)'b', (byte)'s') => SenmlLabel.BaseSum,
                ((byte)'v', (byte)'s') => SenmlLabel.StringValue,
                ((byte)'v', (byte)'b') => SenmlLabel.BooleanValue,
                ((byte)'v', (byte)'d') => SenmlLabel.DataValue,
                ((byte)'u', (byte)'t') => SenmlLabel.UpdateTime,
                ((byte)'h', (byte)'q') => SenmlLabel.Quality,
                ((byte)'h', (byte)'p') => SenmlLabel.Period,
                ((byte)'h', (byte)'r') => SenmlLabel.Raw,
                ((byte)'h', (byte)'c') => SenmlLabel.Coverage,
                ((byte)'h', (byte)'v') => SenmlLabel.Calibration,
                ((byte)'h', (byte)'n') => SenmlLabel.Revision,
                _ => SenmlLabel.Unknown,
            };
        }

        return text.SequenceEqual("bver"u8) ? SenmlLabel.BaseVersion : SenmlLabel.Unknown;
    }

    public static SenmlLabel FromInteger(long key) => key switch
    {
        -1 => SenmlLabel.BaseVersion,
        -2 => SenmlLabel.BaseName,
        -3 => SenmlLabel.BaseTime,
        -4 => SenmlLabel.BaseUnit,
        -5 => SenmlLabel.BaseValue,
        -6 => SenmlLabel.BaseSum,
        0 => SenmlLabel.Name,
        1 => SenmlLabel.Unit,
        2 => SenmlLabel.Value,
        3 => SenmlLabel.StringValue,
        4 => SenmlLabel.BooleanValue,
        5 => SenmlLabel.Sum,
        6 => SenmlLabel.Time,
        7 => SenmlLabel.UpdateTime,
        8 => SenmlLabel.DataValue,
        _ => SenmlLabel.Unknown,
    };

    /// <summary>The CBOR key of a field that RFC 8428 itself defines.</summary>
    public static int ToInteger(SenmlLabel label) => label switch
    {
        SenmlLabel.BaseVersion => -1,
        SenmlLabel.BaseName => -2,
        SenmlLabel.BaseTime => -3,
        SenmlLabel.BaseUnit => -4,
        SenmlLabel.BaseValue => -5,
        SenmlLabel.BaseSum => -6,
        SenmlLabel.Name => 0,
        SenmlLabel.Unit => 1,
        SenmlLabel.Value => 2,
        SenmlLabel.StringValue => 3,
        SenmlLabel.BooleanValue => 4,
        SenmlLabel.Sum => 5,
        SenmlLabel.Time => 6,
        SenmlLabel.UpdateTime => 7,
        SenmlLabel.DataValue => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(label)),
    };
}
