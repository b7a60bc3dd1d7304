using System.Collections.Concurrent;
using System.Security.Claims;
using Hub.Cloud.Alerts;
using Hub.Cloud.Indicators;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read.Topics;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Portal.Read.Map;

/// <summary>The last 24 hours of what the map shows: for each station one value a step.</summary>
/// <param name="From">Begin of the first step, UTC.</param>
/// <param name="Step">Width of a step: 15 minutes or an hour.</param>
/// <param name="Count">Steps.</param>
/// <param name="Zone">In which their times are written.</param>
/// <param name="Values">By station identifier (<c>municipality/station</c>): as many as there are steps, as they are shown, classes for the index; NaN where nothing was measured. Stations without any are left out.</param>
internal sealed record MapDay(DateTime From, TimeSpan Step, int Count, TimeZoneInfo Zone, IReadOnlyDictionary<string, double[]> Values)
{
    /// <summary>The same as it travels; made when it is first asked for.</summary>
    public object? Answer { get; set; }
}

/// <summary>Reads what the map shows, now and over the last 24 hours. Days are kept a minute for all who see the same stations. Safe for concurrent callers; time is a parameter.</summary>
internal sealed class MapReader(AirReader air, ISeries series, IOptions<AlertsOptions> alerts, LongReads longReads)
{
    /// <summary>How far back the slider reaches.</summary>
    public static readonly TimeSpan Span = TimeSpan.FromHours(24);

    /// <summary>Up to so many stations the steps are of a quarter of an hour where values come as often: more would travel a megabyte.</summary>
    public const int FineStationsMax = 500;

    /// <summary>Days kept at most: quantities times municipalities that somebody looks at within a minute.</summary>
    public const int KeptMax = 64;

    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Fine = TimeSpan.FromMinutes(15);

    private readonly ConcurrentDictionary<string, Lazy<(DateTime Until, Task<MapDay> Day)>> _days = new(StringComparer.Ordinal);

    /// <summary>What everybody with the same key sees: the municipality, what is shown, and whose private stations.</summary>
    public static string KeyOf(ClaimsPrincipal visitor, IReadOnlyList<StationView> stations, string? municipality, MapShow show) =>
        $"{municipality}|{show.Id}|{string.Join(',', stations.Where(static one => !one.Station.Public).Select(static one => one.Station.Municipality).Distinct().Where(one => visitor.Holds(Role.Viewer, one)).Order(StringComparer.Ordinal))}";

    /// <summary>Map and list of now, of the stations given.</summary>
    /// <param name="stations">Those that are shown.</param>
    /// <param name="show">What.</param>
    /// <param name="day">The last 24 hours, for the index: its last closed hour counts as now.</param>
    /// <param name="now">UTC.</param>
    public static MapNow Now(IReadOnlyList<StationView> stations, MapShow show, MapDay? day, DateTime now)
    {
        if (show.IsStatus)
        {
            return new(show, null, [.. stations.Select(static one => new MapStation(one, MapValue.None))]);
        }

        if (show.IsIndex)
        {
            return new(show, null, [.. stations.Select(one => new MapStation(one, IndexOf(one, day, now)))]);
        }

        var chosen = stations.Select(one => Chosen(one, show.Quantity!)).ToArray();
        var classes = MapClasses.Of(show, chosen.Where(static one => one is { Stale: false, Latest: not null }).Select(one => show.Shown(one!.Latest!.Value.Result, one.Datastream.Period)));
        return new(show, classes, [.. stations.Select((station, i) => new MapStation(station, chosen[i] is { } value ? ValueOf(value, show, classes) : MapValue.None))]);
    }

    /// <summary>The last 24 hours of public stations, or of those the key is of; null when too many read much at the moment.</summary>
    /// <param name="key">From <see cref="KeyOf"/>.</param>
    /// <param name="stations">Those the key is of.</param>
    /// <param name="show">The index or a quantity.</param>
    /// <param name="zone">Time zone of the steps.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellationToken">Ends the wait, not the reading: others wait for it too.</param>
    /// <exception cref="SeriesUnavailableException">The store cannot be asked now; try again.</exception>
    public async ValueTask<MapDay?> DayAsync(string key, IReadOnlyList<StationView> stations, MapShow show, TimeZoneInfo zone, DateTime now, CancellationToken cancellationToken)
    {
        if (_days.TryGetValue(key, out var known) && known.Value.Until > now)
        {
            return await known.Value.Day.WaitAsync(cancellationToken);
        }

        using var turn = await longReads.TurnAsync(cancellationToken);
        if (turn is null)
        {
            return null;
        }

        Lazy<(DateTime Until, Task<MapDay> Day)> fresh = new(() => (now + Kept, ReadAsync(stations, show, zone, now)));
        Forget(now);
        known = _days.AddOrUpdate(key, fresh, (_, held) => held.Value.Until > now ? held : fresh);
        try
        {
            return await known.Value.Day.WaitAsync(cancellationToken);
        }
        catch (Exception) when (known.Value.Day.IsFaulted)
        {
            // What failed is not kept: the next who asks tries again.
            _days.TryRemove(KeyValuePair.Create(key, known));
            throw;
        }
    }

