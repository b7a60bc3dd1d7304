using System.Runtime.CompilerServices;

namespace Hub.Cloud.Series;

/// <summary>
/// Answers questions from the server and from what waits for it. What waits is looked at first: a row on its way is then seen in one of them at least, and of two values for one key the winner is told.
/// </summary>
internal sealed class InfluxQueries(InfluxClient client, InfluxRows rows, PendingRows pending)
{
    public async IAsyncEnumerable<Observation> RangeAsync(int datastream, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiting = pending.Range(datastream, from, to);
        var next = 0;
        var pages = rows.PagesAsync(datastream, from, to, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using (pages.ConfigureAwait(false))
        {
            while (await AskAsync(() => pages.MoveNextAsync().AsTask()).ConfigureAwait(false))
            {
                foreach (var row in pages.Current)
                {
                    while (next < waiting.Count && waiting[next].PhenomenonTime < row.PhenomenonTime)
                    {
                        yield return waiting[next++];
                    }

                    if (next < waiting.Count && waiting[next].PhenomenonTime == row.PhenomenonTime)
                    {
                        var other = waiting[next++];
                        yield return ObservationOrder.Compare(row, other) > 0 ? row : other;
                    }
                    else
                    {
                        yield return row;
                    }
                }
            }
        }

        for (; next < waiting.Count; next++)
        {
            yield return waiting[next];
        }
    }

    public async ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken)
    {
        var changed = new Dictionary<int, long>();
        pending.ChangedSince(commit, changed);
        foreach (var (datastream, micros) in await AskAsync(() => rows.ChangedSinceAsync(commit, cancellationToken)).ConfigureAwait(false))
        {
            changed[datastream] = changed.TryGetValue(datastream, out var other) ? Math.Min(other, micros) : micros;
        }

        return changed.ToDictionary(pair => pair.Key, pair => EventTime.Time(pair.Value));
    }

    public async ValueTask<IReadOnlyList<int>> DatastreamsAsync(long from, long to, CancellationToken cancellationToken)
    {
        var found = new HashSet<int>();
        pending.Datastreams(from, to, found);
        found.UnionWith(await AskAsync(() => rows.DatastreamsAsync(from, to, cancellationToken)).ConfigureAwait(false));
        return [.. found.Order()];
    }

    public async IAsyncEnumerable<Observation> HistoryAsync(int datastream, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        List<Observation> waiting = [.. pending.Losers(datastream, from, to).OrderBy(row => row.PhenomenonTime)];
        var next = 0;
        var pages = rows.HistoryPagesAsync(datastream, from, to, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using (pages.ConfigureAwait(false))
        {
            while (await AskAsync(() => pages.MoveNextAsync().AsTask()).ConfigureAwait(false))
            {
                if (pages.Current.Count == 0)
                {
                    continue;
                }

                // What waits for a time of this page, or for one before it, may be on the server as well: each value is told once.
                var lost = new HashSet<Observation>(pages.Current, ObservationOrder.Same.Instance);
                for (var last = pages.Current[^1].PhenomenonTime; next < waiting.Count && waiting[next].PhenomenonTime <= last; next++)
                {
                    lost.Add(waiting[next]);
                }

                foreach (var row in InOrder(lost))
                {
                    yield return row;
                }
            }
        }

        foreach (var row in InOrder(waiting.Skip(next).Distinct(ObservationOrder.Same.Instance)))
        {
            yield return row;
        }
    }

    private static IEnumerable<Observation> InOrder(IEnumerable<Observation> lost) => lost.OrderBy(row => row.PhenomenonTime).ThenByDescending(row => row, ByOrder);

    private static readonly IComparer<Observation> ByOrder = Comparer<Observation>.Create(static (a, b) => ObservationOrder.Compare(a, b));

    /// <summary>Asks the server.</summary>
    /// <exception cref="SeriesUnavailableException">It has no answer.</exception>
    public async Task<T> AskAsync<T>(Func<Task<T>> question)
    {
        try
        {
            return await question().ConfigureAwait(false);
        }
        catch (InfluxAwayException e)
        {
            throw new SeriesUnavailableException($"InfluxDB at {client.Address} {e.Message}", e);
        }
        catch (InfluxQueryException e)
        {
            throw new SeriesUnavailableException($"InfluxDB at {client.Address} could not answer a question: {e.Message}", e);
        }
    }
}
