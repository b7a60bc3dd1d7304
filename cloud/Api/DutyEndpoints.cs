using System.ComponentModel;
using System.Text.RegularExpressions;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

[Description("Somebody on duty.")]
internal sealed record DutyPersonDocument(
    [property: Description("A subscriber of the municipality, by mail, webhook, sms or telegram; GET /api/v1/subscribers lists them.")] int Subscriber,
    [property: Description("When they are on duty, by the municipality's clock, as a rule's schedule is written: `mo-fr 08:00-18:30; no holidays`. Empty or left out: always.")] string? Schedule);

[Description("One step of a roster.")]
internal sealed record DutyStepDocument(
    [property: Description("How long after the alarm was told first it is this step's turn while nobody has acknowledged it, minutes: 0 for the first step, then more for each, at most 1440.")] int AfterMinutes,
    [property: Description("Who is told: 1 to 50.")] IReadOnlyList<DutyPersonDocument> OnDuty);

[Description("Who is told of serious alarms, and who next while nobody acknowledges them.")]
internal sealed record DutyDocument(
    [property: Description("Alarms at least this serious go by the roster: information, warning or alert.")] string SeverityMin,
    [property: Description("1 to 10 steps, in order.")] IReadOnlyList<DutyStepDocument> Steps,
    [property: Description(
        "How often all steps are gone through again while nobody acknowledges and the alarm lasts: 0 to 10; 0 when absent. A repetition begins as long after the last step as that step comes after the one before it; 15 minutes with a single step.")]
    int RepeatCount = 0);

/// <summary>The duty roster of a municipality, for its operators.</summary>
internal static partial class DutyEndpoints
{
    private const string Tag = "Notifications";
    private const int BodyBytesMax = 64 * 1024;

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/duty/{municipality}", GetAsync)
            .Describe("GetDuty", Tag, "Duty roster", "For operators: who is told of serious alarms, and who next while nobody acknowledges them. 404 when there is none: then all subscribers are told at once.")
            .Produces<DutyDocument>()
            .Problem(401).Problem(403).Problem(404);

        api.MapPut("/duty/{municipality}", PutAsync)
            .Describe(
                "PutDuty", Tag, "Make or replace the duty roster",
                "For operators. The first step is told when an alarm starts, each next one when nobody has acknowledged it by then. A step with nobody on duty is passed over at once. Alarms under way go on by the new roster.")
            .Accepts<DutyDocument>("application/json")
            .Produces<DutyDocument>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapDelete("/duty/{municipality}", DeleteAsync)
            .Describe("DeleteDuty", Tag, "Remove the duty roster", "For operators. Its people are told as all subscribers are. Nothing happens when there is none.")
            .Produces(204)
            .Problem(401).Problem(403).Problem(404);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string municipality, IDuty duty, IMunicipalities municipalities)
    {
        RuleEndpoints.Allow(context, municipality, municipalities);
        return await duty.FindAsync(municipality, context.RequestAborted) is { } roster
            ? Results.Json(Document(roster), ApiGate.Json)
            : throw new ProblemException(Problems.NoDuty, $"{municipality} has no duty roster.", "municipality");
    }

    private static async Task<IResult> PutAsync(HttpContext context, string municipality, IDuty duty, IMunicipalities municipalities, IAudit audit)
    {
        RuleEndpoints.Allow(context, municipality, municipalities);
        var request = await RequestBody.ReadAsync<DutyDocument>(
            context, RequestBody.StrictPartial, BodyBytesMax, "Expected a JSON object with severityMin, steps and perhaps repeatCount; each step with afterMinutes and onDuty, a list of objects with subscriber and schedule.");
        if (!Words.TryRead<Severity>(request.SeverityMin ?? "", out var severity))
        {
            throw new ProblemException(Problems.BadBody, $"severityMin is \"{Query.Short(request.SeverityMin ?? "")}\"; expected is one of {Words.All<Severity>()}.", "severityMin");
        }

        try
        {
            var saved = await duty.SaveAsync(
                new DutyRoster(
                    municipality, severity,
                    [.. (request.Steps ?? []).Select(step => new DutyStep(
                        TimeSpan.FromMinutes(step?.AfterMinutes ?? -1), [.. (step?.OnDuty ?? []).Select(one => new DutyEntry(one?.Subscriber ?? 0, one?.Schedule ?? ""))]))])
                {
                    RepeatCount = request.RepeatCount,
                },
                context.RequestAborted);
            await audit.NoteAsync(context, municipality, "duty-saved", municipality, DutyRecord.Of(saved));
            return Results.Json(Document(saved), ApiGate.Json);
        }
        catch (ArgumentException e)
        {
            // Named as the document names them.
            var said = Names().Replace(e.Message.Split(" (Parameter ")[0], match => Member(match.Value));
            throw new ProblemException(Problems.BadBody, said, Names().Replace(e.ParamName ?? "", match => Member(match.Value)));
        }
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string municipality, IDuty duty, IMunicipalities municipalities, IAudit audit)
    {
        RuleEndpoints.Allow(context, municipality, municipalities);
        await duty.RemoveAsync(municipality, context.RequestAborted);
        await audit.NoteAsync(context, municipality, "duty-removed", municipality, new { });
        return Results.NoContent();
    }

    private static string Member(string name) => name switch
    {
        nameof(DutyRoster.Steps) => "steps",
        nameof(DutyRoster.SeverityMin) => "severityMin",
        nameof(DutyRoster.RepeatCount) => "repeatCount",
        nameof(DutyStep.After) => "afterMinutes",
        nameof(DutyStep.Entries) => "onDuty",
        nameof(DutyEntry.Subscriber) => "subscriber",
        _ => "schedule",
    };

    private static DutyDocument Document(DutyRoster roster) => new(
        Words.Of(roster.SeverityMin),
        [.. roster.Steps.Select(step => new DutyStepDocument((int)step.After.TotalMinutes, [.. step.Entries.Select(entry => new DutyPersonDocument(entry.Subscriber, entry.Schedule))]))],
        roster.RepeatCount);

    [GeneratedRegex(@"\b(Steps|SeverityMin|RepeatCount|After|Entries|Subscriber|Schedule)\b", RegexOptions.None, 1000)]
    private static partial Regex Names();
}
