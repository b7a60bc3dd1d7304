using System.Collections.Immutable;

namespace Hub.Cloud.Series;

/// <summary>The live parts of one UTC day.</summary>
/// <param name="Day">Days since 1970-01-01.</param>
/// <param name="Observations">Parts with observations.</param>
/// <param name="History">Parts with values that lost.</param>
internal sealed record DayParts(int Day, ImmutableArray<LivePart> Observations, ImmutableArray<LivePart> History);

/// <summary>A file of rollups, and of which days its rows count now.</summary>
/// <param name="Part">The file.</param>
/// <param name="Days">Days of the month, a bit each, of which the part that the rows were made of is the only one with observations.</param>
internal readonly record struct LiveRollups(LivePart Part, uint Days);

/// <summary>
/// What the store consists of at one moment: the table that takes commits, the frozen ones, the parts. Readers take the current one, read what they want and dispose of it soon; meanwhile no file of
/// it is deleted, and no memory of it used for anything else. Changes make a new version.
/// </summary>
internal sealed class StoreVersion : IDisposable
{
    private readonly ImmutableArray<LivePart> _parts;
    private readonly ImmutableArray<DayParts> _days;
    private readonly Dictionary<(int Month, int Minutes), LiveRollups> _rollups;
    private readonly SortedList<(int Month, int Minutes), LivePart> _kept;
    private int _holders = 1;

    public StoreVersion(MemoryTable active, ImmutableArray<MemoryTable> frozen, ImmutableArray<LivePart> parts, ChangeNotes changes)
    {
        Active = active;
        Frozen = frozen;
        Changes = changes;
        _parts = parts;
        Hold(parts);

        // A day of which only rollups are kept is a day too.
        var days = parts.Where(part => part.Info.Kind is PartKind.Observations or PartKind.History).Select(part => (part.Info.Day, Part: (LivePart?)part))
            .Concat(parts.Where(part => part.Info.Kind == PartKind.Kept).SelectMany(part => part.Info.Rollup!.Sources).Select(source => (source.Day, Part: (LivePart?)null)));
        _days =
        [
            .. days.GroupBy(part => part.Day, part => part.Part).OrderBy(day => day.Key).Select(day => new DayParts(
                day.Key,
                [.. day.OfType<LivePart>().Where(part => part.Info.Kind == PartKind.Observations)],
                [.. day.OfType<LivePart>().Where(part => part.Info.Kind == PartKind.History)])),
        ];
        _kept = [];
        foreach (var part in parts.Where(part => part.Info.Kind == PartKind.Kept))
        {
            _kept[(part.Info.Day, part.Info.Rollup!.Minutes)] = part;
            KeptStamp = (KeptStamp * 31) + part.Info.File.GetHashCode(StringComparison.Ordinal);
        }

        _rollups = [];
        foreach (var part in parts.Where(part => part.Info.Kind == PartKind.Rollups))
        {
            _rollups[(part.Info.Day, part.Info.Rollup!.Minutes)] = new LiveRollups(part, DaysThatCount(part.Info));
        }
    }

    private StoreVersion(StoreVersion other, MemoryTable active, ImmutableArray<MemoryTable> frozen)
    {
        (Active, Frozen, Changes, _parts, _days, _rollups, _kept, KeptStamp) = (active, frozen, other.Changes, other._parts, other._days, other._rollups, other._kept, other.KeptStamp);
        Hold(_parts);
    }

    /// <summary>Takes the commits.</summary>
    public MemoryTable Active { get; }

    /// <summary>Waiting to be written as parts, oldest first.</summary>
    public ImmutableArray<MemoryTable> Frozen { get; }

    public ChangeNotes Changes { get; }

    /// <summary>By day.</summary>
    public ImmutableArray<DayParts> Days => _days;

    public ImmutableArray<LivePart> Parts => _parts;

    /// <summary>All tables, oldest first.</summary>
    public IEnumerable<MemoryTable> Tables => Frozen.Append(Active);

    /// <summary>The next version, in which another table takes the commits.</summary>
    public StoreVersion WithTables(MemoryTable active, ImmutableArray<MemoryTable> frozen) => new(this, active, frozen);

