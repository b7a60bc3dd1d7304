using System.Runtime.CompilerServices;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Tests.Kit;

/// <summary>Days of which rollups are kept. Of those condensed here the observations are remembered, of those taken from elsewhere the cells.</summary>
public sealed partial class MemorySeries
{
    private static readonly TimeSpan[] Widths = [TimeSpan.FromHours(1), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(1)];

    private readonly Dictionary<(int Datastream, DateTime Day), Kept> _condensed = [];

    public async ValueTask<long> CondenseAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        // Whole days only.
        var (first, last) = (from == from.Date ? from : from.Date.AddDays(1), to.Date);
        var removed = 0L;
        foreach (var datastream in datastreams.Distinct())
        {
            foreach (var day in Select(datastream, first, last).GroupBy(o => o.PhenomenonTime.Date))
            {
                lock (_lock)
                {
                    _condensed.TryAdd((datastream, day.Key), new Kept([.. day], day.Count() > 2_880, []));
                }
            }
        }

        foreach (var datastream in datastreams.Distinct().Where(_ => first < last))
        {
            removed += await RemoveAsync(datastream, first, last, cancellationToken);
        }

        return removed;
    }

    public ValueTask<IReadOnlyDictionary<int, int>> CondensedAsync(DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ValueTask.FromResult<IReadOnlyDictionary<int, int>>(
                _condensed.Keys.Where(key => key.Day >= from && key.Day < to).GroupBy(key => key.Datastream).ToDictionary(days => days.Key, days => days.Count()));
        }
    }

    public ValueTask<bool> IsCondensedAsync(int datastream, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ValueTask.FromResult(from < to && _condensed.Keys.Any(key => key.Datastream == datastream && key.Day < to && key.Day.AddDays(1) > from));
        }
    }

    public async IAsyncEnumerable<CondensedDay> CondensedDaysAsync(IReadOnlyCollection<int>? datastreams, DateTime from, DateTime to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        List<CondensedDay> days;
        lock (_lock)
        {
            days =
            [
                .. _condensed.Where(kept => kept.Key.Day >= from && kept.Key.Day < to && datastreams?.Contains(kept.Key.Datastream) != false)
                    .OrderBy(kept => (kept.Key.Day.Year, kept.Key.Day.Month, kept.Key.Datastream, kept.Key.Day))
                    .Select(kept => new CondensedDay(kept.Key.Datastream, kept.Key.Day, kept.Value.Cells.Count > 0 ? [.. kept.Value.Cells] : Cells(kept.Key.Datastream, kept.Value))),
            ];
        }

        foreach (var day in days)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return day;
        }
    }

    public async ValueTask<IReadOnlyList<CondensedOutcome>> TakeCondensedAsync(IReadOnlyList<CondensedDay> days, CancellationToken cancellationToken)
    {
        if (days.FirstOrDefault(day => !IsDay(day)) is not null || days.DistinctBy(day => (day.Datastream, day.Day)).Count() < days.Count)
        {
            throw new ArgumentException("Not days of rollups.", nameof(days));
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (BeforeCommit is { } before)
        {
            await before(cancellationToken);
        }

        if (UnavailableBecause is { } reason)
        {
            throw new SeriesUnavailableException(reason);
        }

        lock (_lock)
        {
            return [.. days.Select(Take)];
        }

        CondensedOutcome Take(CondensedDay day)
        {
            if (_condensed.ContainsKey((day.Datastream, day.Day)))
            {
                return CondensedOutcome.There;
            }

            if (Select(day.Datastream, day.Day, day.Day.AddDays(1)).Count > 0)
            {
                return CondensedOutcome.Observed;
            }

            _condensed[(day.Datastream, day.Day)] = new Kept([], day.Cells.Any(cell => cell.Width == Widths[^1]), [.. day.Cells]);
            return CondensedOutcome.Taken;
        }
    }

    /// <summary>The observations that figures are made of, in order of time, but for days of which rollups were taken from elsewhere: those with unwanted flags left out, and of days of which only rollups are kept those of the cells that answer.</summary>
    public IReadOnlyList<Observation> Members(AggregateQuery query)
    {
        lock (_lock)
        {
            var members = Select(query.Datastream, query.From, query.To).Where(o => (o.Quality & query.WithoutQuality) == 0 && !_condensed.ContainsKey((query.Datastream, o.PhenomenonTime.Date))).ToList();
            if (query.Statistic != Statistic.Percentile && Cell(query.Every) is { } cell && Keeps?.Invoke(query.Datastream, query.Statistic) != false)
            {
                foreach (var (_, kept) in _condensed.Where(kept => kept.Key.Datastream == query.Datastream && (kept.Value.HasMinutes || cell > TimeSpan.FromMinutes(1))))
                {
                    foreach (var group in kept.Rows.GroupBy(o => MemoryBuckets.Around(o.PhenomenonTime, new BucketWidth(cell))).Where(group => group.Key.Start >= query.From && group.Key.End <= query.To))
                    {
                        var isFlagged = group.Any(o => (o.Quality & query.WithoutQuality) != 0);
                        members.AddRange(group.Where(o => !isFlagged || o.Quality == Quality.Good));
                    }
                }
            }

            return [.. members.OrderBy(o => o.PhenomenonTime)];
        }
    }

    /// <summary>The same, with the cells that answer of days of which rollups were taken from elsewhere.</summary>
    private List<Piece> Pieces(AggregateQuery query)
    {
        lock (_lock)
        {
            var pieces = Members(query).Select(o => new Piece(o, null)).ToList();
            if (query.Statistic != Statistic.Percentile && Cell(query.Every) is { } width)
            {
                foreach (var cell in _condensed.Where(kept => kept.Key.Datastream == query.Datastream).SelectMany(kept => kept.Value.Cells)
                    .Where(cell => cell.Width == width && !cell.WithoutFlagged && cell.Start >= query.From && cell.Start + width <= query.To))
                {
                    var isFlagged = (cell.Quality & query.WithoutQuality) != 0;
                    CondensedCell? one = isFlagged ? _condensed[(query.Datastream, cell.Start.Date)].Cells.Where(other => other.WithoutFlagged && other.Width == width && other.Start == cell.Start).Cast<CondensedCell?>().SingleOrDefault() : cell;
                    if (one is { } answers && !(query.Statistic == Statistic.EnergyMean && double.IsNaN(answers.EnergySum)) && !(query.Statistic == Statistic.CircularMean && double.IsNaN(answers.East)))
                    {
                        pieces.Add(new Piece(default, answers));
                    }
                }
            }

            return [.. pieces.OrderBy(piece => piece.Time)];
        }
    }

    /// <summary>What is kept of a day, from its observations.</summary>
    private List<CondensedCell> Cells(int datastream, Kept kept)
    {
        var cells = new List<CondensedCell>();
        foreach (var width in Widths.Where(width => width > Widths[^1] || kept.HasMinutes))
        {
            var groups = kept.Rows.GroupBy(o => MemoryBuckets.Around(o.PhenomenonTime, new BucketWidth(width)).Start).ToList();
            cells.AddRange(groups.Select(group => Fold(group.Key, false, [.. group])));
            cells.AddRange(groups.Where(group => group.Any(o => o.Quality != Quality.Good) && group.Any(o => o.Quality == Quality.Good)).Select(group => Fold(group.Key, true, [.. group.Where(o => o.Quality == Quality.Good)])));

            CondensedCell Fold(DateTime start, bool withoutFlagged, List<Observation> rows) => new(start, width, withoutFlagged)
            {
                Count = rows.Count,
                Quality = rows.Aggregate(Quality.Good, (all, o) => all | o.Quality),
                Covered = rows.Sum(o => double.IsNaN(o.Coverage) ? 1 : o.Coverage),
                Sum = rows.Aggregate(0.0, (sum, o) => sum + o.Result),
                Min = rows.Min(o => o.Result),
                Max = rows.Max(o => o.Result),
                First = rows[0].Result,
                Last = rows[^1].Result,
                EnergySum = Keeps?.Invoke(datastream, Statistic.EnergyMean) == false ? double.NaN : rows.Aggregate(0.0, (sum, o) => sum + Energy(o.Result)),
                East = Keeps?.Invoke(datastream, Statistic.CircularMean) == false ? double.NaN : rows.Aggregate(0.0, (sum, o) => sum + East(o.Result)),
                North = Keeps?.Invoke(datastream, Statistic.CircularMean) == false ? double.NaN : rows.Aggregate(0.0, (sum, o) => sum + North(o.Result)),
            };
        }

        return cells;
    }

    private static bool IsDay(CondensedDay day)
    {
        var order = day.Cells.Select(cell => (-cell.Width, cell.WithoutFlagged, cell.Start)).ToList();
        return day.Datastream > 0 && day.Day.Kind == DateTimeKind.Utc && day.Day == day.Day.Date && day.Cells.Count > 0 && order.SequenceEqual(order.Distinct().Order()) && day.Cells.All(cell =>
            Widths.Contains(cell.Width) && cell.Start.Date == day.Day && cell.Start.Kind == DateTimeKind.Utc && cell.Start.Ticks % cell.Width.Ticks == 0
            && day.Cells.Any(hour => hour.Width == Widths[0] && !hour.WithoutFlagged && hour.Start == day.Day.AddHours(cell.Start.Hour))
            && (!cell.WithoutFlagged || (cell.Quality == Quality.Good && day.Cells.Any(other => !other.WithoutFlagged && other.Width == cell.Width && other.Start == cell.Start && other.Quality != Quality.Good)))
            && cell.Count >= 1 && cell.Covered >= 0 && cell.Covered <= cell.Count && cell.Min <= cell.Max && !double.IsNaN(cell.Sum)
            && new[] { cell.Min, cell.Max, cell.First, cell.Last }.All(double.IsFinite) && !(cell.EnergySum < 0)
            && double.IsNaN(cell.East) == double.IsNaN(cell.North) && !double.IsInfinity(cell.East) && !double.IsInfinity(cell.North));
    }

    /// <summary>What is kept of a day: the observations that were condensed here, or the cells that were taken.</summary>
    private sealed record Kept(List<Observation> Rows, bool HasMinutes, List<CondensedCell> Cells);

    /// <summary>What a bucket is made of: an observation, or a cell that was taken.</summary>
    private readonly record struct Piece(Observation Row, CondensedCell? Cell)
    {
        public DateTime Time => Cell?.Start ?? Row.PhenomenonTime;

        public long Count => Cell?.Count ?? 1;

        public Quality Quality => Cell?.Quality ?? Row.Quality;

        public double Covered => Cell?.Covered ?? (double.IsNaN(Row.Coverage) ? 1 : Row.Coverage);

        public double Min => Cell?.Min ?? Row.Result;

        public double Max => Cell?.Max ?? Row.Result;

        public double First => Cell?.First ?? Row.Result;

        public double Last => Cell?.Last ?? Row.Result;
    }
}
