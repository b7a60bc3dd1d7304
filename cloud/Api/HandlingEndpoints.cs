using System.Security.Claims;
using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

/// <summary>What people do with alarms: for operators of the municipality. Asked for again, nothing changes and the answer is the same.</summary>
internal static class HandlingEndpoints
{
    private const string Tag = "Alarms";
    private const int BodyBytesMax = 16 * 1024;
    private const string Beside = "`comment`: what is said beside it, up to 1000 characters; nothing when absent.";
    private const string ExpectedBeside = "Expected is nothing, or a JSON object with comment; at most 16 KiB.";
    private const string ExpectedService = "Expected is nothing, or a JSON object with, as wanted, rule and comment; at most 16 KiB.";

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/alarms/{alarm}", GetAsync)
            .Describe("GetAlarm", Tag, "One alarm with its history", "How it stands, what evaluation found of it, what subscribers were told, and what people did. Names and comments are for people of the municipality.")
            .Produces<AlarmDetailsDocument>()
            .Problem(404);

        Act(api, "/alarms/{alarm}/acknowledge", AcknowledgeAsync, "AcknowledgeAlarm", "Acknowledge an alarm", "For operators: somebody knows. It holds for the alarm even when late data moves its start.", Beside);
        Act<CommentRequest>(api, "/alarms/{alarm}/comment", CommentAsync, "CommentAlarm", "Comment on an alarm", "For operators.");
        Act<AssignRequest>(api, "/alarms/{alarm}/assign", AssignAsync, "AssignAlarm", "Say who looks after an alarm", "For operators: another operator, oneself, or nobody.");
        Act<ShelveRequest>(
            api, "/alarms/{alarm}/shelve", ShelveAsync, "ShelveAlarm", "Shelve the alarm's rule at its station",
            "For operators: until an instant nothing new is told of this rule at this station, the next episodes included. It is evaluated as ever; what is active at the end is told then. Shelved already, its end is changed.");
        Act(api, "/alarms/{alarm}/unshelve", UnshelveAsync, "UnshelveAlarm", "End the shelving of the alarm's rule at its station", "For operators: what is active and was not told is told now.", Beside);

        api.MapGet("/suppressions", Suppressions)
            .Describe("ListSuppressions", Tag, "What is shelved and out of service", "For people of the municipality: in order of station and rule.", QueryParameter.Municipality)
            .Produces<PageDocument<SuppressionDocument>>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

