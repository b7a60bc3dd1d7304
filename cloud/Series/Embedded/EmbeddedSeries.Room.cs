using System.Globalization;

namespace Hub.Cloud.Series;

/// <summary>Deletion, and condensing, where there is no room: it may use what is kept for it, and never needs more at once than a few parts.</summary>
internal sealed partial class EmbeddedSeries
{
    /// <summary>Bytes of parts that one change of the manifest replaces at most, unless a single day has more: until then old and new ones are both on the disk.</summary>
    private const long DeleteBytesMax = 64 * 1024 * 1024;

    /// <summary>A deletion is running: commits that were refused for lack of room do not take up what it needs, and gives back.</summary>
    private volatile bool _makingRoom;

    /// <summary>What is in memory becomes parts, also while commits are refused.</summary>
    /// <exception cref="SeriesUnavailableException">There is no room for it.</exception>
    private async Task MakeFlushedAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _fault) is not null || _flusher.Problem is not null)
        {
            _reserve.LetGo();
        }

        // Where too many tables wait already, the oldest goes first; what is committed from now on is not waited for.
        for (var all = false; !all;)
        {
            (var waiting, all) = await _jobs.RunAsync(NextToFlush).ConfigureAwait(false);
            while (waiting is not null && await Task.WhenAny(waiting.Flushed.Task, Task.Delay(_options.RetryAfter, _time, cancellationToken)).ConfigureAwait(false) != waiting.Flushed.Task)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_flusher.Ended.IsCompleted)
                {
                    throw Stopping();
                }

                if (_flusher.Problem is not null && !_reserve.LetGo())
                {
                    throw NoRoom(null);
                }
            }
        }

        (MemoryTable? Table, bool IsLast) NextToFlush()
        {
            if (_store.FrozenCount >= FrozenMax)
            {
                return (_store.OldestFrozen(), false);
            }

            if (_store.Active.Rows == 0)
            {
                return (_store.NewestFrozen(), true);
            }

            try
            {
                return (Freeze(), true);
            }
            catch (IOException) when (_reserve.LetGo())
            {
                return (Freeze(), true);
            }
            catch (IOException e)
            {
                throw NoRoom(e);
            }
        }
    }

    /// <summary>Runs a deletion in stretches of whole days, the earliest first, each of which is one change of the manifest: what it gives back is room for the next.</summary>
    /// <param name="from">Microseconds.</param>
    /// <param name="to">Microseconds.</param>
    /// <param name="delete">Deletes one stretch. On the compactor's thread, as all of this.</param>
    /// <exception cref="SeriesUnavailableException">There is no room, or a part cannot be read; some of it may be deleted.</exception>
    private void DeleteInSteps(long from, long to, Action<long, long> delete)
    {
        foreach (var (start, end) in DeletionSteps(from, to))
        {
            WithRoom(() =>
            {
                delete(start, end);
                return 0;
            });
        }

        _reserve.TryKeep();
    }

    /// <summary>Does what deletes; once more with the room that is kept for it where there is none.</summary>
    /// <exception cref="SeriesUnavailableException">There is no room, or a part cannot be read; some of it may be done.</exception>
    private long WithRoom(Func<long> delete)
    {
        try
        {
            try
            {
                return delete();
            }
            catch (IOException e) when (PartDamage.PathOf(e) is null && _reserve.LetGo())
            {
                return delete();
            }
        }
        catch (Exception e) when (PartDamage.PathOf(e) is not null)
        {
            throw new SeriesUnavailableException(_damage.Note(PartDamage.PathOf(e)!, e), e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NoRoom(e);
        }
    }

    private List<(long From, long To)> DeletionSteps(long from, long to)
    {
        var steps = new List<(long From, long To)>();
        long bytes = 0;
        foreach (var day in _store.Manifest.Parts.Where(part => part.Summary.MaxMicros >= from && part.Summary.MinMicros < to).GroupBy(part => EventTime.Day(Math.Max(from, part.Summary.MinMicros))).OrderBy(day => day.Key))
        {
            var more = day.Sum(part => part.Summary.Bytes);
            var start = Math.Max(from, day.Key * EventTime.MicrosPerDay);
            if (bytes > 0 && bytes + more > DeleteBytesMax && start > from)
            {
                steps.Add((steps.Count == 0 ? from : steps[^1].To, start));
                bytes = 0;
            }

            bytes += more;
        }

        steps.Add((steps.Count == 0 ? from : steps[^1].To, to));
        return steps;
    }

    private SeriesUnavailableException NoRoom(Exception? cause) => new(
        string.Create(
            CultureInfo.InvariantCulture,
            $"The series store in {_options.Folder} cannot delete: it must write before it gives room back, and the disk refuses. See that it can be written, free {Math.Max(1, _options.ReserveMegabytes)} MiB of it, and try again; what was deleted so far stays deleted."),
        cause);
}
