using System.Globalization;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.QualityControl;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

/// <summary>What is checked, what the checks would find, and what they have found.</summary>
internal static class QualityEndpoints
{
    private const string Tag = "Quality control";
    private const int BodyBytesMax = 64 * 1024;

    private static readonly string[] Places = ["municipality", "station", "property"];

    private static readonly QueryParameter From = new("from", "For observations from this phenomenon time on: ISO 8601 with Z or an offset. For all time when absent.", Format: "date-time", Example: "2026-03-01T00:00:00Z");

    private static readonly QueryParameter DatastreamOnly = new("datastream", "Only of this datastream; without `municipality`, `station` and `property`.", "integer", Example: "12");

    private static readonly QueryParameter CheckOnly = new("check", $"Only of this check: {Words.All<QualityCheck>()}.", Example: "spike");

    private static readonly QueryParameter After = new("after", "Only findings with a larger number: filled in by `next`.", "integer");

    private static readonly QueryParameter Page = new(QueryParameter.Limit, "Most findings of one answer, 1 to 10000; 1000 when absent.", "integer", Example: "1000");

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/quality/checks/{municipality}", Get)
            .Describe("GetQualityChecks", Tag, "What is checked in a municipality", "For people of the municipality: the checks in force by property, and everything ever declared. Checks flag observations and never delete or change them.")
            .Produces<QualityChecksDocument>()
            .Problem(401).Problem(403).Problem(404);

        api.MapPut("/quality/checks/{municipality}/{property}", PutAsync)
            .Describe(
                "PutQualityChecks", Tag, "Declare the checks of a property",
                "For administrators. A new version, valid for observations from a date on; it replaces all checks of the property. What was observed since that date is judged anew in the background, and flags follow. Try it first.")
            .Accepts<QualityDeclarationRequest>("application/json")
            .Produces<QualityDeclarationDocument>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapDelete("/quality/checks/{municipality}/{property}", DeleteAsync)
            .Describe(
                "DeleteQualityChecks", Tag, "Go back to the hub's own checks", "For administrators. A new version that says so, valid for observations from a date on; earlier versions stay on record.", From)
            .Produces<QualityDeclarationDocument>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapPost("/quality/checks/{municipality}/{property}/trials", TryAsync)
            .Describe(
                "TryQualityChecks", Tag, "What checks would flag",
                "For administrators: a dry run over observations that are there, with the checks in the body or with those in force. Stores nothing. At most 5,000 days of datastreams.")
            .Accepts<QualityTrialRequest>("application/json")
            .Produces<PageDocument<QualityTrialDocument>>()
            .Problem(400).Problem(401).Problem(403).Problem(404).Problem(503);

