using System.Globalization;
using System.Security.Claims;
using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Api;

/// <summary>The threshold rules: everybody reads those whose stations they may see, operators change those of their municipality.</summary>
internal static partial class RuleEndpoints
{
    private const string Tag = "Alarms";
    private const int BodyBytesMax = 16 * 1024;
    private const int DaysMax = 400;

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/rules", Rules)
            .Describe("ListRules", Tag, "Rules", "The threshold rules in force. A rule for one private station is seen by those who may see the station.", QueryParameter.Municipality)
            .Produces<PageDocument<RuleDocument>>()
            .Problem(400).Problem(404);

        api.MapGet("/rules/{municipality}/{rule}", Rule)
            .Describe("GetRule", Tag, "One rule", "A threshold rule of a municipality.")
            .Produces<RuleDocument>()
            .Problem(404);

        api.MapPut("/rules/{municipality}/{rule}", PutAsync)
            .Describe(
                "PutRule", Tag, "Make or change a rule",
                "For operators. A change of what the rule measures evaluates what is stored anew. A rule may have further levels, each more serious; the alarms of a level are told while none of a more serious one is active. With edge, the stations it concerns are told to watch it themselves too, and act on the spot while the hub is out of reach.")
            .Accepts<RuleRequest>("application/json")
            .Produces<RuleDocument>()
            .Produces<RuleDocument>(201)
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapPost("/rules/{municipality}/{rule}/rehearsal", RehearseAsync)
            .Describe(
                "RehearseRule", Tag, "Try a rule on what is stored",
                "For operators. Answers which alarms the rule in the body, saved or not, would have raised over the last days. Nothing is stored and nobody is told.",
                new QueryParameter("days", "How many days back, 1 to 400; 30 when absent.", "integer", Example: "30"),
                new QueryParameter(QueryParameter.Limit, "Most alarms listed, 1 to 10000; 100 when absent. All are counted.", "integer", Example: "100"))
            .Accepts<RuleRequest>("application/json")
            .Produces<RehearsalDocument>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapDelete("/rules/{municipality}/{rule}", DeleteAsync)
            .Describe("DeleteRule", Tag, "Remove a rule", "For operators. Its open alarms end as withdrawn; its history stays. Nothing happens when there is none.")
            .Produces(204)
            .Problem(401).Problem(403).Problem(404);
    }

    private static IResult Rules(HttpContext context, IAlerts alerts, IStations stations, IMunicipalities municipalities)
    {
        var municipality = new Query(context).Municipality(municipalities)?.Slug;
        return PlaceEndpoints.Page(alerts.Rules(municipality).Where(rule => CanSee(context.User, rule, stations)).Select(Document));
    }

    private static IResult Rule(HttpContext context, string municipality, string rule, IAlerts alerts, IStations stations) =>
        alerts.Rules(municipality).FirstOrDefault(known => known.Slug == rule && CanSee(context.User, known, stations)) is { } found
            ? Results.Json(Document(found), ApiGate.Json)
            : throw new ProblemException(Problems.UnknownRule, $"There is no rule \"{Query.Short(rule)}\" of \"{Query.Short(municipality)}\" that you may see.", "rule");

    private static async Task<IResult> PutAsync(
        HttpContext context, string municipality, string rule, IAlerts alerts, IStations stations, IMunicipalities municipalities, IAudit audit, ILoggerFactory logs)
    {
        Allow(context, municipality, municipalities);
        var wanted = await WantedAsync(context, municipality, rule, stations);
        var isNew = alerts.Rules(municipality).All(known => known.Slug != rule);
        Rule saved;
        try
        {
            saved = await alerts.SaveAsync(wanted, context.RequestAborted);
        }
        catch (ArgumentException e)
        {
            throw Refusal(e);
        }

        await audit.NoteAsync(context, municipality, "rule-saved", rule, RuleRecord.Of(saved));
        LogSaved(logs.CreateLogger(typeof(RuleEndpoints).FullName!), municipality, rule, saved.Enabled, saved.Edge, context.User.Identity?.Name ?? "an operator");
        return Results.Json(Document(saved), ApiGate.Json, statusCode: isNew ? 201 : 200);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string municipality, string rule, IAlerts alerts, IMunicipalities municipalities, IAudit audit, ILoggerFactory logs)
    {
        Allow(context, municipality, municipalities);
        await alerts.RemoveAsync(municipality, rule, context.RequestAborted);
        await audit.NoteAsync(context, municipality, "rule-removed", rule, new { });
        LogRemoved(logs.CreateLogger(typeof(RuleEndpoints).FullName!), municipality, rule, context.User.Identity?.Name ?? "an operator");
        return Results.NoContent();
    }

    private static async Task<IResult> RehearseAsync(
        HttpContext context, string municipality, string rule, IAlerts alerts, IStations stations, IMunicipalities municipalities, TimeProvider time)
    {
        Allow(context, municipality, municipalities);
        var query = new Query(context);
        var (days, limit) = (query.Number("days", 1, DaysMax) ?? 30, query.Limit(10_000, 100));
        var wanted = await WantedAsync(context, municipality, rule, stations);
        var to = time.GetUtcNow().UtcDateTime;
        var from = to.AddDays(-days);
        try
        {
            var found = await alerts.RehearseAsync(wanted, from, to, limit, context.RequestAborted);
            return Results.Json(
                new RehearsalDocument(
                    from, to, found.Count, found.Datastreams, found.Observations, found.ActiveShare,
                    [.. found.Alarms.Select(a => new RehearsedAlarmDocument(a.Station, a.Datastream, a.ConditionAt, a.StartedAt, a.EndedAt, a.StartValue, a.Peak, a.Severity.ToString().ToLowerInvariant()))]),
                ApiGate.Json);
        }
        catch (ArgumentException e)
        {
            throw Refusal(e);
        }
        catch (RehearsalTooLargeException e)
        {
            throw new ProblemException(Problems.RangeTooLarge, e.Message, "days");
        }
    }

    private static async Task<Rule> WantedAsync(HttpContext context, string municipality, string rule, IStations stations)
    {
        var request = await ReadAsync(context);
        if (request.Station is { } station && !stations.TryGet(municipality, station, out _))
        {
            throw new ProblemException(Problems.UnknownStation, $"There is no station \"{Query.Short(station)}\" in \"{Query.Short(municipality)}\".", "station");
        }

        var measure = request.Measure is null ? Measure.Value : Word<Measure>(request.Measure, "measure");
        var crossing = request.Crossing is { } word ? Word<Crossing>(word, "crossing") : measure.IsSilence() ? Crossing.Above : throw Needed("crossing");
        var set = request.SetLevel ?? (measure.IsSilence() ? 0 : throw Needed("setLevel"));
        return new Rule(
            municipality, rule, request.NamePt, request.NameEn, Word<Severity>(request.Severity, "severity"), request.Property ?? "", request.Station, request.Sensor,
            request.Period is null ? null : (int)Duration(request.Period, "period").TotalSeconds, crossing, set, request.ClearLevel ?? set,
            request.For is null ? TimeSpan.Zero : Duration(request.For, "for"), request.Enabled ?? true, request.Edge ?? false)
        {
            Measure = measure,
            Window = request.Window is null ? TimeSpan.Zero : Duration(request.Window, "window"),
            OnClock = request.OnClock ?? false,
            Percent = request.Percent ?? 0,
            CoverageMin = request.CoverageMin ?? 0.75,
            OffFor = request.OffFor is null ? TimeSpan.Zero : Duration(request.OffFor, "offFor"),
            Schedule = request.Schedule ?? "",
            Source = request.Source ?? "",
            Levels = [.. (request.Levels ?? []).Select(Level)],
            SuppressedBy = [.. (request.SuppressedBy ?? []).Select(slug => slug ?? "")],
            Area = request.Area is null ? [] : Corners(request.Area),
            Tag = request.Tag,
            Limit = request.Limit,
        };

        static AreaPoint[] Corners(AreaDocument area)
        {
            if (area.Type != "Polygon")
            {
                throw new ProblemException(Problems.BadBody, $"area.type is \"{Query.Short(area.Type)}\"; expected is Polygon.", "area.type");
            }

            if (area.Coordinates is not [{ Count: > 0 } ring])
            {
                throw new ProblemException(Problems.BadBody, "area.coordinates must hold one ring of corners; holes are not taken.", "area.coordinates");
            }

            return [.. ring.Select((corner, i) => corner is [var longitude, var latitude]
                ? new AreaPoint(longitude, latitude)
                : throw new ProblemException(Problems.BadBody, string.Create(CultureInfo.InvariantCulture, $"area.coordinates[0][{i}] must be longitude and latitude, two numbers."), "area.coordinates"))];
        }

        static RuleLevel Level(RuleLevelRequest? level, int at)
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"levels[{at}]");
            return level is null
                ? throw new ProblemException(Problems.BadBody, $"{path} is null; expected is a level with severity and setLevel.", path)
                : new RuleLevel(
                    Word<Severity>(level.Severity, path + ".severity"), level.SetLevel, level.ClearLevel ?? level.SetLevel,
                    level.For is null ? TimeSpan.Zero : Duration(level.For, path + ".for"), level.OffFor is null ? TimeSpan.Zero : Duration(level.OffFor, path + ".offFor"));
        }

        static ProblemException Needed(string member) => new(Problems.BadBody, $"{member} is missing; it is needed for every measure but no-data and offline.", member);
    }

    /// <summary>"ClearLevel must not be above the set level ...": the field in the words of the body, "levels[0].setLevel" for "Levels[0].SetLevel".</summary>
    private static ProblemException Refusal(ArgumentException e)
    {
        var said = e.Message.Split(" (Parameter ")[0];
        if (e.ParamName is not { Length: > 0 } name)
        {
            return new ProblemException(Problems.BadBody, said);
        }

        var member = string.Join('.', name.Split('.').Select(part => char.ToLowerInvariant(part[0]) + part[1..]));
        return new ProblemException(Problems.BadBody, said.StartsWith(name, StringComparison.Ordinal) ? member + said[name.Length..] : said, member);
    }

    /// <summary>Refuses whoever is no operator of a municipality, or a municipality that is not there.</summary>
    internal static void Allow(HttpContext context, string municipality, IMunicipalities municipalities)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, "Rules are changed by operators: sign in first.");
        }

        if (!municipalities.TryGet(municipality, out _))
        {
            throw new ProblemException(Problems.UnknownMunicipality, $"There is no municipality \"{Query.Short(municipality)}\".", "municipality");
        }

        if (!context.User.Holds(Role.Operator, municipality))
        {
            throw new ProblemException(Problems.NotAllowed, $"Only operators of {municipality} may change its rules.");
        }
    }

    private static bool CanSee(ClaimsPrincipal person, Rule rule, IStations stations) =>
        rule.Station is null || (stations.TryGet(rule.Municipality, rule.Station, out var station) ? person.CanSee(station) : person.Holds(Role.Viewer, rule.Municipality));

    internal static RuleDocument Document(Rule r) => new(
        r.Municipality, r.Slug, r.NamePt, r.NameEn, r.Severity.ToString().ToLowerInvariant(), r.Property,
        QuantityCatalogue.TryGet(r.Property, out var quantity) ? quantity.SenmlUnit : null,
        r.Station, r.Sensor, r.PeriodSeconds is { } seconds ? Words.Of(TimeSpan.FromSeconds(seconds)) : null,
        r.Crossing.ToString().ToLowerInvariant(), r.SetLevel, r.ClearLevel, Words.Of(r.For), r.Enabled, r.Edge,
        Words.Of(r.Measure), r.Measure == Measure.Value ? null : Words.Of(r.Window), r.OnClock, r.Measure == Measure.Percentile ? r.Percent : null,
        r.Measure is Measure.Value or Measure.NoData or Measure.Offline or Measure.Count ? null : r.CoverageMin, Words.Of(r.OffFor), r.Schedule, r.Source,
        [.. r.Levels.Select(level => new RuleLevelDocument(level.Severity.ToString().ToLowerInvariant(), level.SetLevel, level.ClearLevel, Words.Of(level.For), Words.Of(level.OffFor)))],
        r.Area.Count == 0 ? null : new AreaDocument("Polygon", [[.. r.Area.Append(r.Area[0]).Select(corner => (IReadOnlyList<double>)[corner.Longitude, corner.Latitude])]]), r.SuppressedBy, r.Tag, r.Limit);

    private static Task<RuleRequest> ReadAsync(HttpContext context) => RequestBody.ReadAsync<RuleRequest>(
        context, RequestBody.Strict, BodyBytesMax,
        "Expected is a JSON object with namePt, nameEn, severity, property (but for offline and air-index), crossing and setLevel, and as wanted station, sensor, tag, area, period, clearLevel, for, offFor, measure, window, onClock, percent, limit, coverageMin, levels, schedule, suppressedBy, source, enabled, edge; at most 16 KiB.");

    private static T Word<T>(string text, string member)
        where T : struct, Enum => Words.TryRead<T>(text, out var value) ? value : throw new ProblemException(Problems.BadBody, $"{member} is \"{Query.Short(text)}\"; expected is one of {Words.All<T>()}.", member);

    private static TimeSpan Duration(string text, string member) =>
        Words.TryDuration(text, out var duration) ? duration : throw new ProblemException(Problems.BadBody, $"{member} is \"{Query.Short(text)}\"; expected is an ISO 8601 duration such as PT10M.", member);

    [LoggerMessage(1, LogLevel.Information, "Rule {Municipality}/{Rule} saved (enabled {Enabled}, watched by stations {Edge}) by {Person}")]
    private static partial void LogSaved(ILogger logger, string municipality, string rule, bool enabled, bool edge, string person);

    [LoggerMessage(2, LogLevel.Information, "Rule {Municipality}/{Rule} removed by {Person}")]
    private static partial void LogRemoved(ILogger logger, string municipality, string rule, string person);
}
