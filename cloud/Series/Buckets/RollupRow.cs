using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>Sums of a row of a rollup that only some quantities need.</summary>
[Flags]
internal enum RollupColumns
{
    /// <summary>What every row has: count, flags, coverage, sum, smallest, largest.</summary>
    None = 0,

    /// <summary>Energy sum, for levels.</summary>
    Energy = 1,

    /// <summary>Sums of sines and cosines, for directions.</summary>
    Direction = 2,

    /// <summary>First and last result.</summary>
    Ends = 4,

    /// <summary>Everything.</summary>
    All = Energy | Direction | Ends,
}

/// <summary>
/// What is kept of the observations of one datastream in one cell of a rollup, whatever their flags. From it follows every statistic but a percentile, for the cell and for any bucket that
/// is made of whole cells.
/// </summary>
/// <remarks>
/// Count, smallest, largest, first, last and flags are exact. The sums are those of the observations in order of time, so they depend on the set of observations alone, to the last bit, never on
/// the order they came in; a sum over cells differs from one over observations only by rounding (each addition rounds once, to 2^-53 of the sum so far). What was not wanted of it is NaN.
/// </remarks>
/// <param name="Start">Begin of the cell, microseconds since 1970 UTC, inclusive.</param>
/// <param name="End">Its end, exclusive.</param>
/// <param name="Count">Observations in it.</param>
/// <param name="Quality">All quality flags met in it.</param>
/// <param name="Covered">Sum of the observations' coverages (1 when not stated): times the cadence it is the time covered.</param>
/// <param name="Sum">Sum of results.</param>
/// <param name="Min">Smallest result.</param>
/// <param name="Max">Largest result.</param>
/// <param name="EnergySum">Sum of 10^(result/10); infinite where results are no levels and large.</param>
/// <param name="East">Sum of the sines of results taken as degrees.</param>
/// <param name="North">Sum of their cosines.</param>
/// <param name="First">Result with the earliest phenomenon time.</param>
/// <param name="Last">Result with the latest phenomenon time.</param>
internal readonly record struct RollupRow(
    long Start, long End, long Count, Quality Quality, double Covered, double Sum, double Min, double Max, double EnergySum, double East, double North, double First, double Last)
{
    /// <summary>What a question wants of it was not kept.</summary>
    public bool Lacks { get; init; }
}
