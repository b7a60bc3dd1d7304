using Microsoft.Extensions.Logging;

namespace Hub.Edge.Outbox;

/// <summary>Reads a folder as a crash, a power cut or a failing card left it and says what of it can be used. Never throws for what files contain.</summary>
internal static class OutboxRecovery
{
    /// <summary>What was found.</summary>
    internal sealed record Found(Ledger Ledger, List<Segment> Segments, Dictionary<string, byte[]> Cursors, long IndexNext, bool LastIsClean);

    public static Found Run(string folder, PositionFiles positions, ILogger logger)
    {
        var (newest, cursorsAt, checkpointCursors) = positions.Load();
        var cursors = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var cursor in checkpointCursors)
        {
            cursors[cursor.Source] = cursor.Value.ToArray();
        }

        var segments = Segment.List(folder);
        var ledger = new Ledger();
        if (newest is { } position)
        {
            ledger.Restore(position);
        }

        var expected = ledger.Head;
        var pool = new StringPool();
        var lastIsClean = true;
        for (var i = 0; i < segments.Count; i++)
        {
            var segment = segments[i];
            var last = i == segments.Count - 1;
            // A later file begins where the truth of this one ends: what a failed append may have left behind that is not believed.
            var limit = last ? long.MaxValue : segments[i + 1].From;
            if (segment.From > expected)
            {
                Lose(ledger, expected, segment.From, segment, logger);
                expected = segment.From;
            }

            var clean = Scan(segment, limit, ref expected, ledger, cursors, cursorsAt?.Next ?? 0, pool, logger);
            if (last)
            {
                lastIsClean = clean;
            }
        }

        if (ledger.Next > expected && segments.Count > 0)
        {
            // The position proves that more was taken than the files still hold.
            Lose(ledger, expected, ledger.Next, segments[^1], logger);
        }
        else if (ledger.Next > expected)
        {
            ledger.Lose(expected, ledger.Next);
        }

        ledger.Take(expected);
        return new Found(ledger, segments, cursors, segments.Count == 0 ? 1 : segments[^1].Index + 1, lastIsClean);
    }

    /// <summary>Walks one file; true when nothing had to be stepped over inside and a torn end could be cut off, so that more can be appended to it.</summary>
    private static bool Scan(
        Segment segment, long limit, ref long expected, Ledger ledger, Dictionary<string, byte[]> cursors, long cursorsNext, StringPool pool, ILogger logger)
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
                if (head.Sequence < next || head.Until > limit || !GroupCodec.TryDecode(group, pool, content))
                {
                    continue;
                }

                if (head.Sequence > Math.Max(next, expected))
                {
                    Lose(ledger, Math.Max(next, expected), head.Sequence, segment, logger);
                }

                next = head.Until;
                expected = Math.Max(expected, next);
                intactUntil = reader.Offset;
                skippedInside = reader.BytesSkipped;
                segment.OldestAt = content.TakenAt < segment.OldestAt ? content.TakenAt : segment.OldestAt;
                segment.NewestAt = content.TakenAt > segment.NewestAt ? content.TakenAt : segment.NewestAt;
                if (content.Cursor is { } cursor && head.Sequence >= cursorsNext)
                {
                    cursors[cursor.Source] = cursor.Value.ToArray();
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
            logger.TailCut(length - intactUntil, segment.Path);
            segment.Bytes = intactUntil;
            return skippedInside == 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void Lose(Ledger ledger, long from, long until, Segment segment, ILogger logger)
    {
        var before = ledger.Counters.DroppedDamaged;
        ledger.Lose(from, until);
        if (ledger.Counters.DroppedDamaged > before)
        {
            logger.Damaged(from, until, segment.Path);
        }
    }
}
