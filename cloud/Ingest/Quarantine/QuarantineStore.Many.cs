using System.Collections.Concurrent;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Encoding;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Ingest.Quarantine;

/// <summary>What is done with many entries at once.</summary>
internal sealed partial class QuarantineStore
{
    /// <summary>Most entries of one call of <see cref="ReleaseAllAsync"/>.</summary>
    private const int ReleaseMax = 5_000;

    /// <summary>Entries under way at the same time: enough that the store commits several with one sync, few beside what stations send.</summary>
    private const int ReleasesAtOnce = 8;

    /// <summary>Refusals told of a release.</summary>
    private const int RefusalsMax = 20;

    public async ValueTask<IReadOnlyList<QuarantineGroup>> SummaryAsync(string? municipality, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var groups = await context.Quarantine.AsNoTracking()
            .Where(r => municipality == null || r.Municipality == municipality)
            .GroupBy(r => new { r.Municipality, r.Station, r.Reason })
            .Select(g => new
            {
                g.Key.Municipality, g.Key.Station, g.Key.Reason, Entries = g.LongCount(), Arrivals = g.Sum(r => r.Times), First = g.Min(r => r.ReceivedAt), Last = g.Max(r => r.LastReceivedAt),
                Bytes = g.Sum(r => (long)r.Payload.Length), Newest = g.Max(r => r.Id),
            })
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        return
        [
            .. groups.OrderByDescending(g => g.Last).ThenBy(g => g.Municipality, StringComparer.Ordinal).ThenBy(g => g.Station, StringComparer.Ordinal).ThenBy(g => g.Reason)
                .Select(g => new QuarantineGroup(g.Municipality, g.Station, g.Reason, g.Entries, g.Arrivals, g.First, g.Last, g.Bytes, g.Newest)),
        ];
    }

    public async ValueTask<QuarantineRelease> ReleaseAllAsync(QuarantineScope scope, int countMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(countMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(countMax, ReleaseMax);
        List<long> ids;
        long all;
        await using (var context = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false))
        {
            var meant = Meant(context, scope);
            all = await meant.LongCountAsync(cancellationToken).ConfigureAwait(false);
            ids = await meant.OrderBy(r => r.Id).Select(r => r.Id).Take(countMax).ToListAsync(cancellationToken).ConfigureAwait(false);
        }

        ConcurrentBag<(long Id, PackReceipt Receipt)> done = [];
        string? stopped = null;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await Parallel.ForEachAsync(ids, new ParallelOptions { MaxDegreeOfParallelism = ReleasesAtOnce, CancellationToken = ending.Token }, async (id, _) =>
            {
                try
                {
                    // What has begun is brought to its end: only the next one is not begun.
                    done.Add((id, await ReleaseAsync(id, cancellationToken).ConfigureAwait(false)));
                }
                catch (KeyNotFoundException)
                {
                    // Somebody else released or discarded it, or it was evicted: then it is not ours to count.
                }
                catch (SeriesUnavailableException exception)
                {
                    stopped = exception.Message;
                    await ending.CancelAsync().ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The store is away; what was done until then is told.
        }

        return Summed(scope, all, ids, [.. done.OrderBy(one => one.Id)], stopped);
    }

    public async ValueTask<long> DiscardAllAsync(QuarantineScope scope, CancellationToken cancellationToken)
    {
        var count = await writer.RemoveAllAsync(scope, cancellationToken).ConfigureAwait(false);
        instruments.QuarantineDiscarded(count);
        return count;
    }

    private static QuarantineRelease Summed(QuarantineScope scope, long all, List<long> ids, (long Id, PackReceipt Receipt)[] done, string? stopped)
    {
        Dictionary<RefusalReason, int> kept = [];
        List<Refusal> refusals = [];
        var total = default(PackReceipt);
        var released = 0;
        foreach (var (_, receipt) in done)
        {
            total = new(
                total.Received + receipt.Received, total.Stored + receipt.Stored, total.Corrected + receipt.Corrected, total.Duplicate + receipt.Duplicate, total.Quarantined + receipt.Quarantined);
            refusals.AddRange(receipt.Refusals.Take(RefusalsMax - refusals.Count));
            if (receipt.Quarantined == 0)
            {
                released++;
            }
            else
            {
                var reason = receipt.Refusals.Count > 0 ? receipt.Refusals[0].Reason : RefusalReason.Malformed;
                kept[reason] = kept.GetValueOrDefault(reason) + 1;
            }
        }

        // After a stop, later entries may be done while an earlier one is not: going on begins before the first that was missed.
        var tried = done.Select(one => one.Id).ToHashSet();
        var reached = stopped is null ? ids.Count : ids.TakeWhile(tried.Contains).Count();
        var last = reached > 0 ? ids[reached - 1] : scope.After;
        return new(done.Length, released, total with { Refusals = refusals }, kept, stopped is null ? all - ids.Count : all - done.Length, last, stopped);
    }

    private static IQueryable<QuarantineRow> Meant(IngestDbContext context, QuarantineScope scope)
    {
        var meant = context.Quarantine.AsNoTracking().Where(r => r.Municipality == scope.Municipality && r.Id > scope.After && r.Id <= scope.UpTo);
        if (scope.Station is { } station)
        {
            meant = meant.Where(r => r.Station == station);
        }

        if (scope.Reason is { } reason)
        {
            meant = meant.Where(r => r.Reason == reason);
        }

        return meant;
    }
}
