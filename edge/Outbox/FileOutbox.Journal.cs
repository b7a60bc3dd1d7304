namespace Hub.Edge.Outbox;

/// <summary>The part that keeps in memory-backed storage what is not on disk yet, so that only a power cut can take it.</summary>
internal sealed partial class FileOutbox
{
    /// <summary>
    /// How long readings are gathered where nothing was set and a journal stands. A write costs about one 4 KiB page more than its bytes: a station with everything takes 160 readings in 5
    /// minutes and writes then, one that takes 8 a minute needs this long until they share a page as well.
    /// </summary>
    private static readonly TimeSpan GatherDelay = TimeSpan.FromMinutes(15);

    private static Journal? OpenJournal(string parent, string folder, string boot, out string why)
    {
        why = "";
        if (parent == OutboxOptions.NoJournal || MemoryFolder.TryOpen(parent, out why) is not { } memory)
        {
            return null;
        }

        try
        {
            if (Journal.Of(memory, folder, boot) is { } journal)
            {
                return journal;
            }

            why = $"the system gives {folder} no identity";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            why = e.Message;
        }

        return null;
    }

    /// <summary>Puts on disk what the journal held when the agent ended without an end; without a delay that must be done before anything else is taken.</summary>
    /// <exception cref="IOException">Without a delay: the disk refuses. The journal stays.</exception>
    private void WriteRecovered()
    {
        var gather = _delay > TimeSpan.Zero;
        try
        {
            if (_journal is { Bytes: > 0 })
            {
                lock (_gate)
                {
                    // What was released stands nowhere else.
                    _ledgerChanged = true;
                }

                WritePending();
            }

            if (!gather)
            {
                _journal?.Delete();
                _writeThrough = true;
            }
        }
        catch (IOException) when (gather)
        {
            // Logged and counted where it failed, and armed again.
        }
    }

    /// <summary>Writes a group into the journal; true also when there is none to write into. Called with _gate held.</summary>
    private bool TryJournal(Span<byte> group, long sequence)
    {
        if (_journal is null)
        {
            return true;
        }

        GroupCodec.Seal(group, sequence);
        var written = _journal.TryAppend(group);
        if (!written && !_journalFailed)
        {
            _logger.JournalFailed(_journal.Path);
        }

        _journalFailed = !written;
        return written;
    }

    /// <summary>Writes into the journal where the ledger stands. Called with _gate held.</summary>
    private void JournalLedger()
    {
        // An older ledger means that something is sent again, no more: it never makes the journal grow past its measure.
        if (!_writeThrough && _journal is { IsWorking: true, Bytes: < Journal.BytesMax })
        {
            _ = TryJournal(LedgerGroup(_ledger.Stamp(_ledger.Next), _time.GetUtcNow(), ref _journalImage), _ledger.Next);
        }
    }

    /// <summary>Begins the journal anew with what was taken and released while the rest was written to disk. Called with _disk held.</summary>
    private void RenewJournal()
    {
        if (_journal is null || _writeThrough)
        {
            return;
        }

        lock (_gate)
        {
            ref var groups = ref _out;
            groups.Clear();
            if (_ledgerChanged)
            {
                // Behind what is in front of it on disk, before what follows here.
                var first = _pending.Count == 0 ? _ledger.Next : _pending[0].From;
                Add(ref groups, LedgerGroup(_ledger.Stamp(first), _time.GetUtcNow(), ref _journalImage), first);
            }

            foreach (var append in _pending)
            {
                Add(ref groups, GroupCodec.Encode(append.Readings, append.Cursor, append.TakenAt, boot: Boot(append.Readings)), append.From);
            }

            _journal.Renew(groups.Written);
        }
    }

    /// <summary>The ledger as a group, by way of room that is used again.</summary>
    private static Span<byte> LedgerGroup(LedgerImage image, DateTimeOffset now, ref ByteWriter room)
    {
        room.Clear();
        image.Write(ref room);
        return GroupCodec.Encode([], new SourceCursor(LedgerSource, room.Memory), now, GroupCodec.RecordBytesMax);
    }
}