        api.MapGet("/quality/findings", FindingsAsync)
            .Describe(
                "ListFindings", Tag, "What the checks have found",
                "Stretches of flagged observations that reach into from <= phenomenonTime < to, the last 24 hours when nothing is said, in order of number; each within one UTC day. A finding that has grown has a new number.",
                QueryParameter.Municipality, QueryParameter.Station, QueryParameter.Property, DatastreamOnly, CheckOnly, QueryParameter.From, QueryParameter.To, After, Page)
            .Produces<PageDocument<FindingDocument>>()
            .Problem(400).Problem(404);
    }

    private static IResult Get(HttpContext context, string municipality, IQualityControl quality, IMunicipalities municipalities, IStations stations, TimeProvider time)
    {
        Allow(context, municipality, municipalities, Role.Viewer);
        var now = time.GetUtcNow().UtcDateTime;
        var declarations = quality.Declarations(municipality);
        var properties = stations.All.Where(station => station.Municipality == municipality).SelectMany(station => stations.DatastreamsOf(station.Id)).Select(stream => stream.Quantity.Id)
            .Concat(declarations.Select(declaration => declaration.Property)).Distinct().Order(StringComparer.Ordinal);
        var inForce = properties.Select(property => (property, quality.InForce(municipality, property, now)))
            .Select(one => new QualityInForceDocument(one.property, one.Item2.Version, QualityParametersDocument.Of(one.Item2.Parameters)));
        return Results.Json(new QualityChecksDocument(municipality, [.. inForce], [.. declarations.Select(Document)]), ApiGate.Json);
    }

    private static async Task<IResult> PutAsync(HttpContext context, string municipality, string property, IQualityControl quality, IMunicipalities municipalities, IAudit audit)
    {
        Allow(context, municipality, municipalities, Role.Administrator);
        const string Expected = "Expected is a JSON object with parameters (range, step, flatLine, spike, humidity, drift; what is absent is off) and as wanted from.";
        var request = await RequestBody.ReadAsync<QualityDeclarationRequest>(context, RequestBody.Strict, BodyBytesMax, Expected);
        return await DeclareAsync(context, municipality, property, request.From?.UtcDateTime, request.Parameters, quality, audit);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string municipality, string property, IQualityControl quality, IMunicipalities municipalities, IAudit audit)
    {
        Allow(context, municipality, municipalities, Role.Administrator);
        return await DeclareAsync(context, municipality, property, new Query(context).Instant("from"), null, quality, audit);
    }

    private static async Task<IResult> DeclareAsync(
        HttpContext context, string municipality, string property, DateTime? from, QualityParametersDocument? parameters, IQualityControl quality, IAudit audit)
    {
        var declared = await MunicipalityRequest.CheckedAsync(async () => await quality.DeclareAsync(
            municipality, property, from is { } date ? new DateTime(date.Ticks - (date.Ticks % TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc) : null, parameters?.ToParameters(), MunicipalityRequest.Person(context), context.RequestAborted));
        await audit.NoteAsync(context, municipality, "quality-checks-declared", property, Document(declared));
        return Results.Json(Document(declared), ApiGate.Json);
    }

    private static async Task<IResult> TryAsync(HttpContext context, string municipality, string property, IQualityControl quality, IMunicipalities municipalities, IStations stations)
    {
        Allow(context, municipality, municipalities, Role.Administrator);
        const string Expected = "Expected is a JSON object with from and to, and as wanted station and parameters.";
        var request = await RequestBody.ReadAsync<QualityTrialRequest>(context, RequestBody.Strict, BodyBytesMax, Expected);
        var trials = await MunicipalityRequest.CheckedAsync(async () => await quality.TryAsync(municipality, property, request.Station, request.From.UtcDateTime, request.To.UtcDateTime, request.Parameters?.ToParameters(), context.RequestAborted));
        return PlaceEndpoints.Page(trials.Select(trial => new QualityTrialDocument(
            trial.Datastream,
            stations.TryGetDatastream(trial.Datastream, out var stream) ? stream.Station.Slug : "",
            stream?.Sensor ?? "",
            trial.Judged,
            trial.Flagged.OrderBy(entry => entry.Key).ToDictionary(entry => Words.Of(entry.Key), entry => entry.Value),
            [.. trial.Findings.Select(finding => Document(null, finding))])));
    }

    private static async Task<IResult> FindingsAsync(HttpContext context, IQualityControl quality, IStations stations, IMunicipalities municipalities, TimeProvider time)
    {
        var query = new Query(context);
        var (from, to) = query.Range(time.GetUtcNow().UtcDateTime, TimeSpan.FromDays(1));
        var limit = query.Limit(most: 10_000, usual: 1_000);
        List<int> datastreams;
        if (query.Text("datastream") is { } id)
        {
            if (Places.FirstOrDefault(name => query.Text(name) is not null) is { } other)
            {
                throw new ProblemException(Problems.BadParameter, $"datastream says it all: leave {other} out.", other);
            }

            datastreams = [PlaceEndpoints.Find(context, id, stations).Id];
        }
        else
        {
            datastreams = [.. query.Datastreams(stations, municipalities).Select(stream => stream.Id)];
        }

        // One more tells whether there is a next page.
        var found = await quality.FindingsAsync(new FindingsQuery(datastreams, from, to, query.Word<QualityCheck>("check"), query.Number("after", 0, long.MaxValue) ?? 0, Math.Min(limit + 1, 10_000)), context.RequestAborted);
        var page = found.Take(limit).ToList();
        var next = found.Count > limit || found.Count == 10_000
            ? query.Address(
                ("after", page[^1].Number.ToString(CultureInfo.InvariantCulture)), ("from", Words.Of(from)), ("to", Words.Of(to)))
            : null;
        return PlaceEndpoints.Page(page.Select(one => Document(one.Number, one.Finding)), next);
    }

    private static QualityDeclarationDocument Document(CheckDeclaration d) => new(
        d.Property, d.Version, d.From == DateTime.MinValue ? null : d.From, d.Parameters is { } parameters ? QualityParametersDocument.Of(parameters) : null, d.By, d.At);

    private static FindingDocument Document(long? number, Finding f) =>
        new(number, f.Datastream, f.From, f.To, Words.Of(f.Check), Words.Of(f.Flag)[0], f.Count, f.Value, f.Limit, f.Version);

    private static void Allow(HttpContext context, string municipality, IMunicipalities municipalities, Role role) => MunicipalityRequest.Allow(
        context, municipality, municipalities, role, "Checks are for people of the municipality",
        role == Role.Viewer ? $"Only people of {municipality} may see its checks." : $"Only administrators of {municipality} may declare and try its checks.");
}
