using System.Runtime.CompilerServices;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>
/// The time series as its readers see them: what is stored, with the flags found since laid over. Appends, deletions, commits and changes pass through. A question about buckets is answered by
/// the store; only the buckets a flagged stretch reaches into are folded here, from their observations, so that they name the flags and leave out what the question wants left out. Days of which only rollups are
/// kept have the flags in them that had been found by then; a bucket that reaches into one is the store's.
/// </summary>
internal sealed class FlaggedSeries(ISeries stored, IFindings findings) : ISeries
{
    private long _condensationsBegun;
    private long _condensationsEnded;

    /// <summary>What is stored, without the overlay.</summary>
    public ISeries Stored { get; } = stored;

    public long LastCommit => Stored.LastCommit;

    public bool AppendsWait => Stored.AppendsWait;

    public (DateTime Earliest, DateTime Latest) Times => Stored.Times;

    public bool CanCondense => Stored.CanCondense;

    public ValueTask<AppendReceipt> AppendAsync(ReadOnlyMemory<Observation> observations, CancellationToken cancellationToken) => Stored.AppendAsync(observations, cancellationToken);

    public bool TryGetLatest(int datastream, out Observation latest)
    {
        if (!Stored.TryGetLatest(datastream, out latest))
        {
            return false;
        }

        latest = latest with { Quality = latest.Quality | findings.At(datastream, latest.PhenomenonTime) };
        return true;
    }

