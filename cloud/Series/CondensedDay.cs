using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>What is kept of the observations of one cell of time that are gone (<see cref="ISeries.CondenseAsync"/>). Numbers are to the last bit those the observations had, so a store that takes the cell answers as the one that made it.</summary>
/// <param name="Start">UTC, a multiple of the width since 1970; inclusive.</param>
/// <param name="Width">1 h, 15 min or 1 min.</param>
/// <param name="WithoutFlagged">Of the observations without any flag only; there is one of all observations, with flags, beside it.</param>
public readonly record struct CondensedCell(DateTime Start, TimeSpan Width, bool WithoutFlagged)
{
    /// <summary>Observations, 1 or more.</summary>
    public long Count { get; init; }

    /// <summary>All flags met, those found since they were stored included; <see cref="Quality.Good"/> where <see cref="WithoutFlagged"/>.</summary>
    public Quality Quality { get; init; }

    /// <summary>Sum of the shares of their averaging periods that were measured, one that is not stated being 1; 0 to <see cref="Count"/>. Times the cadence it is the time covered.</summary>
    public double Covered { get; init; }

    /// <summary>Sum of results in order of time.</summary>
    public double Sum { get; init; }

    /// <summary>Smallest result.</summary>
    public double Min { get; init; }

    /// <summary>Largest result.</summary>
    public double Max { get; init; }

    /// <summary>Result with the earliest phenomenon time.</summary>
    public double First { get; init; }

    /// <summary>Result with the latest phenomenon time.</summary>
    public double Last { get; init; }

    /// <summary>Sum of 10^(result/10) in order of time; infinite where results are no levels and large; NaN where it was not worth keeping (<see cref="IDatastreamStatistics"/>).</summary>
    public double EnergySum { get; init; } = double.NaN;

    /// <summary>Sum of the sines of results taken as degrees, in order of time; NaN where it was not worth keeping.</summary>
    public double East { get; init; } = double.NaN;

    /// <summary>Sum of their cosines; NaN where <see cref="East"/> is.</summary>
    public double North { get; init; } = double.NaN;

    /// <summary>The cell as figures are folded from it.</summary>
    internal RollupRow ToRow() =>
        new(EventTime.Micros(Start), EventTime.Micros(Start) + (Width.Ticks / TimeSpan.TicksPerMicrosecond), Count, Quality, Covered, Sum, Min, Max, EnergySum, East, North, First, Last);

    /// <summary>A row with everything that is kept of its cell.</summary>
    internal static CondensedCell Of(in RollupRow row, TimeSpan width, bool withoutFlagged) => new(EventTime.Time(row.Start), width, withoutFlagged)
    {
        Count = row.Count,
        Quality = row.Quality,
        Covered = row.Covered,
        Sum = row.Sum,
        Min = row.Min,
        Max = row.Max,
        First = row.First,
        Last = row.Last,
        EnergySum = row.EnergySum,
        East = row.East,
        North = row.North,
    };
}

/// <summary>All that is kept of one UTC day of one datastream without its observations.</summary>
/// <param name="Datastream">The datastream, 1 or more.</param>
/// <param name="Day">UTC midnight.</param>
/// <param name="Cells">
/// The cells of an hour, which there are wherever there are finer ones, then of a quarter, then of a minute, which not every day has; of each width those of all observations, then those without the flagged; in order of time.
/// </param>
public sealed record CondensedDay(int Datastream, DateTime Day, IReadOnlyList<CondensedCell> Cells)
{
    /// <summary>Number of the day since 1970-01-01.</summary>
    internal int Number => EventTime.Day(EventTime.Micros(Day));

    /// <exception cref="ArgumentException">One of them is none, or comes twice.</exception>
    internal static void ThrowIfNot(IReadOnlyList<CondensedDay> days)
    {
        ArgumentNullException.ThrowIfNull(days);
        var known = new HashSet<(int, DateTime)>();
        foreach (var day in days)
        {
            day.ThrowIfNot();
            if (!known.Add((day.Datastream, day.Day)))
            {
                throw new ArgumentException(FormattableString.Invariant($"Rollups of datastream {day.Datastream} on {day.Day:yyyy-MM-dd} come twice."), nameof(days));
            }
        }
    }

    private void ThrowIfNot()
    {
        if (Datastream < 1 || Day.Kind != DateTimeKind.Utc || Day.TimeOfDay != TimeSpan.Zero || Cells.Count == 0)
        {
            throw new ArgumentException(FormattableString.Invariant($"Not a day of rollups: datastream {Datastream}, {Day:O}, {Cells.Count} cells."), nameof(CondensedDay));
        }

        var flagged = new HashSet<(DateTime, TimeSpan)>();
        var hours = new HashSet<DateTime>();
        (int Place, DateTime Start) last = (-1, default);
        foreach (var cell in Cells)
        {
            var resolution = 0;
            while (resolution < Rollups.Resolutions.Count && Rollups.Resolutions[^(resolution + 1)] != cell.Width)
            {
                resolution++;
            }

            (int Place, DateTime Start) place = ((2 * resolution) + (cell.WithoutFlagged ? 1 : 0), cell.Start);
            if (resolution == 0 && !cell.WithoutFlagged)
            {
                hours.Add(cell.Start);
            }

            var isOne = resolution < Rollups.Resolutions.Count && cell.Start.Kind == DateTimeKind.Utc && cell.Start.Date == Day && cell.Start.Ticks % cell.Width.Ticks == 0
                && (place.Place > last.Place || (place.Place == last.Place && place.Start > last.Start))
                && hours.Contains(Day.AddHours(cell.Start.Hour))
                && (cell.WithoutFlagged ? cell.Quality == Quality.Good && flagged.Contains((cell.Start, cell.Width)) : cell.Quality == Quality.Good || flagged.Add((cell.Start, cell.Width)))
                && cell.Count > 0 && cell.Covered >= 0 && cell.Covered <= cell.Count && !double.IsNaN(cell.Sum) && cell.Min <= cell.Max
                && double.IsFinite(cell.Min) && double.IsFinite(cell.Max) && double.IsFinite(cell.First) && double.IsFinite(cell.Last)
                && !(cell.EnergySum < 0) && double.IsNaN(cell.East) == double.IsNaN(cell.North) && !double.IsInfinity(cell.East) && !double.IsInfinity(cell.North);
            if (!isOne)
            {
                throw new ArgumentException(FormattableString.Invariant($"Not a cell of datastream {Datastream} on {Day:yyyy-MM-dd}, or out of order: {cell}"), nameof(CondensedDay));
            }

            last = place;
        }
    }

    /// <summary>The cells of one width, of all observations or without the flagged.</summary>
    internal IEnumerable<CondensedCell> Of(TimeSpan width, bool withoutFlagged) => Cells.Where(cell => cell.Width == width && cell.WithoutFlagged == withoutFlagged);
}

/// <summary>What became of a day of rollups that was given to a store.</summary>
public enum CondensedOutcome : byte
{
    /// <summary>New: they are kept.</summary>
    Taken,

    /// <summary>Rollups of that day are kept already: those stay as they are.</summary>
    There,

    /// <summary>Observations of that day are stored, and no rollups: figures go on being made of those, nothing is taken.</summary>
    Observed,

    /// <summary>The store cannot hold them: the day is not within <see cref="ISeries.Times"/> as a whole, or its datastream has a number too large for it.</summary>
    Outside,
}
