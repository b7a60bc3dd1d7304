using Hub.Cloud.Indicators;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Portal.Read.Topics;

/// <summary>Puts together what the page about air shows. Safe for concurrent callers; time is a parameter.</summary>
internal sealed class AirReader(TopicSeries series)
{
    /// <summary>Hours of the index shown.</summary>
    public const int HoursShown = 24;

    /// <summary>Days that a rose looks back: with its three series about 2,000 hours.</summary>
    public const int RoseDays = 28;

    /// <summary>How far away wind may be measured, kilometres: it is about the same over a town, not over a district.</summary>
    public const double WindKilometres = 5;

    /// <summary>Days of a year read by the hour at most: those whose largest value reaches above a limit.</summary>
    private const int DaysByHourMax = 80;

    /// <summary>The index of every station over the last closed hours, in the order given.</summary>
    public async ValueTask<IReadOnlyList<AirStation>> IndexAsync(IReadOnlyList<StationView> stations, TimeZoneInfo zone, DateTime now, CancellationToken cancellationToken)
    {
        var to = TopicSeries.HourBefore(now, zone);
        var from = to.AddHours(-HoursShown);
        var means = await series.MeansAsync(stations.SelectMany(PollutantsOf).Where(static one => one.Period <= TopicSeries.Hour), from, to, TopicSeries.Hour, zone, cancellationToken);
        return [.. stations.Select(station => IndexOf(station, means, from))];
    }

    /// <summary>Datastreams of a station that the index or a limit is about, in the order of the index.</summary>
    public static IEnumerable<Datastream> PollutantsOf(StationView station) =>
        station.Values.Select(static value => value.Datastream).Where(static one => AirIndex.PollutantOf(one.Quantity.Id) is not null).OrderByDescending(static one => AirIndex.PollutantOf(one.Quantity.Id));

    /// <summary>The year of a datastream and of its station's limits, and the rose of the last weeks.</summary>
    /// <param name="station">The station.</param>
    /// <param name="asked">The datastream that calendar and rose are to show; null for the particles, or what else is measured, with most of the year.</param>
    /// <param name="neighbours">Visible stations of the municipality, for the wind.</param>
    /// <param name="year">Local calendar year.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask<AirDetail> DetailAsync(AirStation station, Datastream? asked, IReadOnlyList<StationView> neighbours, int year, DateTime now, CancellationToken cancellationToken)
    {
        var zone = station.View.Zone;
        Datastream[] all = [.. PollutantsOf(station.View)];
        var begin = TopicSeries.BeginOf(new DateOnly(year, 1, 1), zone);
        var next = TopicSeries.BeginOf(new DateOnly(year + 1, 1, 1), zone);
        var end = now < next ? now : next;

        // Of several instruments for a pollutant the one that measured most of the year counts, unless another is asked for.
        var days = await series.MeansAsync(all, begin, end, TopicSeries.Day, zone, cancellationToken);
        IReadOnlyList<Bucket> DaysOf(Datastream datastream) => days.GetValueOrDefault(datastream.Id) ?? [];
        Datastream[] counted = [.. all.GroupBy(static one => one.Quantity.Id).Select(group => asked is not null && group.Contains(asked) ? asked : group.MaxBy(one => MeasuredOf(DaysOf(one)))!)];
        var chosen = asked ?? counted.FirstOrDefault(one => DaysOf(one).Count > 0) ?? counted[0];
        var limits = AirLimits.Of(year);
        List<LimitTally> tallies = [];
        foreach (var datastream in counted)
        {
            foreach (var limit in limits.Where(limit => limit.Property == datastream.Quantity.Id))
            {
                tallies.Add(await TallyAsync(limit, datastream, DaysOf(datastream), begin, end, zone, cancellationToken));
            }
        }

        var today = TopicSeries.DateOf(end.AddTicks(-1), zone);
        var byDate = DaysOf(chosen).ToDictionary(bucket => TopicSeries.DateOf(bucket.Start, zone));
        CalendarDay[] calendar =
        [
            .. Enumerable.Range(0, Math.Max(0, today.DayNumber - new DateOnly(year, 1, 1).DayNumber + 1)).Select(i => new DateOnly(year, 1, 1).AddDays(i))
                .Select(date => byDate.TryGetValue(date, out var bucket) ? new CalendarDay(date, bucket.Value, bucket.Coverage, IsValid(chosen, TopicSeries.Day, bucket.Coverage)) : new CalendarDay(date, double.NaN, 0, false)),
        ];
        return new(
            station, all, chosen, new(year, calendar, limits.FirstOrDefault(limit => limit.Property == chosen.Quantity.Id && limit.Period == AirLimitPeriod.Day)),
            await RoseAsync(station.View, chosen, neighbours, zone, now, cancellationToken), tallies);
    }

