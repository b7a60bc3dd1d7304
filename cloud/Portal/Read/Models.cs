using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Portal.Read;

/// <summary>A datastream with its latest observation, ready to be shown.</summary>
/// <param name="Datastream">The datastream.</param>
/// <param name="Latest">Latest observation; null when there is none yet.</param>
/// <param name="End">End of its averaging period, UTC.</param>
/// <param name="StaleAfter">Age past which it is stale.</param>
/// <param name="Stale">Whether it is, at the time of reading.</param>
internal sealed record LatestValue(Datastream Datastream, Observation? Latest, DateTime? End, TimeSpan StaleAfter, bool Stale);

/// <summary>A station as the pages show it.</summary>
/// <param name="Station">The station.</param>
/// <param name="Municipality">Its municipality; null when the tenant has been removed.</param>
/// <param name="Zone">Time zone of its legal day.</param>
/// <param name="Values">One per datastream, in order of sensor and quantity.</param>
/// <param name="NewestEnd">End of the newest value that is not of the equipment itself, UTC; null when there is none.</param>
/// <param name="StaleAfter">Age past which the station is late: that of its quickest datastream with values, the equipment's own left out.</param>
/// <param name="Status">How it stands.</param>
internal sealed record StationView(
    Station Station,
    Municipality? Municipality,
    TimeZoneInfo Zone,
    IReadOnlyList<LatestValue> Values,
    DateTime? NewestEnd,
    TimeSpan StaleAfter,
    Status Status)
{
    public string Id => Station.Municipality + "/" + Station.Slug;

    public string MunicipalityName => Municipality?.Name ?? Station.Municipality;

    /// <summary>The few values that stand for the station in a list.</summary>
    public IEnumerable<LatestValue> Telling(int countMax) =>
        Values.Where(static v => v.Latest is not null && !Units.IsEquipment(v.Datastream.Quantity))
            .OrderBy(static v => Units.RankOf(v.Datastream.Quantity))
            .DistinctBy(static v => v.Datastream.Quantity.Id)
            .Take(countMax);
}

/// <summary>An alarm as the pages show it.</summary>
/// <param name="Alarm">The episode.</param>
/// <param name="Rule">Its rule; null when the rule has been removed.</param>
/// <param name="Station">Its station.</param>
/// <param name="Datastream">Its datastream; null when unknown.</param>
/// <param name="Municipality">Its municipality.</param>
/// <param name="Zone">Time zone in which to write its times.</param>
internal sealed record AlarmView(Alarm Alarm, Rule? Rule, Station Station, Datastream? Datastream, Municipality? Municipality, TimeZoneInfo Zone);

/// <summary>What the city page shows.</summary>
/// <param name="Now">UTC instant of reading.</param>
/// <param name="Municipalities">Every municipality that the visitor can choose.</param>
/// <param name="Chosen">The chosen one; null for all.</param>
/// <param name="Stations">Visible stations.</param>
/// <param name="Alarms">Open alarms of visible stations.</param>
internal sealed record CityView(DateTime Now, IReadOnlyList<Municipality> Municipalities, Municipality? Chosen, IReadOnlyList<StationView> Stations, IReadOnlyList<AlarmView> Alarms);

/// <summary>A chart's points. Arrays run parallel and are in order of time; a null value breaks the line.</summary>
/// <param name="Times">Seconds since the epoch.</param>
/// <param name="Values">Canonical unit.</param>
/// <param name="Qualities">Quality flags of each point.</param>
/// <param name="Step">Distance of one point from the next.</param>
/// <param name="Bucket">Width of the buckets the points stand for; null when they are the observations themselves.</param>
/// <param name="Statistic">Figure of the buckets.</param>
internal sealed record ChartPoints(IReadOnlyList<long> Times, IReadOnlyList<double?> Values, IReadOnlyList<int> Qualities, TimeSpan Step, TimeSpan? Bucket, Statistic Statistic);

/// <summary>One datastream of the station page.</summary>
/// <param name="Value">Latest value.</param>
/// <param name="Points">The chart.</param>
/// <param name="Hours">One bucket per hour that has data, newest first: the chart in words.</param>
/// <param name="Rules">Rules in force on it.</param>
internal sealed record DatastreamView(LatestValue Value, ChartPoints Points, IReadOnlyList<Bucket> Hours, IReadOnlyList<Rule> Rules);
