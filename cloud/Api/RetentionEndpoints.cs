using System.Globalization;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Retention;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

/// <summary>How long observations are kept: for administrators of the municipality.</summary>
internal static class RetentionEndpoints
{
    private const string Tag = "Retention";
    private const int BodyBytesMax = 64 * 1024;
    private const int RunsShown = 100;

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/retention/{municipality}", GetAsync)
            .Describe("GetRetention", Tag, "Retention of a municipality", "For administrators: policies, holds, and what was deleted. Without a policy everything is kept for ever.")
            .Produces<RetentionDocument>()
            .Problem(401).Problem(403).Problem(404);

        api.MapPut("/retention/{municipality}/policies", PutPoliciesAsync)
            .Describe(
                "PutRetentionPolicies", Tag, "Say how long what is kept",
                "For administrators. Replaces all policies of the municipality; the next run, every night, deletes by them. Try them first with the forecast: what is deleted cannot be had back, except from a backup.")
            .Accepts<RetentionPoliciesRequest>("application/json")
            .Produces<RetentionDocument>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapPost("/retention/{municipality}/forecast", ForecastAsync)
            .Describe("ForecastRetention", Tag, "What would be deleted", "For administrators: a dry run with the policies in the body, or with those in force. Counts every observation concerned; deletes nothing.")
            .Accepts<RetentionForecastRequest>("application/json")
            .Produces<PageDocument<RetentionForecastDocument>>()
            .Problem(400).Problem(401).Problem(403).Problem(404).Problem(503);

        api.MapPost("/retention/{municipality}/runs", RunAsync)
            .Describe("RunRetention", Tag, "Delete now", "For administrators: deletes at once what the next nightly run would, and gives the space back. The answer says what went.")
            .Produces<PageDocument<RetentionRunDocument>>()
            .Problem(401).Problem(403).Problem(404).Problem(503);