    private static AirStation IndexOf(StationView station, IReadOnlyDictionary<int, IReadOnlyList<Bucket>> means, DateTime from)
    {
        Datastream[] pollutants = [.. PollutantsOf(station)];
        var known = new Dictionary<(AirPollutant, DateTime), double>();
        foreach (var datastream in pollutants)
        {
            foreach (var bucket in means.GetValueOrDefault(datastream.Id) ?? [])
            {
                // Of several instruments the first that says something, as for the hub's rules.
                if (double.IsFinite(bucket.Value) && IsValid(datastream, TopicSeries.Hour, bucket.Coverage))
                {
                    known.TryAdd((AirIndex.PollutantOf(datastream.Quantity.Id)!.Value, bucket.Start), bucket.Value);
                }
            }
        }

        return new(
            station,
            [
                .. Enumerable.Range(0, HoursShown).Select(i => from.AddHours(i)).Select(start =>
                {
                    double? Of(AirPollutant pollutant) => known.TryGetValue((pollutant, start), out var mean) ? mean : null;
                    AirAverages averages = new(Of(AirPollutant.Ozone), Of(AirPollutant.NitrogenDioxide), Of(AirPollutant.SulphurDioxide), Of(AirPollutant.Pm10), Of(AirPollutant.Pm25));
                    return new AirHour(start, start.AddHours(1), AirIndex.Of(averages), averages);
                }),
            ],
            [.. pollutants.Select(static one => AirIndex.PollutantOf(one.Quantity.Id)!.Value).Distinct()]);
    }

    private static bool IsValid(Datastream datastream, TimeSpan width, double coverage) => DataCapture.IsValid(datastream.Quantity, width, coverage) != false;

    /// <summary>Time measured in days, ticks; a day of unknown coverage counts whole.</summary>
    private static double MeasuredOf(IReadOnlyList<Bucket> days) => days.Sum(static day => (double.IsNaN(day.Coverage) ? 1 : day.Coverage) * (day.End - day.Start).Ticks);

    private async ValueTask<LimitTally> TallyAsync(AirLimit limit, Datastream datastream, IReadOnlyList<Bucket> days, DateTime begin, DateTime end, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        var covered = end > begin ? Math.Min(1, MeasuredOf(days) / (end - begin).Ticks) : 0;
        var invalid = days.Count(day => !IsValid(datastream, TopicSeries.Day, day.Coverage));
        if (limit.Period == AirLimitPeriod.Year)
        {
            var count = days.Sum(static day => day.Count);
            return new(limit, 0, count == 0 ? double.NaN : days.Sum(static day => day.Value * day.Count) / count, covered, invalid, false);
        }

        var (windows, more) = limit.Period == AirLimitPeriod.Day
            ? ([.. days.Select(static day => new WindowMean(day.Start, day.End, day.Value, day.Coverage))], false)
            : await ByHourAsync(limit, datastream, days, zone, cancellationToken);
        var least = DataCapture.ShareMin(datastream.Quantity, limit.Period == AirLimitPeriod.Day ? TopicSeries.Day : TopicSeries.Hour) ?? 0;
        var tally = default(YearCount);
        foreach (var window in windows)
        {
            Exceedances.TryCount(tally, window, limit.Limit, least, zone, out tally);
        }

        return new(limit, tally.Count, double.NaN, covered, invalid, more);
    }

