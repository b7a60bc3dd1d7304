using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>What a row in a file of rollups says of its cell. The numbers stand in files; a datastream has room for 16.</summary>
internal enum RollupCode
{
    /// <summary>Smallest, largest, count, flags, coverage. Every cell has it.</summary>
    Extent = 0,

    /// <summary>Sum of results. Every cell has it.</summary>
    Sum = 1,

    /// <summary>Energy sum.</summary>
    Energy = 2,

    /// <summary>Sums of sines and cosines.</summary>
    Direction = 3,

    /// <summary>First and last result.</summary>
    Ends = 4,
}

/// <summary>
/// Rows of rollups in the long form in which they stand in files: a part has two columns for measured values, so a cell takes a row for each code, and the rows of one code are together. README.md
/// describes it. Pure.
/// </summary>
internal static class RollupCells
{
    /// <summary>Codes of one datastream.</summary>
    public const int CodesPerDatastream = 16;

    /// <summary>Codes in use, of all observations of a cell.</summary>
    public const int CodeCount = 5;

    /// <summary>From here on the same codes of a cell's observations without a flag; in kept rollups, of cells that have flags.</summary>
    public const int WithoutFlags = 8;

    /// <summary>Datastreams with larger numbers have no rollups: their rows would have no number.</summary>
    public const int DatastreamMax = int.MaxValue / CodesPerDatastream - 1;

    /// <summary>Number of the only row of a file without a cell (of minutes, where no observations are finer): a part has a row, and the days have to be known as done.</summary>
    public const int NoCellKey = int.MaxValue;

    /// <summary>A sum this many representable numbers away from a decimal is kept as that decimal and the difference.</summary>
    private const long StepsMax = 1 << 24;

    /// <summary>Number under which the rows of a code stand.</summary>
    public static int Key(int datastream, RollupCode code, bool withoutFlags = false) => (datastream * CodesPerDatastream) + (int)code + (withoutFlags ? WithoutFlags : 0);

    /// <summary>The code, besides the extent, of which a statistic is made; the extent where it is enough.</summary>
    public static RollupCode Needed(Statistic statistic) => statistic switch
    {
        Statistic.Sum or Statistic.Mean => RollupCode.Sum,
        Statistic.EnergyMean => RollupCode.Energy,
        Statistic.CircularMean => RollupCode.Direction,
        Statistic.First or Statistic.Last => RollupCode.Ends,
        _ => RollupCode.Extent,
    };

    /// <summary>The sums worth keeping for a datastream of which this statistic is asked; all of them where none is known.</summary>
    public static RollupColumns Worth(Statistic? statistic) => statistic switch
    {
        null => RollupColumns.All,
        Statistic.EnergyMean => RollupColumns.Energy,
        Statistic.CircularMean => RollupColumns.Direction,
        Statistic.First or Statistic.Last => RollupColumns.Ends,
        _ => RollupColumns.None,
    };

    /// <summary>Whether rows of a code are kept with these columns.</summary>
    public static bool Has(RollupColumns columns, RollupCode code) => code switch
    {
        RollupCode.Energy => (columns & RollupColumns.Energy) != 0,
        RollupCode.Direction => (columns & RollupColumns.Direction) != 0,
        RollupCode.Ends => (columns & RollupColumns.Ends) != 0,
        _ => true,
    };

    /// <summary>Appends the rows of one code, one for each cell.</summary>
    /// <param name="code">The code.</param>
    /// <param name="rows">Rows of one datastream and day, in order of time.</param>
    /// <param name="into">Receives them; its times are the begins of the cells.</param>
    public static void Encode(RollupCode code, IReadOnlyList<RollupRow> rows, ObservationColumns into)
    {
        var decimals = code == RollupCode.Sum ? Decimals(rows) : -1;
        foreach (var row in rows)
        {
            var (result, raw, difference) = code switch
            {
                RollupCode.Extent => (row.Min, row.Max, 0),
                RollupCode.Sum => Split(row.Sum, decimals),
                RollupCode.Energy => (row.EnergySum, double.NaN, 0),
                RollupCode.Direction => (row.East, row.North, 0),
                _ => (row.First, row.Last, 0),
            };
            var (low, high) = RollupSpan.Halves(row.Count);
            var isExtent = code == RollupCode.Extent;
            into.Micros.Add(row.Start);
            into.Results.Add(result);
            into.Raws.Add(raw);
            into.Qualities.Add(isExtent ? (int)row.Quality : 0);
            into.Calibrations.Add(isExtent ? high : difference);
            into.Coverages.Add(isExtent && row.Covered != row.Count ? row.Covered : double.NaN);
            into.Revisions.Add(isExtent ? low : 0);
        }
    }

    /// <summary>The sum that a row says.</summary>
    public static double Join(double result, double raw, int difference) =>
        !double.IsNaN(raw) ? raw : difference == 0 ? result : BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(result) + difference);

    /// <summary>Decimals of the results, as far as their smallest and largest show; -1 when they have too many.</summary>
    private static int Decimals(IReadOnlyList<RollupRow> rows)
    {
        var values = new double[2 * rows.Count];
        for (var i = 0; i < rows.Count; i++)
        {
            (values[2 * i], values[(2 * i) + 1]) = (rows[i].Min + 0.0, rows[i].Max + 0.0);
        }

        return DecimalScale.Scale(values, passNaN: false, new long[values.Length]);
    }

    /// <summary>
    /// A sum as the decimal next to it and how many representable numbers lie between. The decimals cost a few bits each, the sums themselves, each rounded otherwise, nearly eight bytes. Where little is left of
    /// large summands the difference is too large: then the sum itself stands beside the decimal.
    /// </summary>
    private static (double Result, double Raw, int Difference) Split(double sum, int decimals)
    {
        if (decimals < 0 || !double.IsFinite(sum))
        {
            return (sum, double.NaN, 0);
        }

        var power = DecimalScale.PowersOfTen[decimals];
        var scaled = Math.Round(sum * power);
        if (!(Math.Abs(scaled) <= 1L << 53))
        {
            return (sum, double.NaN, 0);
        }

        // Without the sign of a zero.
        var near = (scaled / power) + 0.0;
        var steps = BitConverter.DoubleToInt64Bits(sum) - BitConverter.DoubleToInt64Bits(near);
        return double.IsNegative(sum) == double.IsNegative(near) && Math.Abs(steps) <= StepsMax ? (near, double.NaN, (int)steps) : (near, sum, 0);
    }
}
