using System.Security.Claims;
using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Portal.Read;

/// <summary>Puts together what a page shows from the front doors of the other stages, and leaves out what the visitor may not see. Safe for concurrent callers.</summary>
internal sealed class Reader(
    IMunicipalities municipalities,
    IStations stations,
    ISeries series,
    IAlerts alerts,
    IAlarmHandling handling,
    IOptions<PortalOptions> options,
    TimeProvider clock)
{
    /// <summary>How many times the alarms that are shown are looked at by a filter.</summary>
    private const int LookedAtFactor = 10;

    public DateTime Now => clock.GetUtcNow().UtcDateTime;

    public CityView City(ClaimsPrincipal visitor, Municipality? chosen)
    {
        var now = Now;
        var open = OpenAlarms(visitor, chosen?.Slug);
        var shown = stations.All
            .Where(station => (chosen is null || station.Municipality == chosen.Slug) && visitor.MaySee(station))
            .Select(station => View(station, open.Count(alarm => alarm.Station.Id == station.Id), now))
            .ToArray();
        return new(now, municipalities.All, chosen, shown, open);
    }

    public StationView? Station(ClaimsPrincipal visitor, string municipality, string slug)
    {
        if (!stations.TryGet(municipality, slug, out var station) || !visitor.MaySee(station))
        {
            return null;
        }

        return View(station, OpenAlarms(visitor, municipality).Count(alarm => alarm.Station.Id == station.Id), Now);
    }

    public IReadOnlyList<AlarmView> OpenAlarms(ClaimsPrincipal visitor, string? municipality) =>
        alerts.Active(municipality).Select(alarm => View(visitor, alarm)).OfType<AlarmView>().ToArray();

    /// <summary>Alarms of the past span that are not active any more, newest first, at most as many as the options allow.</summary>
    public async ValueTask<IReadOnlyList<AlarmView>> RecentAlarmsAsync(ClaimsPrincipal visitor, string? municipality, string? station, CancellationToken cancellationToken)
    {
        var now = Now;
        var found = await alerts.HistoryAsync(municipality, now - options.Value.AlarmsSpan, now + TimeSpan.FromMinutes(1), options.Value.AlarmsMax, cancellationToken);
        return found.Where(alarm => alarm.EndedAt is not null || alarm.Withdrawn)
            .Where(alarm => station is null || alarm.Station == station)
            .Select(alarm => View(visitor, alarm)).OfType<AlarmView>().ToArray();
    }

    /// <summary>Alarms as a filter means them, newest first, with how they stand: at most as many as the options allow. Without days, those of the usual span, and whatever is active.</summary>
    /// <returns>The alarms; and whether there are more than are shown.</returns>
    public async ValueTask<(IReadOnlyList<AlarmView> Found, bool More)> FindAlarmsAsync(ClaimsPrincipal visitor, string? municipality, AlarmFilter filter, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        var now = Now;
        var from = filter.From is { } first ? Begin(first) : now - options.Value.AlarmsSpan;
        var to = filter.To is { } last ? Begin(last.AddDays(1)) : now + TimeSpan.FromMinutes(1);
        var most = options.Value.AlarmsMax;

        // More than are shown are looked at, so that a filter finds what is rare among them.
        var looked = await alerts.HistoryAsync(municipality, from, to, most * LookedAtFactor, cancellationToken);
        var open = filter.From is null && filter.To is null ? alerts.Active(municipality) : [];
        Alarm[] meant = [.. looked.Concat(open).DistinctBy(static alarm => alarm.Id).Where(alarm => alarm.StartedAt < to && filter.Means(alarm)).OrderByDescending(static alarm => alarm.StartedAt)];
        var views = await WithHandlingAsync([.. meant.Select(alarm => View(visitor, alarm)).OfType<AlarmView>()], cancellationToken);
        AlarmView[] found = [.. views.Where(view => filter.Means(view.Handling!))];
        return ([.. found.Take(most)], found.Length > most || looked.Count >= most * LookedAtFactor);

        DateTime Begin(DateOnly day)
        {
            var local = day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
            return local - zone.GetUtcOffset(local - zone.GetUtcOffset(local));
        }
    }

    /// <summary>What alarms of visible stations can be chosen by: the stations, and the rules that can concern one, as <c>municipality/slug</c> with a name.</summary>
    public (IReadOnlyList<(string Value, string Name)> Stations, IReadOnlyList<Rule> Rules) AlarmChoices(ClaimsPrincipal visitor, string? municipality) => (
        [.. stations.All.Where(one => (municipality is null || one.Municipality == municipality) && visitor.MaySee(one)).OrderBy(one => one.Name, StringComparer.CurrentCultureIgnoreCase).Select(one => ($"{one.Municipality}/{one.Slug}", one.Name))],
        [.. alerts.Rules(municipality).Where(rule => rule.Station is null || (stations.TryGet(rule.Municipality, rule.Station, out var station) && visitor.MaySee(station)))]);

    /// <summary>The same alarms with how they stand now.</summary>
    public async ValueTask<IReadOnlyList<AlarmView>> WithHandlingAsync(IReadOnlyList<AlarmView> views, CancellationToken cancellationToken)
    {
        var handled = await handling.OfAsync([.. views.Select(static view => view.Alarm)], cancellationToken);
        return [.. views.Select((view, i) => view with { Handling = handled[i] })];
    }

    /// <summary>One alarm with its history; null when there is none that the visitor may see.</summary>
    public async ValueTask<(AlarmView View, AlarmStory Story)?> AlarmAsync(ClaimsPrincipal visitor, string id, CancellationToken cancellationToken) =>
        await handling.FindAsync(id, cancellationToken) is { } story && View(visitor, story.Alarm) is { } view ? (view with { Handling = story.Handling }, story) : null;

    /// <summary>One alarm, or the one that goes on in its place, for somebody who may handle the alarms of a municipality though nobody is signed in; null when there is none.</summary>
    public async ValueTask<AlarmView?> AlarmForAsync(string id, string municipality, CancellationToken cancellationToken)
    {
        var story = await handling.FindAsync(id, cancellationToken);
        if (story?.GoesOnAs is { } next)
        {
            story = await handling.FindAsync(next, cancellationToken);
        }

        var person = new ClaimsPrincipal(new ClaimsIdentity([new Claim(Rights.ClaimType, $"{Role.Viewer}@{municipality}")]));
        return story?.Alarm.Municipality == municipality && View(person, story.Alarm) is { } view ? view with { Handling = story.Handling } : null;
    }

    /// <summary>What is shelved and out of service, for people of the municipality.</summary>
    public IReadOnlyList<SuppressionView> Suppressions(ClaimsPrincipal visitor, string? municipality) =>
    [
        .. from one in handling.Suppressions(municipality)
           where visitor.Holds(Role.Viewer, one.Municipality)
           let station = stations.TryGet(one.Municipality, one.Station, out var found) ? found : null
           where station is not null
           select new SuppressionView(
               one, alerts.Rules(one.Municipality).FirstOrDefault(rule => rule.Slug == one.Rule), station, ZoneOf(one.Municipality), visitor.Holds(Role.Operator, one.Municipality)),
    ];

    /// <summary>Whether a rule is in force on a datastream, with levels that can be drawn beside its values: those of silence, numbers, differences and sums cannot.</summary>
    public static bool Concerns(Rule rule, Datastream datastream) =>
        rule.Enabled
        && rule.Property == datastream.Quantity.Id
        && rule.Measure is Measure.Value or Measure.Mean or Measure.Max or Measure.Min or Measure.Percentile
        && (rule.Station is null || rule.Station == datastream.Station.Slug)
        && (rule.Tag is null || datastream.Station.HasTag(rule.Tag))
        && (rule.Sensor is null || rule.Sensor == datastream.Sensor)
        && (rule.PeriodSeconds is null || rule.PeriodSeconds == (int)datastream.Period.TotalSeconds)
        && rule.IsAt(datastream.Station.Longitude, datastream.Station.Latitude);

    /// <summary>A municipality; null when there is none.</summary>
    public Municipality? Municipality(string slug) => municipalities.TryGet(slug, out var found) ? found : null;

    public TimeZoneInfo ZoneOf(string? municipality) =>
        municipality is not null && municipalities.TryGet(municipality, out var found) && TimeZoneInfo.TryFindSystemTimeZoneById(found.Zone, out var zone) ? zone : TimeZoneInfo.Utc;

    private StationView View(Station station, int openAlarms, DateTime now)
    {
        municipalities.TryGet(station.Municipality, out var municipality);
        var values = stations.DatastreamsOf(station.Id).Select(datastream => Latest(datastream, now)).ToArray();
        // A computer that still reports its own state does not make a station with dead sensors a reporting one.
        var measures = values.Where(static v => !Units.IsEquipment(v.Datastream.Quantity)).ToArray();
        var telling = measures.Length > 0 ? measures : values;
        var quickest = telling.Where(static v => v.Latest is not null).Select(static v => v.StaleAfter).DefaultIfEmpty(Freshness.StaleAfter(TimeSpan.Zero, options.Value.InstantStep)).Min();
        var newest = telling.Max(static v => v.End);
        return new(station, municipality, ZoneOf(station.Municipality), values, newest, quickest, Freshness.Of(newest, quickest, openAlarms, now));
    }

    private LatestValue Latest(Datastream datastream, DateTime now)
    {
        var staleAfter = Freshness.StaleAfter(datastream.Period, options.Value.InstantStep);
        if (!series.TryGetLatest(datastream.Id, out var latest))
        {
            return new(datastream, null, null, staleAfter, Stale: true);
        }

        var end = Freshness.EndOf(latest.PhenomenonTime, datastream.Period);
        return new(datastream, latest, end, staleAfter, Freshness.IsStale(end, staleAfter, now));
    }

    private AlarmView? View(ClaimsPrincipal visitor, Alarm alarm)
    {
        if (!stations.TryGet(alarm.Municipality, alarm.Station, out var station) || !visitor.MaySee(station))
        {
            return null;
        }

        municipalities.TryGet(alarm.Municipality, out var municipality);
        stations.TryGetDatastream(alarm.Datastream, out var datastream);
        var rule = alerts.Rules(alarm.Municipality).FirstOrDefault(one => one.Slug == alarm.Rule)?.LevelOf(alarm.Severity);
        return new(alarm, rule, station, datastream, municipality, ZoneOf(alarm.Municipality), visitor.Holds(Role.Viewer, alarm.Municipality), visitor.Holds(Role.Operator, alarm.Municipality));
    }
}
