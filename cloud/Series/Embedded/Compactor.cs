using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Series;

/// <summary>
/// Merges the parts of a day in the background, on one thread that gives way: while appends wait, it rests nine times as long as it worked, or as long as it worked where somebody waits for it or a
/// day has far more parts than it should. What rewrites parts on request (deletion) runs on the same thread, so two rewritings never meet.
/// </summary>
internal sealed partial class Compactor : IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(1);

    private readonly PartStore _store;
    private readonly SeriesOptions _options;
    private readonly TimeProvider _time;
    private readonly SeriesInstruments _instruments;
    private readonly ILogger _log;
    private readonly Func<bool> _appendsWait;
    private readonly PartDamage _damage;
    private readonly Action<TimeSpan> _pause;
    private readonly PartMerger _merger;
    private readonly RollupMonth _months;
    private readonly ImmutableArray<TimeSpan> _resolutions;
    private readonly CancellationTokenSource _stop = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Lock _jobsLock = new();
    private readonly Queue<Action> _jobs = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? _tick;
    private readonly HashSet<(int Day, PartKind Kind)> _failed = [];
    private readonly HashSet<int> _monthsFailed = [];
    private bool _jobsClosed;
    private bool _isUrgent;
    private volatile bool _tryAgain;
    private long _worked;

    /// <param name="store">The parts.</param>
    /// <param name="options">Settings.</param>
    /// <param name="time">Clock; that of the pauses is the machine's.</param>
    /// <param name="instruments">Counters.</param>
    /// <param name="log">Log.</param>
    /// <param name="appendsWait">Whether appends wait now.</param>
    /// <param name="damage">Is told of parts that cannot be read.</param>
    /// <param name="statistics">Which statistic suits a datastream; null when nothing knows.</param>
    /// <param name="findings">Flags found since; null when nothing finds any.</param>
    /// <param name="pause">Rests so long; null for the thread itself, which wakes up to stop. For tests.</param>
    public Compactor(
        PartStore store, SeriesOptions options, TimeProvider time, SeriesInstruments instruments, ILogger log, Func<bool> appendsWait, PartDamage damage, IDatastreamStatistics? statistics = null, IFindings? findings = null,
        Action<TimeSpan>? pause = null)
    {
        (_store, _options, _time, _instruments, _log, _appendsWait, _damage) = (store, options, time, instruments, log, appendsWait, damage);
        _pause = pause ?? (rest => _stop.Token.WaitHandle.WaitOne(rest));
        _merger = new PartMerger(store, Pace);
        _months = new RollupMonth(store, statistics, findings, Pace);
        _resolutions = options.RollupResolutions;
    }

    /// <summary>Writes rollups; for work of <see cref="RunAsync"/>.</summary>
    public RollupMonth Months => _months;

    /// <summary>Starts the thread.</summary>
    public void Start()
    {
        _tick = _time.CreateTimer(
            _ =>
            {
                _tryAgain = true;
                Wake();
            },
            null,
            LookAgain,
            LookAgain);
        new Thread(Run) { IsBackground = true, Name = "series-compactor", Priority = ThreadPriority.BelowNormal }.Start();
    }

    /// <summary>Lets it look for work.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Runs work that rewrites parts, after what runs now.</summary>
    /// <exception cref="SeriesUnavailableException">The store is stopping.</exception>
    public Task<T> RunAsync<T>(Func<PartMerger, T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_jobsLock)
        {
            if (_jobsClosed)
            {
                throw new SeriesUnavailableException($"The series store in {_options.Folder} is stopping.");
            }

            _jobs.Enqueue(() =>
            {
                try
                {
                    _stop.Token.ThrowIfCancellationRequested();
                    done.SetResult(work(_merger));
                }
                catch (OperationCanceledException e)
                {
                    done.SetException(new SeriesUnavailableException($"The series store in {_options.Folder} is stopping.", e));
                }
#pragma warning disable CA1031 // It belongs to whoever asked for the work.
                catch (Exception e)
#pragma warning restore CA1031
                {
                    done.SetException(e);
                }
            });
        }

        Wake();
        return done.Task;
    }

    /// <summary>Breaks off what runs, leaving things as they were, and ends the thread.</summary>
    public void Stop()
    {
        _stop.Cancel();
        Wake();
    }

    /// <summary>Ends when the thread does.</summary>
    public Task Ended => _ended.Task;

    /// <summary>After the thread has ended.</summary>
    public void Dispose()
    {
        _tick?.Dispose();
        _stop.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        while (!_stop.IsCancellationRequested)
        {
            if (!TryRunJob() && !TryCompact() && !TryRollUp())
            {
                _wake.WaitOne();
            }
        }

        lock (_jobsLock)
        {
            _jobsClosed = true;
        }

        while (TryRunJob())
        {
        }

        _ended.SetResult();
    }

    private bool TryRunJob()
    {
        Action? job;
        lock (_jobsLock)
        {
            if (!_jobs.TryDequeue(out job))
            {
                return false;
            }
        }

        _worked = _time.GetTimestamp();
        _isUrgent = true;
        job();
        _isUrgent = false;
        return true;
    }

    /// <summary>False when there is nothing to be done now.</summary>
    private bool TryCompact()
    {
        // A day that cannot be merged (a damaged part, for instance) must not hold up the others: it is left out until the next tick.
        if (_tryAgain)
        {
            _tryAgain = false;
            _failed.Clear();
            _monthsFailed.Clear();
        }

        var parts = _store.Manifest.Parts;
        parts = _failed.Count == 0 ? parts : parts.RemoveAll(part => _failed.Contains((part.Day, part.Kind)));
        if (CompactionPlan.Next(parts, _time.GetUtcNow(), _options.PartsPerDayMax, _options.SettleAfter) is not { } plan)
        {
            return false;
        }

        try
        {
            _isUrgent = plan.IsUrgent;
            Compact(plan);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
#pragma warning disable CA1031 // Whatever went wrong: the parts are as they were, and it is tried again with the next tick.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _instruments.CompactionFailed();
            _failed.Add((plan.Day, plan.Kind));
            NoteDamage(e);
            LogCompactionFailed(_log, e, _options.Folder, plan.Inputs.Length, EventTime.TimeClamped(plan.Day * EventTime.MicrosPerDay));
            return true;
        }
        finally
        {
            _isUrgent = false;
        }
    }

    private void Compact(CompactionPlan plan)
    {
        var started = _worked = _time.GetTimestamp();
        using var version = _store.Take();
        var wanted = plan.Inputs.Select(part => part.File).ToHashSet(StringComparer.Ordinal);
        LivePart[] inputs = [.. version.Parts.Where(part => part.Info.Kind == plan.Kind && wanted.Contains(part.Info.File))];
        var written = _merger.Merge(inputs);
        Replace(_store, inputs, written);
        _instruments.Compacted(plan.Inputs.Sum(part => part.Summary.Rows), written.Sum(part => part.Summary.Bytes), _time.GetElapsedTime(started));
    }

    /// <summary>False when there is nothing to be done now.</summary>
    private bool TryRollUp()
    {
        if (_stop.IsCancellationRequested || RollupPlan.Next(_store.Manifest.Parts, _resolutions, _time.GetUtcNow(), _options.SettleAfter, _monthsFailed) is not { } plan)
        {
            return false;
        }

        try
        {
            RollUp(plan);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
#pragma warning disable CA1031 // Whatever went wrong: rollups are as they were, observations answer where they do not, and it is tried again with the next tick.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _instruments.RollupFailed();
            _monthsFailed.Add(plan.Month);
            NoteDamage(e);
            DropDamaged(plan, e);
            LogRollUpFailed(_log, e, _options.Folder, plan.Minutes, EventTime.TimeClamped(plan.Month * EventTime.MicrosPerDay));
            return true;
        }
    }

    /// <summary>
    /// The operator hears of a part that cannot be read before anybody asks about its day: the health warns as after such a question. Derived rollups are not worth it, they are made anew.
    /// </summary>
    private void NoteDamage(Exception cause)
    {
        if (PartDamage.PathOf(cause) is { } path && _store.Manifest.Parts.Any(part => part.Kind != PartKind.Rollups && _store.Folder.Part(part) == path))
        {
            _damage.Note(path, cause);
        }
    }

    /// <summary>Rows that cannot be copied are made anew with the next tick.</summary>
    private void DropDamaged(RollupPlan plan, Exception cause)
    {
        if (cause is InvalidDataException && plan.Old is { } damaged)
        {
            using var version = _store.Take();
            try
            {
                Replace(_store, [.. version.Parts.Where(part => part.Info.Kind == PartKind.Rollups && part.Info.File == damaged.File)], []);
            }
            catch (IOException)
            {
                // Then it stays, and is tried again.
            }
        }
    }

    /// <summary>Writes every file of rollups anew that holds rows of parts that are gone: what was deleted is then nowhere. For work of <see cref="RunAsync"/>.</summary>
    public void DropOutdatedRollups()
    {
        while (RollupPlan.Outdated(_store.Manifest.Parts, _resolutions, _time.GetUtcNow(), _options.SettleAfter) is { } plan)
        {
            RollUp(plan);
        }
    }

    private void RollUp(RollupPlan plan)
    {
        var started = _worked = _time.GetTimestamp();
        using var version = _store.Take();
        var fresh = plan.Fresh.Select(part => part.File).ToHashSet(StringComparer.Ordinal);
        LivePart[] inputs = [.. version.Parts.Where(part => part.Info.Kind == PartKind.Observations && fresh.Contains(part.Info.File)).OrderBy(part => part.Info.Day)];
        var old = version.Parts.SingleOrDefault(part => part.Info.Kind == PartKind.Rollups && part.Info.File == plan.Old?.File);
        var written = _months.Write(plan, old, inputs);
        if (written is not null || old is not null)
        {
            Replace(_store, old is null ? [] : [old], written is null ? [] : [written]);
        }

        _instruments.RolledUp(written?.Summary.Rows ?? 0, written?.Summary.Bytes ?? 0, _time.GetElapsedTime(started));
    }

    /// <summary>Names new parts instead of old ones; removes the new ones when the manifest cannot be written.</summary>
    public static void Replace(PartStore store, IReadOnlyCollection<LivePart> inputs, IReadOnlyCollection<PartInfo> written, Func<StoreEdit, StoreEdit>? also = null)
    {
        var gone = inputs.Select(part => part.Info).ToHashSet();
        try
        {
            store.Edit(edit =>
            {
                var next = edit with { Manifest = edit.Manifest with { Parts = PartOrder.Sorted([.. edit.Manifest.Parts.Where(part => !gone.Contains(part)), .. written]) } };
                return also is null ? next : also(next);
            });
        }
        catch
        {
            foreach (var part in written)
            {
                PartFiles.TryDelete(store.Folder.Part(part));
            }

            throw;
        }
    }

    private void Pace()
    {
        _stop.Token.ThrowIfCancellationRequested();
        var rest = CompactionPace.Rest(_time.GetElapsedTime(_worked), _appendsWait(), _isUrgent);
        if (rest > TimeSpan.Zero)
        {
            _pause(rest);
        }

        _worked = _time.GetTimestamp();
    }

    [LoggerMessage(31, LogLevel.Error, "In {Folder} the rollups of {Minutes} min for the month from {Month:yyyy-MM-dd} cannot be written. Answers come from the observations meanwhile, and it is tried again every minute.")]
    private static partial void LogRollUpFailed(ILogger logger, Exception exception, string folder, int minutes, DateTime month);

    [LoggerMessage(30, LogLevel.Error, "In {Folder} {Parts} parts of {Day:yyyy-MM-dd} cannot be merged. They stay as they are, and it is tried again every minute.")]
    private static partial void LogCompactionFailed(ILogger logger, Exception exception, string folder, int parts, DateTime day);
}
