using Hub.Cloud.Alerts;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Portal.Read;

/// <summary>What is asked of all charts of a station's page.</summary>
/// <param name="Window">From when to when.</param>
/// <param name="Compare">What they are compared with; null for nothing.</param>
/// <param name="Raw">Whether values before calibration are wanted.</param>
internal sealed record ChartWish(StationWindow Window, StationCompare? Compare, bool Raw);

/// <summary>Reads what a station's charts and their tables show. Safe for concurrent callers.</summary>
internal sealed class ChartReader(IStations stations, ISeries series, IAlerts alerts, IOptions<PortalOptions> options, TimeProvider clock)
{
    /// <summary>Points that one answer to a script carries at most, and the values before calibration that a page does: they are kept with single observations only.</summary>
    public const int PointsMax = 2_000;

    /// <summary>A longer span is shown in a table by the day.</summary>
    private static readonly TimeSpan RowsByHourMax = TimeSpan.FromDays(7);

    /// <summary>How far back data are looked for.</summary>
    private static readonly TimeSpan Past = TimeSpan.FromDays(20 * 365);

    /// <summary>How long it is remembered when a station's data begin.</summary>
    private static readonly TimeSpan BeginKept = TimeSpan.FromMinutes(10);

    private const int BeginsMax = 10_000;

    private readonly Dictionary<int, (DateTime At, DateTime? Begin)> _begins = [];

    /// <summary>A datastream over a stretch: at most <see cref="PortalOptions.ChartPointsMax"/> points (of values before calibration <see cref="PointsMax"/>), and a table by the hour or, over more than a week, by the local day.</summary>
    public async ValueTask<DatastreamView> ReadAsync(StationView station, LatestValue value, ChartWish wish, CancellationToken cancellationToken)
    {
        var datastream = value.Datastream;
        var (from, to) = (wish.Window.From, wish.Window.To);
        var rowWidth = wish.Window.Span > RowsByHourMax ? TimeSpan.FromDays(1) : TimeSpan.FromHours(1);
        var hasRaw = value.Latest is { } latest && double.IsFinite(latest.Raw);
        var single = hasRaw && wish.Raw ? await SingleAsync(datastream, from, to, PointsMax, cancellationToken) : null;
        var (points, buckets) = single is not null ? (Points(datastream, single, raw: true), []) : await PointsAsync(datastream, from, to, station.Zone, cancellationToken);

        // Days are local in both; hours of the table are local, those of a chart are not.
        var rows = points.Times.Count == 0 ? []
            : points.Bucket == rowWidth && rowWidth >= TimeSpan.FromDays(1) ? buckets
            : await series.AggregateAsync(Question(datastream, from, to, rowWidth, station.Zone), cancellationToken);
        var values = !hasRaw || !wish.Raw ? ValuesShown.Calibrated : single is null ? ValuesShown.TooMany : ValuesShown.Raw;
        return new(value, points, [.. rows.Reverse()], rowWidth, [.. alerts.Rules(datastream.Station.Municipality).Where(rule => Reader.Concerns(rule, datastream)).SelectMany(rule => rule.EachLevel())])
        {
            HasRaw = hasRaw,
            Values = values,
            RawRows = values == ValuesShown.Raw ? RawFigures.By(single!, rows, Statistics.Of(datastream.Quantity.Averaging)) : null,
            Compared = wish.Compare is null ? null : await ComparedAsync(wish.Compare, datastream, from, to, rowWidth, station.Zone, cancellationToken),
        };
    }

    /// <summary>Whether a station has values before calibration.</summary>
    public static bool HasRaw(StationView station) => station.Values.Any(static one => one.Latest is { } latest && double.IsFinite(latest.Raw));

    /// <summary>UTC day on which the data of a station begin; null when there are none. Remembered for ten minutes.</summary>
    public async ValueTask<DateTime?> BeginAsync(StationView station, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        lock (_begins)
        {
            if (_begins.TryGetValue(station.Station.Id, out var known) && now - known.At < BeginKept)
            {
                return known.Begin;
            }
        }

        // Nothing of any station is stored before this day, so nothing before it is asked for.
        var first = now.Date - Past;
        for (var (low, high) = (0, (int)Past.TotalDays); low < high;)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = series.HeldWithin(now.Date - Past, now.Date - Past + TimeSpan.FromDays(middle)) == TimeSpan.Zero ? (middle, high) : (low, middle - 1);
            first = now.Date - Past + TimeSpan.FromDays(low);
        }

        DateTime? begin = null;
        foreach (var datastream in station.Values.Where(static one => !Units.IsEquipment(one.Datastream.Quantity)).Select(static one => one.Datastream))
        {
            var to = begin ?? now;
            if (to > first && await series.AggregateAsync(new(datastream.Id, first, to, new(TimeSpan.FromDays(1)), Statistics.Of(datastream.Quantity.Averaging)), cancellationToken) is [var bucket, ..])
            {
                begin = bucket.Start;
            }
        }

        lock (_begins)
        {
            if (_begins.Count >= BeginsMax)
            {
                _begins.Clear();
            }

            _begins[station.Station.Id] = (now, begin);
        }

