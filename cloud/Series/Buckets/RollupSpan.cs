namespace Hub.Cloud.Series;

/// <summary>Some cells of a rollup, column by column and in order of time, each as <see cref="RollupRow"/> describes it, with what one question wants of them.</summary>
/// <param name="width">Width of a cell, microseconds.</param>
/// <param name="starts">Begins, microseconds since 1970 UTC.</param>
/// <param name="low">Lower halves of the numbers of observations (<see cref="Halves"/>).</param>
/// <param name="high">Upper halves.</param>
/// <param name="qualities">All flags met in each.</param>
/// <param name="covered">Sums of coverages; NaN where that is the number of observations.</param>
/// <param name="mins">Smallest results.</param>
/// <param name="maxs">Largest results.</param>
/// <param name="values">Sums, energy sums, sums of sines, or first results, as the question wants; empty when it wants nothing besides the rest.</param>
/// <param name="seconds">Sums of cosines, or last results; empty when none are wanted.</param>
internal readonly ref struct RollupSpan(
    long width, ReadOnlySpan<long> starts, ReadOnlySpan<int> low, ReadOnlySpan<int> high, ReadOnlySpan<int> qualities, ReadOnlySpan<double> covered, ReadOnlySpan<double> mins, ReadOnlySpan<double> maxs,
    ReadOnlySpan<double> values, ReadOnlySpan<double> seconds)
{
    private const int CountBits = 31;
    private readonly ReadOnlySpan<int> _low = low;
    private readonly ReadOnlySpan<int> _high = high;
    private readonly ReadOnlySpan<double> _covered = covered;

    /// <summary>Width of a cell, microseconds.</summary>
    public long Width { get; } = width;

    /// <summary>Begins, microseconds since 1970 UTC.</summary>
    public ReadOnlySpan<long> Starts { get; } = starts;

    /// <summary>All flags met in each.</summary>
    public ReadOnlySpan<int> Qualities { get; } = qualities;

    /// <summary>Smallest results.</summary>
    public ReadOnlySpan<double> Mins { get; } = mins;

    /// <summary>Largest results.</summary>
    public ReadOnlySpan<double> Maxs { get; } = maxs;

    /// <summary>What the question wants first; may be empty.</summary>
    public ReadOnlySpan<double> Values { get; } = values;

    /// <summary>What it wants second; may be empty.</summary>
    public ReadOnlySpan<double> Seconds { get; } = seconds;

    /// <summary>Observations in a cell.</summary>
    public long CountOf(int cell) => ((long)_high[cell] << CountBits) | (uint)_low[cell];

    /// <summary>Sum of their coverages.</summary>
    public double CoveredOf(int cell) => double.IsNaN(_covered[cell]) ? CountOf(cell) : _covered[cell];

    /// <summary>The two halves of a number of observations: its lower 31 bits, and the rest.</summary>
    public static (int Low, int High) Halves(long count) => ((int)(count & int.MaxValue), (int)(count >> CountBits));

    /// <summary>Cells [from, to) of these.</summary>
    public RollupSpan this[Range range]
    {
        get
        {
            var (from, count) = range.GetOffsetAndLength(Starts.Length);
            return new RollupSpan(
                Width, Starts.Slice(from, count), _low.Slice(from, count), _high.Slice(from, count), Qualities.Slice(from, count), _covered.Slice(from, count), Mins.Slice(from, count), Maxs.Slice(from, count),
                Values.IsEmpty ? [] : Values.Slice(from, count), Seconds.IsEmpty ? [] : Seconds.Slice(from, count));
        }
    }
}
