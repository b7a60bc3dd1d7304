using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

[Description("What a person did that changes figures, rules or what is kept.")]
internal sealed record AuditDocument(
    long Entry,
    DateTime At,
    string Municipality,
    [property: Description("A stable word, as calibration-corrected.")] string Action,
    string Subject,
    string By,
    [property: Description("The particulars.")] JsonElement Details);

/// <summary>Who changed what, for administrators of the municipality; and how endpoints put a change on record.</summary>
internal static class AuditEndpoints
{
    private static readonly QueryParameter Municipality = new("municipality", "Of this municipality; needed.", Example: "braga");
    private static readonly QueryParameter Action = new("action", "Only this action.", Example: "calibration-corrected");
    private static readonly QueryParameter Before = new("before", "Only numbers below this one: filled in by `next`.", "integer");
    private static readonly QueryParameter Limit = new(QueryParameter.Limit, "Most entries of one answer, 1 to 1000; 100 when absent.", "integer");

    public static void Map(RouteGroupBuilder api) =>
        api.MapGet("/audit", ListAsync)
            .Describe("ListAudit", "Audit", "Who changed what", "For administrators: what people did that changes figures, rules or what is kept, newest first.", Municipality, Action, Before, Limit)
            .Produces<PageDocument<AuditDocument>>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

    /// <summary>Puts on record what the caller of a request does.</summary>
    /// <param name="audit">The record.</param>
    /// <param name="context">The request.</param>
    /// <param name="municipality">Slug of the municipality it concerns.</param>
    /// <param name="action">A stable word; cloud/Audit/README.md lists them.</param>
    /// <param name="subject">What it is done to.</param>
    /// <param name="details">The particulars, without secrets.</param>
    public static async Task NoteAsync<T>(this IAudit audit, HttpContext context, string municipality, string action, string subject, T details) =>

        // The caller may leave; what is done is noted all the same.
        await audit.NoteAsync(
            new AuditNote(municipality, action, subject, context.User.Identity?.Name is { Length: > 0 and <= 200 } name ? name : "unnamed", JsonSerializer.Serialize(details, ApiGate.Json)), CancellationToken.None);

    private static async Task<IResult> ListAsync(HttpContext context, IAudit audit, IMunicipalities municipalities)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, "The audit is for administrators: sign in first.");
        }

        var query = new Query(context);
        var municipality = query.Municipality(municipalities)?.Slug ?? throw new ProblemException(Problems.BadParameter, "municipality is needed.", "municipality");
        if (!context.User.Holds(Role.Administrator, municipality))
        {
            throw new ProblemException(Problems.NotAllowed, $"Only administrators of {municipality} may see its audit.");
        }

        var limit = query.Limit(1_000, 100);
        var found = await audit.ListAsync(municipality, query.Text("action"), query.Number("before", 1, long.MaxValue), limit, context.RequestAborted);
        var next = found.Count == limit ? query.Address(("before", found[^1].Id.ToString(CultureInfo.InvariantCulture))) : null;
        return PlaceEndpoints.Page(
            found.Select(entry => new AuditDocument(entry.Id, entry.At, entry.Note.Municipality, entry.Note.Action, entry.Note.Subject, entry.Note.By, JsonElement.Parse(entry.Note.Details))), next);
    }
}
