namespace Hub.Cloud.Series;

/// <summary>
/// What the parts hold of the keys of some calls, looked up ahead of their commit. Never changes after it was made. At the commit it is completed by what it cannot know: the memory tables, and parts
/// that have come since. A deletion since makes it worthless.
/// </summary>
/// <param name="deletions">Deletions up to the look-up.</param>
internal sealed class LateKeys(long deletions)
{
    private static readonly List<Observation> None = [];
    private readonly Dictionary<(int Datastream, long Micros), List<Observation>?> _rows = [];
    private readonly HashSet<string> _partsRead = new(StringComparer.Ordinal);

    /// <summary>Number of deletions that had taken place when it was made.</summary>
    public long Deletions => deletions;

    /// <summary>Whether it answers for a key.</summary>
    public bool Answers(int datastream, long micros) => _rows.ContainsKey((datastream, micros));

    /// <summary>Whether a part was looked at; its rows are here then.</summary>
    public bool HasRead(LivePart part) => _partsRead.Contains(part.Path);

    /// <summary>All rows of the parts with a key, those that lost too.</summary>
    public List<Observation> RowsOf(int datastream, long micros) => _rows[(datastream, micros)] ?? None;

    /// <summary>Looks keys up. On the thread that looks ahead, before anybody else has this.</summary>
    /// <param name="lookup">Reads.</param>
    /// <param name="version">What is read.</param>
    /// <param name="keys">The keys.</param>
    /// <param name="stop">Asked now and then: true ends it, and its answers are worth nothing.</param>
    /// <returns>False when it was ended.</returns>
    public bool TryRead(KeyLookup lookup, StoreVersion version, IReadOnlyCollection<(int Datastream, long Micros)> keys, Func<bool> stop)
    {
        var found = new List<Observation>();
        foreach (var day in keys.GroupBy(key => EventTime.Day(key.Micros)).OrderBy(day => day.Key))
        {
            if (stop())
            {
                return false;
            }

            if (version.PartsOf(day.Key) is { } parts)
            {
                lookup.ReadParts(parts, day, null, history: true, found);
                _partsRead.UnionWith(parts.Observations.Concat(parts.History).Select(part => part.Path));
            }
        }

        foreach (var key in keys)
        {
            _rows[key] = null;
        }

        foreach (var row in found)
        {
            var key = (row.Datastream, EventTime.Micros(row.PhenomenonTime));
            (_rows[key] ??= []).Add(row);
        }

        return true;
    }
}
