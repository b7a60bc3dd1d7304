namespace Hub.Edge.Outbox;

/// <summary>Why readings are dropped.</summary>
internal enum Departure
{
    DroppedFull,
    DroppedAge,
}

/// <summary>A range of sequence numbers.</summary>
internal readonly record struct SequenceRange(long From, long Until)
{
    public long Count => Until - From;
}

/// <summary>The part of the counters that is written down: everything before <paramref name="Head"/> is accounted for exactly once.</summary>
/// <param name="Version">Grows with every writing; the largest intact one is believed.</param>
/// <param name="Next">Sequence number before which every reading was on disk or gone when this was written.</param>
/// <param name="Head">Sequence number of the oldest reading held.</param>
/// <param name="Released">As in <see cref="OutboxCounters"/>, those ahead of the head included.</param>
/// <param name="Refused">As in <see cref="OutboxCounters"/>.</param>
/// <param name="DroppedFull">As in <see cref="OutboxCounters"/>.</param>
/// <param name="DroppedAge">As in <see cref="OutboxCounters"/>.</param>
/// <param name="DamagedBehind">Lost in damaged parts, as far as the head has passed them; those ahead are found again at every start.</param>
/// <param name="DroppedExpired">As in <see cref="OutboxCounters"/>, those ahead of the head included.</param>
internal readonly record struct Position(
    long Version, long Next, long Head, long Released, long Refused, long DroppedFull, long DroppedAge, long DamagedBehind, long DroppedExpired);

/// <summary>
/// A position and the ranges released ahead of its head, as they are written down. Layout: version of the layout (1 byte, 3; 2 has no count of expired ones) · the numbers of <see cref="Position"/> in their
/// order (varints) · count of ranges (varint) · of each range the distance from the end of the one before it (from the head) and its length (varints).
/// </summary>
internal sealed record LedgerImage(Position Position, IReadOnlyList<SequenceRange> Ranges)
{
    /// <summary>Most ranges that are written down; more can only be when damage splits them, and the last of those are then sent again after a crash.</summary>
    public const int RangesMax = 64;

    /// <summary>Most bytes of an image.</summary>
    public const int BytesMax = 1 + (10 * 10) + (RangesMax * 20);

    private const byte Layout = 3;
    private const byte LayoutBefore = 2;

    /// <summary>True when the numbers can be true together.</summary>
    private bool IsSound => Position is { Version: >= 0, Head: >= 0, Released: >= 0, Refused: >= 0, DroppedFull: >= 0, DroppedAge: >= 0, DamagedBehind: >= 0, DroppedExpired: >= 0 }
        && Position.Next >= Position.Head && Position.Refused <= Position.Released
        && Position.Head + Ranges.Sum(range => range.Count) == Position.Released + Position.DroppedFull + Position.DroppedAge + Position.DamagedBehind + Position.DroppedExpired;

    public byte[] ToBytes()
    {
        var writer = new ByteWriter(64 + (Ranges.Count * 12));
        Write(ref writer);
        return writer.Written.ToArray();
    }

    public void Write(ref ByteWriter writer)
    {
        var p = Position;
        writer.Byte(Layout);
        foreach (var number in (ReadOnlySpan<long>)[p.Version, p.Next, p.Head, p.Released, p.Refused, p.DroppedFull, p.DroppedAge, p.DamagedBehind, p.DroppedExpired, Ranges.Count])
        {
            writer.Varint((ulong)number);
        }

        var end = p.Head;
        for (var i = 0; i < Ranges.Count; i++)
        {
            writer.Varint((ulong)(Ranges[i].From - end));
            writer.Varint((ulong)Ranges[i].Count);
            end = Ranges[i].Until;
        }
    }

    /// <summary>Reads an image; null when it is none, or says what cannot be.</summary>
    public static LedgerImage? TryRead(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes);
        Span<long> n = stackalloc long[10];
        n.Clear();
        if (!reader.Byte(out var layout) || layout is not (Layout or LayoutBefore))
        {
            return null;
        }

        for (var i = 0; i < n.Length; i++)
        {
            if (i == 8 && layout == LayoutBefore)
            {
                continue;
            }

            if (!reader.Varint(out var number) || number > long.MaxValue / 4)
            {
                return null;
            }

            n[i] = (long)number;
        }

        if (n[9] > RangesMax)
        {
            return null;
        }

