using System.Runtime.InteropServices;

namespace Hub.Cloud.QualityControl;

/// <summary>
/// Stretches of numbers, both ends included, for each of many datastreams: apart, in order, and at most so many of each. Past that the two closest become one, so that more is covered, never less.
/// Not safe for concurrent callers.
/// </summary>
/// <param name="perDatastreamMax">Stretches of a datastream at most.</param>
/// <param name="near">Stretches at most so far apart are one.</param>
internal sealed class Spans(int perDatastreamMax, long near)
{
    private readonly Dictionary<int, List<(long From, long To)>> _streams = [];

    /// <summary>Datastreams with a stretch.</summary>
    public int Count => _streams.Count;

    /// <summary>All of it, in no particular order of datastreams.</summary>
    public IEnumerable<(int Datastream, long From, long To)> All => _streams.SelectMany(stream => stream.Value.Select(span => (stream.Key, span.From, span.To)));

    public void Add(int datastream, long from, long to)
    {
        ref var spans = ref CollectionsMarshal.GetValueRefOrAddDefault(_streams, datastream, out _);
        spans ??= [];

        // Nearly always the newest grows.
        var at = spans.Count;
        while (at > 0 && spans[at - 1].To >= from - near)
        {
            at--;
        }

        var end = at;
        while (end < spans.Count && spans[end].From - near <= to)
        {
            (from, to) = (Math.Min(from, spans[end].From), Math.Max(to, spans[end].To));
            end++;
        }

        if (end == at)
        {
            spans.Insert(at, (from, to));
        }
        else
        {
            spans[at] = (from, to);
            spans.RemoveRange(at + 1, end - at - 1);
        }

        if (spans.Count > perDatastreamMax)
        {
            MergeClosest(spans);
        }
    }

    /// <summary>The largest number of all, and the first datastreams, in order, that have it. Nothing when empty.</summary>
    public (long Number, List<int> Datastreams) Last(int countMax)
    {
        var last = long.MinValue;
        var found = new List<int>();
        foreach (var (datastream, spans) in _streams)
        {
            if (spans[^1].To > last)
            {
                last = spans[^1].To;
                found.Clear();
            }

            if (spans[^1].To == last)
            {
                found.Add(datastream);
            }
        }

        found.Sort();
        if (found.Count > countMax)
        {
            found.RemoveRange(countMax, found.Count - countMax);
        }

        return (last, found);
    }

    /// <summary>Takes the largest number from a datastream that has it.</summary>
    public void RemoveLast(int datastream, long number)
    {
        if (!_streams.TryGetValue(datastream, out var spans) || spans[^1].To != number)
        {
            return;
        }

        if (spans[^1].From < number)
        {
            spans[^1] = (spans[^1].From, number - 1);
            return;
        }

        spans.RemoveAt(spans.Count - 1);
        if (spans.Count == 0)
        {
            _streams.Remove(datastream);
        }
    }

    public void Remove(int datastream) => _streams.Remove(datastream);

    private static void MergeClosest(List<(long From, long To)> spans)
    {
        var closest = 1;
        for (var at = 2; at < spans.Count; at++)
        {
            closest = spans[at].From - spans[at - 1].To < spans[closest].From - spans[closest - 1].To ? at : closest;
        }

        spans[closest - 1] = (spans[closest - 1].From, spans[closest].To);
        spans.RemoveAt(closest);
    }
}
