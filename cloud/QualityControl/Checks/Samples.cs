using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.QualityControl.Checks;

/// <summary>Observations of one datastream in order of time, column by column.</summary>
internal sealed class Samples
{
    public static readonly Samples None = new([]);

    public Samples(IReadOnlyCollection<Observation> observations)
    {
        (Times, Values, Qualities) = (new long[observations.Count], new double[observations.Count], new Quality[observations.Count]);
        var at = 0;
        foreach (var observation in observations)
        {
            (Times[at], Values[at], Qualities[at]) = (Instants.Micros(observation.PhenomenonTime), observation.Result, observation.Quality);
            at++;
        }
    }

    private Samples(long[] times, double[] values, Quality[] qualities) => (Times, Values, Qualities) = (times, values, qualities);

    /// <summary>Phenomenon times, microseconds since 1970 UTC, ascending.</summary>
    public long[] Times { get; }

    public double[] Values { get; }

    /// <summary>Flags as they were stored.</summary>
    public Quality[] Qualities { get; }

    public int Count => Times.Length;

    /// <summary>What parts that follow each other in time hold with from &lt;= time &lt; to.</summary>
    public static Samples Cut(IReadOnlyList<Samples> parts, long from, long to)
    {
        var bounds = parts.Select(part => (Part: part, From: part.FirstAt(from), To: part.FirstAt(to))).ToList();
        if (bounds.Count == 1 && bounds[0].From == 0 && bounds[0].To == bounds[0].Part.Count)
        {
            return bounds[0].Part;
        }

        var count = bounds.Sum(bound => bound.To - bound.From);
        if (count == 0)
        {
            return None;
        }

        var cut = new Samples(new long[count], new double[count], new Quality[count]);
        var at = 0;
        foreach (var (part, first, last) in bounds)
        {
            part.Times.AsSpan(first, last - first).CopyTo(cut.Times.AsSpan(at));
            part.Values.AsSpan(first, last - first).CopyTo(cut.Values.AsSpan(at));
            part.Qualities.AsSpan(first, last - first).CopyTo(cut.Qualities.AsSpan(at));
            at += last - first;
        }

        return cut;
    }

    /// <summary>Several datastreams as one, in order of time and, within one time, of the list.</summary>
    public static Samples Merged(IReadOnlyList<Samples> parts)
    {
        if (parts.Count == 1)
        {
            return parts[0];
        }

        var count = parts.Sum(part => part.Count);
        var order = parts.SelectMany((part, index) => part.Times.Select((time, at) => (time, index, at))).Order().ToArray();
        var merged = new Samples(new long[count], new double[count], new Quality[count]);
        for (var to = 0; to < order.Length; to++)
        {
            var (time, index, at) = order[to];
            (merged.Times[to], merged.Values[to], merged.Qualities[to]) = (time, parts[index].Values[at], parts[index].Qualities[at]);
        }

        return merged;
    }

    /// <summary>Those that can be judged and compared with: without the flags, and inside the range.</summary>
    public Samples Fit(Quality without, RangeParameters? range)
    {
        var kept = 0;
        for (var at = 0; at < Count; at++)
        {
            kept += IsFit(at, without, range) ? 1 : 0;
        }

        if (kept == Count)
        {
            return this;
        }

        var fit = new Samples(new long[kept], new double[kept], new Quality[kept]);
        for (int at = 0, to = 0; at < Count; at++)
        {
            if (IsFit(at, without, range))
            {
                (fit.Times[to], fit.Values[to], fit.Qualities[to]) = (Times[at], Values[at], Qualities[at]);
                to++;
            }
        }

        return fit;
    }

    /// <summary>Index of the first at or after an instant; <see cref="Count"/> when there is none.</summary>
    public int FirstAt(long time)
    {
        var at = Array.BinarySearch(Times, time);
        if (at < 0)
        {
            return ~at;
        }

        // Merged ones may have a time more than once.
        while (at > 0 && Times[at - 1] == time)
        {
            at--;
        }

        return at;
    }

    /// <summary>The value nearest in time, at most so far away; of two as near the earlier one. NaN when there is none.</summary>
    public double Nearest(long time, long within)
    {
        var after = FirstAt(time);
        var best = double.NaN;
        var distance = within + 1;
        if (after > 0 && time - Times[after - 1] < distance)
        {
            // The first of those of one time, as for those after.
            var first = FirstAt(Times[after - 1]);
            (best, distance) = (Values[first], time - Times[first]);
        }

        return after < Count && Times[after] - time < distance ? Values[after] : best;
    }

    private bool IsFit(int at, Quality without, RangeParameters? range) =>
        (Qualities[at] & without) == 0 && (range is null || (Values[at] >= range.Min && Values[at] <= range.Max));
}

/// <summary>Instants as microseconds since 1970 UTC.</summary>
internal static class Instants
{
    public const long PerSecond = 1_000_000;
    public const long PerHour = 3_600 * PerSecond;
    public const long PerDay = 24 * PerHour;

    public static readonly DateTime Earliest = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    public static readonly DateTime Latest = DateTime.SpecifyKind(new DateTime(DateTime.MaxValue.Ticks - (DateTime.MaxValue.Ticks % TimeSpan.TicksPerMicrosecond)), DateTimeKind.Utc);

    private static readonly long Min = Micros(Earliest);

    private static readonly long Max = Micros(Latest);

    public static long Micros(DateTime time)
    {
        var ticks = time.Ticks - DateTime.UnixEpoch.Ticks;
        return (ticks / TimeSpan.TicksPerMicrosecond) - (ticks % TimeSpan.TicksPerMicrosecond < 0 ? 1 : 0);
    }

    /// <summary>Held within what <see cref="DateTime"/> can say.</summary>
    public static DateTime Time(long micros) => DateTime.UnixEpoch.AddTicks(Math.Clamp(micros, Min, Max) * TimeSpan.TicksPerMicrosecond);

    /// <summary>Number of the UTC day since 1970-01-01.</summary>
    public static int Day(long micros) => (int)((micros / PerDay) - (micros % PerDay < 0 ? 1 : 0));

    public static long Begin(int day) => day * PerDay;
}