        var ranges = new SequenceRange[n[9]];
        var end = n[2];
        for (var i = 0; i < ranges.Length; i++)
        {
            if (!reader.Varint(out var distance) || !reader.Varint(out var count) || distance is 0 or > long.MaxValue / 4 || count is 0 or > long.MaxValue / 4 || end > long.MaxValue / 2)
            {
                return null;
            }

            ranges[i] = new SequenceRange(end + (long)distance, end + (long)distance + (long)count);
            end = ranges[i].Until;
        }

        var image = new LedgerImage(new Position(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]), ranges);
        return reader.Left == 0 && image.IsSound ? image : null;
    }
}

/// <summary>Arithmetic of what is taken, held, released and lost: pure, no disk, no clock. Not thread-safe: the outbox calls it under its lock.</summary>
internal sealed class Ledger
{
    /// <summary>What is gone ahead of the head, ascending, neither empty nor overlapping; two of one kind never touch.</summary>
    private readonly List<(SequenceRange Range, bool Lost)> _gone = [];
    private Position _position;

    public long Head => _position.Head;

    public long Next => _position.Next;

    /// <summary>Ranges released ahead of the head.</summary>
    public int ReleasedRanges
    {
        get
        {
            var count = 0;
            foreach (var (_, lost) in _gone)
            {
                count += lost ? 0 : 1;
            }

            return count;
        }
    }

    /// <summary>End of the last range released ahead of the head; the head when there is none.</summary>
    public long LastReleased => _gone.FindLast(gone => !gone.Lost) is { Range.Count: > 0 } last ? last.Range.Until : Head;

    public OutboxCounters Counters
    {
        get
        {
            long lost = 0, all = 0;
            foreach (var (range, isLost) in _gone)
            {
                all += range.Count;
                lost += isLost ? range.Count : 0;
            }

            return new OutboxCounters(
                Next, _position.Released, Next - Head - all, _position.DroppedFull, _position.DroppedAge, _position.DamagedBehind + lost, _position.Refused)
            {
                DroppedExpired = _position.DroppedExpired,
            };
        }
    }

    /// <summary>Starts from what was written down.</summary>
    /// <param name="image">What was written down last; null for nothing.</param>
    /// <param name="found">Sequence number behind the last reading found in the files.</param>
    public void Restore(LedgerImage? image, long found)
    {
        _gone.Clear();
        _position = image?.Position ?? default;

        // A range behind readings that were still in memory when the power went is of a time that has not been: those numbers are given anew.
        var end = Math.Max(found, _position.Next);
        foreach (var range in image?.Ranges ?? [])
        {
            if (range.From <= end)
            {
                end = Math.Max(end, range.Until);
                _gone.Add((range, false));
            }
            else
            {
                _position = Less(_position, range.Count);
            }
        }

        _position = _position with { Next = end, Refused = Math.Min(_position.Refused, _position.Released) };
        Settle();
    }

    /// <summary>What is to be written down next.</summary>
    /// <param name="durable">Sequence number before which every reading is on disk or gone.</param>
    public LedgerImage Stamp(long durable)
    {
        _position = _position with { Version = _position.Version + 1 };
        List<SequenceRange>? ranges = null;
        long beyond = 0;
        foreach (var (range, lost) in _gone)
        {
            if (!lost && (ranges?.Count ?? 0) < LedgerImage.RangesMax)
            {
                (ranges ??= []).Add(range);
            }
            else if (!lost)
            {
                beyond += range.Count;
            }
        }

        var written = Less(_position, beyond);
        return new LedgerImage(written with { Next = Math.Max(durable, Head), Refused = Math.Min(_position.Refused, written.Released) }, ranges ?? (IReadOnlyList<SequenceRange>)[]);
    }

    /// <summary>Readings up to <paramref name="next"/> are taken.</summary>
    public void Take(long next)
    {
        _position = _position with { Next = Math.Max(Next, next) };
        Settle();
    }

    /// <summary>Notes that a range of sequence numbers is lost; the parts already gone count once.</summary>
    public void Lose(long from, long until)
    {
        if (Math.Max(from, Head) >= until)
        {
            return;
        }

        _position = _position with { Next = Math.Max(Next, until) };
        Cover(from, until, lost: true);
        Settle();
    }

    /// <summary>Releases a range and says how many readings left by it.</summary>
    public long Release(long from, long until, int refused, int expired = 0)
    {
        var left = Cover(from, Math.Min(until, Next), lost: false);
        var dropped = Math.Clamp(expired, 0, left);
        _position = _position with
        {
            Released = _position.Released + left - dropped,
            DroppedExpired = _position.DroppedExpired + dropped,
            Refused = _position.Refused + Math.Clamp(refused, 0, left - dropped),
        };
        Settle();
        return left;
    }

