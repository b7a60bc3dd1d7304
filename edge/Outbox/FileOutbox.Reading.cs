using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox;

/// <summary>The part that reads what is held, from memory where it is not on disk yet.</summary>
internal sealed partial class FileOutbox
{
    private readonly BatchLists _lists = new();

    private async ValueTask<OutboxBatch?> ReadHeldAsync(OutboxReader reader, long from, long until, int countMax, CancellationToken cancellationToken)
    {
        if (_clock is { IsTrusted: false })
        {
            return null;
        }

        await EnsureStampsAsync(cancellationToken).ConfigureAwait(false);
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                SequenceRange run;
                lock (_gate)
                {
                    ObjectDisposedException.ThrowIf(_closed, this);
                    run = _ledger.Run(from);
                    run = run with { Until = Math.Min(run.Until, Math.Min(until, run.From + countMax)) };
                    if (run.Count <= 0)
                    {
                        return null;
                    }

                    if (!_writeThrough && _pending.Count > 0 && run.Until > _pending[0].From)
                    {
                        if (run.From >= _pending[0].From)
                        {
                            return FromMemory(run);
                        }

                        run = run with { Until = _pending[0].From };
                    }
                }

                var readings = _lists.Take((int)run.Count);
                reader.Read(run.From, (int)run.Count, readings);
                if (readings.Count > 0)
                {
                    return new OutboxBatch(run.From, run.From + readings.Count, readings, _lists);
                }

                _lists.GiveBack(readings);

                // Found damaged or dropped meanwhile: the ledger now says so; look again.
            }
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>Copies readings out of memory. Called with _gate held.</summary>
    private OutboxBatch FromMemory(SequenceRange run)
    {
        int low = 0, high = _pending.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = _pending[middle].From <= run.From ? (middle, high) : (low, middle - 1);
        }

        var readings = _lists.Take((int)run.Count);
        var sequence = run.From;
        for (; sequence < run.Until; low++)
        {
            var append = _pending[low];
            var taken = append.Readings;
            for (; sequence < Math.Min(run.Until, append.Until); sequence++)
            {
                ref readonly var reading = ref taken[(int)(sequence - append.From)];
                readings.Add(_clock is null ? reading : Stamp(reading, _clock.BootId));
            }
        }

        return new OutboxBatch(run.From, run.Until, readings, _lists);
    }

    private (Segment Segment, long Bytes, long Next)? FindSegment(long sequence)
    {
        lock (_gate)
        {
            // From the newest: only it may share its first number with an empty predecessor.
            for (var i = _segments.Count - 1; i >= 0; i--)
            {
                if (_segments[i].From <= sequence)
                {
                    return (_segments[i], _segments[i].Bytes, _segments[i].Next);
                }
            }

            return null;
        }
    }

    private void LoseRange(long from, long until, string file)
    {
        lock (_gate)
        {
            until = Math.Min(until, _ledger.Next);
            if (_ledger.Held(from, until) > 0)
            {
                _logger.Damaged(from, until, file);
            }

            _ledger.Lose(from, until);
            _ledgerChanged = true;
        }
    }
}
