using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.QualityControl.Storage;
using Hub.Cloud.Series;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.QualityControl;

/// <summary>Takes findings away with the observations they are about: from the database, then from memory, in the worker's turn, so that nothing that was read before the removal is stored after it.</summary>
internal sealed class FindingsRemoval(IDbContextFactory<QualityContext> contexts, FindingsBook book, ISeries series, JudgeTurn turn, QualityInstruments instruments, ILogger<FindingsRemoval> log) : IFindingsRemoval
{
    /// <summary>Datastreams whose findings are removed in one transaction; at most <see cref="QualityOptions.FindingsPerDatastreamMax"/> findings each.</summary>
    private const int AtOnce = 32;

    private readonly ISeries _series = series.Stored();

    public IReadOnlyList<int> DatastreamsBefore(DateTime before) => book.Before(before);

    public async ValueTask<long> RemoveAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(datastreams);
        using var taken = await turn.TakeAsync(cancellationToken).ConfigureAwait(false);
        turn.Removed();

        // Nearly free where nothing is flagged, which is nearly everywhere.
        List<int> flagged = [.. datastreams.Distinct().Where(datastream => book.Within(datastream, from, to).Count > 0)];
        if (flagged.Count == 0)
        {
            return 0;
        }

        // What came late since, or was taken while it was removed, is the exception.
        var kept = (await _series.DatastreamsAsync(from, to, cancellationToken).ConfigureAwait(false)).ToHashSet();
        var removed = 0L;
        foreach (var some in flagged.Chunk(AtOnce))
        {
            removed += await RemoveAsync(some, from, to, kept, cancellationToken).ConfigureAwait(false);
        }

        log.FindingsRemoved(removed, flagged.Count, from, to);
        return removed;
    }

    private async ValueTask<long> RemoveAsync(int[] datastreams, DateTime from, DateTime to, HashSet<int> kept, CancellationToken cancellationToken)
    {
        // Whole days: memory is changed by the day.
        var (first, last) = (Instants.Day(Instants.Micros(from)), Instants.Day(Instants.Micros(to)));
        await using var db = await contexts.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        var rows = await db.Findings.Where(row => datastreams.Contains(row.Datastream) && row.Day >= first && row.Day <= last).ToListAsync(cancellationToken).ConfigureAwait(false);
        var (left, gone) = (new List<Finding>(), new List<FindingRow>());
        foreach (var row in rows)
        {
            var finding = row.ToFinding();
            var rest = row.To <= from || row.From >= to ? finding
                : row.From >= from && row.To <= to && !kept.Contains(row.Datastream) ? null
                : await RestAsync(finding, cancellationToken).ConfigureAwait(false);
            if (rest is { } found)
            {
                left.Add(found);
            }

            if (rest != finding)
            {
                db.Findings.Remove(row);
                if (rest is { } shorter)
                {
                    db.Findings.Add(FindingRow.Of(shorter));
                }
                else
                {
                    gone.Add(row);
                }
            }
        }

        await db.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        var byDatastream = left.ToLookup(finding => finding.Datastream);
        foreach (var datastream in datastreams)
        {
            book.Replace(datastream, first, last, [.. byDatastream[datastream]]);
        }

        gone.ForEach(row => instruments.Withdrawn(row.Check));
        return gone.Count;
    }

    /// <summary>A finding as far as its observations are still there; null when they are all gone. Whatever is stored within it was flagged.</summary>
    private async ValueTask<Finding?> RestAsync(Finding finding, CancellationToken cancellationToken)
    {
        var (count, begin, end) = (0, finding.From, finding.To);
        await foreach (var observation in _series.RangeAsync(finding.Datastream, finding.From, finding.To, cancellationToken).ConfigureAwait(false))
        {
            begin = count++ == 0 ? observation.PhenomenonTime : begin;
            end = observation.PhenomenonTime.AddMicroseconds(1);
        }

        return count == 0 ? null : finding with { From = begin, To = end, Count = count };
    }
}