    /// <summary>Drops everything before <paramref name="until"/> and says how many readings left by it.</summary>
    public long Drop(long until, Departure departure)
    {
        until = Math.Min(until, Next);
        if (until <= Head)
        {
            return 0;
        }

        var left = Held(Head, until);
        long lost = 0;
        for (var i = _gone.Count - 1; i >= 0; i--)
        {
            var (range, isLost) = _gone[i];
            if (range.From < until)
            {
                lost += isLost ? Math.Min(range.Until, until) - range.From : 0;
                _gone.RemoveAt(i);
                if (range.Until > until)
                {
                    _gone.Insert(i, (range with { From = until }, isLost));
                }
            }
        }

        _position = _position with
        {
            Head = until,
            DamagedBehind = _position.DamagedBehind + lost,
            DroppedFull = _position.DroppedFull + (departure == Departure.DroppedFull ? left : 0),
            DroppedAge = _position.DroppedAge + (departure == Departure.DroppedAge ? left : 0),
        };
        Settle();
        return left;
    }

    /// <summary>How many readings of a range are held.</summary>
    public long Held(long from, long until)
    {
        from = Math.Max(from, Head);
        var held = Math.Max(0, until - from);
        foreach (var (range, _) in _gone)
        {
            held -= Math.Max(0, Math.Min(range.Until, until) - Math.Max(range.From, from));
        }

        return held;
    }

    /// <summary>First sequence number at or behind <paramref name="from"/> that is held, and the end of the unbroken run that starts there; equal when there is none.</summary>
    public SequenceRange Run(long from)
    {
        from = Math.Max(from, Head);
        foreach (var (range, _) in _gone)
        {
            if (range.Until <= from)
            {
                continue;
            }

            if (range.From > from)
            {
                return new SequenceRange(from, range.From);
            }

            from = range.Until;
        }

        return new SequenceRange(from, Math.Max(from, Next));
    }

    /// <summary>Takes back what cannot be written down, or was of a time that has not been: released first, as which of them were expired is not known one by one.</summary>
    private static Position Less(Position position, long count)
    {
        var released = Math.Min(position.Released, count);
        return position with { Released = position.Released - released, DroppedExpired = position.DroppedExpired - (count - released) };
    }

    /// <summary>Marks what is still held of a range as gone and says how much that was.</summary>
    private long Cover(long from, long until, bool lost)
    {
        long count = 0;
        from = Math.Max(from, Head);
        for (var i = 0; from < until; i++)
        {
            var next = i < _gone.Count ? _gone[i].Range : new SequenceRange(long.MaxValue, long.MaxValue);
            if (next.Until <= from)
            {
                continue;
            }

            if (next.From > from)
            {
                var end = Math.Min(until, next.From);
                count += end - from;
                _gone.Insert(i, (new SequenceRange(from, end), lost));
                i = Join(i);
                from = Math.Max(end, _gone[i].Range.Until);
            }
            else
            {
                from = next.Until;
            }
        }

        return count;
    }

    /// <summary>Joins a range with those of its kind that touch it; where it stands now.</summary>
    private int Join(int index)
    {
        if (index + 1 < _gone.Count && _gone[index + 1].Lost == _gone[index].Lost && _gone[index + 1].Range.From == _gone[index].Range.Until)
        {
            _gone[index] = (_gone[index].Range with { Until = _gone[index + 1].Range.Until }, _gone[index].Lost);
            _gone.RemoveAt(index + 1);
        }

        if (index > 0 && _gone[index - 1].Lost == _gone[index].Lost && _gone[index - 1].Range.Until == _gone[index].Range.From)
        {
            _gone[index - 1] = (_gone[index - 1].Range with { Until = _gone[index].Range.Until }, _gone[index].Lost);
            _gone.RemoveAt(index--);
        }

        return index;
    }

    /// <summary>The head never stands in what is gone: it is accounted for at once.</summary>
    private void Settle()
    {
        while (_gone.Count > 0 && _gone[0].Range.From <= Head)
        {
            var (range, lost) = _gone[0];
            _position = _position with { DamagedBehind = _position.DamagedBehind + (lost ? range.Until - Head : 0), Head = range.Until };
            _gone.RemoveAt(0);
        }
    }
}
