using System.Numerics;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.QualityControl.Checks;

/// <summary>QARTOD spike test over the time before and after, then the neighbour test with the neighbours' median and their median absolute deviation.</summary>
internal static class SpikeCheck
{
    /// <summary>Scale that makes the median absolute deviation of normally distributed values their standard deviation (Hampel, Journal of the American Statistical Association 69, 1974).</summary>
    public const double MadScale = 1.4826;

    /// <summary>Most neighbours that are compared with: the nearest.</summary>
    public const int NeighboursMax = 16;

    /// <summary>A verdict depends on its own datastream and on the neighbours' at most so far before and after it, microseconds.</summary>
    public static long Reach(SpikeParameters parameters) => parameters.WithinSeconds * Instants.PerSecond;

    /// <summary>
    /// Indices of observations that stand out of their own before and after, in order. They alone need neighbours. Not for directions and states that have no median: none then.
    /// </summary>
    /// <param name="own">Observations fit to be judged.</param>
    /// <param name="parameters">Limits.</param>
    /// <param name="averaging">How the quantity combines.</param>
    /// <param name="from">Only of observations at or after it, microseconds since 1970 UTC.</param>
    /// <param name="to">And before it.</param>
    public static List<int> Candidates(Samples own, SpikeParameters parameters, AveragingRule averaging, long from = long.MinValue, long to = long.MaxValue)
    {
        var candidates = new List<int>();
        if (averaging == AveragingRule.CircularMean)
        {
            return candidates;
        }

        // Medians take the whole window: only of those that can be a spike at all, which its extremes tell without looking through it.
        var within = Reach(parameters);
        var window = new List<double>();
        var (before, after) = (new Extremes(own.Values), new Extremes(own.Values));
        var (first, last) = (0, 0);
        for (var at = own.FirstAt(from); at < own.Count && own.Times[at] < to; at++)
        {
            while (own.Times[at] - own.Times[first] > within)
            {
                first++;
            }

            while (last + 1 < own.Count && own.Times[last + 1] - own.Times[at] <= within)
            {
                last++;
            }

            last = Math.Max(last, at);
            before.Move(first, at - 1);
            after.Move(at + 1, last);
            if (first == at || last == at)
            {
                continue;
            }

            foreach (var side in (ReadOnlySpan<int>)[1, -1])
            {
                if (before.StandsOff(own.Values[at], side, parameters.Floor) && after.StandsOff(own.Values[at], side, parameters.Floor)
                    && StandsOffMedian(own.Values[at], side, own.Values.AsSpan(first, at - first), parameters.Floor, window)
                    && StandsOffMedian(own.Values[at], side, own.Values.AsSpan(at + 1, last - at), parameters.Floor, window))
                {
                    candidates.Add(at);
                }
            }
        }

        return candidates;
    }

    /// <summary>Verdicts in order of time.</summary>
    /// <param name="own">Observations fit to be judged.</param>
    /// <param name="candidates">What <see cref="Candidates"/> found.</param>
    /// <param name="neighbours">Fit observations of each neighbouring station.</param>
    /// <param name="parameters">Limits.</param>
    public static List<Verdict> Judge(Samples own, IReadOnlyList<int> candidates, IReadOnlyList<Samples> neighbours, SpikeParameters parameters)
    {
        var verdicts = new List<Verdict>();
        var values = new List<double>(neighbours.Count);
        var window = new List<double>(neighbours.Count);
        foreach (var at in candidates)
        {
            values.Clear();
            foreach (var neighbour in neighbours)
            {
                if (neighbour.Nearest(own.Times[at], Reach(parameters)) is var value && !double.IsNaN(value))
                {
                    values.Add(value);
                }
            }

            if (values.Count < parameters.NeighboursMin)
            {
                continue;
            }

            var median = Median([.. values], window);
            var scale = MadScale * Median([.. values.Select(value => Math.Abs(value - median))], window);
            var (deviation, limit) = (own.Values[at] - median, Math.Max(parameters.Floor, parameters.Deviations * scale));

            // On the same side as it stands out of its own: a value between a calm street and a smoky town is no spike.
            if (Math.Abs(deviation) > limit && deviation > 0 == IsAbove(own, at, window, Reach(parameters)))
            {
                verdicts.Add(new Verdict(own.Times[at], deviation, limit));
            }
        }

        return verdicts;
    }

    private static bool IsAbove(Samples own, int at, List<double> window, long within)
    {
        var first = own.FirstAt(own.Times[at] - within);
        return StandsOffMedian(own.Values[at], 1, own.Values.AsSpan(first, at - first), 0, window);
    }

    /// <summary>
    /// Whether a value is by more than so much above (side 1) or below (side -1) the median of others, which needs no sorting: it is when it is so of more than half of them, and is not when of less.
    /// </summary>
    public static bool StandsOffMedian(double value, int side, ReadOnlySpan<double> others, double by, List<double> window)
    {
        var rest = others;
        var (wide, far, counts) = (new Vector<double>(value), new Vector<double>(by), Vector<long>.Zero);
        for (; rest.Length >= Vector<double>.Count; rest = rest[Vector<double>.Count..])
        {
            // What is true is minus one.
            counts -= Vector.GreaterThan((wide - new Vector<double>(rest)) * side, far);
        }

        var count = Vector.Sum(counts);
        foreach (var other in rest)
        {
            count += side * (value - other) > by ? 1 : 0;
        }

        // Of exactly half of an even number: the median is between one that it is so of and one that it is not.
        return count * 2 != others.Length ? count * 2 > others.Length : side * (value - Median(others, window)) > by;
    }

    /// <summary>The middle of the values; of an even number the mean of the two in the middle.</summary>
    public static double Median(ReadOnlySpan<double> values, List<double> window)
    {
        window.Clear();
        window.AddRange(values);
        window.Sort();
        var middle = window.Count / 2;
        return window.Count % 2 == 1 ? window[middle] : window[middle - 1] + ((window[middle] - window[middle - 1]) / 2);
    }

    /// <summary>Smallest and largest value of a window that moves forward.</summary>
    private sealed class Extremes(double[] values)
    {
        private readonly SlidingExtreme _smallest = new(values, isLargest: false);
        private readonly SlidingExtreme _largest = new(values, isLargest: true);
        private int _added;

        /// <summary>Moves it to the indices from the first to the last; none when the last is before the first.</summary>
        public void Move(int first, int last)
        {
            _smallest.RemoveBefore(first);
            _largest.RemoveBefore(first);
            for (_added = Math.Max(_added, first); _added <= last; _added++)
            {
                _smallest.Add(_added);
                _largest.Add(_added);
            }
        }

        /// <summary>Whether a value is by more than so much above the smallest (side 1) or below the largest (side -1). Only while the window is not empty.</summary>
        public bool StandsOff(double value, int side, double by) => side * (value - (side > 0 ? _smallest : _largest).Value) > by;
    }
}
