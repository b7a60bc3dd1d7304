using System.Collections.Concurrent;
using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.QualityControl;

/// <summary>
/// The flags of all findings, in memory, for everybody who reads observations. Written by one worker, after the store; readers see of each day the old flags or the new ones. It knows nothing of the series,
/// so that the series can be read through it.
/// </summary>
internal sealed class FindingsBook : IFindings
{
    private readonly ConcurrentDictionary<int, FlagStretch[]> _streams = new();
    private long _count;

    /// <summary>Stretches held.</summary>
    public long Count => Volatile.Read(ref _count);

    public Quality At(int datastream, DateTime time)
    {
        if (!_streams.TryGetValue(datastream, out var stretches))
        {
            return Quality.Good;
        }

        var at = FirstEndingAfter(stretches, time);
        return at < stretches.Length && stretches[at].From <= time ? stretches[at].Flags : Quality.Good;
    }

    public IReadOnlyList<FlagStretch> Within(int datastream, DateTime from, DateTime to)
    {
        if (!_streams.TryGetValue(datastream, out var stretches))
        {
            return [];
        }

        var first = FirstEndingAfter(stretches, from);
        var last = first;
        while (last < stretches.Length && stretches[last].From < to)
        {
            last++;
        }

        return first == last ? [] : new ArraySegment<FlagStretch>(stretches, first, last - first);
    }

    /// <summary>Whether anything is flagged on a UTC day.</summary>
    public bool Any(int datastream, int day) => Within(datastream, Instants.Time(Instants.Begin(day)), Instants.Time(Instants.Begin(day + 1))).Count > 0;

    /// <summary>Stretches held of a datastream.</summary>
    public int CountOf(int datastream) => _streams.TryGetValue(datastream, out var stretches) ? stretches.Length : 0;

    /// <summary>Datastreams with a flag before an instant, in no order.</summary>
    public IReadOnlyList<int> Before(DateTime before) => [.. _streams.Where(stream => stream.Value[0].From < before).Select(stream => stream.Key)];

    /// <summary>Puts the flags of a UTC day in place of those before.</summary>
    public void Replace(int datastream, int day, IReadOnlyList<Finding> findings) => Replace(datastream, day, day, findings);

    /// <summary>Puts the flags of UTC days, both ends included, in place of those before.</summary>
    public void Replace(int datastream, int firstDay, int lastDay, IReadOnlyList<Finding> findings)
    {
        var (begin, end) = (Instants.Time(Instants.Begin(firstDay)), Instants.Time(Instants.Begin(lastDay + 1)));
        var old = _streams.GetValueOrDefault(datastream, []);
        FlagStretch[] changed = [.. old.TakeWhile(stretch => stretch.To <= begin), .. Flatten(findings), .. old.SkipWhile(stretch => stretch.From < end)];
        Set(datastream, old, changed);
    }

    /// <summary>Sets all flags of a datastream, as read from the store.</summary>
    public void Load(int datastream, IReadOnlyList<Finding> findings) => Set(datastream, _streams.GetValueOrDefault(datastream, []), Flatten(findings));

    /// <summary>Findings that may overlap, as stretches that do not.</summary>
    internal static FlagStretch[] Flatten(IReadOnlyList<Finding> findings)
    {
        if (findings.Count == 0)
        {
            return [];
        }

        // Sweep over the edges; at each, the number of findings open with each flag.
        var edges = findings.SelectMany(finding => new[] { (At: finding.From, Open: 1, finding.Flag), (At: finding.To, Open: -1, finding.Flag) }).OrderBy(edge => edge.At).ToList();
        var open = new Dictionary<Quality, int>();
        var stretches = new List<FlagStretch>();
        var (since, flags) = (edges[0].At, Quality.Good);
        foreach (var moment in edges.GroupBy(edge => edge.At))
        {
            if (flags != Quality.Good)
            {
                stretches.Add(new FlagStretch(since, moment.Key, flags));
            }

            foreach (var (_, opened, flag) in moment)
            {
                open[flag] = open.GetValueOrDefault(flag) + opened;
            }

            flags = open.Where(one => one.Value > 0).Aggregate(Quality.Good, (all, one) => all | one.Key);
            since = moment.Key;
        }

        return [.. stretches];
    }

    private void Set(int datastream, FlagStretch[] old, FlagStretch[] changed)
    {
        Interlocked.Add(ref _count, changed.Length - old.Length);
        if (changed.Length == 0)
        {
            _streams.TryRemove(datastream, out _);
        }
        else
        {
            _streams[datastream] = changed;
        }
    }

    private static int FirstEndingAfter(FlagStretch[] stretches, DateTime time)
    {
        var (low, high) = (0, stretches.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (stretches[middle].To <= time)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