    /// <summary>The datastream that stands for a quantity at a station: of several the first with a fresh value, else the one with the newest; null when it measures it not.</summary>
    public static LatestValue? Chosen(StationView station, Quantity quantity)
    {
        LatestValue? newest = null;
        foreach (var value in station.Values)
        {
            if (value.Datastream.Quantity.Id != quantity.Id)
            {
                continue;
            }

            if (!value.Stale)
            {
                return value;
            }

            newest = newest is null || value.End > newest.End || newest.End is null ? value : newest;
        }

        return newest;
    }

    /// <summary>How wide the steps are: a quarter of an hour where every value comes as often and the stations are few enough, else an hour.</summary>
    /// <param name="show">What.</param>
    /// <param name="stations">How many measure it.</param>
    /// <param name="period">The longest averaging period of them.</param>
    public static TimeSpan StepOf(MapShow show, int stations, TimeSpan period) => !show.IsIndex && period <= Fine && stations <= FineStationsMax ? Fine : TopicSeries.Hour;

    private async Task<MapDay> ReadAsync(IReadOnlyList<StationView> stations, MapShow show, TimeZoneInfo zone, DateTime now)
    {
        await Task.Yield();
        var to = TopicSeries.HourBefore(now, zone);
        if (show.IsIndex)
        {
            var index = await air.IndexAsync([.. stations.Where(static one => TopicMap.Has(Topic.Air, one))], zone, now, CancellationToken.None);
            return new(to - Span, TopicSeries.Hour, AirReader.HoursShown, zone, index.Where(static one => one.Latest is not null)
                .ToDictionary(static one => one.View.Id, static one => one.Hours.Select(static hour => hour.Index?.Class ?? double.NaN).ToArray(), StringComparer.Ordinal));
        }

        var measured = stations.Select(one => (Station: one, Datastreams: one.Values.Select(static value => value.Datastream).Where(datastream => datastream.Quantity.Id == show.Quantity!.Id).ToArray()))
            .Where(static one => one.Datastreams.Length > 0).ToArray();
        var step = StepOf(show, measured.Length, measured.SelectMany(static one => one.Datastreams).Select(static one => one.Period).DefaultIfEmpty().Max());
        to += step * Math.Floor((now - to) / step);
        var (from, count) = (to - Span, (int)(Span / step));

        // What is added up is shown as a rate, so the mean of a step's values; everything else with its own statistic.
        var statistic = show.IsRate ? Statistic.Mean : Statistics.Of(show.Quantity!.Averaging);
        Dictionary<int, IReadOnlyList<Bucket>> found = [];
        foreach (var group in measured.SelectMany(static one => one.Datastreams).GroupBy(static one => one.Period))
        {
            var question = new AggregateQuery(0, from, to, new(step, zone), statistic, alerts.Value.IgnoreQuality) { Cadence = group.Key };
            foreach (var (id, buckets) in await series.AggregateManyAsync([.. group.Select(static one => one.Id)], question, CancellationToken.None))
            {
                found[id] = buckets;
            }
        }

        Dictionary<string, double[]> values = new(StringComparer.Ordinal);
        foreach (var (station, datastreams) in measured)
        {
            double[]? steps = null;
            foreach (var datastream in datastreams)
            {
                foreach (var bucket in found.GetValueOrDefault(datastream.Id) ?? [])
                {
                    var at = (int)((bucket.Start - from) / step);
                    if (at < 0 || at >= count || !double.IsFinite(bucket.Value))
                    {
                        continue;
                    }

                    if (steps is null)
                    {
                        steps = new double[count];
                        Array.Fill(steps, double.NaN);
                    }

                    // Of several instruments the first that says something, as for the hub's rules.
                    if (double.IsNaN(steps[at]))
                    {
                        steps[at] = show.Shown(bucket.Value, datastream.Period);
                    }
                }
            }

            if (steps is not null)
            {
                values[station.Id] = steps;
            }
        }

        return new(from, step, count, zone, values);
    }

    private static MapValue IndexOf(StationView station, MapDay? day, DateTime now)
    {
        if (day?.Values.GetValueOrDefault(station.Id) is not { } steps)
        {
            return MapValue.None;
        }

        var last = Array.FindLastIndex(steps, static one => !double.IsNaN(one));
        var end = day.From + (day.Step * (last + 1));
        return new(steps[last], end, AirStation.StaleAfter, Freshness.IsStale(end, AirStation.StaleAfter, now), (int)steps[last], 0, day.Step);
    }

    private static MapValue ValueOf(LatestValue value, MapShow show, MapClasses classes)
    {
        var period = value.Datastream.Period;
        if (value.Latest is not { } latest)
        {
            return new(null, null, value.StaleAfter, false, 0, value.Datastream.Id, period);
        }

        var shown = show.Shown(latest.Result, period);
        return new(shown, value.End, value.StaleAfter, value.Stale, classes.ClassOf(shown), value.Datastream.Id, period);
    }

    private void Forget(DateTime now)
    {
        if (_days.Count < KeptMax)
        {
            return;
        }

        foreach (var old in _days.OrderBy(static one => one.Value.Value.Until).Take(_days.Count - KeptMax + 1).Concat(_days.Where(one => one.Value.Value.Until <= now)).ToArray())
        {
            _days.TryRemove(old);
        }
    }
}
