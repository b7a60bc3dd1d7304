using System.Runtime.CompilerServices;
using Hub.Cloud.Series;
using Hub.Tests.Kit;

namespace Hub.Cloud.Api.Tests;

/// <summary>A store whose answers to questions for buckets wait until they are let go, and that says which were cancelled. The rest is a store in memory.</summary>
internal sealed class HeldSeries(MemorySeries inner) : ISeries
{
    private readonly TaskCompletionSource _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _asked;
    private int _cancelled;

    /// <summary>Questions that are being answered or have been.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Questions whose caller did not want the answer any more.</summary>
    public int Cancelled => Volatile.Read(ref _cancelled);

    /// <summary>After so many observations of a range the store waits as well; null for never.</summary>
    public int? RangeHeldAfter { get; set; }

    /// <summary>After so many observations of a range the store goes away; null for never.</summary>
    public int? RangeBreaksAfter { get; set; }

    /// <summary>Ranges that are answered whole before that begins.</summary>
    public int RangesWhole { get; set; }

    public long LastCommit => inner.LastCommit;

    public void LetGo() => _letGo.SetResult();

    public async ValueTask<IReadOnlyList<Bucket>> AggregateAsync(AggregateQuery query, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _asked);
        await HoldAsync(cancellationToken);
        return await inner.AggregateAsync(query, cancellationToken);
    }

    public async IAsyncEnumerable<Observation> RangeAsync(int datastream, DateTime from, DateTime to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var count = 0;
        var whole = RangesWhole-- > 0;
        await foreach (var observation in inner.RangeAsync(datastream, from, to, cancellationToken))
        {
            if (!whole && count == RangeHeldAfter)
            {
                Interlocked.Increment(ref _asked);
                await HoldAsync(cancellationToken);
            }

            if (count++ == RangeBreaksAfter && !whole)
            {
                throw new SeriesUnavailableException("gone");
            }

            yield return observation;
        }
    }

    public ValueTask<AppendReceipt> AppendAsync(ReadOnlyMemory<Observation> observations, CancellationToken cancellationToken) => inner.AppendAsync(observations, cancellationToken);

    public bool TryGetLatest(int datastream, out Observation latest) => inner.TryGetLatest(datastream, out latest);

    public ValueTask<IReadOnlyList<int>> DatastreamsAsync(DateTime from, DateTime to, CancellationToken cancellationToken) => inner.DatastreamsAsync(from, to, cancellationToken);

    public IAsyncEnumerable<Observation> HistoryAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken) => inner.HistoryAsync(datastream, from, to, cancellationToken);

    public ValueTask<IReadOnlyDictionary<int, DateTime>> ChangedSinceAsync(long commit, CancellationToken cancellationToken) => inner.ChangedSinceAsync(commit, cancellationToken);

    public ValueTask<long> DeleteAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken) => inner.DeleteAsync(datastreams, from, to, cancellationToken);

    public IAsyncEnumerable<CondensedDay> CondensedDaysAsync(IReadOnlyCollection<int>? datastreams, DateTime from, DateTime to, CancellationToken cancellationToken) =>
        inner.CondensedDaysAsync(datastreams, from, to, cancellationToken);

    public ValueTask<IReadOnlyList<CondensedOutcome>> TakeCondensedAsync(IReadOnlyList<CondensedDay> days, CancellationToken cancellationToken) => inner.TakeCondensedAsync(days, cancellationToken);

    public IDisposable Subscribe(ISeriesObserver observer) => inner.Subscribe(observer);

    private async Task HoldAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _letGo.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _cancelled);
            throw;
        }
    }
}
