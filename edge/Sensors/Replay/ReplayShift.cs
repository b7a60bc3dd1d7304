using System.Globalization;

namespace Hub.Edge.Sensors.Replay;

/// <summary>A place in the endless sequence of a replay: a row of the table in one of its cycles.</summary>
/// <param name="Cycle">Cycle; may be negative.</param>
/// <param name="Row">Row of the table.</param>
internal readonly record struct ReplayPlace(int Cycle, int Row);

/// <summary>
/// Puts the rows of a table in time: shifted = publisher time + constant + cycle x k, for every whole k. A pure function of table, options and
/// anchor, so every start of the agent finds the same rows at the same instants. The order is that of the publisher's rows, cycle after cycle:
/// a row the publisher delivered late comes late here too, so a row is due when its own period and those of all rows before it are over.
/// </summary>
internal sealed class ReplayShift
{
    private readonly ReplayTable table;
    private readonly long[] dues;
    private readonly long constant;
    private readonly long cycle;

    private ReplayShift(ReplayTable table, long constant, long cycle, long[] dues)
    {
        this.table = table;
        this.constant = constant;
        this.cycle = cycle;
        this.dues = dues;
        Fingerprint = Hash();
    }

    /// <summary>Tells apart shifts that do not agree: another file, other columns, another anchor or cycle.</summary>
    public ulong Fingerprint { get; }

    /// <summary>After how long the rows begin again.</summary>
    public TimeSpan Cycle => new(cycle);

    /// <summary>Rows of the table left out because they lie behind the first cycle.</summary>
    public required int RowsCut { get; init; }

    /// <summary>The anchor in use, UTC ticks: station-local midnight, or the instant itself.</summary>
    public required long Anchor { get; init; }

    /// <summary>The table in use, without what was cut.</summary>
    public ReplayTable Table => table;

    /// <summary>Computes the shift.</summary>
    /// <exception cref="SensorException">The table has no row.</exception>
    public static ReplayShift Create(ReplayTable table, ReplaySensorOptions options, ReplayOptions agent, string name)
    {
        if (table.Count == 0)
        {
            throw new SensorException($"{name} has no row with a value for this sensor. Check 'series', 'quantities' and the filter.");
        }

        long first = table.Starts.Min();
        int cut = 0;
        if (options.Cycle is { } wanted && table.Starts.Max() >= first + wanted.Ticks)
        {
            int before = table.Count;
            table = table.Before(first + wanted.Ticks);
            cut = before - table.Count;
        }

        var dues = new long[table.Count];
        long due = long.MinValue;
        for (int row = 0; row < dues.Length; row++)
        {
            due = Math.Max(due, table.Starts[row] + table.Period.Ticks);
            dues[row] = due;
        }

        long cycle = options.Cycle?.Ticks ?? Math.Max(1, (due - first + TimeSpan.TicksPerDay - 1) / TimeSpan.TicksPerDay) * TimeSpan.TicksPerDay;
        DateTime instant = agent.Anchor!.Value.UtcDateTime;
        long anchor = instant.Ticks;
        long publisher;
        if (options.Align == ReplayAlign.Instant)
        {
            publisher = At(options.AlignAt!).Ticks - table.Zone.GetUtcOffset(At(options.AlignAt!)).Ticks;
        }
        else
        {
            TimeZoneInfo zone = ReplayZone.Find(agent.Zone);
            anchor = ReplayZone.DayStart(ReplayZone.DateOf(instant, zone), zone).Ticks;
            publisher = options.AlignAt is null ? EndOfDay(due, table.Place) : ReplayZone.DayStart(DateOnly.FromDateTime(At(options.AlignAt)), table.Place).Ticks;
        }

        return new ReplayShift(table, anchor - publisher, cycle, dues) { RowsCut = cut, Anchor = anchor };
    }

    /// <summary>Start of a row's period, UTC.</summary>
    public DateTime Start(ReplayPlace place) => new(table.Starts[place.Row] + constant + (cycle * place.Cycle), DateTimeKind.Utc);

    /// <summary>Instant from which a row is delivered, UTC ticks.</summary>
    public long Due(ReplayPlace place) => dues[place.Row] + constant + (cycle * place.Cycle);

    /// <summary>The place behind another.</summary>
    public ReplayPlace Next(ReplayPlace place) =>
        place.Row + 1 < dues.Length ? place with { Row = place.Row + 1 } : new ReplayPlace(place.Cycle + 1, 0);

    /// <summary>First place that is due after an instant (UTC ticks).</summary>
    public ReplayPlace FirstAfter(long instant)
    {
        long publisher = instant - constant;
        long number = Math.DivRem(publisher - dues[0], cycle, out long rest);
        if (rest < 0)
        {
            number--;
        }

        long within = publisher - (number * cycle);
        int low = 0;
        int high = dues.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (dues[middle] > within)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low < dues.Length ? new ReplayPlace((int)number, low) : new ReplayPlace((int)number + 1, 0);
    }

    /// <summary>Where a first start begins.</summary>
    public ReplayPlace First(ReplaySensorOptions options, ReplayOptions agent)
    {
        TimeSpan? history = History(options, agent);
        long from = Anchor - (history?.Ticks ?? cycle);
        if (options.Align == ReplayAlign.Instant && history is not null)
        {
            // The backlog of an instant is what its own cycle had before it.
            from = Math.Max(from, Due(new ReplayPlace(0, 0)) - 1);
        }

        return FirstAfter(from);
    }

    /// <summary>Length of the backlog; null for <c>all</c>. See <see cref="ReplayOptions.History"/> for what goes before what.</summary>
    public static TimeSpan? History(ReplaySensorOptions options, ReplayOptions agent)
    {
        string text = agent.History == "all" ? agent.History : options.History ?? agent.History ?? "7.00:00:00";
        return text == "all" ? null : TimeSpan.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>The publisher time that options name.</summary>
    internal static bool TryAt(string text, out DateTime at) =>
        DateTime.TryParseExact(text, ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out at);

    private static DateTime At(string text) => TryAt(text, out DateTime at) ? at : throw new SensorException($"'{text}' is no date or time.");

    private static long EndOfDay(long utcTicks, TimeZoneInfo place)
    {
        var end = new DateTime(utcTicks, DateTimeKind.Utc);
        DateOnly date = ReplayZone.DateOf(end, place);
        DateTime midnight = ReplayZone.DayStart(date, place);
        return (midnight == end ? midnight : ReplayZone.DayStart(date.AddDays(1), place)).Ticks;
    }

    // FNV-1a over everything that decides which row is where.
    private ulong Hash()
    {
        ulong hash = 14695981039346656037;
        void Add(long value)
        {
            for (int shift = 0; shift < 64; shift += 8)
            {
                hash = (hash ^ (byte)(value >> shift)) * 1099511628211;
            }
        }

        Add(constant);
        Add(cycle);
        Add(table.Period.Ticks);
        foreach (ReplayColumn column in table.Columns)
        {
            foreach (char character in column.Property)
            {
                Add(character);
            }
        }

        foreach (long start in table.Starts)
        {
            Add(start);
        }

        return hash;
    }
}
