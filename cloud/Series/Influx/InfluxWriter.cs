namespace Hub.Cloud.Series;

/// <summary>
/// Hands commits over to the server: the values for the history first, in writes of a bounded size, and finds the lines that the server refuses by halving. What was handed over in part may be handed
/// over again: every line overwrites itself. One user at a time.
/// </summary>
internal sealed class InfluxWriter(InfluxClient client, InfluxRows rows, IDatastreamLabels? labels, InfluxOptions options, TimeProvider time, InfluxInstruments instruments)
{
    private readonly InfluxLines _lines = new(labels);
    private readonly Lock _refusedLock = new();
    private long _noteSecond;
    private long? _noteEarliest;

    /// <summary>Second of the last note about commits on the server: it is not written over by what this process does not know.</summary>
    public void StartAfter(long second) => (_noteSecond, _noteEarliest) = (second + 1, null);

    /// <summary>Hands over what a commit brought, or several.</summary>
    /// <param name="commit">Number of the last of them.</param>
    /// <param name="losers">Values for the history; those it has already are left out.</param>
    /// <param name="winners">Values that won, each key once, with the commit that brought them.</param>
    /// <param name="whole">Some may be on the server already, with other values.</param>
    /// <param name="cancellationToken">Ends it; what is handed over by then is not known.</param>
    /// <returns>What the server refused for good; the rest is stored.</returns>
    /// <exception cref="InfluxAwayException">It is not known how much is stored.</exception>
    /// <exception cref="InfluxQueryException">The history could not be read.</exception>
    public async Task<List<(Observation Row, bool Lost, string Reason)>> SendAsync(
        long commit, IReadOnlyCollection<Observation> losers, IReadOnlyCollection<(Observation Row, long Commit)> winners, bool whole, CancellationToken cancellationToken)
    {
        var numbers = losers.Count == 0 ? [] : await NumberAsync(losers, cancellationToken).ConfigureAwait(false);
        _lines.Clear();
        AddNote(commit, winners);
        foreach (var (row, number) in numbers)
        {
            _lines.AddLoser(row, commit, number);
        }

        foreach (var (row, its) in winners)
        {
            _lines.AddRow(row, its, whole);
        }

        var refused = new List<(Observation Row, bool Lost, string Reason)>();
        var count = _lines.Lines.Count;
        var first = Math.Min(count, options.BatchLinesMax);
        await WriteAsync(0, first, refused, cancellationToken).ConfigureAwait(false);
        if (first < count)
        {
            // After a crash in between, a value that lost may be in the history beside itself; it is never in neither.
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = numbers.Count == 0 ? options.WritesMax : 1, CancellationToken = cancellationToken };
            var starts = Enumerable.Range(1, (count - 1) / options.BatchLinesMax).Select(i => i * options.BatchLinesMax);
            await Parallel.ForEachAsync(
                starts, parallel, async (start, token) => await WriteAsync(start, Math.Min(count, start + options.BatchLinesMax), refused, token).ConfigureAwait(false)).ConfigureAwait(false);
        }

        return refused;
    }

    private async Task WriteAsync(int from, int to, List<(Observation Row, bool Lost, string Reason)> refused, CancellationToken cancellationToken)
    {
        var answer = await client.WriteAsync(_lines.Text(from, to), cancellationToken).ConfigureAwait(false);
        instruments.Wrote(answer.Verdict, to - from);
        if (answer.Verdict == WriteVerdict.Taken)
        {
            return;
        }

        var reason = answer.Reason ?? "no reason given";
        if (to - from > 1 && (answer.Verdict == WriteVerdict.TooLarge || answer.Dropped != to - from))
        {
            var middle = from + ((to - from) / 2);
            await WriteAsync(from, middle, refused, cancellationToken).ConfigureAwait(false);
            await WriteAsync(middle, to, refused, cancellationToken).ConfigureAwait(false);
            return;
        }

        lock (_refusedLock)
        {
            for (var i = from; i < to; i++)
            {
                var line = _lines.Lines[i];
                if (line.Observation.Datastream == 0)
                {
                    throw new InfluxAwayException($"refuses the hub's own notes ({reason}): see that no other program writes the measurement {InfluxLines.CommitMeasurement}.");
                }

                refused.Add((line.Observation, line.Lost, reason));
            }
        }
    }

    /// <summary>One note for all commits of a second, first in the first write: where nothing of a commit arrived, nothing says that there was one.</summary>
    private void AddNote(long commit, IReadOnlyCollection<(Observation Row, long Commit)> winners)
    {
        var second = time.GetUtcNow().ToUnixTimeSeconds();
        if (second > _noteSecond)
        {
            (_noteSecond, _noteEarliest) = (second, null);
        }

        if (winners.Count > 0)
        {
            var earliest = winners.Min(winner => EventTime.Micros(winner.Row.PhenomenonTime));
            _noteEarliest = Math.Min(earliest, _noteEarliest ?? long.MaxValue);
        }

        _lines.AddCommit(_noteSecond, commit, _noteEarliest);
    }

    /// <summary>Gives values of one key that lost numbers 0, 1, 2, ..., so that each is a series of its own on the server and none overwrites another. What is there already is left out.</summary>
    private async Task<List<(Observation Row, int Number)>> NumberAsync(IReadOnlyCollection<Observation> losers, CancellationToken cancellationToken)
    {
        var keys = losers.Select(row => (row.Datastream, EventTime.Micros(row.PhenomenonTime))).ToHashSet();
        var stored = new HashSet<Observation>(ObservationOrder.Same.Instance);
        var next = new Dictionary<(int, long), int>();
        foreach (var (row, number) in await rows.HistoryOfKeysAsync(keys, cancellationToken).ConfigureAwait(false))
        {
            stored.Add(row);
            var key = (row.Datastream, EventTime.Micros(row.PhenomenonTime));
            next[key] = Math.Max(next.GetValueOrDefault(key), number + 1);
        }

        var numbers = new List<(Observation, int)>();
        foreach (var row in losers.Where(stored.Add))
        {
            var key = (row.Datastream, EventTime.Micros(row.PhenomenonTime));
            numbers.Add((row, next.GetValueOrDefault(key)));
            next[key] = next.GetValueOrDefault(key) + 1;
        }

        return numbers;
    }
}