    /// <summary>Parts of one day; null when it has none.</summary>
    public DayParts? PartsOf(int day)
    {
        var at = IndexOf(day);
        return at < _days.Length && _days[at].Day == day ? _days[at] : null;
    }

    /// <summary>The rollups of a month at a resolution; null when there are none.</summary>
    public LiveRollups? RollupsOf(int month, TimeSpan resolution) => _rollups.TryGetValue((month, (int)resolution.TotalMinutes), out var rollups) ? rollups : null;

    /// <summary>Whether rows of rollups count for a day that has rows, whatever is in memory of some datastreams; or some of its month are kept.</summary>
    /// <param name="day">The day.</param>
    /// <param name="resolution">Resolution; null for a question that is not folded from cells: for it, too, what is kept says which observations do not count.</param>
    public bool HasRollups(int day, TimeSpan? resolution)
    {
        if (_rollups.Count == 0 && _kept.Count == 0)
        {
            return false;
        }

        var month = RollupPlan.MonthOf(day);
        return KeptOf(month, Rollups.Coarsest) is not null || (resolution is { } width && RollupsOf(month, width) is { } rollups && (rollups.Days >> (day - month) & 1) != 0);
    }

    /// <summary>The rollups of a month that are kept without their observations, at a resolution; null when there are none.</summary>
    public LivePart? KeptOf(int month, TimeSpan resolution) => _kept.GetValueOrDefault((month, (int)resolution.TotalMinutes));

    /// <summary>All that is kept without its observations.</summary>
    public IEnumerable<LivePart> Kept => _kept.Values;

    /// <summary>Another number when other rollups are kept. A question that reads observations in several steps, with other rollups kept before and after, may have missed what was condensed meanwhile.</summary>
    public long KeptStamp { get; }

    /// <summary>The first month from a day on of which something is kept without its observations; null when there is none.</summary>
    public int? NextKept(int from)
    {
        foreach (var (month, _) in _kept.Keys)
        {
            if (RollupPlan.MonthAfter(month) > from)
            {
                return month;
            }
        }

        return null;
    }

    /// <summary>Whether there are rollups of a resolution at all.</summary>
    public bool HasRollups(TimeSpan resolution) => _rollups.Keys.Any(key => key.Minutes == (int)resolution.TotalMinutes);

    /// <summary>The first day from a day on that may have rows.</summary>
    public int? NextDay(int from)
    {
        var at = IndexOf(from);
        int? next = at < _days.Length ? _days[at].Day : null;
        foreach (var table in Frozen)
        {
            next = Earlier(next, table.NextDay(from));
        }

        return Earlier(next, Active.NextDay(from));
    }

    /// <summary>The last day up to a day that may have rows.</summary>
    public int? PreviousDay(int to)
    {
        var at = to == int.MaxValue ? _days.Length : IndexOf(to + 1);
        int? previous = at > 0 ? _days[at - 1].Day : null;
        foreach (var table in Frozen)
        {
            previous = Later(previous, table.PreviousDay(to));
        }

        return Later(previous, Active.PreviousDay(to));
    }

    /// <summary>One more holder. Only while somebody holds it.</summary>
    public StoreVersion Hold()
    {
        Interlocked.Increment(ref _holders);
        return this;
    }

    /// <summary>One holder less.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            foreach (var part in _parts)
            {
                part.LetGo();
            }

            foreach (var table in Tables)
            {
                table.LetGo();
            }
        }
    }

    private void Hold(ImmutableArray<LivePart> parts)
    {
        foreach (var part in parts)
        {
            part.Hold();
        }

        foreach (var table in Tables)
        {
            table.Hold();
        }
    }

    private uint DaysThatCount(PartInfo rollups)
    {
        var days = 0u;
        foreach (var source in rollups.Rollup!.Sources)
        {
            if (PartsOf(source.Day)?.Observations is [var only] && only.Info.File == source.File)
            {
                days |= 1u << (source.Day - rollups.Day);
            }
        }

        return days;
    }

    private static int? Earlier(int? a, int? b) => a is null ? b : b is null ? a : Math.Min(a.Value, b.Value);

    private static int? Later(int? a, int? b) => a is null ? b : b is null ? a : Math.Max(a.Value, b.Value);

    private int IndexOf(int day)
    {
        var (low, high) = (0, _days.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_days[middle].Day < day)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
