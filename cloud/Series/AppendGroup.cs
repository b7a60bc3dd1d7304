namespace Hub.Cloud.Series;

/// <summary>The calls of one group commit laid side by side, and their ends. Used by the committer, again for each group.</summary>
internal sealed class AppendGroup(int observationsMax, SeriesInstruments instruments)
{
    private Observation[] _observations = [];
    private AppendOutcome[] _outcomes = [];
    private int _count;

    /// <summary>Observations of the group, in order of arrival.</summary>
    public ReadOnlySpan<Observation> Observations => _observations.AsSpan(0, _count);

    /// <summary>One outcome for each.</summary>
    public Span<AppendOutcome> Outcomes => _outcomes.AsSpan(0, _count);

    /// <summary>Takes over the observations of the calls.</summary>
    public void Gather(List<PendingAppend> calls)
    {
        _count = calls.Sum(pending => pending.Observations.Length);

        // One huge call does not keep its memory for ever.
        if (_observations.Length < _count || _observations.Length > 2 * Math.Max(_count, observationsMax))
        {
            _observations = new Observation[Math.Max(_count, 1024)];
            _outcomes = new AppendOutcome[_observations.Length];
        }

        var at = 0;
        foreach (var pending in calls)
        {
            pending.Observations.Span.CopyTo(_observations.AsSpan(at));
            at += pending.Observations.Length;
        }
    }

    /// <summary>Counts the calls, and then completes them with their outcomes: whoever has an answer finds it counted.</summary>
    /// <param name="calls">The calls that were gathered.</param>
    /// <param name="commit">Number of the commit.</param>
    /// <param name="refusal">Why one of them is refused all the same; null for none. Asked twice for each call.</param>
    public void Complete(List<PendingAppend> calls, long commit, Func<PendingAppend, SeriesUnavailableException?>? refusal = null)
    {
        Span<long> totals = stackalloc long[3];
        var (at, refused) = (0, 0L);
        foreach (var pending in calls)
        {
            var outcomes = _outcomes.AsSpan(at, pending.Observations.Length);
            at += outcomes.Length;
            if (refusal?.Invoke(pending) is not null)
            {
                refused += outcomes.Length;
                continue;
            }

            foreach (var outcome in outcomes)
            {
                totals[(int)outcome]++;
            }
        }

        instruments.Observed("stored", totals[(int)AppendOutcome.Stored]);
        instruments.Observed("duplicate", totals[(int)AppendOutcome.Duplicate]);
        instruments.Observed("corrected", totals[(int)AppendOutcome.Corrected]);
        instruments.Observed("refused", refused);
        at = 0;
        var receipts = new AppendReceipts();
        foreach (var pending in calls)
        {
            var outcomes = _outcomes.AsSpan(at, pending.Observations.Length);
            at += outcomes.Length;
            if (refusal?.Invoke(pending) is { } reason)
            {
                pending.Fail(reason);
                continue;
            }

            receipts.Add(pending, new AppendReceipt(commit, outcomes.ToArray()));
            if (receipts.IsFull)
            {
                receipts.Send();
                receipts = new AppendReceipts();
            }
        }

        receipts.Send();
    }

    /// <summary>Ends calls that are not promised anything, and counts them. On any thread.</summary>
    public void Refuse(List<PendingAppend> calls, SeriesUnavailableException reason)
    {
        instruments.Observed("refused", calls.Sum(pending => (long)pending.Observations.Length));
        foreach (var pending in calls)
        {
            pending.Fail(reason);
        }
    }
}
