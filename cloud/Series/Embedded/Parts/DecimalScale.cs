namespace Hub.Cloud.Series;

/// <summary>
/// Values with a few decimals as whole numbers: <c>scaled / 10^decimals</c> is the value, bit for bit, by one correctly rounded division. That is so for every number of up to 15 digits written with
/// up to <see cref="DecimalsMax"/> decimals; each value is checked all the same.
/// </summary>
internal static class DecimalScale
{
    public const int DecimalsMax = 9;

    // Up to here every whole number is a double.
    private const double ScaledMax = 1L << 53;

    private static readonly double[] Powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

    /// <summary>10 to the power of the decimals, exact.</summary>
    public static ReadOnlySpan<double> PowersOfTen => Powers;

    /// <summary>The fewest decimals, 0 to 9, with which all values are whole numbers; -1 when there are none. NaN is passed over: its whole number is of no meaning.</summary>
    public static int Scale(ReadOnlySpan<double> values, bool passNaN, Span<long> scaled)
    {
        for (var decimals = 0; decimals <= DecimalsMax; decimals++)
        {
            if (TryScale(values, passNaN, Powers[decimals], scaled))
            {
                return decimals;
            }
        }

        return -1;
    }

    private static bool TryScale(ReadOnlySpan<double> values, bool passNaN, double power, Span<long> scaled)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i];
            var product = Math.Round(value * power);
            if (!(Math.Abs(product) <= ScaledMax))
            {
                if (passNaN && double.IsNaN(value))
                {
                    continue;
                }

                return false;
            }

            // Compared as bits: -0 is not 0.
            if (BitConverter.DoubleToInt64Bits(product / power) != BitConverter.DoubleToInt64Bits(value) || (product == 0 && double.IsNegative(product)))
            {
                return false;
            }

            scaled[i] = (long)product;
        }

        return true;
    }
}
