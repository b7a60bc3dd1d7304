using System.Globalization;
using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>
/// The results of one bucket at a time, kept for a percentile: it cannot be had from parts, so all of them are in memory, within a limit. Used by one caller at a time; the memory is used again
/// for the next bucket.
/// </summary>
/// <param name="percent">Percent of the results at or below it, 0 to 100.</param>
public sealed class Percentiles(double percent)
{
    /// <summary>Results of one bucket at most: 8 MB, and about 0.1 s to put in order.</summary>
    public const int ResultsMax = 1_000_000;

    private readonly List<double> _results = [];

    /// <summary>Adds a result to the bucket.</summary>
    /// <exception cref="ArgumentException">The bucket has more results than memory is given for.</exception>
    public void Add(double result)
    {
        if (_results.Count == ResultsMax)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture, $"A percentile is taken of at most {ResultsMax} observations and a bucket has more: ask for narrower buckets."));
        }

        _results.Add(result);
    }

    /// <summary>The percentile of what was added since the last time; at least one result.</summary>
    public double Take()
    {
        var results = CollectionsMarshal.AsSpan(_results);
        results.Sort();
        var value = Of(results, percent);
        _results.Clear();
        return value;
    }

    /// <summary>Of results in ascending order: linear interpolation between the closest ranks (Hyndman and Fan, type 7).</summary>
    public static double Of(ReadOnlySpan<double> ascending, double percent)
    {
        var place = (ascending.Length - 1) * (percent / 100);
        var below = (int)Math.Floor(place);
        var low = ascending[below];
        var share = place - below;
        if (share == 0)
        {
            // + 0.0: -0 and +0 are equal numbers, and which of them came first is not told.
            return low + 0.0;
        }

        var high = ascending[below + 1];
        var step = high - low;

        // Two results at the ends of what a number can say are further apart than it can.
        return (double.IsFinite(step) ? low + (share * step) : (low * (1 - share)) + (high * share)) + 0.0;
    }
}
