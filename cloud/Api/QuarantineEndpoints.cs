using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Hub.Cloud.Audit;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Edge.Contract.Encoding;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

/// <summary>Everything refused, for the operators of its municipality: look, release, discard.</summary>
internal static class QuarantineEndpoints
{
    private const string Tag = "Quarantine";

    private static readonly QueryParameter Municipality = new("municipality", "Of this municipality. Needed unless the caller is operator of the whole hub.", Example: "braga");
    private static readonly QueryParameter Station = new("station", "Only of this station; needs `municipality`.", Example: "centro");
    private static readonly QueryParameter Reason = new("reason", $"Only refused for this reason: {Words.All<RefusalReason>()}.", Example: "unit");
    private static readonly QueryParameter Before = new("before", "Only identifiers below this one: filled in by `next`.", "integer");
    private static readonly QueryParameter Limit = new(QueryParameter.Limit, "Most records of one answer, 1 to 1000; 100 when absent.", "integer");

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/quarantine", ListAsync)
            .Describe("ListQuarantine", Tag, "Refused records", "For operators: what was refused and why, newest first.", Municipality, Station, Reason, Before, Limit)
            .Produces<PageDocument<QuarantinedDocument>>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapGet("/quarantine/{id}", async (HttpContext context, string id, IQuarantine quarantine) =>
                Results.Json(Document(await FindAsync(context, id, quarantine)), ApiGate.Json))
            .Describe("GetQuarantined", Tag, "One refused record", "For operators.")
            .Produces<QuarantinedDocument>()
            .Problem(401).Problem(404);

        api.MapPost("/quarantine/{id}/release", ReleaseAsync)
            .Describe("ReleaseQuarantined", Tag, "Release a refused record", "For operators, once the cause has been fixed: sends the record through ingest again. The receipt says what became of it; what is refused again stays in quarantine.")
            .Produces<ReceiptDocument>()
            .Problem(401).Problem(404).Problem(503);

        api.MapDelete("/quarantine/{id}", DiscardAsync)
            .Describe("DiscardQuarantined", Tag, "Discard a refused record", "For operators: removes it for good.")
            .Produces(204)
            .Problem(401).Problem(404);
    }

    private static async Task<IResult> ListAsync(HttpContext context, IQuarantine quarantine, IMunicipalities municipalities)
    {
        DemandSignedIn(context);
        var query = new Query(context);
        var municipality = query.Municipality(municipalities)?.Slug;
        if (!context.User.Holds(Role.Operator, municipality))
        {
            throw municipality is null
                ? new ProblemException(Problems.BadParameter, "municipality is needed: only an operator of the whole hub may see all.", "municipality")
                : new ProblemException(Problems.NotAllowed, $"Only operators of {municipality} may see its quarantine.");
        }

        var station = query.Text("station");
        if (station is not null && municipality is null)
        {
            throw new ProblemException(Problems.BadParameter, "station needs municipality: a station's name is only known within it.", "municipality");
        }

        var limit = query.Limit(1_000, 100);
        var found = await quarantine.ListAsync(
            municipality, station, query.Word<RefusalReason>("reason"), query.Number("before", 1, long.MaxValue), limit, context.RequestAborted);
        var next = found.Count == limit ? query.Address(("before", found[^1].Id.ToString(CultureInfo.InvariantCulture))) : null;
        return PlaceEndpoints.Page(found.Select(Document), next);
    }

    private static async Task<IResult> ReleaseAsync(HttpContext context, string id, IQuarantine quarantine, IAudit audit)
    {
        var record = await FindAsync(context, id, quarantine);
        await NoteAsync(context, audit, "quarantine-released", record);
        var receipt = await quarantine.ReleaseAsync(record.Id, context.RequestAborted);
        return Results.Json(
            new ReceiptDocument(receipt.Received, receipt.Stored, receipt.Corrected, receipt.Duplicate, receipt.Quarantined, [.. receipt.Refusals.Select(r => $"{Words.Of(r.Reason)}: {r.Detail}")]),
            ApiGate.Json);
    }

    private static async Task<IResult> DiscardAsync(HttpContext context, string id, IQuarantine quarantine, IAudit audit)
    {
        var record = await FindAsync(context, id, quarantine);
        await NoteAsync(context, audit, "quarantine-discarded", record);
        return await quarantine.DiscardAsync(record.Id, context.RequestAborted) ? Results.NoContent() : throw Unknown(id);
    }

    private static Task NoteAsync(HttpContext context, IAudit audit, string action, QuarantinedRecord record) => audit.NoteAsync(
        context, record.Municipality, action, string.Create(CultureInfo.InvariantCulture, $"quarantined {record.Id}"), new { record.Station, Reason = Words.Of(record.Refusal.Reason) });

    /// <summary>The record, if the caller is an operator of its municipality; otherwise it does not exist for them.</summary>
    private static async Task<QuarantinedRecord> FindAsync(HttpContext context, string id, IQuarantine quarantine)
    {
        DemandSignedIn(context);
        return long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && await quarantine.FindAsync(number, context.RequestAborted) is { } record
            && context.User.Holds(Role.Operator, record.Municipality)
                ? record
                : throw Unknown(id);
    }

    private static ProblemException Unknown(string id) =>
        new(Problems.UnknownQuarantined, $"There is no quarantined record \"{Query.Short(id)}\" that you may see.", "id");

    private static void DemandSignedIn(HttpContext context)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, "The quarantine is for operators: sign in first.");
        }
    }

    private static QuarantinedDocument Document(QuarantinedRecord r)
    {
        var text = Utf8.IsValid(r.Payload);
        return new QuarantinedDocument(
            r.Id, r.Municipality, r.Station, r.ReceivedAt, r.Transport, r.Format?.ToString().ToLowerInvariant(), Words.Of(r.Refusal.Reason), r.Refusal.Detail, r.Refusal.RecordIndex,
            r.PayloadLength, text ? Encoding.UTF8.GetString(r.Payload) : null, text ? null : Convert.ToBase64String(r.Payload));
    }
}
