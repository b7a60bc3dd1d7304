using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Twin;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

/// <summary>The agents at the stations, for the operators of their municipality: what is wanted and reported, commands, claim codes.</summary>
internal static class AgentEndpoints
{
    private const string Tag = "Agents";
    private const string Root = "/stations/{municipality}/{station}";
    private const int WaitMax = 60;

    private static readonly QueryParameter Wait = new("wait", "Longest wait for the answer, seconds, 0 to 60; 20 when absent.", "integer", Example: "20");
    private static readonly QueryParameter Limit = new(QueryParameter.Limit, "Most versions of one answer, 1 to 1000; 100 when absent.", "integer");

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet(Root + "/agent", AgentAsync)
            .Describe("GetAgent", Tag, "The agent at a station", "For operators: whether it is there, its version, its sensors with their condition, what became of the settings wanted of it, its last commands and claim code.")
            .Produces<AgentDocument>()
            .Problem(401).Problem(403).Problem(404);

        api.MapGet(Root + "/agent/settings", SettingsAsync)
            .Describe("GetAgentSettings", Tag, "Settings wanted of a station", "For operators. Version 0 means that nothing was ever wanted. The ETag is the version: send it back as If-Match.")
            .Produces<WantedDocument>()
            .Problem(401).Problem(403).Problem(404);

        api.MapPut(Root + "/agent/settings", PutSettingsAsync)
            .Describe(
                "PutAgentSettings", Tag, "Set the settings wanted of a station",
                "For operators. Needs If-Match with the version last seen (`\"0\"` for the first), or `*`. The station checks them as a whole, tries them, and reports what became of them. Secrets, and keys that name files, are refused.")
            .Accepts<SettingsRequest>("application/json")
            .Produces<WantedDocument>()
            .Problem(400).Problem(401).Problem(403).Problem(404).Problem(412).Problem(422).Problem(428);

        api.MapDelete(Root + "/agent/settings", DeleteSettingsAsync)
            .Describe("DeleteAgentSettings", Tag, "Take back the settings wanted of a station", "For operators: the station file alone holds again, as a new version. Needs If-Match.")
            .Produces<WantedDocument>()
            .Problem(401).Problem(403).Problem(404).Problem(412).Problem(428);

        api.MapGet(Root + "/agent/settings/versions", VersionsAsync)
            .Describe("ListAgentSettings", Tag, "Versions of the settings wanted of a station", "For operators: the newest first, with who changed them and when.", Limit)
            .Produces<PageDocument<WantedDocument>>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapPost(Root + "/agent/settings/versions/{version}/restore", RestoreAsync)
            .Describe("RestoreAgentSettings", Tag, "Put earlier settings in force again", "For operators: the settings of that version become a new one. Needs If-Match.")
            .Produces<WantedDocument>()
            .Problem(401).Problem(403).Problem(404).Problem(412).Problem(428);

        api.MapPost(Root + "/agent/commands/{name}", CommandAsync)
            .Describe(
                "CommandAgent", Tag, "Command a station",
                "For operators: read-now, identify, diagnostics, restart or rotate-credentials, with the arguments of the contract as a JSON object. Answers 200 with what became of it, or 202 with its address when the wait has ended first.", Wait)
            .WithMetadata(new OptionalBody("Arguments of the command, as FORMAT.md of the wire contract has them; none when absent."))
            .Produces<CommandDocument>()
            .Produces<CommandDocument>(202)
            .Problem(400).Problem(401).Problem(403).Problem(404).Problem(409).Problem(429).Problem(504);

        api.MapGet(Root + "/agent/commands/{id}", FindCommandAsync)
            .Describe("GetAgentCommand", Tag, "A command and what became of it", "For operators. The last 20 of a station are kept.")
            .Produces<CommandDocument>()
            .Problem(401).Problem(403).Problem(404);

