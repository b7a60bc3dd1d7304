using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>
/// Rewrites parts of one day: several into one, or one without the rows of a deletion. Streams through them datastream by datastream, so memory is bounded by a bundle of each. Writes new files
/// only; naming them in the manifest is the caller's. Used by one thread.
/// </summary>
/// <param name="store">Where the files go.</param>
/// <param name="pace">Called every few ten thousand rows: may pause, or end the work by an exception.</param>
internal sealed class PartMerger(PartStore store, Action pace)
{
    private readonly RowMerge _merge = new();
    private readonly ObservationColumns _rows = new();
    private readonly List<Observation> _losers = [];
    private long _unpaced;

    /// <summary>Merges parts of one kind and day. Observations that lost go to a history part.</summary>
    /// <returns>What was written: one part, and one of the history if something lost.</returns>
    public List<PartInfo> Merge(IReadOnlyList<LivePart> inputs)
    {
        var first = inputs[0].Info;
        using var observations = new Output(store, first.Kind, first.Day);
        using var history = new Output(store, PartKind.History, first.Day);
        using var cursors = new Cursors(inputs);
        while (cursors.Next() is { } datastream)
        {
            if (first.Kind == PartKind.Observations)
            {
                MergeObservations(cursors, datastream, observations, history);
            }
            else
            {
                MergeHistory(cursors, datastream, observations);
            }
        }

        // A part that was merged holds nothing new: it is as old as the newest of what it was made of.
        return [.. Output.Complete(inputs.Max(input => input.Info.Created), observations, history)];
    }

    /// <summary>A part without the rows of some datastreams with from &lt;= time &lt; to.</summary>
    /// <param name="input">The part.</param>
    /// <param name="datastreams">Whose rows go.</param>
    /// <param name="from">Microseconds.</param>
    /// <param name="to">Microseconds.</param>
    /// <param name="written">The part that takes its place; null when no row is left.</param>
    /// <returns>Number of rows left out; when 0, nothing was written.</returns>
    public long Cut(LivePart input, IReadOnlySet<int> datastreams, long from, long to, out PartInfo? written)
    {
        written = null;
        using var output = new Output(store, input.Info.Kind, input.Info.Day);
        using var cursors = new Cursors([input]);
        long removed = 0;
        while (cursors.Next() is { } datastream)
        {
            do
            {
                var rows = cursors.Rows;
                if (datastreams.Contains(datastream))
                {
                    removed += Keep(rows, from, to);
                    rows = _rows;
                }

                output.Add(datastream, rows);
                Count(rows.Count);
            }
            while (cursors.MoveNext(datastream));
        }

        if (removed > 0)
        {
            written = Output.Complete(input.Info.Created, output).SingleOrDefault();
        }

        return removed;
    }

    private long Keep(ObservationColumns rows, long from, long to)
    {
        _rows.Clear();
        for (var i = 0; i < rows.Count; i++)
        {
            if (rows.Micros[i] < from || rows.Micros[i] >= to)
            {
                _rows.AddRange(rows, i, i + 1);
            }
        }

        return rows.Count - _rows.Count;
    }

    private void MergeObservations(Cursors cursors, int datastream, Output observations, Output history)
    {
        _rows.Clear();
        _losers.Clear();
        _merge.Clear();
        foreach (var cursor in cursors.At(datastream))
        {
            _merge.Add(cursor.Rows, () => cursor.MoveNext(datastream) ? cursor.Rows : null);
        }

        _merge.Run(datastream, _rows, _losers, () => Drain(PartFiles.RowsAtOnce));
        Drain(1);

        void Drain(int rowsMin)
        {
            if (_rows.Count >= rowsMin)
            {
                observations.Add(datastream, _rows);
                Count(_rows.Count);
                _rows.Clear();
            }

            if (_losers.Count >= rowsMin)
            {
                history.Add(datastream, CollectionsMarshal.AsSpan(_losers));
                _losers.Clear();
            }
        }
    }

