using Hub.Edge.Contract.Readings;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Outbox;

/// <summary>Reads a folder as a crash, a power cut or a failing card left it and says what of it can be used. Never throws for what files contain.</summary>
internal sealed class OutboxRecovery
{
    private readonly ILogger _logger;
    private readonly StringPool _pool = new();
    private readonly Dictionary<string, byte[]> _cursors = new(StringComparer.Ordinal);
    private readonly List<(SequenceRange Range, Segment Segment)> _intact = [];
    private readonly List<(string Boot, TimeSpan Last)> _boots = [];
    private readonly long _cursorsNext;
    private LedgerImage? _newest;

    private OutboxRecovery(CheckpointFiles checkpoints, ILogger logger)
    {
        _logger = logger;
        if (checkpoints.Load() is not { } checkpoint)
        {
            return;
        }

        _newest = checkpoint.Image;
        _cursorsNext = checkpoint.Image.Position.Next;
        foreach (var cursor in checkpoint.Cursors)
        {
            _cursors[cursor.Source] = cursor.Value.ToArray();
        }
    }

    /// <summary>What was found.</summary>
    internal sealed record Found(Ledger Ledger, List<Segment> Segments, Dictionary<string, byte[]> Cursors, long IndexNext, bool LastIsClean)
    {
        /// <summary>The cursors that are on disk.</summary>
        public required Dictionary<string, byte[]> CursorsWritten { get; init; }

        /// <summary>What stands in the journal alone, in the order it was taken.</summary>
        public required IReadOnlyList<Unwritten> Unwritten { get; init; }

        /// <summary>Starts of the machine that readings without a time count from, oldest first, each with the last instant of its readings since.</summary>
        public required IReadOnlyList<(string Boot, TimeSpan Last)> Boots { get; init; }
    }

    /// <summary>One append that is not on disk.</summary>
    internal sealed record Unwritten(long From, Reading[] Readings, SourceCursor? Cursor, DateTimeOffset TakenAt, int Bytes);

    /// <summary>Reads a folder and, where there is one, the journal of what had not been written to it.</summary>
    public static Found Run(string folder, CheckpointFiles checkpoints, string? journal, ILogger logger) => new OutboxRecovery(checkpoints, logger).Run(folder, journal);

    private Found Run(string folder, string? journal)
    {
        var segments = Segment.List(folder);
        var lastIsClean = true;
        for (var i = 0; i < segments.Count; i++)
        {
            var last = i == segments.Count - 1;

            // Its name proves that everything before it was taken.
            Seen(new SequenceRange(segments[i].From, segments[i].From), segments[i]);

            // A later file begins where the truth of this one ends: what a failed append may have left behind that is not believed.
            lastIsClean = Scan(segments[i], last ? long.MaxValue : segments[i + 1].From);
        }

        var written = new Dictionary<string, byte[]>(_cursors, StringComparer.Ordinal);
        var unwritten = new List<Unwritten>();
        if (journal is not null && File.Exists(journal))
        {
            ScanJournal(Segment.Journal(journal), _intact.Count == 0 ? 0 : _intact.Max(intact => intact.Range.Until), unwritten);
        }

        var ledger = new Ledger();
        ledger.Restore(_newest, _intact.Count == 0 ? 0 : _intact.Max(intact => intact.Range.Until));
        var expected = ledger.Head;
        foreach (var (range, segment) in _intact)
        {
            Lose(ledger, expected, range.From, segment);
            expected = Math.Max(expected, range.Until);
        }

        // The position may prove that more was taken than the files still hold.
        Lose(ledger, expected, ledger.Next, segments.Count == 0 ? null : segments[^1]);
        return new Found(ledger, segments, _cursors, segments.Count == 0 ? 1 : segments[^1].Index + 1, lastIsClean)
        {
            Boots = _boots,
            CursorsWritten = written,
            Unwritten = unwritten,
        };
    }

