using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

/// <summary>Alarms.</summary>
internal static class AlarmEndpoints
{
    private const string Tag = "Alarms";

    /// <summary>Alarms looked at for one answer.</summary>
    private const int AlarmsMax = 10_000;

    private static readonly QueryParameter Active = new("active", "true: only alarms that are active now; false: only those that have ended; both when absent.", "boolean", Example: "true");
    private static readonly QueryParameter State = new(
        "state", "Only alarms in this state of ISA-18.2: normal, active-unacknowledged, active-acknowledged or returned-unacknowledged.", Example: "active-unacknowledged");
    private static readonly QueryParameter Silent = new("silent", "true: only alarms whose rule is shelved at their station, out of service or suppressed by another alarm now; false: only the others; both when absent.", "boolean", Example: "false");
    private static readonly QueryParameter Limit = new(QueryParameter.Limit, "Most alarms of one answer, 1 to 10000; 1000 when absent. Alarms that started together are not parted.", "integer");

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/alarms", AlarmsAsync)
            .Describe(
                "ListAlarms", Tag, "Alarms",
                "Alarms of stations the caller may see, newest first. With active=true those active now (from and to do not matter); otherwise those whose episode touches from to to, the last 7 days when nothing is said. "
                + "Episodes that later data withdrew are included and marked.",
                Active, State, Silent, QueryParameter.Municipality, QueryParameter.From, QueryParameter.To, Limit)
            .Produces<PageDocument<AlarmDocument>>()
            .Problem(400).Problem(404);
    }

    /// <summary>An alarm as everybody sees it; with the names of people for people of its municipality.</summary>
    public static AlarmDocument Document(Alarm a, AlarmHandling handling, bool withNames, IStations stations)
    {
        var quantity = stations.TryGetDatastream(a.Datastream, out var datastream) ? datastream.Quantity : null;
        return new AlarmDocument(
            a.Id, a.Municipality, a.Rule, a.Station, a.Datastream, quantity?.Id, quantity?.SenmlUnit, a.Severity.ToString().ToLowerInvariant(), a.EndedAt is null && !a.Withdrawn,
            a.ConditionAt, a.StartedAt, a.EndedAt, a.StartValue, a.Peak, a.LastValue, a.DetectedAt, a.Past, a.Withdrawn,
            Words.Of(handling.State), handling.AcknowledgedAt, withNames ? handling.AcknowledgedBy : null, withNames ? handling.AssignedTo : null, handling.Shelved?.Until, handling.OutOfService is not null, a.Incident, handling.SuppressedBy);
    }

    /// <summary>Alarms with how they stand now.</summary>
    public static async ValueTask<IReadOnlyList<AlarmDocument>> DocumentsAsync(
        IReadOnlyList<Alarm> alarms, System.Security.Claims.ClaimsPrincipal person, IAlarmHandling handling, IStations stations, CancellationToken cancellationToken)
    {
        var handled = await handling.OfAsync(alarms, cancellationToken);
        return [.. alarms.Select((alarm, i) => Document(alarm, handled[i], person.Holds(Role.Viewer, alarm.Municipality), stations))];
    }

    public static bool CanSee(System.Security.Claims.ClaimsPrincipal person, Alarm alarm, IStations stations) =>
        stations.TryGetDatastream(alarm.Datastream, out var datastream)
            ? person.CanSee(datastream.Station)
            : person.Holds(Role.Viewer, alarm.Municipality);

    private static async Task<IResult> AlarmsAsync(HttpContext context, IAlerts alerts, IAlarmHandling handling, IStations stations, IMunicipalities municipalities, TimeProvider time)
    {
        var query = new Query(context);
        var municipality = query.Municipality(municipalities)?.Slug;
        var active = query.Flag("active");
        var state = query.Word<AlarmState>("state");
        var silent = query.Flag("silent");
        var (from, to) = query.Range(time.GetUtcNow().UtcDateTime, TimeSpan.FromDays(7));
        var limit = query.Limit(AlarmsMax, 1_000);
        if (active == true)
        {
            var open = await WantedAsync(alerts.Active(municipality).Where(a => CanSee(context.User, a, stations)));
            return PlaceEndpoints.Page(await DocumentsAsync([.. open.Take(limit)], context.User, handling, stations, context.RequestAborted));
        }

        var history = await alerts.HistoryAsync(municipality, from, to, AlarmsMax, context.RequestAborted);
        var seen = await WantedAsync(history
            .Where(a => a.StartedAt < to && (active is null || a.EndedAt is not null) && CanSee(context.User, a, stations))
            .OrderByDescending(a => a.StartedAt).ThenBy(a => a.Id, StringComparer.Ordinal));

        // A part ends between two starts, never between alarms that started together: the next part is then simply what started earlier.
        var count = Math.Min(limit, seen.Length);
        while (count < seen.Length && seen[count].StartedAt == seen[count - 1].StartedAt)
        {
            count++;
        }

        DateTime? earlier = count < seen.Length ? seen[count - 1].StartedAt
            : history.Count == AlarmsMax ? history.Min(a => a.StartedAt)
            : null;
        var next = earlier is { } before && before > from ? query.Address(("from", Words.Of(from)), ("to", Words.Of(before))) : null;
        return PlaceEndpoints.Page(await DocumentsAsync(seen[..count], context.User, handling, stations, context.RequestAborted), next);

        async ValueTask<Alarm[]> WantedAsync(IEnumerable<Alarm> found)
        {
            Alarm[] all = [.. found];
            if (state is null && silent is null)
            {
                return all;
            }

            var handled = await handling.OfAsync(all, context.RequestAborted);
            return [.. all.Where((_, i) => (state is null || handled[i].State == state) && (silent is null || handled[i].IsSilent == silent))];
        }
    }
}
