using Hub.Cloud.Indicators;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Portal.Read.Topics;

/// <summary>One hour of traffic.</summary>
/// <param name="Start">UTC.</param>
/// <param name="Flow">Vehicles per hour of the time measured; NaN when nothing was.</param>
/// <param name="Coverage">Share of it that was measured, 0 to 1; NaN when not known.</param>
/// <param name="IsValid">Whether that is enough.</param>
internal readonly record struct TrafficHour(DateTime Start, double Flow, double Coverage, bool IsValid);

/// <summary>The V85 values of one hour: a longer period shows their spread, for they cannot be combined.</summary>
/// <param name="Start">UTC.</param>
/// <param name="Low">Smallest, km/h; NaN without any.</param>
/// <param name="High">Largest, km/h.</param>
/// <param name="Count">How many.</param>
internal readonly record struct SpeedHour(DateTime Start, double Low, double High, long Count);

/// <summary>A class of vehicles with how many there were.</summary>
/// <param name="Datastream">Its datastream.</param>
/// <param name="Count">Vehicles.</param>
/// <param name="Share">Of all classes, 0 to 1.</param>
internal sealed record ClassShare(Datastream Datastream, double Count, double Share);

/// <summary>What the page about traffic shows of one counter.</summary>
/// <param name="Station">The station.</param>
/// <param name="Sensors">Its counters to choose from.</param>
/// <param name="Sensor">The one shown.</param>
/// <param name="Counted">Datastreams whose sum is the number of vehicles; none when the counter only measures speeds.</param>
/// <param name="Today">Local date of the profile.</param>
/// <param name="Hours">The closed hours of today.</param>
/// <param name="Typical">Median and quartiles by weekday and hour over the weeks before today, Monday 00 first.</param>
/// <param name="Diagram">Points of quarter hours; none without speeds.</param>
/// <param name="DiagramWidth">Time each point stands for.</param>
/// <param name="DiagramSpan">Time looked back for them.</param>
/// <param name="Speed">Datastream of the speeds; null when none are measured.</param>
/// <param name="Bins">The diagram by flow, ascending.</param>
/// <param name="V85">Hours of V85, the oldest first; none when it is not measured.</param>
/// <param name="Classes">Shares of the last days; none when classes are not told apart or nothing was counted.</param>
/// <param name="ClassesCovered">Share of these days that was measured; NaN when not known.</param>
internal sealed record TrafficDetail(
    StationView Station, IReadOnlyList<string> Sensors, string Sensor, IReadOnlyList<Datastream> Counted, DateOnly Today, IReadOnlyList<TrafficHour> Hours, IReadOnlyList<PatternCell> Typical,
    IReadOnlyList<FlowSpeed> Diagram, TimeSpan DiagramWidth, TimeSpan DiagramSpan, Datastream? Speed, IReadOnlyList<FlowBin> Bins, IReadOnlyList<SpeedHour> V85, IReadOnlyList<ClassShare> Classes, double ClassesCovered)
{
    /// <summary>The typical day of today's weekday: 24 cells.</summary>
    public IReadOnlyList<PatternCell> TypicalToday => [.. Typical.Skip(((int)Today.DayOfWeek + 6) % 7 * 24).Take(24)];
}

/// <summary>Points of a flow-speed diagram of about the same flow.</summary>
/// <param name="From">Vehicles per hour, inclusive.</param>
/// <param name="To">Exclusive.</param>
/// <param name="Points">How many.</param>
/// <param name="Low">Smallest speed, km/h.</param>
/// <param name="Median">Median speed, km/h.</param>
/// <param name="High">Largest speed, km/h.</param>
internal readonly record struct FlowBin(double From, double To, int Points, double Low, double Median, double High);

/// <summary>Puts together what the page about traffic shows. Safe for concurrent callers; time is a parameter.</summary>
internal sealed class TrafficReader(TopicSeries series)
{
    /// <summary>Weeks before today that the usual is made of.</summary>
    public const int Weeks = 8;