        return begin;
    }

    private async ValueTask<ComparedView?> ComparedAsync(StationCompare compare, Datastream datastream, DateTime from, DateTime to, TimeSpan rowWidth, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        if (compare.Counterpart(datastream, stations) is not { } other)
        {
            return null;
        }

        var (begin, end) = (from - compare.Shift, to - compare.Shift);
        var (points, buckets) = await PointsAsync(other, begin, end, zone, cancellationToken);
        var rows = points.Bucket == rowWidth && rowWidth >= TimeSpan.FromDays(1) ? buckets : await series.AggregateAsync(Question(other, begin, end, rowWidth, zone), cancellationToken);

        // An hour of today stands beside the same hour of the clock, also over a change of the clock.
        var byClock = rows.GroupBy(row => TimeZoneInfo.ConvertTimeFromUtc(row.Start, zone) + compare.Shift).ToDictionary(static group => group.Key, static group => group.First().Value);
        return new(compare, other, points, byClock);
    }

    /// <summary>The points of a chart, and the buckets they were made of; none when they are the observations themselves.</summary>
    private async ValueTask<(ChartPoints Points, IReadOnlyList<Bucket> Buckets)> PointsAsync(Datastream datastream, DateTime from, DateTime to, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        var statistic = Statistics.Of(datastream.Quantity.Averaging);
        var most = options.Value.ChartPointsMax;
        if (SeriesResolution.For(to - from, datastream.Period, most) is null && await SingleAsync(datastream, from, to, most, cancellationToken) is { } single)
        {
            return (Points(datastream, single, raw: false), []);
        }

        var width = SeriesResolution.For(to - from, datastream.Period, most, raw: false)!.Value;
        var buckets = await series.AggregateAsync(Question(datastream, from, to, width, width >= TimeSpan.FromDays(1) ? zone : null), cancellationToken);
        var points = buckets.Select(b => new ChartPoint(b.Start, b.Value, (int)b.Quality)
        {
            Low = b.Min,
            High = b.Max,
            Coverage = b.Coverage,
            Invalid = DataCapture.IsValid(datastream.Quantity, width, b.Coverage) == false,
        });
        return (ChartGaps.Broken([.. points], width, width, statistic), buckets);
    }

    private ChartPoints Points(Datastream datastream, List<Observation> single, bool raw)
    {
        var points = single.ConvertAll(one => new ChartPoint(one.PhenomenonTime, raw ? RawFigures.Of(one) : one.Result, (int)one.Quality));
        var step = datastream.Period > TimeSpan.Zero ? datastream.Period : ChartGaps.UsualStep(points.ConvertAll(static p => p.At), options.Value.InstantStep);
        return ChartGaps.Broken(points, step, null, Statistics.Of(datastream.Quantity.Averaging));
    }

    /// <summary>The observations as they are stored; null when they are more than a chart carries, whatever the station said of its cadence.</summary>
    private async ValueTask<List<Observation>?> SingleAsync(Datastream datastream, DateTime from, DateTime to, int most, CancellationToken cancellationToken)
    {
        if (datastream.Period > TimeSpan.Zero && (to - from).Ticks / datastream.Period.Ticks > 2L * most)
        {
            return null;
        }

        List<Observation> found = [];
        await foreach (var observation in series.RangeAsync(datastream.Id, from, to, cancellationToken))
        {
            if (found.Count == most)
            {
                return null;
            }

            found.Add(observation);
        }

        return found;
    }

    private static AggregateQuery Question(Datastream datastream, DateTime from, DateTime to, TimeSpan width, TimeZoneInfo? zone) =>
        new(datastream.Id, from, to, new(width, zone), Statistics.Of(datastream.Quantity.Averaging)) { Cadence = datastream.Period };
}

/// <summary>Figures of values before calibration. Pure.</summary>
internal static class RawFigures
{
    /// <summary>The value before calibration, canonical unit; of an observation that no calibration made, its result.</summary>
    public static double Of(Observation observation) => double.IsFinite(observation.Raw) ? observation.Raw : observation.Result;

    /// <summary>The figure of each row's observations before calibration, by the row's start; rows without observations are left out.</summary>
    /// <param name="observations">In order of time.</param>
    /// <param name="rows">In order of time.</param>
    /// <param name="statistic">Figure.</param>
    public static IReadOnlyDictionary<DateTime, double> By(IReadOnlyList<Observation> observations, IReadOnlyList<Bucket> rows, Statistic statistic)
    {
        Dictionary<DateTime, double> figures = [];
        var at = 0;
        foreach (var row in rows)
        {
            while (at < observations.Count && observations[at].PhenomenonTime < row.Start)
            {
                at++;
            }

            var first = at;
            while (at < observations.Count && observations[at].PhenomenonTime < row.End)
            {
                at++;
            }

            if (at > first)
            {
                figures[row.Start] = Combined([.. observations.Skip(first).Take(at - first).Select(Of)], statistic);
            }
        }

        return figures;
    }

    /// <summary>The statistic of values; NaN for directions that cancel out (mean vector shorter than 1e-9).</summary>
    public static double Combined(IReadOnlyList<double> values, Statistic statistic)
    {
        switch (statistic)
        {
            case Statistic.Sum:
                return values.Sum();
            case Statistic.Max:
                return values.Max();
            case Statistic.Min:
                return values.Min();
            case Statistic.EnergyMean:
                return 10 * Math.Log10(values.Average(static value => Math.Pow(10, value / 10)));
            case Statistic.CircularMean:
                var (up, across) = (values.Average(static value => Math.Cos(value * Math.PI / 180)), values.Average(static value => Math.Sin(value * Math.PI / 180)));
                return Math.Sqrt((up * up) + (across * across)) < 1e-9 ? double.NaN : ((Math.Atan2(across, up) * 180 / Math.PI) + 360) % 360;
            default:
                return values.Average();
        }
    }
}