    private void MergeHistory(Cursors cursors, int datastream, Output output)
    {
        _losers.Clear();
        foreach (var cursor in cursors.At(datastream))
        {
            do
            {
                for (var i = 0; i < cursor.Rows.Count; i++)
                {
                    _losers.Add(cursor.Rows.Get(i, datastream));
                }
            }
            while (cursor.MoveNext(datastream));
        }

        HistoryRows.SortDistinct(_losers);
        output.Add(datastream, CollectionsMarshal.AsSpan(_losers));
        Count(_losers.Count);
    }

    private void Count(int rows)
    {
        _unpaced += rows;
        if (_unpaced >= PartFiles.RowsAtOnce)
        {
            _unpaced = 0;
            pace();
        }
    }

    /// <summary>A part being written; its file is made with the first row, and removed when it is not completed.</summary>
    private sealed class Output(PartStore store, PartKind kind, int day) : IDisposable
    {
        private string? _name;
        private PartWriter? _writer;

        public void Add(int datastream, ObservationColumns rows)
        {
            if (rows.Count > 0)
            {
                Writer().Add(datastream, rows);
            }
        }

        public void Add(int datastream, ReadOnlySpan<Observation> rows)
        {
            if (rows.Length > 0)
            {
                PartFiles.Add(Writer(), datastream, rows);
            }
        }

        /// <summary>Completes all of them, or leaves none.</summary>
        public static List<PartInfo> Complete(DateTimeOffset created, params ReadOnlySpan<Output> outputs)
        {
            var written = new List<PartInfo>();
            try
            {
                foreach (var output in outputs)
                {
                    if (output._writer is { } writer)
                    {
                        written.Add(output.Describe(writer.Complete(), created));
                    }
                }

                return written;
            }
            catch
            {
                foreach (var output in outputs)
                {
                    if (output._name is { } name && written.Any(part => part.File == name))
                    {
                        PartFiles.TryDelete(output.PathOf(name));
                    }
                }

                throw;
            }
        }

        public void Dispose() => _writer?.Dispose();

        private PartInfo Describe(PartSummary summary, DateTimeOffset created) => store.Describe(_name!, kind, day, summary) with { Created = created };

        private string PathOf(string name) => Path.Combine(store.Folder.Parts(kind), name);

        private PartWriter Writer()
        {
            if (_writer is null)
            {
                _name = store.NewPartName(day);
                _writer = new PartWriter(PathOf(_name));
            }

            return _writer;
        }
    }

    /// <summary>Cursors over several parts, walked datastream by datastream.</summary>
    private sealed class Cursors : IDisposable
    {
        private readonly List<PartWalk> _walks = [];

        public Cursors(IReadOnlyList<LivePart> parts)
        {
            try
            {
                foreach (var part in parts)
                {
                    // Readers of its own: a merge passes through a part once and must not push others out of the cache.
                    _walks.Add(new PartWalk(PartReader.Open(part.Path)));
                }
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        /// <summary>Rows of the only cursor.</summary>
        public ObservationColumns Rows => _walks[0].Rows;

        /// <summary>The smallest datastream that is not done; null at the end.</summary>
        public int? Next()
        {
            int? next = null;
            foreach (var walk in _walks)
            {
                if (walk.Datastream is { } datastream && (next is null || datastream < next))
                {
                    next = datastream;
                }
            }

            return next;
        }

        /// <summary>Those that have rows of a datastream.</summary>
        public IEnumerable<PartWalk> At(int datastream) => _walks.Where(walk => walk.Datastream == datastream);

        /// <summary>Moves the only cursor on; true while it stays with the datastream.</summary>
        public bool MoveNext(int datastream) => _walks[0].MoveNext(datastream);

        public void Dispose()
        {
            foreach (var walk in _walks)
            {
                walk.Dispose();
            }
        }
    }
}