    public IAsyncEnumerable<Observation> RangeAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        var stretches = findings.Within(datastream, from, to);
        var range = Stored.RangeAsync(datastream, from, to, cancellationToken);
        return stretches.Count == 0 ? range : FlagAsync(range, stretches, cancellationToken);
    }

    public TimeSpan HeldWithin(DateTime from, DateTime to) => Stored.HeldWithin(from, to);

    public ValueTask<IReadOnlyList<int>> DatastreamsAsync(DateTime from, DateTime to, CancellationToken cancellationToken) => Stored.DatastreamsAsync(from, to, cancellationToken);

    /// <summary>As they were stored: the flags were found on the values that won.</summary>
    public IAsyncEnumerable<Observation> HistoryAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) => Stored.HistoryAsync(datastream, from, to, cancellationToken);

    public async ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return IsFlagged(query, query.Datastream) ? await SteadyAsync([query.Datastream], query, Answer, cancellationToken).ConfigureAwait(false) : await Stored.AggregateAsync(query, cancellationToken).ConfigureAwait(false);

        async ValueTask<IReadOnlyList<Bucket>> Answer()
        {
            var buckets = await Stored.AggregateAsync(query, cancellationToken).ConfigureAwait(false);
            return buckets.Count == 0 ? buckets : await FlagAsync(query, buckets, cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask<IReadOnlyDictionary<int, IReadOnlyList<Bucket>>> AggregateManyAsync(IReadOnlyCollection<int> datastreams, AggregateQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(datastreams);
        return datastreams.Any(datastream => IsFlagged(query, datastream))
            ? await SteadyAsync(datastreams, query, () => FlagManyAsync(datastreams, query, cancellationToken), cancellationToken).ConfigureAwait(false)
            : await Stored.AggregateManyAsync(datastreams, query, cancellationToken).ConfigureAwait(false);
    }

    private bool IsFlagged(AggregateQuery query, int datastream) => findings.Within(datastream, query.From, query.To).Count > 0;

    /// <summary>
    /// An answer of one state of what is condensed. A day that is condensed between the store's answer and the look at its findings would be told without them, or, once they have gone with its
    /// observations, as if nothing had been found: then it is asked again, which a day does once.
    /// </summary>
    private async ValueTask<T> SteadyAsync<T>(IReadOnlyCollection<int> datastreams, AggregateQuery query, Func<ValueTask<T>> ask, CancellationToken cancellationToken)
    {
        for (var looks = false; ; looks = true)
        {
            var begun = Volatile.Read(ref _condensationsBegun);
            looks |= Volatile.Read(ref _condensationsEnded) != begun;
            var before = looks ? await CondensedOfAsync(datastreams, query, cancellationToken).ConfigureAwait(false) : 0;
            var answer = await ask().ConfigureAwait(false);
            if (looks ? before == await CondensedOfAsync(datastreams, query, cancellationToken).ConfigureAwait(false) : begun == Volatile.Read(ref _condensationsBegun))
            {
                return answer;
            }
        }
    }

    /// <summary>Days of which only rollups are kept, of all of them together: it only grows while something is condensed.</summary>
    private async ValueTask<long> CondensedOfAsync(IReadOnlyCollection<int> datastreams, AggregateQuery query, CancellationToken cancellationToken)
    {
        var condensed = await Stored.CondensedAsync(query.From.Date, query.To, cancellationToken).ConfigureAwait(false);
        return datastreams.Sum(datastream => (long)condensed.GetValueOrDefault(datastream));
    }

    private async ValueTask<IReadOnlyDictionary<int, IReadOnlyList<Bucket>>> FlagManyAsync(IReadOnlyCollection<int> datastreams, AggregateQuery query, CancellationToken cancellationToken)
    {
        var answers = await Stored.AggregateManyAsync(datastreams, query, cancellationToken).ConfigureAwait(false);
        Dictionary<int, IReadOnlyList<Bucket>>? changed = null;
        foreach (var (datastream, buckets) in answers)
        {
            var flagged = await FlagAsync(query with { Datastream = datastream }, buckets, cancellationToken).ConfigureAwait(false);
            if (ReferenceEquals(flagged, buckets))
            {
                continue;
            }

            changed ??= new Dictionary<int, IReadOnlyList<Bucket>>(answers);
            if (flagged.Count == 0)
            {
                changed.Remove(datastream);
            }
            else
            {
                changed[datastream] = flagged;
            }
        }

        return changed ?? answers;
    }

    public ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken) => Stored.ChangedSinceAsync(commit, cancellationToken);

    public ValueTask<long> DeleteAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        Stored.DeleteAsync(datastreams, from, to, cancellationToken);

    public async ValueTask<long> CondenseAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _condensationsBegun);
        try
        {
            return await Stored.CondenseAsync(datastreams, from, to, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Increment(ref _condensationsEnded);
        }
    }

    public ValueTask<IReadOnlyDictionary<int, int>> CondensedAsync(DateTime from, DateTime to, CancellationToken cancellationToken) => Stored.CondensedAsync(from, to, cancellationToken);

    public ValueTask<bool> IsCondensedAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) => Stored.IsCondensedAsync(datastream, from, to, cancellationToken);

    /// <summary>As they are kept: with the flags that had been found by then.</summary>
    public IAsyncEnumerable<CondensedDay> CondensedDaysAsync(IReadOnlyCollection<int>? datastreams, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        Stored.CondensedDaysAsync(datastreams, from, to, cancellationToken);

    public ValueTask<IReadOnlyList<CondensedOutcome>> TakeCondensedAsync(IReadOnlyList<CondensedDay> days, CancellationToken cancellationToken) => Stored.TakeCondensedAsync(days, cancellationToken);

    public ValueTask<long> CountAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) => Stored.CountAsync(datastream, from, to, cancellationToken);

    public IDisposable Subscribe(ISeriesObserver observer) => Stored.Subscribe(observer);

    private static async IAsyncEnumerable<Observation> FlagAsync(
        IAsyncEnumerable<Observation> range, IReadOnlyList<FlagStretch> stretches, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var at = 0;
        await foreach (var observation in range.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            while (at < stretches.Count && stretches[at].To <= observation.PhenomenonTime)
            {
                at++;
            }

            yield return at < stretches.Count && stretches[at].From <= observation.PhenomenonTime
                ? observation with { Quality = observation.Quality | stretches[at].Flags }
                : observation;
        }
    }

    /// <summary>Folds anew what flagged stretches reach into. The same list when nothing is flagged.</summary>
    private async ValueTask<IReadOnlyList<Bucket>> FlagAsync(AggregateQuery query, IReadOnlyList<Bucket> buckets, CancellationToken cancellationToken)
    {
        var stretches = findings.Within(query.Datastream, query.From, query.To);
        if (stretches.Count == 0)
        {
            return buckets;
        }

        // Rare, and then each bucket is looked at by itself.
        var isCondensed = await Stored.IsCondensedAsync(query.Datastream, buckets[0].Start, buckets[^1].End, cancellationToken).ConfigureAwait(false);
        var flagged = new List<Bucket>(buckets.Count);
        var at = 0;
        for (var next = 0; next < buckets.Count;)
        {
            while (at < stretches.Count && stretches[at].To <= buckets[next].Start)
            {
                at++;
            }

            if (at == stretches.Count || stretches[at].From >= buckets[next].End)
            {
                flagged.Add(buckets[next++]);
                continue;
            }

            if (isCondensed && await Stored.IsCondensedAsync(query.Datastream, buckets[next].Start, buckets[next].End, cancellationToken).ConfigureAwait(false))
            {
                flagged.Add(buckets[next++]);
                continue;
            }

            // Neighbouring buckets that are reached into are read in one go. Each is a matter of its own observations alone, so a shorter question gives the same bits.
            var (from, to) = (buckets[next].Start, buckets[next].End);
            var last = at;
            for (next++; next < buckets.Count && last < stretches.Count && !isCondensed; next++)
            {
                while (last < stretches.Count && stretches[last].To <= buckets[next].Start)
                {
                    last++;
                }

                if (last == stretches.Count || stretches[last].From >= buckets[next].End)
                {
                    break;
                }

                to = buckets[next].End;
            }

            var part = query with { From = from > query.From ? from : query.From, To = to < query.To ? to : query.To };
            var fold = new BucketFold(part, int.MaxValue);
            await foreach (var observation in RangeAsync(query.Datastream, part.From, part.To, cancellationToken).ConfigureAwait(false))
            {
                fold.Add(EventTime.Micros(observation.PhenomenonTime), observation.Result, observation.Quality, observation.Coverage);
            }

            flagged.AddRange(fold.Complete());
        }

        return flagged;
    }
}

/// <summary>For the few who need what is stored and not what is thought of it.</summary>
public static class StoredSeries
{
    /// <summary>
    /// The time series without the flags found since. For whoever writes back what it read (a correction must not store what was only laid over), copies the store, finds the flags, or must
    /// come to the same result whenever it looks, before the flags were found or after.
    /// </summary>
    public static ISeries Stored(this ISeries series) => series is FlaggedSeries flagged ? flagged.Stored : series;
}
