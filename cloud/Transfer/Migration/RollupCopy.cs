using System.Globalization;
using Hub.Cloud.Series;

namespace Hub.Cloud.Transfer.Migration;

/// <summary>What became of the days of which the source keeps rollups only.</summary>
/// <param name="Carried">Days that are in the target as they are in the source.</param>
/// <param name="Own">Days of which the target holds observations or other rollups: those stay.</param>
/// <param name="Outside">Days that the target cannot hold.</param>
/// <param name="Missing">By datastream, days that the target had not when it was read again, and has taken since.</param>
internal sealed record RollupCounts(long Carried, long Own, long Outside, IReadOnlyDictionary<int, long> Missing);

/// <summary>
/// Copies rollups that are kept without their observations, month by month, before any observation: what came later for such a day is then stored beside them, as in the source. How far it has come is noted by month; what is
/// given again changes nothing.
/// </summary>
internal sealed class RollupCopy(ISeries from, ISeries to, MigrationCursors cursors, IProgress<TransferProgress>? progress)
{
    /// <summary>Cells in memory at once, about 112 bytes each. A store that keeps a file for a month writes it anew each time.</summary>
    private const int CellsMax = 1_000_000;

    private static readonly DateTime Begin = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);
    private static readonly DateTime End = DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);

    /// <summary>Copies everything that is not noted as copied.</summary>
    public async Task CopyAsync(CancellationToken cancellationToken)
    {
        if (!to.CanCondense || cursors.IsDone(MigrationCursors.Rollups))
        {
            return;
        }

        var (days, all) = (0L, await DaysAsync(cancellationToken).ConfigureAwait(false));
        var (batch, cells) = (new List<CondensedDay>(), 0);
        await foreach (var day in from.CondensedDaysAsync(null, cursors.From(MigrationCursors.Rollups), End, cancellationToken).ConfigureAwait(false))
        {
            var isNextMonth = batch.Count > 0 && (batch[^1].Day.Year, batch[^1].Day.Month) != (day.Day.Year, day.Day.Month);
            if (isNextMonth || cells >= CellsMax)
            {
                await TakeAsync().ConfigureAwait(false);
                if (isNextMonth)
                {
                    cursors.Note(MigrationCursors.Rollups, new DateTime(day.Day.Year, day.Day.Month, 1, 0, 0, 0, DateTimeKind.Utc));
                }
            }

            batch.Add(day);
            cells += day.Cells.Count;
            cancellationToken.ThrowIfCancellationRequested();
        }

        await TakeAsync().ConfigureAwait(false);
        cursors.Note(MigrationCursors.Rollups, null);

        async Task TakeAsync()
        {
            await to.TakeCondensedAsync(batch, CancellationToken.None).ConfigureAwait(false);
            days += batch.Count;
            progress?.Report(new TransferProgress("rollups", all == 0 ? 1 : Math.Min(1, (double)days / all), days));
            (batch, cells) = ([], 0);
        }
    }

    /// <summary>Reads both stores again and compares cell by cell.</summary>
    public async Task<RollupCounts> VerifyAsync(CancellationToken cancellationToken)
    {
        if (!to.CanCondense)
        {
            return new RollupCounts(0, 0, await DaysAsync(cancellationToken).ConfigureAwait(false), new Dictionary<int, long>());
        }

        var (carried, own, outside, missing) = (0L, 0L, 0L, new SortedDictionary<int, long>());
        var (batch, cells) = (new List<CondensedDay>(), 0);
        await using var target = to.CondensedDaysAsync(null, Begin, End, cancellationToken).GetAsyncEnumerator(cancellationToken);
        var isMore = await target.MoveNextAsync().ConfigureAwait(false);
        await foreach (var day in from.CondensedDaysAsync(null, Begin, End, cancellationToken).ConfigureAwait(false))
        {
            while (isMore && Place(target.Current).CompareTo(Place(day)) < 0)
            {
                isMore = await target.MoveNextAsync().ConfigureAwait(false);
            }

            if (isMore && Place(target.Current) == Place(day))
            {
                var isSame = target.Current.Cells.SequenceEqual(day.Cells);
                (carried, own) = (carried + (isSame ? 1 : 0), own + (isSame ? 0 : 1));
            }
            else
            {
                batch.Add(day);
                cells += day.Cells.Count;
            }

            if (cells >= CellsMax)
            {
                await TakeAsync().ConfigureAwait(false);
            }
        }

        await TakeAsync().ConfigureAwait(false);
        progress?.Report(new TransferProgress("verify", 0, carried));
        return new RollupCounts(carried, own, outside, missing);

        // The target says why it has not got them. When it had only lost them it has them now.
        async Task TakeAsync()
        {
            var outcomes = await to.TakeCondensedAsync(batch, CancellationToken.None).ConfigureAwait(false);
            for (var i = 0; i < batch.Count; i++)
            {
                switch (outcomes[i])
                {
                    case CondensedOutcome.Observed:
                        own++;
                        break;
                    case CondensedOutcome.Outside:
                        outside++;
                        break;
                    default:
                        missing[batch[i].Datastream] = missing.GetValueOrDefault(batch[i].Datastream) + 1;
                        break;
                }
            }

            (batch, cells) = ([], 0);
        }
    }

    /// <summary>One line for each datastream of which the target had not everything.</summary>
    public static IEnumerable<string> Differences(RollupCounts counts) => counts.Missing.Select(static pair => string.Create(
        CultureInfo.InvariantCulture, $"Datastream {pair.Key}: rollups of {pair.Value} days of the source were not in the target. They were copied once more: give the same command again to verify."));

    private async Task<long> DaysAsync(CancellationToken cancellationToken) => (await from.CondensedAsync(Begin, End, cancellationToken).ConfigureAwait(false)).Values.Sum(static days => (long)days);

    /// <summary>The order in which stores give days.</summary>
    private static (int Year, int Month, int Datastream, int Day) Place(CondensedDay day) => (day.Day.Year, day.Day.Month, day.Datastream, day.Day.Day);
}