        foreach (var (address, name, summary, description, isOut) in new[]
        {
            ("out-of-service", "TakeOutOfService", "Take a station, or a rule at it, out of service", "For operators: nothing new is told of it until it is returned. It is evaluated as ever.", true),
            ("return-to-service", "ReturnToService", "Return a station, or a rule at it, to service", "For operators: what is active and was not told is told now.", false),
        })
        {
            api.MapPost(
                    "/stations/{municipality}/{station}/" + address,
                    (HttpContext context, string municipality, string station, IStations stations, IAlarmHandling handling, IAudit audit) => ServeAsync(context, municipality, station, isOut, stations, handling, audit))
                .Describe(name, Tag, summary, description)
                .WithMetadata(new OptionalBody("`rule`: only this rule at the station; the whole station when absent. " + Beside))
                .Produces<PageDocument<SuppressionDocument>>()
                .Problem(400).Problem(401).Problem(403).Problem(404).Problem(409);
        }
    }

    public static AlarmDetailsDocument Document(AlarmStory story, ClaimsPrincipal person, IStations stations)
    {
        var isOfTown = person.Holds(Role.Viewer, story.Alarm.Municipality);
        return new AlarmDetailsDocument(
            AlarmEndpoints.Document(story.Alarm, story.Handling, isOfTown, stations), story.GoesOnAs,
            [.. story.Events.Where(one => isOfTown || one.Kind is not (AlarmEventKind.Commented or AlarmEventKind.Assigned)).Select(one => new AlarmEventDocument(
                Words.Of(one.Kind), Words.Of(one.Cause), one.EventAt, one.ProcessedAt, isOfTown ? one.By : null, isOfTown ? one.Comment : null, one.Until, isOfTown ? one.AssignedTo : null,
                one.Told is { } told ? Words.Of(told) : null, one.WholeStation))]);
    }

    private static void Act(RouteGroupBuilder api, string address, Delegate act, string name, string summary, string description, string body) => api.MapPost(address, act)
        .Describe(name, Tag, summary, description)
        .WithMetadata(new OptionalBody(body))
        .Produces<AlarmDetailsDocument>()
        .Problem(400).Problem(401).Problem(403).Problem(404).Problem(409);

    private static void Act<TBody>(RouteGroupBuilder api, string address, Delegate act, string name, string summary, string description)
        where TBody : class => api.MapPost(address, act)
        .Describe(name, Tag, summary, description)
        .Accepts<TBody>("application/json")
        .Produces<AlarmDetailsDocument>()
        .Problem(400).Problem(401).Problem(403).Problem(404).Problem(409);

    private static async Task<IResult> GetAsync(HttpContext context, string alarm, IAlarmHandling handling, IStations stations) =>
        Results.Json(Document(await FindAsync(context, alarm, handling, stations), context.User, stations), ApiGate.Json);

    private static async Task<IResult> AcknowledgeAsync(HttpContext context, string alarm, IAlarmHandling handling, IStations stations, IAudit audit)
    {
        var found = await AllowAsync(context, alarm, handling, stations);
        var request = await OptionalAsync(context, new HandlingRequest(), ExpectedBeside);
        return await DoneAsync(context, found, "alarm-acknowledged", request, handling, stations, audit, async () => await handling.AcknowledgeAsync(alarm, By(context), request.Comment, context.RequestAborted));
    }

    private static async Task<IResult> CommentAsync(HttpContext context, string alarm, IAlarmHandling handling, IStations stations, IAudit audit)
    {
        var found = await AllowAsync(context, alarm, handling, stations);
        var request = await RequestBody.ReadAsync<CommentRequest>(context, RequestBody.Strict, BodyBytesMax, "Expected is a JSON object with comment; at most 16 KiB.");
        return await DoneAsync(context, found, "alarm-commented", request, handling, stations, audit, async () => await handling.CommentAsync(alarm, By(context), request.Comment, context.RequestAborted));
    }

    private static async Task<IResult> AssignAsync(HttpContext context, string alarm, IAlarmHandling handling, IStations stations, IAudit audit, IRoles roles)
    {
        var found = await AllowAsync(context, alarm, handling, stations);
        var request = await RequestBody.ReadAsync<AssignRequest>(context, RequestBody.StrictPartial, BodyBytesMax, "Expected is a JSON object with person (null for nobody) and, as wanted, comment; at most 16 KiB.");
        if (request.Person is { } person && person != By(context).Person && !await IsOperatorAsync(roles, person, found.Alarm.Municipality, context.RequestAborted))
        {
            throw new ProblemException(Problems.BadBody, $"person is \"{Query.Short(person)}\"; expected is the user name of an operator of {found.Alarm.Municipality}, or null.", "person");
        }

        return await DoneAsync(context, found, "alarm-assigned", request, handling, stations, audit, async () => await handling.AssignAsync(alarm, By(context), request.Person, request.Comment, context.RequestAborted));
    }

    private static async Task<IResult> ShelveAsync(HttpContext context, string alarm, IAlarmHandling handling, IStations stations, IAudit audit, TimeProvider time)
    {
        var found = await AllowAsync(context, alarm, handling, stations);
        var request = await RequestBody.ReadAsync<ShelveRequest>(
            context, RequestBody.StrictPartial, BodyBytesMax, "Expected is a JSON object with until or for and, as wanted, comment; at most 16 KiB.");
        var until = (request.Until, request.For) switch
        {
            ({ } text, null) => Words.TryInstant(text, out var instant) ? instant : throw Wrong("until", text, "ISO 8601 with Z or an offset, as 2026-03-01T12:00:00Z"),
            (null, { } text) => Words.TryDuration(text, out var length) ? time.GetUtcNow().UtcDateTime + length : throw Wrong("for", text, "an ISO 8601 duration, as PT2H"),
            _ => throw new ProblemException(Problems.BadBody, "A shelving needs an end: give one of until and for.", "until"),
        };
        var (municipality, rule, station) = (found.Alarm.Municipality, found.Alarm.Rule, found.Alarm.Station);
        return await DoneAsync(
            context, found, "alarm-shelved", new { rule, station, until, request.Comment }, handling, stations, audit,
            async () => await handling.ShelveAsync(municipality, rule, station, until, By(context), request.Comment, context.RequestAborted));
    }

    private static async Task<IResult> UnshelveAsync(HttpContext context, string alarm, IAlarmHandling handling, IStations stations, IAudit audit)
    {
        var found = await AllowAsync(context, alarm, handling, stations);
        var request = await OptionalAsync(context, new HandlingRequest(), ExpectedBeside);
        var (municipality, rule, station) = (found.Alarm.Municipality, found.Alarm.Rule, found.Alarm.Station);
        return await DoneAsync(
            context, found, "alarm-unshelved", new { rule, station, request.Comment }, handling, stations, audit,
            async () => await handling.UnshelveAsync(municipality, rule, station, By(context), request.Comment, context.RequestAborted));
    }

    private static IResult Suppressions(HttpContext context, IAlarmHandling handling, IMunicipalities municipalities)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, "What is shelved is for people of the municipality: sign in first.");
        }

        var municipality = new Query(context).Municipality(municipalities)?.Slug;
        if (municipality is not null && !context.User.Holds(Role.Viewer, municipality))
        {
            throw new ProblemException(Problems.NotAllowed, $"Only people of {municipality} may see what is shelved there.");
        }

        return PlaceEndpoints.Page(handling.Suppressions(municipality).Where(one => context.User.Holds(Role.Viewer, one.Municipality)).Select(Document));
    }

    private static async Task<IResult> ServeAsync(HttpContext context, string municipality, string station, bool isOut, IStations stations, IAlarmHandling handling, IAudit audit)
    {
        if (!stations.TryGet(municipality, station, out var found) || !context.User.CanSee(found))
        {
            throw new ProblemException(Problems.UnknownStation, $"There is no station \"{Query.Short(station)}\" in \"{Query.Short(municipality)}\" that you may see.", "station");
        }

        Allow(context, municipality);
        var request = await OptionalAsync(context, new ServiceRequest(), ExpectedService);
        var changed = await ToldAsync(async () => isOut
            ? await handling.TakeOutOfServiceAsync(municipality, station, request.Rule, By(context), request.Comment, context.RequestAborted)
            : await handling.ReturnToServiceAsync(municipality, station, request.Rule, By(context), request.Comment, context.RequestAborted));
        if (changed)
        {
            await audit.NoteAsync(context, municipality, isOut ? "taken-out-of-service" : "returned-to-service", $"station {station}", request);
        }

        return PlaceEndpoints.Page(handling.Suppressions(municipality).Where(one => one.Station == station).Select(Document));
    }

    /// <summary>Does it, notes it for the record when it changed anything, and answers with how the alarm stands now.</summary>
    private static async Task<IResult> DoneAsync<T>(HttpContext context, AlarmStory found, string action, T details, IAlarmHandling handling, IStations stations, IAudit audit, Func<Task<bool>> act)
    {
        if (await ToldAsync(act))
        {
            await audit.NoteAsync(context, found.Alarm.Municipality, action, $"alarm {found.Alarm.Id}", details);
        }

        return Results.Json(Document((await handling.FindAsync(found.Alarm.Id, context.RequestAborted))!, context.User, stations), ApiGate.Json);
    }

    /// <summary>What the stage refuses, as a problem.</summary>
    private static async Task<bool> ToldAsync(Func<Task<bool>> act)
    {
        try
        {
            return await MunicipalityRequest.CheckedAsync(act);
        }
        catch (HandlingRefusedException refused)
        {
            throw new ProblemException(Problems.HandlingRefused, refused.Message);
        }
        catch (KeyNotFoundException unknown)
        {
            throw new ProblemException(Problems.UnknownRule, unknown.Message, "rule");
        }
    }

    /// <summary>The alarm, if the caller may see it; otherwise it does not exist for them.</summary>
    private static async Task<AlarmStory> FindAsync(HttpContext context, string alarm, IAlarmHandling handling, IStations stations) =>
        await handling.FindAsync(alarm, context.RequestAborted) is { } story && AlarmEndpoints.CanSee(context.User, story.Alarm, stations)
            ? story
            : throw new ProblemException(Problems.UnknownAlarm, $"There is no alarm \"{Query.Short(alarm)}\" that you may see.", "alarm");

    private static async Task<AlarmStory> AllowAsync(HttpContext context, string alarm, IAlarmHandling handling, IStations stations)
    {
        var story = await FindAsync(context, alarm, handling, stations);
        Allow(context, story.Alarm.Municipality);
        return story;
    }

    private static void Allow(HttpContext context, string municipality)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, "Alarms are handled by operators: sign in first.");
        }

        if (!context.User.Holds(Role.Operator, municipality))
        {
            throw new ProblemException(Problems.NotAllowed, $"Only operators of {municipality} may handle its alarms.");
        }
    }

    private static async Task<T> OptionalAsync<T>(HttpContext context, T nothing, string expected)
        where T : class => context.Request.ContentLength is 0 or null && !context.Request.Headers.ContainsKey("Transfer-Encoding")
        ? nothing
        : await RequestBody.ReadAsync<T>(context, RequestBody.StrictPartial, BodyBytesMax, expected);

    private static async Task<bool> IsOperatorAsync(IRoles roles, string person, string municipality, CancellationToken cancellationToken) =>
        (await roles.ListAsync(cancellationToken)).Any(known => known.UserName == person && known.Roles.Any(held => held.Role >= Role.Operator && (held.Municipality is null || held.Municipality == municipality)));

    private static HandledBy By(HttpContext context) => new(context.User.Identity?.Name is { Length: > 0 and <= 256 } name ? name : "unnamed");

    private static ProblemException Wrong(string member, string text, string expected) => new(Problems.BadBody, $"{member} is \"{Query.Short(text)}\"; expected is {expected}.", member);

    private static SuppressionDocument Document(Suppression one) => new(Words.Of(one.Kind), one.Municipality, one.Station, one.Rule, one.Since, one.Until, one.By, one.Comment);
}
