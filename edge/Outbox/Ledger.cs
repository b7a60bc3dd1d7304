namespace Hub.Edge.Outbox;

/// <summary>Why readings leave the outbox.</summary>
internal enum Departure
{
    Released,
    DroppedFull,
    DroppedAge,
}

/// <summary>The part of the counters that is written down: everything before <paramref name="Head"/> is accounted for exactly once.</summary>
/// <param name="Version">Grows with every writing; the largest intact one is believed.</param>
/// <param name="Next">Sequence number of the next reading to be taken; every one before it was durable when this was written.</param>
/// <param name="Head">Sequence number of the oldest reading held.</param>
/// <param name="Released">As in <see cref="OutboxCounters"/>.</param>
/// <param name="Refused">As in <see cref="OutboxCounters"/>.</param>
/// <param name="DroppedFull">As in <see cref="OutboxCounters"/>.</param>
/// <param name="DroppedAge">As in <see cref="OutboxCounters"/>.</param>
/// <param name="DamagedBehind">Lost in damaged parts, as far as the head has passed them; those ahead are found again at every start.</param>
internal readonly record struct Position(long Version, long Next, long Head, long Released, long Refused, long DroppedFull, long DroppedAge, long DamagedBehind)
{
    /// <summary>True when the numbers can be true together.</summary>
    public bool IsSound =>
        Version >= 0 && Next >= Head && Released >= 0 && Refused >= 0 && Refused <= Released && DroppedFull >= 0 && DroppedAge >= 0 && DamagedBehind >= 0
        && Head == Released + DroppedFull + DroppedAge + DamagedBehind;
}

/// <summary>Arithmetic of what is taken, held, released and lost: pure, no disk, no clock. Not thread-safe: the outbox calls it under its lock.</summary>
internal sealed class Ledger
{
    /// <summary>Lost ranges at or behind the head, ascending, neither empty nor touching. At most one per intact group that is held.</summary>
    private readonly List<(long From, long Until)> _gaps = [];
    private Position _position;

    public long Head => _position.Head;

    public long Next => _position.Next;

    public OutboxCounters Counters
    {
        get
        {
            var ahead = Missing(Head, Next);
            return new OutboxCounters(Next, _position.Released, Next - Head - ahead, _position.DroppedFull, _position.DroppedAge, _position.DamagedBehind + ahead, _position.Refused);
        }
    }

    /// <summary>Starts from what was written down, before the files are looked at.</summary>
    public void Restore(in Position position)
    {
        _position = position;
        _gaps.Clear();
    }

    /// <summary>The position to be written down next.</summary>
    public Position Stamp() => _position = _position with { Version = _position.Version + 1 };

    /// <summary>Readings up to <paramref name="next"/> are now durable.</summary>
    public void Take(long next)
    {
        _position = _position with { Next = Math.Max(Next, next) };
        Settle();
    }

    /// <summary>Notes that a range of sequence numbers is lost; the parts already left or noted count once.</summary>
    public void Lose(long from, long until)
    {
        from = Math.Max(from, Head);
        if (from >= until)
        {
            return;
        }

        _position = _position with { Next = Math.Max(Next, until) };
        for (var i = _gaps.Count - 1; i >= 0; i--)
        {
            if (_gaps[i].From <= until && from <= _gaps[i].Until)
            {
                from = Math.Min(from, _gaps[i].From);
                until = Math.Max(until, _gaps[i].Until);
                _gaps.RemoveAt(i);
            }
        }

        var index = _gaps.FindIndex(gap => gap.From > from);
        _gaps.Insert(index < 0 ? _gaps.Count : index, (from, until));
        Settle();
    }

    /// <summary>Moves the head to <paramref name="until"/> and says how many readings left by it.</summary>
    public long Leave(long until, Departure departure, int refused = 0)
    {
        until = Math.Min(until, Next);
        if (until <= Head)
        {
            return 0;
        }

        var missing = Missing(Head, until);
        var left = until - Head - missing;
        _position = _position with
        {
            Head = until,
            DamagedBehind = _position.DamagedBehind + missing,
            Released = _position.Released + (departure == Departure.Released ? left : 0),
            Refused = _position.Refused + (departure == Departure.Released ? Math.Clamp(refused, 0, left) : 0),
            DroppedFull = _position.DroppedFull + (departure == Departure.DroppedFull ? left : 0),
            DroppedAge = _position.DroppedAge + (departure == Departure.DroppedAge ? left : 0),
        };
        for (var i = _gaps.Count - 1; i >= 0; i--)
        {
            if (_gaps[i].Until <= until)
            {
                _gaps.RemoveAt(i);
            }
            else if (_gaps[i].From < until)
            {
                _gaps[i] = (until, _gaps[i].Until);
            }
        }

        Settle();
        return left;
    }

    /// <summary>First sequence number at or behind <paramref name="from"/> that is held, and the end of the unbroken run that starts there; equal when there is none.</summary>
    public (long From, long Until) Run(long from)
    {
        from = Math.Max(from, Head);
        foreach (var gap in _gaps)
        {
            if (gap.Until <= from)
            {
                continue;
            }

            if (gap.From > from)
            {
                return (from, gap.From);
            }

            from = gap.Until;
        }

        return (from, Math.Max(from, Next));
    }

    private long Missing(long from, long until)
    {
        long missing = 0;
        foreach (var gap in _gaps)
        {
            missing += Math.Max(0, Math.Min(gap.Until, until) - Math.Max(gap.From, from));
        }

        return missing;
    }

    /// <summary>The head never stands in a gap: what is lost there is accounted for at once.</summary>
    private void Settle()
    {
        while (_gaps.Count > 0 && _gaps[0].From <= Head)
        {
            var end = _gaps[0].Until;
            _position = _position with { DamagedBehind = _position.DamagedBehind + (end - Head), Head = end };
            _gaps.RemoveAt(0);
        }
    }
}
