namespace Hub.Cloud.Series;

/// <summary>
/// Merges rows of one datastream from several sources, each in strictly ascending order of time, into one: of equal times the better value by <see cref="ObservationOrder"/> stays, whichever source it
/// is in. So merging is commutative and idempotent. Made once and used again, by one caller at a time.
/// </summary>
internal sealed class RowMerge
{
    private readonly List<Source> _sources = [];
    private readonly List<Observation> _same = [];

    /// <summary>Begins a merge.</summary>
    public void Clear() => _sources.Clear();

    /// <summary>Adds a source.</summary>
    /// <param name="rows">Its first rows.</param>
    /// <param name="next">Gives its next rows when those are used up, null at the end; may refill the same columns.</param>
    public void Add(ObservationColumns rows, Func<ObservationColumns?>? next = null)
    {
        if (rows.Count > 0)
        {
            _sources.Add(new Source(rows, next));
        }
    }

    /// <summary>Merges everything.</summary>
    /// <param name="datastream">The datastream of all rows.</param>
    /// <param name="winners">Receives the rows that count, in order of time.</param>
    /// <param name="losers">Receives the others, each once, in order of time, the better first; null when nobody asks.</param>
    /// <param name="progress">Called now and then: the receivers may be emptied in it.</param>
    public void Run(int datastream, ObservationColumns winners, List<Observation>? losers, Action? progress = null)
    {
        while (_sources.Count > 0)
        {
            // The source with the earliest row, and the earliest row of the others.
            var (first, next) = (0, long.MaxValue);
            for (var i = 1; i < _sources.Count; i++)
            {
                if (_sources[i].Micros < _sources[first].Micros)
                {
                    next = _sources[first].Micros;
                    first = i;
                }
                else
                {
                    next = Math.Min(next, _sources[i].Micros);
                }
            }

            if (_sources[first].Micros == next)
            {
                Settle(datastream, next, winners, losers);
            }
            else
            {
                _sources[first].CopyBefore(next, winners);
            }

            _sources.RemoveAll(static source => source.IsAtEnd);
            progress?.Invoke();
        }
    }

    private void Settle(int datastream, long micros, ObservationColumns winners, List<Observation>? losers)
    {
        _same.Clear();
        foreach (var source in _sources)
        {
            if (source.Micros == micros)
            {
                _same.Add(source.Take(datastream));
            }
        }

        _same.Sort(static (a, b) => ObservationOrder.Compare(b, a));
        winners.Add(_same[0]);
        for (var i = 1; i < _same.Count && losers is not null; i++)
        {
            if (ObservationOrder.Compare(_same[i], _same[i - 1]) != 0)
            {
                losers.Add(_same[i]);
            }
        }
    }

    private sealed class Source(ObservationColumns rows, Func<ObservationColumns?>? next)
    {
        private ObservationColumns _rows = rows;
        private int _at;

        public bool IsAtEnd { get; private set; }

        public long Micros => IsAtEnd ? long.MaxValue : _rows.Micros[_at];

        public Observation Take(int datastream)
        {
            var row = _rows.Get(_at++, datastream);
            Refill();
            return row;
        }

        /// <summary>Copies what these columns hold before a time.</summary>
        public void CopyBefore(long micros, ObservationColumns into)
        {
            var end = _rows.Count;
            if (_rows.Micros[^1] >= micros)
            {
                end = _rows.Micros.BinarySearch(_at, _rows.Count - _at, micros, null);
                end = end < 0 ? ~end : end;
            }

            into.AddRange(_rows, _at, end);
            _at = end;
            Refill();
        }

        private void Refill()
        {
            while (_at == _rows.Count)
            {
                if (next?.Invoke() is not { } more)
                {
                    IsAtEnd = true;
                    return;
                }

                (_rows, _at) = (more, 0);
            }
        }
    }
}
