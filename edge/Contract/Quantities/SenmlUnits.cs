using System.Diagnostics.CodeAnalysis;

namespace Hub.Edge.Contract.Quantities;

/// <summary>
/// Every unit symbol the wire knows: the IANA registries "SenML units" (RFC 8428, RFC 8798) and "secondary units" (RFC 8798 and later
/// registrations), and two of our own that the registries lack. Immutable; safe from any thread.
/// </summary>
public static class SenmlUnits
{
    // Not in the IANA registries, but the canonical units of two of our quantities. Treated as secondary units: a reader that does not
    // announce the feature could not know them either.
    private static readonly SenmlUnit[] Own =
    [
        Secondary("mg/m3", "kg/m3", 1, 1_000_000),
        Secondary("1/cm3", "1/cm3", 1, 1),
    ];

    private static readonly SenmlUnit[] Table =
    [
        .. new[]
        {
            "m", "kg", "s", "A", "K", "cd", "mol", "Hz", "rad", "sr", "N", "Pa", "J", "W", "C", "V", "F", "Ohm", "S", "Wb", "T", "H",
            "Cel", "lm", "lx", "Bq", "Gy", "Sv", "kat", "m2", "m3", "m/s", "m/s2", "m3/s", "W/m2", "cd/m2", "bit", "bit/s", "lat", "lon",
            "pH", "dB", "dBW", "Bspl", "count", "/", "%RH", "%EL", "EL", "1/s", "beat/min", "beats", "S/m",
            "B", "VA", "VAs", "var", "vars", "J/m", "kg/m3", "deg", "NTU",
        }.Select(static symbol => Primary(symbol, symbol, 1, 1)),

        // Registered as primary but not recommended: each is another registered unit, scaled. "%" is a ratio, not a percentage.
        Primary("g", "kg", 1, 1000),
        Primary("l", "m3", 1, 1000),
        Primary("l/s", "m3/s", 1, 1000),
        Primary("1/min", "1/s", 1, 60),
        Primary("%", "/", 1, 1),

        Secondary("ms", "s", 1, 1000),
        Secondary("min", "s", 60, 1),
        Secondary("h", "s", 3600, 1),
        Secondary("MHz", "Hz", 1_000_000, 1),
        Secondary("kW", "W", 1000, 1),
        Secondary("kVA", "VA", 1000, 1),
        Secondary("kvar", "var", 1000, 1),
        Secondary("Ah", "C", 3600, 1),
        Secondary("Wh", "J", 3600, 1),
        Secondary("kWh", "J", 3_600_000, 1),
        Secondary("varh", "vars", 3600, 1),
        Secondary("kvarh", "vars", 3_600_000, 1),
        Secondary("VAh", "VAs", 3600, 1),
        Secondary("kVAh", "VAs", 3_600_000, 1),
        Secondary("Wh/km", "J/m", 18, 5),
        Secondary("KiB", "B", 1024, 1),
        Secondary("GB", "B", 1_000_000_000, 1),
        Secondary("Mbit/s", "bit/s", 1_000_000, 1),
        Secondary("B/s", "bit/s", 8, 1),
        Secondary("MB/s", "bit/s", 8_000_000, 1),
        Secondary("mV", "V", 1, 1000),
        Secondary("mA", "A", 1, 1000),
        new SenmlUnit("dBm", "dBW", 1, 1, -30, needsSecondaryUnits: true),
        Secondary("ug/m3", "kg/m3", 1, 1_000_000_000),
        Secondary("mg/l", "kg/m3", 1, 1000),
        Secondary("ug/l", "kg/m3", 1, 1_000_000),
        Secondary("g/l", "kg/m3", 1, 1),
        Secondary("mm/h", "m/s", 1, 3_600_000),
        Secondary("m/h", "m/s", 1, 3600),
        Secondary("/100", "/", 1, 100),
        Secondary("/1000", "/", 1, 1000),
        Secondary("ppm", "/", 1, 1_000_000),
        Secondary("ppb", "/", 1, 1_000_000_000),
        Secondary("ppt", "/", 1, 1_000_000_000_000),
        Secondary("hPa", "Pa", 100, 1),
        Secondary("mm", "m", 1, 1000),
        Secondary("cm", "m", 1, 100),
        Secondary("km", "m", 1000, 1),
        Secondary("km/h", "m/s", 5, 18),
        .. Own,
    ];

    private static readonly Utf8Table<SenmlUnit> Index = new(Table, static unit => unit.Utf8Symbol);

    /// <summary>All units, primary ones first.</summary>
    public static IReadOnlyList<SenmlUnit> All { get; } = Array.AsReadOnly(Table);

    /// <summary>Finds a unit by its symbol in UTF-8 (case-sensitive), without allocating.</summary>
    public static bool TryGet(ReadOnlySpan<byte> utf8Symbol, [NotNullWhen(true)] out SenmlUnit? unit) => Index.TryGet(utf8Symbol, out unit);

    /// <summary>Finds a unit by its symbol (case-sensitive).</summary>
    public static bool TryGet(string symbol, [NotNullWhen(true)] out SenmlUnit? unit) =>
        Index.TryGet(System.Text.Encoding.UTF8.GetBytes(symbol), out unit);

    private static SenmlUnit Primary(string symbol, string primary, long numerator, long denominator) =>
        new(symbol, primary, numerator, denominator, offset: 0, needsSecondaryUnits: false);

    private static SenmlUnit Secondary(string symbol, string primary, long numerator, long denominator) =>
        new(symbol, primary, numerator, denominator, offset: 0, needsSecondaryUnits: true);
}
