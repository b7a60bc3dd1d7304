using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Series;

/// <summary>
/// Writes frozen tables as parts, oldest first, on a thread of its own: per UTC day a part with the observations and, if there are any, one with the values that lost; then the manifest; then the
/// log's segments may go. A table stays in memory, and its segments in the log, until it succeeds.
/// </summary>
internal sealed partial class Flusher(PartStore store, SeriesOptions options, TimeProvider time, SeriesInstruments instruments, ILogger log) : IDisposable
{
    private readonly LatestFile _latest = new(store);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? _retry;
    private volatile bool _stopping;
    private volatile bool _due = true;
    private volatile string? _problem;

    /// <summary>Why the last attempt failed; null after one that succeeded.</summary>
    public string? Problem => _problem;

    /// <summary>Ends when the thread does.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Starts the thread.</summary>
    /// <param name="release">Called with the segment of the log whose content is in parts.</param>
    /// <param name="flushed">Called after each table.</param>
    public void Start(Action<long> release, Action flushed)
    {
        _retry = time.CreateTimer(_ => SetDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        new Thread(() => Run(release, flushed)) { IsBackground = true, Name = "series-flusher" }.Start();
    }

    /// <summary>Ends the thread once nothing is left to be written, or the next attempt fails.</summary>
    public void Stop()
    {
        _stopping = true;
        SetDue();
    }

    /// <summary>Writes one table as parts and names them in the manifest. When it throws, nothing has changed and it may be tried again.</summary>
    public void Flush(MemoryTable table)
    {
        var started = time.GetTimestamp();
        using var batch = new PartBatch(store);
        table.RowsWritten = 0;
        foreach (var day in table.Days)
        {
            if (day.Runs.Count > 0)
            {
                WriteObservations(table, day, batch);
            }

            if (day.Losers.Count > 0)
            {
                WriteHistory(day, batch);
                Tell(table, table.RowsWritten + day.Losers.Values.Sum(losers => losers.Count));
            }
        }

        var written = batch.Complete();
        try
        {
            var changed = new Dictionary<int, long>();
            table.AddChangedSince(0, changed);
            store.Edit(
                edit => new StoreEdit(
                    edit.Manifest with
                    {
                        LastCommit = table.LastCommit,
                        Parts = PartOrder.Sorted(edit.Manifest.Parts.AddRange(written)),
                        Latest = _latest.With(edit.Manifest.Latest, table),
                    },
                    edit.Changes.With(ChangeNote.Of(table.FirstCommit, table.LastCommit, 0, changed), store.Folder, store.NextNumber)),
                table);
        }
        catch
        {
            batch.Remove();
            throw;
        }

        instruments.Flushed(table.Rows, written.Sum(part => part.Summary.Bytes), time.GetElapsedTime(started));
    }

    public void Dispose() => _retry?.Dispose();

    private void Run(Action<long> release, Action flushed)
    {
        MemoryTable? unreleased = null;
        while (store.WaitUntil(() => (_due && (store.FrozenCount > 0 || unreleased is not null)) || (_stopping && store.FrozenCount == 0)))
        {
            try
            {
                if (unreleased is null && store.OldestFrozen() is { } table)
                {
                    Flush(table);
                    unreleased = table;
                    flushed();
                }

                if (unreleased is not null)
                {
                    release(unreleased.Segment);
                    unreleased.Flushed.TrySetResult();
                    unreleased = null;
                }
                else if (_stopping && store.FrozenCount == 0)
                {
                    break;
                }

                _problem = null;
            }
#pragma warning disable CA1031 // Whatever went wrong: the rows are in memory and in the log, nothing is lost, and it is tried again.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (_problem is null)
                {
                    LogFlushFailed(log, e, options.Folder);
                }

                instruments.FlushFailed();
                _problem = $"The series store in {options.Folder} cannot write parts: see that the disk is not full and can be written; the hub tries again.";
                if (_stopping)
                {
                    break;
                }

                _due = false;
                store.Wake();
                _retry!.Change(options.RetryAfter, Timeout.InfiniteTimeSpan);
            }
        }

        _ended.SetResult();
    }

    private void SetDue()
    {
        _due = true;
        store.Wake();
    }

    private void WriteObservations(MemoryTable table, MemoryTable.Day day, PartBatch batch)
    {
        var name = store.NewPartName(day.Number);
        using var writer = new PartWriter(Path.Combine(store.Folder.Parts(PartKind.Observations), name));
        var columns = new ObservationColumns();
        var (written, told) = (table.RowsWritten, table.RowsWritten);
        foreach (var (datastream, run) in day.Runs.OrderBy(run => run.Key))
        {
            for (var at = 0; at < run.Count; at += PartFiles.RowsAtOnce)
            {
                columns.Clear();
                foreach (ref readonly var row in run.Rows[at..Math.Min(run.Count, at + PartFiles.RowsAtOnce)])
                {
                    row.CopyTo(columns);
                }

                writer.Add(datastream, columns);
                written += columns.Count;
                if (written - told >= table.Rows / FlushPace.Steps)
                {
                    told = written;
                    Tell(table, written);
                }
            }
        }

        batch.Add(name, PartKind.Observations, day.Number, writer);
        Tell(table, written);
    }

    /// <summary>The committer may wait for it.</summary>
    private void Tell(MemoryTable table, long written)
    {
        table.RowsWritten = written;
        store.Wake();
    }

    private void WriteHistory(MemoryTable.Day day, PartBatch batch)
    {
        var name = store.NewPartName(day.Number);
        using var writer = new PartWriter(Path.Combine(store.Folder.Parts(PartKind.History), name));
        foreach (var (datastream, losers) in day.Losers.OrderBy(losers => losers.Key))
        {
            List<Observation> rows = [.. losers];
            HistoryRows.SortDistinct(rows);
            PartFiles.Add(writer, datastream, CollectionsMarshal.AsSpan(rows));
        }

        batch.Add(name, PartKind.History, day.Number, writer);
    }

    [LoggerMessage(20, LogLevel.Error, "The series store in {Folder} cannot write parts. Nothing is lost: it is tried again. See that the disk is not full and can be written.")]
    private static partial void LogFlushFailed(ILogger logger, Exception exception, string folder);
}