    /// <summary>Weeks that a median needs to be called usual.</summary>
    public const int WeeksMin = 3;

    /// <summary>Share of an hour that must have been counted for its flow to be valid: the hub's own choice, no law states one.</summary>
    public const double CoverageMin = 0.75;

    /// <summary>Hours of V85 shown.</summary>
    public const int SpeedHours = 48;

    /// <summary>Days that class shares are made of.</summary>
    public const int ClassDays = 7;

    /// <summary>Counters that a city's figure is made of at most.</summary>
    public const int CountersMax = 50;

    private const int DiagramDays = 7;

    /// <summary>Intervals read for a diagram at most.</summary>
    private const int IntervalsMax = 2_016;

    private const int BinsMax = 10;

    private static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);

    /// <summary>Classes as counters tell them: by kind, or by length.</summary>
    private static readonly string[][] Classifications =
    [
        ["vehicle_count_motorcycle", "vehicle_count_car", "vehicle_count_van", "vehicle_count_bus", "vehicle_count_heavy", "vehicle_count_unclassified"],
        ["vehicle_count_short", "vehicle_count_medium", "vehicle_count_long", "vehicle_count_unclassified"],
    ];

    /// <summary>Sensors of a station that measure traffic, those that tell most first.</summary>
    public static IReadOnlyList<string> CountersOf(StationView station) =>
        [.. station.Values.Where(static value => TopicMap.Has(Topic.Traffic, value.Datastream.Quantity)).GroupBy(static value => value.Datastream.Sensor).OrderByDescending(static group => group.Count()).ThenBy(static group => group.Key, StringComparer.Ordinal).Select(static group => group.Key)];

    /// <summary>Everything of one counter.</summary>
    public async ValueTask<TrafficDetail> DetailAsync(StationView station, string sensor, DateTime now, CancellationToken cancellationToken)
    {
        var zone = station.Zone;
        var to = TopicSeries.HourBefore(now, zone);
        var (own, classes, counted) = OwnOf(station, sensor);

        var today = TopicSeries.DateOf(to, zone);
        var midnight = TopicSeries.BeginOf(today, zone);
        var hours = await FlowsAsync(counted, TopicSeries.BeginOf(today.AddDays(-7 * Weeks), zone), to, zone, cancellationToken);
        var speed = own.FirstOrDefault(static one => one.Quantity.Id == "space_mean_speed") ?? own.FirstOrDefault(static one => one.Quantity.Id == "mean_speed");
        var (points, width, span) = await DiagramAsync(counted, speed, to, zone, cancellationToken);
        var (shares, covered) = await SharesAsync(classes, midnight, zone, cancellationToken);
        return new(
            station, CountersOf(station), sensor, counted, today, [.. hours.Where(hour => hour.Start >= midnight)],
            WeekPattern.Medians(hours.Where(hour => hour.Start < midnight && hour.IsValid).Select(static hour => new HourFigure(hour.Start, hour.Flow, 1)), zone),
            points, width, span, speed, BinsOf(points), await SpeedsAsync(own.FirstOrDefault(static one => one.Quantity.Id == "v85"), to, zone, cancellationToken), shares, covered);
    }

    /// <summary>
    /// Traffic of the last closed hour against the usual of that weekday and hour: of the counters that have measured now and in enough of the weeks before, so that like is compared with like. Null when there is none.
    /// </summary>
    /// <param name="stations">Stations; of each its first counter, of <see cref="CountersMax"/> at most.</param>
    /// <param name="zone">Time zone of the hours.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask<CityTraffic?> NowAsync(IReadOnlyList<StationView> stations, TimeZoneInfo zone, DateTime now, CancellationToken cancellationToken)
    {
        Datastream[][] counters =
        [
            .. stations.Select(static station => CountersOf(station) is [var sensor, ..] ? OwnOf(station, sensor).Counted : [])
                .Where(static counted => counted.Length > 0 && counted[0].Period <= TopicSeries.Hour).Take(CountersMax),
        ];
        if (counters.Length == 0)
        {
            return null;
        }

        var start = TopicSeries.HourBefore(now, zone) - TopicSeries.Hour;
        List<TrafficHour?[]> weeks = [];
        for (var week = 0; week <= Weeks; week++)
        {
            var local = start + zone.GetUtcOffset(start) - TimeSpan.FromDays(7 * week);
            var sums = await series.SumsAsync(counters.SelectMany(static one => one), local - zone.GetUtcOffset(local - zone.GetUtcOffset(start)), TopicSeries.Hour, zone, cancellationToken);
            weeks.Add([.. counters.Select(counted => counted.All(one => sums.ContainsKey(one.Id)) ? HourOf([.. counted.Select(one => sums[one.Id])]) : (TrafficHour?)null)]);
        }

        var (flow, usual, count) = (0d, 0d, 0);
        for (var i = 0; i < counters.Length; i++)
        {
            double[] before = [.. weeks.Skip(1).Select(week => week[i]).Where(static hour => hour is { IsValid: true }).Select(static hour => hour!.Value.Flow).Order()];
            if (weeks[0][i] is { IsValid: true } hour && before.Length >= WeeksMin)
            {
                (flow, usual, count) = (flow + hour.Flow, usual + WeekPattern.Quantile(before, 0.5), count + 1);
            }
        }

        return count == 0 || usual <= 0 ? null : new(start, start + TopicSeries.Hour, flow, usual, count);
    }

    /// <summary>The diagram by flow: at most ten bins of a round width.</summary>
    public static IReadOnlyList<FlowBin> BinsOf(IReadOnlyList<FlowSpeed> points)
    {
        if (points.Count == 0)
        {
            return [];
        }

        var width = Show.Scale.StepOf(Math.Max(points.Max(static point => point.Flow), 1), BinsMax);
        return
        [
            .. points.GroupBy(point => Math.Floor(point.Flow / width)).OrderBy(static group => group.Key).Select(group =>
            {
                double[] speeds = [.. group.Select(static point => point.Speed).Order()];
                return new FlowBin(group.Key * width, (group.Key + 1) * width, speeds.Length, speeds[0], WeekPattern.Quantile(speeds, 0.5), speeds[^1]);
            }),
        ];
    }

    private static Datastream[] Pick(Datastream[] own, string[] names) => [.. names.Select(name => own.FirstOrDefault(one => one.Quantity.Id == name)).OfType<Datastream>()];

    /// <summary>Datastreams of a counter: all, those of classes, and those whose sum is the number of vehicles.</summary>
    private static (Datastream[] Own, Datastream[] Classes, Datastream[] Counted) OwnOf(StationView station, string sensor)
    {
        Datastream[] own = [.. station.Values.Select(static value => value.Datastream).Where(one => one.Sensor == sensor)];
        Datastream[] classes = [.. Classifications.Select(names => Pick(own, names)).MaxBy(static found => found.Length)!];
        return (own, classes, own.FirstOrDefault(static one => one.Quantity.Id == "vehicle_count") is { } all ? [all] : [.. classes.Where(one => one.Period == classes[0].Period)]);
    }

    /// <summary>An hour of what was counted in it by each of the classes, or as a whole.</summary>
    private static TrafficHour HourOf(IReadOnlyList<Bucket> parts)
    {
        var coverage = parts.Min(static hour => hour.Coverage);
        var share = double.IsNaN(coverage) ? 1 : Math.Min(1, coverage);
        return new(parts[0].Start, TrafficFlow.FlowOf(parts.Sum(static hour => hour.Value), share * (parts[0].End - parts[0].Start)), coverage, share >= CoverageMin - 1e-9);
    }

    /// <summary>Flows by the hour. What is a sum of classes is only known where each class was measured.</summary>
    private async ValueTask<IReadOnlyList<TrafficHour>> FlowsAsync(Datastream[] counted, DateTime from, DateTime to, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        List<IReadOnlyList<Bucket>> each = [];
        foreach (var datastream in counted)
        {
            each.Add(datastream.Period > TopicSeries.Hour ? [] : await series.OfAsync(datastream, from, to, TopicSeries.Hour, zone, cancellationToken));
        }

        return
        [
            .. each.SelectMany(static one => one).GroupBy(static hour => hour.Start).Where(group => group.Count() == counted.Length).OrderBy(static group => group.Key).Select(static group => HourOf([.. group])),
        ];
    }

    private async ValueTask<(IReadOnlyList<FlowSpeed> Points, TimeSpan Width, TimeSpan Span)> DiagramAsync(Datastream[] counted, Datastream? speed, DateTime to, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        if (counted.Length == 0 || speed is null || speed.Period != counted[0].Period || speed.Period <= TimeSpan.Zero || speed.Period > TopicSeries.Hour)
        {
            return ([], Quarter, TimeSpan.FromDays(DiagramDays));
        }

        var period = speed.Period;
        var width = period < Quarter ? Quarter : period;
        var span = TimeSpan.FromTicks(Math.Min(TimeSpan.FromDays(DiagramDays).Ticks, period.Ticks * IntervalsMax));
        var counts = new Dictionary<DateTime, (double Vehicles, double Coverage, int Of)>();
        foreach (var datastream in counted)
        {
            foreach (var one in await series.OfAsync(datastream, to - span, to, period, zone, cancellationToken))
            {
                var before = counts.TryGetValue(one.Start, out var known) ? known : (Vehicles: 0, Coverage: 1, Of: 0);
                counts[one.Start] = (before.Vehicles + one.Value, Math.Min(before.Coverage, one.Coverage), before.Of + 1);
            }
        }

        var speeds = (await series.OfAsync(speed, to - span, to, period, zone, cancellationToken)).ToDictionary(static one => one.Start, static one => one.Value);
        return (
            TrafficFlow.Diagram(
                counts.Where(one => one.Value.Of == counted.Length && one.Value.Coverage > 0)
                    .Select(one => new TrafficInterval(one.Key, one.Value.Vehicles, Math.Min(1, one.Value.Coverage) * period, speeds.GetValueOrDefault(one.Key, double.NaN))),
                width, speed.Quantity.Id == "mean_speed" ? SpeedMean.Time : SpeedMean.Space, CoverageMin),
            width, span);
    }

    private async ValueTask<IReadOnlyList<SpeedHour>> SpeedsAsync(Datastream? v85, DateTime to, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        if (v85 is null)
        {
            return [];
        }

        var hours = (await series.OfAsync(v85, to.AddHours(-SpeedHours), to, TopicSeries.Hour, zone, cancellationToken)).ToDictionary(static hour => hour.Start);
        return
        [
            .. Enumerable.Range(0, SpeedHours).Select(i => to.AddHours(i - SpeedHours))
                .Select(start => hours.TryGetValue(start, out var hour) ? new SpeedHour(start, hour.Min, hour.Max, hour.Count) : new SpeedHour(start, double.NaN, double.NaN, 0)),
        ];
    }

    private async ValueTask<(IReadOnlyList<ClassShare> Shares, double Covered)> SharesAsync(Datastream[] classes, DateTime midnight, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        if (classes.Length < 2)
        {
            return ([], double.NaN);
        }

        List<double> counts = [];
        List<double> covered = [];
        var from = TopicSeries.BeginOf(TopicSeries.DateOf(midnight, zone).AddDays(-ClassDays), zone);
        foreach (var one in classes)
        {
            var days = await series.OfAsync(one, from, midnight, TopicSeries.Day, zone, cancellationToken);
            counts.Add(days.Sum(static day => day.Value));
            covered.Add(days.Sum(static day => day.Coverage) / ClassDays);
        }

        var shares = TrafficFlow.Shares(counts);
        return shares.Count == 0 ? ([], double.NaN) : ([.. classes.Select((one, i) => new ClassShare(one, counts[i], shares[i]))], Math.Min(1, covered.Min()));
    }
}
