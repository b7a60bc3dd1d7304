using System.Globalization;
using DuckDB.NET.Data;

namespace Hub.Cloud.Series;

/// <summary>What happens after a failed commit. All of it runs on the committer's thread.</summary>
internal sealed partial class DuckSeries
{
    /// <summary>A commit failed: nothing of the group is promised, and nothing in memory is believed until the store was read again.</summary>
    private void Fail(List<PendingAppend> group, Exception cause)
    {
        _instruments.Failed();
        var fault = Volatile.Read(ref _fault) ?? new Fault(
            string.Create(CultureInfo.InvariantCulture, $"The series store in {_options.Folder} cannot commit: see that the disk is not full and can be written; the hub tries again every {_options.RetryAfter}."),
            _time.GetUtcNow(),
            cause);
        LogCommitFailed(cause, _options.Folder, group.Sum(pending => pending.Observations.Length));
        Volatile.Write(ref _fault, fault);
        Refuse(group, fault.ToException());
        _keys.Clear();

        // Queries go on as soon as the file is open again; appends when a checkpoint shows that writing works.
        TryReopen(checkpoint: false);
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

        if (!TryReopen(checkpoint: true))
        {
            TryReopen(checkpoint: false);
            WaitForRetry(fault);
            return false;
        }

        try
        {
            CatchUp();
        }
        catch (DuckDBException e)
        {
            LogReopenFailed(e, _options.Folder);
            WaitForRetry(fault);
            return false;
        }

        Volatile.Write(ref _fault, null);
        LogRecovered(_options.Folder, LastCommit);
        return true;
    }

    private bool TryReopen(bool checkpoint)
    {
        try
        {
            _database.CloseAnd(() => _database.Open(checkpoint));
            return true;
        }
        catch (Exception e) when (e is DuckDBException or IOException or InvalidDataException)
        {
            LogReopenFailed(e, _options.Folder);
            return false;
        }
    }

    /// <summary>
    /// A commit that failed for its callers may have reached the disk all the same. Then it counts: it is published like any other, so that observers miss nothing when the callers' second
    /// attempt turns out to be a duplicate.
    /// </summary>
    private void CatchUp()
    {
        var stored = _rows.LastCommit();
        if (stored <= LastCommit)
        {
            return;
        }

        foreach (var commit in _rows.RowsAfter(LastCommit).GroupBy(row => row.Commit, row => row.Observation))
        {
            Publish(commit.Key, [.. commit]);
        }

        Interlocked.Exchange(ref _lastCommit, stored);
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