        api.MapPost("/retention/{municipality}/holds", HoldAsync)
            .Describe("HoldRetention", Tag, "Set a legal hold", "For administrators: what it covers is not deleted, whatever the policies say, until it is released.")
            .Accepts<RetentionHoldRequest>("application/json")
            .Produces<RetentionHoldDocument>(201)
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapDelete("/retention/{municipality}/holds/{hold}", ReleaseAsync)
            .Describe("ReleaseRetentionHold", Tag, "Release a legal hold", "For administrators: what it covered goes with the next run. The hold stays on record.")
            .Produces(204)
            .Problem(401).Problem(403).Problem(404);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string municipality, IRetention retention, IMunicipalities municipalities)
    {
        Allow(context, municipality, municipalities);
        return Results.Json(await DocumentAsync(municipality, retention, context.RequestAborted), ApiGate.Json);
    }

    private static async Task<IResult> PutPoliciesAsync(HttpContext context, string municipality, IRetention retention, IMunicipalities municipalities, IAudit audit)
    {
        Allow(context, municipality, municipalities);
        const string Expected = "Expected is a JSON object with policies: a list of objects with property, days and, as wanted, rollupDays.";
        var request = await RequestBody.ReadAsync<RetentionPoliciesRequest>(context, RequestBody.StrictPartial, BodyBytesMax, Expected);
        await MunicipalityRequest.CheckedAsync(async () =>
        {
            await retention.SavePoliciesAsync(municipality, Policies(request.Policies ?? throw new ProblemException(Problems.BadBody, Expected)), MunicipalityRequest.Person(context), context.RequestAborted);
            return true;
        });
        await audit.NoteAsync(context, municipality, "retention-policies-saved", municipality, request);
        return Results.Json(await DocumentAsync(municipality, retention, context.RequestAborted), ApiGate.Json);
    }

    private static async Task<IResult> ForecastAsync(HttpContext context, string municipality, IRetention retention, IMunicipalities municipalities)
    {
        Allow(context, municipality, municipalities);
        var request = await RequestBody.ReadAsync<RetentionForecastRequest>(context, RequestBody.StrictPartial, BodyBytesMax, "Expected is a JSON object, empty or with policies to try.");
        var forecasts = await MunicipalityRequest.CheckedAsync(async () => await retention.ForecastAsync(municipality, request.Policies is { } policies ? Policies(policies) : null, context.RequestAborted));
        return PlaceEndpoints.Page(forecasts.Select(f => new RetentionForecastDocument(f.Property, f.Before, f.Datastreams, f.Observations, f.Condensed, f.RollupsBefore, f.RollupDays, f.Held)));
    }

    private static async Task<IResult> RunAsync(HttpContext context, string municipality, IRetention retention, IMunicipalities municipalities, IAudit audit)
    {
        Allow(context, municipality, municipalities);

        await audit.NoteAsync(context, municipality, "retention-run", municipality, new { });

        // Goes on when the caller leaves: half of a deletion is worse than one nobody waited for.
        return PlaceEndpoints.Page((await retention.RunAsync(municipality, MunicipalityRequest.Person(context), CancellationToken.None)).Select(Document));
    }

    private static async Task<IResult> HoldAsync(HttpContext context, string municipality, IRetention retention, IMunicipalities municipalities, IStations stations, IAudit audit)
    {
        Allow(context, municipality, municipalities);
        var request = await RequestBody.ReadAsync<RetentionHoldRequest>(context, RequestBody.StrictPartial, BodyBytesMax, "Expected is a JSON object with reason, and as wanted station, property, from, to.");
        if (request.Station is { } station && !stations.TryGet(municipality, station, out _))
        {
            throw new ProblemException(Problems.UnknownStation, $"There is no station \"{Query.Short(station)}\" in \"{Query.Short(municipality)}\".", "station");
        }

        var hold = await MunicipalityRequest.CheckedAsync(async () => await retention.HoldAsync(
            new RetentionHold(0, municipality, request.Station, request.Property, request.From?.UtcDateTime, request.To?.UtcDateTime, request.Reason ?? ""), MunicipalityRequest.Person(context), context.RequestAborted));
        await audit.NoteAsync(context, municipality, "retention-hold-set", string.Create(CultureInfo.InvariantCulture, $"hold {hold.Id}"), Document(hold));
        return Results.Json(Document(hold), ApiGate.Json, statusCode: 201);
    }

    private static async Task<IResult> ReleaseAsync(HttpContext context, string municipality, string hold, IRetention retention, IMunicipalities municipalities, IAudit audit)
    {
        Allow(context, municipality, municipalities);
        if (!long.TryParse(hold, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || !await retention.ReleaseAsync(municipality, number, MunicipalityRequest.Person(context), context.RequestAborted))
        {
            throw new ProblemException(Problems.UnknownHold, $"There is no hold {Query.Short(hold)} in force in \"{Query.Short(municipality)}\".", "hold");
        }

        await audit.NoteAsync(context, municipality, "retention-hold-released", $"hold {hold}", new { });
        return Results.NoContent();
    }

    private static List<RetentionPolicy> Policies(IReadOnlyList<RetentionPolicyDocument> policies) => [.. policies.Select(policy => new RetentionPolicy(policy.Property, policy.Days) { RollupDays = policy.RollupDays })];

    private static async Task<RetentionDocument> DocumentAsync(string municipality, IRetention retention, CancellationToken stop) => new(
        municipality,
        [.. (await retention.PoliciesAsync(municipality, stop)).Select(policy => new RetentionPolicyDocument(policy.Property, policy.Days, policy.RollupDays))],
        [.. (await retention.HoldsAsync(municipality, released: true, stop)).Select(Document)],
        [.. (await retention.RunsAsync(municipality, RunsShown, stop)).Select(Document)]);

    private static RetentionHoldDocument Document(RetentionHold h) =>
        new(h.Id, h.Municipality, h.Station, h.Property, h.From, h.To, h.Reason, h.SetBy, h.SetAt, h.ReleasedBy, h.ReleasedAt);

    private static RetentionRunDocument Document(RetentionRun r) => new(r.Id, r.Property, r.Before, r.Datastreams, r.Observations, r.Condensed, r.RollupDays, r.Findings, r.At, r.By);

    private static void Allow(HttpContext context, string municipality, IMunicipalities municipalities) => MunicipalityRequest.Allow(
        context, municipality, municipalities, Role.Administrator, "Retention is for administrators", $"Only administrators of {municipality} may say how long its observations are kept.");
}
