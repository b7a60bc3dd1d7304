using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Outbox;

/// <summary>The part that takes readings. What is gathered is taken without a task and without allocating; only who must wait for the disk costs more.</summary>
internal sealed partial class FileOutbox
{
    public ValueTask AppendAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        // The usual way waits for nothing and allocates nothing: a station goes it every second for years.
        if (cancellationToken.IsCancellationRequested || StampsAreOpen)
        {
            return AppendSlowlyAsync(readings, cursor, cancellationToken);
        }

        return readings.IsEmpty && cursor is null ? default : Keep(readings, cursor, cancellationToken);
    }

    private async ValueTask AppendSlowlyAsync(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (readings.IsEmpty && cursor is null)
        {
            return;
        }

        // Before anything that has a time: should the machine start again, what was taken earlier must not be placed behind it.
        await EnsureStampsAsync(cancellationToken).ConfigureAwait(false);
        await Keep(readings, cursor, cancellationToken).ConfigureAwait(false);
    }

    private ValueTask Keep(ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        var acceptance = Accept(readings.Span, cursor, out var append);
        return acceptance == Acceptance.Kept ? default : FinishAsync(acceptance, append, readings, cursor, cancellationToken);
    }

    /// <summary>Does what an append still needs that was not kept at once.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask FinishAsync(Acceptance acceptance, PendingAppend? append, ReadOnlyMemory<Reading> readings, SourceCursor? cursor, CancellationToken cancellationToken)
    {
        while (acceptance == Acceptance.Full)
        {
            await FlushAsync(cancellationToken).ConfigureAwait(false);
            acceptance = Accept(readings.Span, cursor, out append);
        }

        if (acceptance == Acceptance.NotSafe)
        {
            try
            {
                await FlushAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (IOException)
            {
                // Neither the journal nor the disk takes it now. It stays in memory, and was logged and counted where it failed.
            }
        }

        if (append is not null)
        {
            // Once accepted it is no longer cancellable: the caller must learn whether it is on disk. Whoever waited here longest has written for all behind.
            try
            {
                await FlushAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (IOException) when (append.Written)
            {
                // What failed was not this append.
            }

            var failure = append.Failure;
            if (append.Written || failure is not null)
            {
                lock (_gate)
                {
                    _memory.GiveBack(append);
                }
            }

            if (failure is not null)
            {
                throw new IOException(failure.Message, failure);
            }
        }
    }

    /// <summary>A board whose supply is too low may be without power next: what waits is then written at once.</summary>
    private static bool SaysPowerMayGo(ReadOnlySpan<Reading> readings)
    {
        foreach (ref readonly var reading in readings)
        {
            if (reading.Property == "undervoltage" && reading.Value > 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>What became of an append.</summary>
    private enum Acceptance
    {
        /// <summary>It is kept, and nobody has to wait for anything.</summary>
        Kept,

        /// <summary>It is kept in memory; the journal refused it, so the disk must take it.</summary>
        NotSafe,

        /// <summary>It is kept when the disk has taken it; until then its caller waits.</summary>
        Waits,

        /// <summary>Memory is full: not kept.</summary>
        Full,
    }

    /// <summary>Puts an append into memory, unless that is full.</summary>
    /// <param name="readings">Its readings; copied.</param>
    /// <param name="cursor">Its cursor; copied.</param>
    /// <param name="waiting">The append whose caller waits, who gives it back; null for all others, which may be written and used again at any moment.</param>
    private Acceptance Accept(ReadOnlySpan<Reading> readings, SourceCursor? cursor, out PendingAppend? waiting)
    {
        waiting = null;
        var takenAt = _time.GetUtcNow();
        var group = GroupCodec.Encode(readings, cursor, takenAt, boot: Boot(readings));
        if (group.Length > _options.BytesMax / 8)
        {
            throw new ArgumentException($"The group takes {group.Length} bytes, more than an eighth of {OutboxOptions.Section}:BytesMax.", nameof(readings));
        }

        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (cursor is { } given && !_cursors.ContainsKey(given.Source) && _cursors.Count >= CursorsMax)
            {
                throw new ArgumentException($"'{given.Source}' would be source {CursorsMax + 1}; an outbox keeps the cursors of {CursorsMax}.", nameof(cursor));
            }

            if (_pending.Count > 0 && _pendingBytes + group.Length > PendingBytesMax)
            {
                return Acceptance.Full;
            }

            // In the journal before anyone can see it: what was sent was taken, whatever happens now.
            var safe = _writeThrough || TryJournal(group, _ledger.Next);
            var append = _memory.Take(readings, cursor, takenAt, group.Length);
            _pending.Add(append);
            _pendingBytes += group.Length;
            if (_writeThrough)
            {
                waiting = append;
                return Acceptance.Waits;
            }

            Publish(append);
            var now = !_writeSoon && (SaysPowerMayGo(readings) || Unwritten() >= UnwrittenMax || _journal is { Bytes: > Journal.BytesMax });
            _writeSoon |= now;
            Arm(now ? TimeSpan.Zero : _delay);
            return safe ? Acceptance.Kept : Acceptance.NotSafe;
        }
    }

    /// <summary>Numbers an append and lets readers see it. Called with _gate held.</summary>
    private void Publish(PendingAppend append)
    {
        append.From = _ledger.Next;
        _ledger.Take(append.Until);
        if (append.Cursor is { } cursor)
        {
            Note(_cursors, cursor);
        }

        var taken = _taken;
        _taken = null;
        taken?.TrySetResult();
    }

    /// <summary>Notes a cursor, over the one before it where it is as long.</summary>
    private static void Note(Dictionary<string, byte[]> cursors, SourceCursor cursor)
    {
        ref var kept = ref CollectionsMarshal.GetValueRefOrAddDefault(cursors, cursor.Source, out _);
        if (kept is null || kept.Length != cursor.Value.Length)
        {
            kept = new byte[cursor.Value.Length];
        }

        cursor.Value.Span.CopyTo(kept);
    }
}
