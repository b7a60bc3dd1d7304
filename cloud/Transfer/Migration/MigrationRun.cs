using System.Globalization;
using Hub.Cloud.Series;
using Hub.Cloud.Transfer.Export;

namespace Hub.Cloud.Transfer.Migration;

/// <summary>Runs a migration: copies the rollups that are kept without observations, then datastream by datastream, each in order of time with the values that lost, then reads both sides again and compares.</summary>
internal sealed class MigrationRun : ISeriesMigration
{
    private const int RowsPerStep = 4_096;
    private const int BatchObservationsMax = 200_000;
    private const int DifferencesMax = 100;

    private static readonly DateTime Begin = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);
    private static readonly DateTime End = DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);

    /// <inheritdoc/>
    public async Task<MigrationSummary> MigrateAsync(MigrationRequest request, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfLessThan(request.BatchObservations, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(request.BatchObservations, BatchObservationsMax);
        var times = TimesOf(request.To);
        var datastreams = await request.From.DatastreamsAsync(Begin, End, cancellationToken).ConfigureAwait(false);
        using var cursors = MigrationCursors.Open(request.CursorFile);
        var resumed = datastreams.Count(cursors.IsDone);
        var rollups = new RollupCopy(request.From, request.To, cursors, progress);
        await rollups.CopyAsync(cancellationToken).ConfigureAwait(false);
        await CopyAsync(request, datastreams, times, cursors, progress, cancellationToken).ConfigureAwait(false);

        var kept = await rollups.VerifyAsync(cancellationToken).ConfigureAwait(false);
        List<string> differences = [.. RollupCopy.Differences(kept).Take(DifferencesMax)];
        var (observations, history, outside) = (0L, 0L, 0L);
        for (var index = 0; index < datastreams.Count; index++)
        {
            var datastream = datastreams[index];
            var source = await SumAsync(request.From, datastream, times, cancellationToken).ConfigureAwait(false);
            var target = await SumAsync(request.To, datastream, (Begin, End), cancellationToken).ConfigureAwait(false);
            foreach (var beyond in new[] { (Begin, times.From), (times.To, End) })
            {
                var sum = await SumAsync(request.From, datastream, beyond, cancellationToken).ConfigureAwait(false);
                outside += sum.Observations + sum.History;
            }

            observations += source.Observations;
            history += source.History;
            progress?.Report(new TransferProgress("verify", (index + 1.0) / datastreams.Count, observations + history));
            if (source != target && await MissingAsync(request, datastream, times, cancellationToken).ConfigureAwait(false) is > 0 and var missing && differences.Count < DifferencesMax)
            {
                differences.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Datastream {datastream}: {missing} values of the source are not in the target. The source has {source.Observations} observations and {source.History} values in history with checksum {source.Checksum:x16}, the target {target.Observations} and {target.History} with {target.Checksum:x16}."));
            }
        }

        if (differences.Count == 0)
        {
            cursors.Complete();
        }

        return new MigrationSummary(datastreams.Count, observations, history, resumed, differences) { Outside = outside, Condensed = kept.Carried, CondensedOwn = kept.Own, CondensedOutside = kept.Outside };
    }

    /// <summary>What of time the target can hold, from inclusive to exclusive.</summary>
    private static (DateTime From, DateTime To) TimesOf(ISeries target)
    {
        var (earliest, latest) = target.Times;
        return (earliest, latest < End ? latest.AddMicroseconds(1) : End);
    }

    private static async Task CopyAsync(
        MigrationRequest request, IReadOnlyList<int> datastreams, (DateTime From, DateTime To) times, MigrationCursors cursors, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        // Full batches: many datastreams share an append, so that a city of small ones does not cost a commit each.
        var batch = new List<Observation>(request.BatchObservations);
        var ends = new List<int>();
        var rows = 0L;
        for (var index = 0; index < datastreams.Count; index++)
        {
            var datastream = datastreams[index];
            if (cursors.IsDone(datastream))
            {
                continue;
            }

            var from = cursors.From(datastream) is var reached && reached > times.From ? reached : times.From;
            await foreach (var observation in ExportRun.WithHistoryAsync(request.From, datastream, from, times.To, cancellationToken).ConfigureAwait(false))
            {
                // Only between two times: what a cursor stands before is copied with all its values that lost.
                if (batch.Count >= request.BatchObservations && observation.PhenomenonTime != batch[^1].PhenomenonTime)
                {
                    await SubmitAsync(observation.PhenomenonTime, datastream).ConfigureAwait(false);
                }

                batch.Add(observation);
                if (++rows % RowsPerStep == 0)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    progress?.Report(new TransferProgress("copy", (double)index / datastreams.Count, rows));
                }
            }

            ends.Add(datastream);
            progress?.Report(new TransferProgress("copy", (index + 1.0) / datastreams.Count, rows));
        }

        await SubmitAsync(null, 0).ConfigureAwait(false);

        async Task SubmitAsync(DateTime? before, int datastream)
        {
            if (batch.Count > 0)
            {
                await request.To.AppendAsync(batch.ToArray(), CancellationToken.None).ConfigureAwait(false);
                batch.Clear();
            }

            foreach (var end in ends)
            {
                cursors.Note(end, null);
            }

            ends.Clear();
            if (before is { } at)
            {
                cursors.Note(datastream, at);
            }
        }
    }

    private static async Task<(long Observations, long History, ulong Checksum)> SumAsync(
        ISeries series, int datastream, (DateTime From, DateTime To) times, CancellationToken cancellationToken)
    {
        var sum = default(SeriesChecksum);
        if (times.From >= times.To)
        {
            return (0, 0, sum.Value);
        }

        await foreach (var observation in series.RangeAsync(datastream, times.From, times.To, cancellationToken).ConfigureAwait(false))
        {
            sum.Add(observation);
        }

        var observations = sum.Count;
        await foreach (var observation in series.HistoryAsync(datastream, times.From, times.To, cancellationToken).ConfigureAwait(false))
        {
            sum.Add(observation);
        }

        return (observations, sum.Count - observations, sum.Value);
    }

    /// <summary>
    /// Values of the source that the target has neither as an observation nor in its history. A target may hold more: what it had before, or what a hub has appended since; a value of the source may
    /// have lost there.
    /// </summary>
    private static async Task<long> MissingAsync(MigrationRequest request, int datastream, (DateTime From, DateTime To) times, CancellationToken cancellationToken)
    {
        var missing = 0L;
        await using var target = ExportRun.WithHistoryAsync(request.To, datastream, Begin, End, cancellationToken).GetAsyncEnumerator(cancellationToken);
        var isMore = await target.MoveNextAsync().ConfigureAwait(false);
        var there = new HashSet<ulong>();
        var time = Begin;
        await foreach (var observation in ExportRun.WithHistoryAsync(request.From, datastream, times.From, times.To, cancellationToken).ConfigureAwait(false))
        {
            if (observation.PhenomenonTime != time)
            {
                time = observation.PhenomenonTime;
                there.Clear();
                for (; isMore && target.Current.PhenomenonTime <= time; isMore = await target.MoveNextAsync().ConfigureAwait(false))
                {
                    if (target.Current.PhenomenonTime == time)
                    {
                        there.Add(SeriesChecksum.Of(target.Current));
                    }
                }
            }

            missing += there.Contains(SeriesChecksum.Of(observation)) ? 0 : 1;
        }

        return missing;
    }
}
