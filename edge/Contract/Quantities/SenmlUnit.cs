namespace Hub.Edge.Contract.Quantities;

/// <summary>
/// One unit symbol and its way to the primary unit of its kind: <c>primary = value x (Numerator / Denominator) + Offset</c>
/// (RFC 8798 section 3). Immutable.
/// </summary>
public sealed class SenmlUnit
{
    internal SenmlUnit(string symbol, string primary, long numerator, long denominator, double offset, bool needsSecondaryUnits)
    {
        Symbol = symbol;
        Primary = primary;
        Numerator = numerator;
        Denominator = denominator;
        Offset = offset;
        NeedsSecondaryUnits = needsSecondaryUnits;
        Utf8Symbol = System.Text.Encoding.UTF8.GetBytes(symbol);
    }

    /// <summary>The symbol, case-sensitive, at most 8 ASCII characters.</summary>
    public string Symbol { get; }

    /// <summary>Symbol of the primary unit; equal to <see cref="Symbol"/> for a primary unit.</summary>
    public string Primary { get; }

    /// <summary>Scale to the primary unit, dividend. Kept as a fraction of whole numbers so that 1.2e-8 kg/m3 is exactly 12 ug/m3.</summary>
    public long Numerator { get; }

    /// <summary>Scale to the primary unit, divisor.</summary>
    public long Denominator { get; }

    /// <summary>Added after scaling, in the primary unit; 0 for all but <c>dBm</c>.</summary>
    public double Offset { get; }

    /// <summary>True where the pack's version must announce the feature "secondary units" (<c>bver</c> 26) before this symbol may be used.</summary>
    public bool NeedsSecondaryUnits { get; }

    internal byte[] Utf8Symbol { get; }

    /// <summary>Converts a value between two units of one kind. The same unit gives the same bits back.</summary>
    /// <param name="value">Value in <paramref name="from"/>; not finite gives not finite.</param>
    /// <param name="from">Unit of <paramref name="value"/>.</param>
    /// <param name="to">Unit wanted.</param>
    /// <param name="converted">Value in <paramref name="to"/>; at most two roundings away from the exact one.</param>
    /// <returns>False when the two units measure different things.</returns>
    public static bool TryConvert(double value, SenmlUnit from, SenmlUnit to, out double converted)
    {
        if (ReferenceEquals(from, to))
        {
            converted = value;
            return true;
        }

        if (!string.Equals(from.Primary, to.Primary, StringComparison.Ordinal))
        {
            converted = 0;
            return false;
        }

        // One fraction in lowest terms, so that a factor that is a whole number (or one over a whole number) rounds once.
        long numerator = from.Numerator * to.Denominator;
        long denominator = from.Denominator * to.Numerator;
        long common = GreatestCommonDivisor(numerator, denominator);
        double scaled = value * (numerator / common) / (denominator / common);

        // (offset of from - offset of to), brought from the primary unit into the wanted one.
        double shift = from.Offset - to.Offset;
        converted = shift == 0 ? scaled : scaled + (shift * to.Denominator / to.Numerator);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Symbol;

    private static long GreatestCommonDivisor(long a, long b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }

        return a;
    }
}
