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

        var within = Reach(parameters);
        var window = new List<double>();
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
            if (first == at || last == at)
            {
                continue;
            }

            // Medians take sorting: only for those that can be a spike at all.
            var before = own.Values.AsSpan(first, at - first);
            var after = own.Values.AsSpan(at + 1, last - at);
            var value = own.Values[at];
            if (value - Smallest(before) > parameters.Floor && value - Smallest(after) > parameters.Floor)
            {
                if (value - Median(before, window) > parameters.Floor && value - Median(after, window) > parameters.Floor)
                {
                    candidates.Add(at);
                }
            }

            if (Largest(before) - value > parameters.Floor && Largest(after) - value > parameters.Floor)
            {
                if (Median(before, window) - value > parameters.Floor && Median(after, window) - value > parameters.Floor)
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
        return own.Values[at] > Median(own.Values.AsSpan(first, at - first), window);
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

    private static double Smallest(ReadOnlySpan<double> values)
    {
        var smallest = values[0];
        foreach (var value in values)
        {
            smallest = value < smallest ? value : smallest;
        }

        return smallest;
    }

    private static double Largest(ReadOnlySpan<double> values)
    {
        var largest = values[0];
        foreach (var value in values)
        {
            largest = value > largest ? value : largest;
        }

        return largest;
    }
}