        api.MapPost(Root + "/claim-code", IssueAsync)
            .Describe("IssueClaimCode", Tag, "Make a claim code", "For operators: with it one new agent becomes this station, once. It is shown now and never again; one made before ends.")
            .WithMetadata(new OptionalBody("`profile`: station profile that the installer should use; none when absent."))
            .Produces<ClaimCodeDocument>(201)
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapDelete(Root + "/claim-code", RevokeAsync)
            .Describe("RevokeClaimCode", Tag, "End a claim code", "For operators: a code not used yet is good no more. Nothing happens when there is none.")
            .Produces(204)
            .Problem(401).Problem(403).Problem(404);
    }

    /// <summary>The station, if the caller may work with it; what they may not see does not exist for them.</summary>
    private static Station Find(HttpContext context, string municipality, string station, IStations stations)
    {
        if (!stations.TryGet(municipality, station, out var found) || !context.User.CanSee(found))
        {
            throw new ProblemException(Problems.UnknownStation, $"There is no station \"{Query.Short(station)}\" in \"{Query.Short(municipality)}\" that you may see.", "station");
        }

        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, "The agents are for operators: sign in first.");
        }

        return context.User.Holds(Role.Operator, found.Municipality)
            ? found
            : throw new ProblemException(Problems.NotAllowed, $"Only operators of {found.Municipality} may work with its agents.");
    }

    private static string By(HttpContext context) => context.User.Identity?.Name is { Length: > 0 } name ? name : "api";

    private static async Task<IResult> AgentAsync(HttpContext context, string municipality, string station, IStations stations, IFleet fleet)
    {
        var found = Find(context, municipality, station, stations);
        var view = fleet.AgentOf(found.Id);
        var wanted = await fleet.WantedAsync(found.Id, context.RequestAborted);
        var claim = await fleet.ClaimOfAsync(found.Id, context.RequestAborted);
        var commands = await fleet.CommandsAsync(found.Id, 20, context.RequestAborted);
        return Results.Json(
            new AgentDocument(
                Words.Of(view.Presence), view.StatusAt, view.Status?.Reason, view.Status?.Agent, view.Status?.Started,
                [.. view.Sensors.Select(s => new AgentSensorDocument(s.Name, s.Kind, s.Condition, s.Quantities))],
                wanted?.Version ?? 0,
                view.Reported is { } r ? new ReportedDocument(r.Version, Words.Of(r.Outcome), r.InForce, r.At, view.ReportedAt, r.Problems ?? [], r.Agent) : null,
                [.. commands.Select(c => Document(c) with { Result = null })],
                claim is null ? null : new ClaimStateDocument(claim.Profile, claim.IssuedBy, claim.IssuedAt, claim.ExpiresAt, claim.UsedAt, claim.UsedBy)),
            ApiGate.Json);
    }

    private static async Task<IResult> SettingsAsync(HttpContext context, string municipality, string station, IStations stations, IFleet fleet)
    {
        var found = Find(context, municipality, station, stations);
        return Answer(context, await fleet.WantedAsync(found.Id, context.RequestAborted));
    }

    private static async Task<IResult> PutSettingsAsync(HttpContext context, string municipality, string station, IStations stations, IFleet fleet)
    {
        var found = Find(context, municipality, station, stations);
        var expected = Expected(context);
        var body = await BodyAsync(context, 2 * DesiredState.BytesMax)
            ?? throw new ProblemException(Problems.BadBody, "Expected: {\"settings\": {...}}, with \"trial\" (PT5M) if you like.");
        JsonElement? settings = null;
        TimeSpan? trial = null;
        foreach (var member in body.EnumerateObject())
        {
            switch (member.Name)
            {
                case "settings" when member.Value.ValueKind != JsonValueKind.Null:
                    settings = member.Value;
                    break;
                case "settings" or "trial" when member.Value.ValueKind == JsonValueKind.Null:
                    break;
                case "trial" when member.Value.ValueKind == JsonValueKind.String && Words.TryDuration(member.Value.GetString()!, out var span):
                    trial = span;
                    break;
                default:
                    throw new ProblemException(Problems.BadBody, $"\"{Query.Short(member.Name)}\" cannot be read; expected: settings (an object or null) and trial (30s to 1d, as PT5M).");
            }
        }

        return await GuardAsync(context, async () => await fleet.WantSettingsAsync(found, settings, trial, expected, By(context), context.RequestAborted));
    }

    private static async Task<IResult> DeleteSettingsAsync(HttpContext context, string municipality, string station, IStations stations, IFleet fleet)
    {
        var found = Find(context, municipality, station, stations);
        var expected = Expected(context);
        return await GuardAsync(context, async () => await fleet.WantSettingsAsync(found, null, null, expected, By(context), context.RequestAborted));
    }

    private static async Task<IResult> VersionsAsync(HttpContext context, string municipality, string station, IStations stations, IFleet fleet)
    {
        var found = Find(context, municipality, station, stations);
        var versions = await fleet.HistoryAsync(found.Id, new Query(context).Limit(1_000, 100), context.RequestAborted);
        return PlaceEndpoints.Page(versions.Select(Document));
    }

    private static async Task<IResult> RestoreAsync(HttpContext context, string municipality, string station, string version, IStations stations, IFleet fleet)
    {
        var found = Find(context, municipality, station, stations);
        var expected = Expected(context);
        if (!long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw new ProblemException(Problems.UnknownVersion, $"There is no version \"{Query.Short(version)}\".", "version");
        }

        return await GuardAsync(context, async () => await fleet.RestoreSettingsAsync(found, number, expected, By(context), context.RequestAborted));
    }

    private static async Task<IResult> CommandAsync(HttpContext context, string municipality, string station, string name, IStations stations, IFleet fleet)
    {
        var found = Find(context, municipality, station, stations);
        var wait = new Query(context).Number("wait", 0, WaitMax) ?? 20;
        var arguments = await BodyAsync(context, 32 * 1024);
        AgentCommand command;
        try
        {
            command = await fleet.CommandAsync(found, name, arguments, TimeSpan.FromSeconds(wait), By(context), context.RequestAborted);
        }
        catch (ArgumentException wrong)
        {
            throw wrong.ParamName == "name" ? new ProblemException(Problems.UnknownCommand, wrong.Message, "name") : new ProblemException(Problems.BadBody, wrong.Message);
        }
        catch (StationAwayException away)
        {
            throw new ProblemException(Problems.StationAway, away.Message);
        }
        catch (FleetBusyException busy)
        {
            throw new ProblemException(Problems.TooManyCommands, busy.Message);
        }

        if (command.Step == CommandStep.Expired)
        {
            throw new ProblemException(Problems.NoAnswer, command.Problem ?? "The station did not answer in time.");
        }

        if (!command.IsOver)
        {
            context.Response.Headers.Location = string.Create(CultureInfo.InvariantCulture, $"{ApiExtensions.Root}/stations/{found.Municipality}/{found.Slug}/agent/commands/{command.Id}");
            return Results.Json(Document(command), ApiGate.Json, statusCode: StatusCodes.Status202Accepted);
        }

        return Results.Json(Document(command), ApiGate.Json);
    }

    private static async Task<IResult> FindCommandAsync(HttpContext context, string municipality, string station, string id, IStations stations, IFleet fleet)
    {
        var found = Find(context, municipality, station, stations);
        return long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && await fleet.FindCommandAsync(found.Id, number, context.RequestAborted) is { } command
            ? Results.Json(Document(command), ApiGate.Json)
            : throw new ProblemException(Problems.UnknownCommand, $"There is no command \"{Query.Short(id)}\" of this station (any more).", "id");
    }

    private static async Task<IResult> IssueAsync(HttpContext context, string municipality, string station, IStations stations, IFleet fleet)
    {
        var found = Find(context, municipality, station, stations);
        string? profile = null;
        foreach (var member in (await BodyAsync(context, 1_024))?.EnumerateObject() ?? default)
        {
            profile = member.Name == "profile" && member.Value.ValueKind is JsonValueKind.String or JsonValueKind.Null
                ? member.Value.GetString()
                : throw new ProblemException(Problems.BadBody, "Expected: nothing, or {\"profile\": \"air-basic\"}.");
        }

        try
        {
            var issued = await fleet.IssueClaimAsync(found, profile, By(context), context.RequestAborted);
            context.Response.Headers.CacheControl = "no-store";
            return Results.Json(new ClaimCodeDocument(issued.Code, issued.Profile, issued.ExpiresAt), ApiGate.Json, statusCode: StatusCodes.Status201Created);
        }
        catch (ArgumentException wrong)
        {
            throw new ProblemException(Problems.BadBody, wrong.Message);
        }
    }

    private static async Task<IResult> RevokeAsync(HttpContext context, string municipality, string station, IStations stations, IFleet fleet)
    {
        await fleet.RevokeClaimAsync(Find(context, municipality, station, stations), By(context), context.RequestAborted);
        return Results.NoContent();
    }

    /// <summary>What the caller has seen: the version, or null for whatever is there.</summary>
    private static long? Expected(HttpContext context)
    {
        var match = context.Request.Headers.IfMatch.ToString();
        if (match == "*")
        {
            return null;
        }

        return match.Length > 2 && match[0] == '"' && match[^1] == '"' && long.TryParse(match.AsSpan(1, match.Length - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw new ProblemException(Problems.PreconditionNeeded, "Send If-Match with the ETag of GET (\"0\" where nothing is wanted yet), so that nobody's change is lost; or * to put it through.");
    }

    private static async Task<IResult> GuardAsync(HttpContext context, Func<Task<Wanted>> change)
    {
        try
        {
            return Answer(context, await change());
        }
        catch (SettingsRefusedException refused)
        {
            throw new ProblemException(Problems.SettingsRefused, refused.Message, "settings");
        }
        catch (WantedChangedException changed)
        {
            throw new ProblemException(Problems.ChangedMeanwhile, string.Create(CultureInfo.InvariantCulture, $"Version {changed.Version} is wanted now. Read it, and decide again."));
        }
        catch (KeyNotFoundException unknown)
        {
            throw new ProblemException(Problems.UnknownVersion, unknown.Message, "version");
        }
    }

    private static IResult Answer(HttpContext context, Wanted? wanted)
    {
        context.Response.Headers.ETag = string.Create(CultureInfo.InvariantCulture, $"\"{wanted?.Version ?? 0}\"");
        return Results.Json(wanted is null ? WantedDocument.Nothing : Document(wanted), ApiGate.Json);
    }

    /// <summary>The body as an object; null when there is none.</summary>
    internal static async Task<JsonElement?> BodyAsync(HttpContext context, int bytesMax)
    {
        var buffer = new byte[bytesMax + 1];
        var length = 0;
        int read;
        while (length < buffer.Length && (read = await context.Request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted)) > 0)
        {
            length += read;
        }

        if (length == 0)
        {
            return null;
        }

        if (length > bytesMax)
        {
            throw new ProblemException(Problems.BadBody, string.Create(CultureInfo.InvariantCulture, $"The body has more than {bytesMax} bytes."));
        }

        try
        {
            var body = JsonElement.Parse(buffer.AsSpan(0, length), new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 32 });
            return body.ValueKind == JsonValueKind.Object ? body : throw new ProblemException(Problems.BadBody, "The body must be a JSON object.");
        }
        catch (JsonException exception)
        {
            throw new ProblemException(Problems.BadBody, $"The body is not JSON: {exception.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static WantedDocument Document(Wanted w) => new(
        w.Version, w.Settings, w.Rules, w.Agent, w.Trial is { } trial ? Words.Of(trial) : null, w.ChangedBy, w.ChangedAt, Words.Of(w.Change), w.UndoneTo);

    private static CommandDocument Document(AgentCommand c) => new(c.Id, c.Name, c.AskedBy, c.AskedAt, c.ExpiresAt, Words.Of(c.Step), c.AnsweredAt, c.Problem, c.Result);
}
