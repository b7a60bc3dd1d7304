using Hub.Cloud.Indicators;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Portal.Read.Topics;

/// <summary>One closed hour of sound.</summary>
/// <param name="Start">UTC.</param>
/// <param name="Level">LAeq, dB(A); NaN when nothing was measured.</param>
/// <param name="Coverage">Share of it that was measured; NaN when not known.</param>
/// <param name="IsValid">Whether that is enough.</param>
/// <param name="L10">Level exceeded 10 % of the time, dB(A); NaN when not known.</param>
/// <param name="L90">Level exceeded 90 % of the time, dB(A); NaN when not known.</param>
internal readonly record struct NoiseHour(DateTime Start, double Level, double Coverage, bool IsValid, double L10, double L90);

/// <summary>What the page about noise shows of one station.</summary>
/// <param name="Station">The station.</param>
/// <param name="Series">Its datastreams of LAeq to choose from.</param>
/// <param name="Chosen">The one shown.</param>
/// <param name="Zone">Class of zone whose limits are shown.</param>
/// <param name="IsConfigured">Whether the station says its class; otherwise the visitor chose it, or nobody did.</param>
/// <param name="Days">The last closed noise days, one for each date, null where nothing was measured.</param>
/// <param name="Overall">All of them together; null without any.</param>
/// <param name="Hours">The last 24 closed hours.</param>
/// <param name="FanOf">Averaging period of the levels that L10 and L90 were taken from; zero when the station measures LA10 and LA90 itself; null when neither is known.</param>
/// <param name="Usual">Energy mean by the hour of the day over the weeks.</param>
/// <param name="Week">Energy mean by weekday and hour over the weeks, Monday 00 first.</param>
internal sealed record NoiseDetail(
    StationView Station, IReadOnlyList<Datastream> Series, Datastream Chosen, NoiseZone Zone, bool IsConfigured, IReadOnlyList<(DateOnly Date, NoiseDayFigures? Figures)> Days, NoiseDayFigures? Overall,
    IReadOnlyList<NoiseHour> Hours, TimeSpan? FanOf, IReadOnlyList<PatternCell> Usual, IReadOnlyList<PatternCell> Week);

/// <summary>Puts together what the page about noise shows. Safe for concurrent callers; time is a parameter.</summary>
internal sealed class NoiseReader(TopicSeries series)
{
    /// <summary>Weeks that the usual is made of: 1,344 hours.</summary>
    public const int Weeks = 8;

    /// <summary>Noise days shown one by one.</summary>
    public const int DaysShown = 28;

    /// <summary>Hours shown one by one.</summary>
    public const int HoursShown = 24;

    /// <summary>Levels over more than this are no samples of how loud it is: percentiles of them say nothing of the minutes in between.</summary>
    private static readonly TimeSpan SampleMax = TimeSpan.FromMinutes(1);

    /// <summary>Datastreams of LAeq of a station.</summary>
    public static IReadOnlyList<Datastream> LevelsOf(StationView station) => [.. station.Values.Select(static value => value.Datastream).Where(static one => one.Quantity.Id == "laeq")];

    /// <summary>Everything of one datastream.</summary>
    /// <param name="station">Its station.</param>
    /// <param name="chosen">A datastream of LAeq.</param>
    /// <param name="asked">Class of zone that the visitor asked for; counts only where the station has none.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask<NoiseDetail> DetailAsync(StationView station, Datastream chosen, NoiseZone? asked, DateTime now, CancellationToken cancellationToken)
    {
        var zone = station.Zone;
        var to = TopicSeries.HourBefore(now, zone);
        var hours = await series.OfAsync(chosen, to.AddDays(-7 * Weeks), to, TopicSeries.Hour, zone, cancellationToken);
        HourFigure[] valid = [.. hours.Where(static hour => IsEnough(hour.Coverage)).Select(static hour => new HourFigure(hour.Start, hour.Value, hour.Count))];

        // The day that is not over has no Ln yet.
        var running = NoiseDays.PeriodOf(to, zone).Date;
        var known = NoiseDays.Of(hours.Select(static hour => new HourLevel(hour.Start, hour.End, hour.Value, hour.Count, hour.Coverage)), zone).ToDictionary(static day => day.Date);
        (DateOnly, NoiseDayFigures?)[] days = [.. Enumerable.Range(1, DaysShown).Select(back => running.AddDays(back - DaysShown - 1)).Select(date => (date, known.GetValueOrDefault(date)))];
        var configured = NoiseZone.OfTags(station.Station.Tags);
        var (fanOf, l10, l90) = await FanAsync(station, chosen, to.AddHours(-HoursShown), to, zone, cancellationToken);
        var byStart = hours.ToDictionary(static hour => hour.Start);
        return new(
            station, LevelsOf(station), chosen, configured ?? asked ?? NoiseZone.Unclassified, configured is not null, days, NoiseDays.Overall([.. days.Select(static day => day.Item2).OfType<NoiseDayFigures>()]),
            [
                .. Enumerable.Range(0, HoursShown).Select(i => to.AddHours(i - HoursShown)).Select(start => byStart.TryGetValue(start, out var hour)
                    ? new NoiseHour(start, hour.Value, hour.Coverage, IsEnough(hour.Coverage), l10.GetValueOrDefault(start, double.NaN), l90.GetValueOrDefault(start, double.NaN))
                    : new NoiseHour(start, double.NaN, 0, false, double.NaN, double.NaN)),
            ],
            fanOf, WeekPattern.EnergyMeansByHour(valid, zone), WeekPattern.EnergyMeans(valid, zone));
    }

    private static bool IsEnough(double coverage) => double.IsNaN(coverage) || coverage >= NoiseDays.CoverageMin - 1e-9;

    /// <summary>LA10 and LA90 by the hour: as the station measures them over an hour, or the percentiles of short levels. Those of shorter periods cannot be combined.</summary>
    private async ValueTask<(TimeSpan? Of, Dictionary<DateTime, double> L10, Dictionary<DateTime, double> L90)> FanAsync(StationView station, Datastream chosen, DateTime from, DateTime to, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        Datastream? Measured(string quantity) =>
            station.Values.Select(static value => value.Datastream).FirstOrDefault(one => one.Quantity.Id == quantity && one.Sensor == chosen.Sensor && one.Period == TopicSeries.Hour);

        if (Measured("la10") is { } la10 && Measured("la90") is { } la90)
        {
            return (TimeSpan.Zero, await Hourly(la10, null, 0), await Hourly(la90, null, 0));
        }

        // The level exceeded 10 % of the time is the one below which 90 % lie.
        return chosen.Period > TimeSpan.Zero && chosen.Period <= SampleMax ? (chosen.Period, await Hourly(chosen, Statistic.Percentile, 90), await Hourly(chosen, Statistic.Percentile, 10)) : (null, [], []);

        async ValueTask<Dictionary<DateTime, double>> Hourly(Datastream datastream, Statistic? statistic, double percent) =>
            (await series.OfAsync(datastream, from, to, TopicSeries.Hour, zone, cancellationToken, statistic, percent)).ToDictionary(static hour => hour.Start, static hour => hour.Value);
    }
}