    /// <summary>Reads one segment; true when it has nothing damaged inside and a torn end could be cut off, so that more can be appended to it.</summary>
    private bool Scan(Segment segment, long limit)
    {
        long length;
        long intactUntil = 0;
        long skippedInside;
        var content = new GroupContent();
        var next = segment.From;
        using (var reader = new SegmentReader(segment))
        {
            length = new FileInfo(segment.Path).Length;
            skippedInside = 0;
            while (reader.TryNext(length, out var head, out var group))
            {
                if (head.Sequence < next || head.Until > limit || !GroupCodec.TryDecode(group, _pool, content))
                {
                    continue;
                }

                if (head.Count > 0)
                {
                    Seen(new SequenceRange(head.Sequence, head.Until), segment);
                }

                next = head.Until;
                intactUntil = reader.Offset;
                skippedInside = reader.BytesSkipped;
                segment.Extend(content.TakenAt);
                if (content.Boot is { } boot)
                {
                    Note(boot, content.Readings);
                }

                if (content.Cursor is not { } cursor)
                {
                    continue;
                }

                if (cursor.Source == FileOutbox.LedgerSource)
                {
                    Believe(cursor);
                }
                else if (head.Sequence >= _cursorsNext && cursor.Value.Length <= GroupCodec.CursorBytesMax)
                {
                    _cursors[cursor.Source] = cursor.Value.ToArray();
                }
            }
        }

        segment.Next = next;
        segment.Bytes = length;
        if (limit != long.MaxValue || intactUntil == length)
        {
            return skippedInside == 0;
        }

        try
        {
            using var file = segment.Open(FileAccess.ReadWrite);
            RandomAccess.SetLength(file, intactUntil);
            _logger.TailCut(length - intactUntil, segment.Path);
            segment.Bytes = intactUntil;
            return skippedInside == 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Reads what of the journal is not on disk: what was written to disk after it stands in both.</summary>
    private void ScanJournal(Segment journal, long onDisk, List<Unwritten> unwritten)
    {
        var content = new GroupContent();
        var next = onDisk;
        var count = 0L;
        var length = new FileInfo(journal.Path).Length;
        long read;
        using (var reader = new SegmentReader(journal))
        {
            while (reader.TryNext(length, out var head, out var group))
            {
                if (!GroupCodec.TryDecode(group, _pool, content))
                {
                    continue;
                }

                if (content.Cursor is { Source: FileOutbox.LedgerSource } record)
                {
                    Believe(record);
                    continue;
                }

                var from = head.Sequence;
                if (from < next)
                {
                    // On disk already, or gone; its cursor is written behind the readings and may not be.
                    content.Readings.Clear();
                    from = next;
                }

                if (content.Readings.Count > 0)
                {
                    Seen(new SequenceRange(head.Sequence, head.Until), journal);
                    next = head.Until;
                }

                count += content.Readings.Count;
                if (content.Boot is { } boot)
                {
                    Note(boot, content.Readings);
                }

                if (content.Cursor is { } cursor)
                {
                    _cursors[cursor.Source] = cursor.Value.ToArray();
                }

                if (content.Readings.Count == 0 && content.Cursor is null)
                {
                    continue;
                }

                unwritten.Add(new Unwritten(from, [.. content.Readings], content.Cursor, content.TakenAt, head.Bytes));
            }

            read = reader.Offset - reader.BytesSkipped;
        }

        if (count > 0)
        {
            _logger.Recovered(count, journal.Path);
        }

        if (read < length)
        {
            _logger.JournalDamaged(length - read, journal.Path);
        }
    }

    private void Believe(SourceCursor record)
    {
        if (LedgerImage.TryRead(record.Value.Span) is { } image && (_newest is null || _newest.Position.Version < image.Position.Version))
        {
            _newest = image;
        }
    }

    private void Note(string boot, List<Reading> readings)
    {
        var known = _boots.FindIndex(known => known.Boot == boot);
        var last = known < 0 ? TimeSpan.Zero : _boots[known].Last;
        foreach (var reading in readings)
        {
            if (reading.PhenomenonTime < StationClock.Earliest)
            {
                var end = reading.PhenomenonTime - DateTime.UnixEpoch + reading.Period;
                last = end > last ? end : last;
            }
        }

        if (known >= 0)
        {
            _boots[known] = (boot, last);
        }
        else
        {
            _boots.Add((boot, last));
        }
    }

    private void Seen(SequenceRange range, Segment segment)
    {
        if (_intact.Count > 0 && _intact[^1].Range.Until == range.From)
        {
            _intact[^1] = (_intact[^1].Range with { Until = range.Until }, _intact[^1].Segment);
        }
        else
        {
            _intact.Add((range, segment));
        }
    }

    private void Lose(Ledger ledger, long from, long until, Segment? segment)
    {
        var before = ledger.Counters.DroppedDamaged;
        ledger.Lose(from, until);
        if (ledger.Counters.DroppedDamaged > before)
        {
            _logger.Damaged(from, until, segment?.Path ?? "the folder");
        }
    }
}
