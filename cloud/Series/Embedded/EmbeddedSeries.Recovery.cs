using System.Globalization;

namespace Hub.Cloud.Series;

/// <summary>What happens after a failed commit. All of it runs on the committer's thread; questions go on meanwhile.</summary>
internal sealed partial class EmbeddedSeries
{
    /// <summary>Room that must be writable before commits are tried again; so a disk that is all but full is not taken for one with room.</summary>
    private const int ProbeBytes = 1024 * 1024;

    /// <summary>A commit failed: nothing of the group is promised. The log has cut off what reached the disk of it, or does before it takes the next.</summary>
    private void Fail(List<PendingAppend> group, Exception cause)
    {
        _instruments.Failed();
        var fault = Volatile.Read(ref _fault) ?? new Fault(
            string.Create(CultureInfo.InvariantCulture, $"The series store in {_options.Folder} cannot commit: see that the disk is not full and can be written; the hub tries again every {_options.RetryAfter}."),
            _time.GetUtcNow(),
            cause);
        LogCommitFailed(cause, _options.Folder, group.Sum(pending => pending.Observations.Length));
        Volatile.Write(ref _fault, fault);
        _group.Refuse(group, fault.ToException());
        _keys.Clear();
        WaitForRetry(fault);
    }

    private void WaitForRetry(Fault fault)
    {
        fault.RetryFrom = _time.GetTimestamp();
        _retry!.Change(_options.RetryAfter, Timeout.InfiniteTimeSpan);
    }

    private bool TryRecover(Fault fault)
    {
        var left = _options.RetryAfter - _time.GetElapsedTime(fault.RetryFrom);
        if (left > TimeSpan.Zero)
        {
            _retry!.Change(left, Timeout.InfiniteTimeSpan);
            return false;
        }

        if (_makingRoom)
        {
            WaitForRetry(fault);
            return false;
        }

        try
        {
            if (_store.FrozenCount >= FrozenMax && _flusher.Problem is { } behind)
            {
                throw new IOException(behind);
            }

            // The room for deletions is kept again if it is there beside the room to go on.
            _reserve.TryKeep();
            try
            {
                Probe();
            }
            catch (IOException) when (_reserve.LetGo())
            {
                Probe();
            }

            // A new segment also shows that a torn end of the old one could be cut.
            _wal!.Roll();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotRecovered(e, _options.Folder);
            WaitForRetry(fault);
            return false;
        }

        Volatile.Write(ref _fault, null);
        LogRecovered(_options.Folder, LastCommit);
        return true;
    }

    private void Probe()
    {
        var path = Path.Combine(_folder.Root, "probe");
        try
        {
            using var file = _disk.Open(path, FileMode.Create);
            _disk.Write(file, new byte[ProbeBytes], 0);
            _disk.Flush(file);
        }
        finally
        {
            _disk.Delete(path);
        }
    }

    /// <summary>Why the store cannot commit.</summary>
    private sealed class Fault(string reason, DateTimeOffset since, Exception cause)
    {
        public string Reason { get; } = reason;

        public DateTimeOffset Since { get; } = since;

        public long RetryFrom { get; set; }

        public SeriesUnavailableException ToException() => new(Reason, cause);
    }
}