    /// <summary>
    /// Windows of hours that may be above a limit. No mean is above what is the largest single value in it, so days whose largest value is not above the limit need not be read by the hour: most years none is, and the
    /// count is exact all the same.
    /// </summary>
    private async ValueTask<(IReadOnlyList<WindowMean> Windows, bool More)> ByHourAsync(AirLimit limit, Datastream datastream, IReadOnlyList<Bucket> days, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        if (datastream.Period > TopicSeries.Hour)
        {
            return ([], false);
        }

        var eight = limit.Period == AirLimitPeriod.EightHours;
        HashSet<DateOnly> wanted = [];
        foreach (var date in days.Where(day => day.Max > limit.Limit).Select(day => TopicSeries.DateOf(day.Start, zone)))
        {
            wanted.Add(date);

            // A window belongs to the day on which it ends and may reach into the one before.
            if (eight && date.AddDays(1).Year == date.Year)
            {
                wanted.Add(date.AddDays(1));
            }
        }

        // Of the last day of the year before nothing is known here.
        if (eight && days.Count > 0 && TopicSeries.DateOf(days[0].Start, zone) is { DayOfYear: 1 } first)
        {
            wanted.Add(first);
        }

        List<WindowMean> found = [];
        foreach (var date in wanted.Order().Take(DaysByHourMax))
        {
            var from = TopicSeries.BeginOf(date, zone);
            var to = TopicSeries.BeginOf(date.AddDays(1), zone);
            var hours = await series.OfAsync(datastream, eight ? from.AddHours(-7) : from, to, TopicSeries.Hour, zone, cancellationToken);
            WindowMean[] means = [.. hours.Select(static hour => new WindowMean(hour.Start, hour.End, hour.Value, hour.Coverage))];
            found.AddRange(eight
                ? EightHourMeans.MaximaOf([.. means.Where(mean => IsValid(datastream, TopicSeries.Hour, mean.Coverage))], zone).Where(day => TopicSeries.DateOf(day.Start, zone) == date)
                : means);
        }

        return (found, wanted.Count > DaysByHourMax);
    }

    private async ValueTask<AirRose?> RoseAsync(StationView station, Datastream pollutant, IReadOnlyList<StationView> neighbours, TimeZoneInfo zone, DateTime now, CancellationToken cancellationToken)
    {
        if (pollutant.Period > TopicSeries.Hour)
        {
            return null;
        }

        var near = neighbours.Where(static one => Find(one, "wind_direction") is not null)
            .Select(one => (View: one, Kilometres: Distance.Metres(station.Station, one.Station) / 1_000))
            .Where(static one => one.Kilometres <= WindKilometres).OrderBy(static one => one.Kilometres).Select(static one => ((StationView View, double Kilometres)?)one).FirstOrDefault();
        if (near is not { } wind)
        {
            return null;
        }

        var to = TopicSeries.HourBefore(now, zone);
        var from = to.AddDays(-RoseDays);
        var speed = Find(wind.View, "wind_speed");
        var concentrations = await series.OfAsync(pollutant, from, to, TopicSeries.Hour, zone, cancellationToken);
        var directions = (await series.OfAsync(Find(wind.View, "wind_direction")!, from, to, TopicSeries.Hour, zone, cancellationToken)).ToDictionary(static hour => hour.Start, static hour => hour.Value);
        var speeds = speed is null ? [] : (await series.OfAsync(speed, from, to, TopicSeries.Hour, zone, cancellationToken)).ToDictionary(static hour => hour.Start, static hour => hour.Value);
        var bounds = AirIndexBands.Eea2024.BoundsOf(AirIndex.PollutantOf(pollutant.Quantity.Id)!.Value);
        var rose = PollutionRose.Of(
            from hour in concentrations
            where IsValid(pollutant, TopicSeries.Hour, hour.Coverage) && directions.ContainsKey(hour.Start)
            select new WindHour(hour.Value, directions[hour.Start], speeds.TryGetValue(hour.Start, out var blown) ? blown : double.NaN),
            bounds);
        return new(rose, bounds, wind.View.Station, wind.Kilometres, speed is not null, RoseDays);
    }

    private static Datastream? Find(StationView station, string quantity) => station.Values.FirstOrDefault(value => value.Datastream.Quantity.Id == quantity)?.Datastream;
}
