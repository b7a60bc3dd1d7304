using System.ComponentModel;
using System.Globalization;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

[Description("Who is told of a municipality's alarms, as an operator entered it. People who signed up themselves are in no list.")]
internal sealed record SubscriberDocument(
    int Subscriber,
    string Municipality,
    [property: Description("mail, webhook, mqtt, off, sms or telegram.")] string Channel,
    [property: Description("Mail address, webhook address, telephone number in E.164 form, or Telegram chat; empty for mqtt and off, and for a role.")] string Target,
    [property: Description("viewer, operator or administrator: mails go to whoever holds the role in the municipality, or one with more rights, to the user names that are mail addresses. Null: to the target.")] string? Role,
    [property: Description("Of a role, how many people it reaches now; null otherwise.")] int? Reached,
    [property: Description("Of a role, the user names of those who hold it and cannot be reached, for they are no mail addresses; null otherwise.")] IReadOnlyList<string>? Unreachable,
    [property: Description("pt or en.")] string Language,
    [property: Description("Only alarms of this rule; null for all.")] string? Rule,
    [property: Description("Only alarms at least this serious.")] string SeverityMin,
    [property: Description("Whether messages beyond the hour's limit, and all about the past, are gathered into one mail, by default every full hour.")] bool Digest,
    [property: Description("Why nothing is sent to it any more; null: it is told. Saving it switches it on again.")] string? DisabledBecause,
    [property: Description("Signing secret of a webhook: in the answer that makes or changes it, and nowhere else.")] string? Secret,
    [property: Description("Until when messages are signed with the secret before as well, UTC; null when there is none.")] DateTime? SecretPreviousUntil);

[Description("What a subscriber is to be. Left out: Portuguese, all rules, every severity, no digest.")]
internal sealed record SubscriberRequest(
    [property: Description("mail, webhook, mqtt, off, sms or telegram.")] string Channel,
    [property: Description("To whom; left out for mqtt and off, and for a role.")] string? Target,
    [property: Description("viewer, operator or administrator: mails to whoever holds the role in the municipality; the channel is mail then.")] string? Role,
    string? Language,
    string? Rule,
    string? SeverityMin,
    bool? Digest,
    [property: Description("Signing secret of a webhook, whsec_ and base64 of 24 to 64 bytes; left out, one is made, or the one before kept.")] string? Secret);

[Description("How a webhook's secret is changed.")]
internal sealed record SecretRequest([property: Description("How long messages are signed with the old one as well, seconds; 0 when others know it; left out: the hub's setting, a day.")] int? OverlapSeconds);

/// <summary>Subscribers that operators enter: look, make, change, remove, and change a webhook's secret.</summary>
internal static class SubscriberEndpoints
{
    private const string Tag = "Notifications";
    private const int BodyBytesMax = 8 * 1024;
    private const string Expected = "Expected a JSON object with channel, and target, role, language, rule, severityMin, digest and secret as needed; channel, role and severityMin are words, digest true or false.";

    private static readonly QueryParameter Municipality = new("municipality", "Of this municipality; needed.", Example: "braga");

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/subscribers", ListAsync)
            .Describe("ListSubscribers", Tag, "Subscribers", "For operators: who is told of the alarms of a municipality. Without secrets, and without the people who signed up themselves.", Municipality)
            .Produces<PageDocument<SubscriberDocument>>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapPost("/subscribers", AddAsync)
            .Describe("AddSubscriber", Tag, "Add a subscriber", "For operators. Of a webhook, the answer holds the signing secret, once.", Municipality)
            .Accepts<SubscriberRequest>("application/json")
            .Produces<SubscriberDocument>(201)
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapPut("/subscribers/{id}", PutAsync)
            .Describe("PutSubscriber", Tag, "Change a subscriber", "For operators. One that was switched off because its receiver is gone is told again.")
            .Accepts<SubscriberRequest>("application/json")
            .Produces<SubscriberDocument>()
            .Problem(400).Problem(401).Problem(404);

        api.MapDelete("/subscribers/{id}", DeleteAsync)
            .Describe("DeleteSubscriber", Tag, "Remove a subscriber", "For operators. What waits to be sent to it is removed with it; the delivery log stays.")
            .Produces(204)
            .Problem(401).Problem(404);

        api.MapPost("/subscribers/{id}/secret", RotateAsync)
            .Describe(
                "RotateSecret", Tag, "Change a webhook's secret",
                "For operators. The answer holds the new secret, once. Until the overlap is over, messages are signed with both, the new one first, so that no receiver misses one while it is changed there.")
            .Accepts<SecretRequest>("application/json")
            .Produces<SubscriberDocument>()
            .Problem(400).Problem(401).Problem(404);
    }

    private static async Task<IResult> ListAsync(HttpContext context, INotifications notifications, IMunicipalities municipalities)
    {
        var municipality = Allowed(context, municipalities);
        List<SubscriberDocument> all = [];
        foreach (var one in await notifications.SubscribersAsync(municipality, context.RequestAborted))
        {
            all.Add(await DocumentAsync(context, notifications, one));
        }

        return PlaceEndpoints.Page(all);
    }

    private static async Task<IResult> AddAsync(HttpContext context, INotifications notifications, IMunicipalities municipalities, IAudit audit)
    {
        var municipality = Allowed(context, municipalities);
        var saved = await SaveAsync(context, notifications, await WantedAsync(context, 0, municipality));
        await NoteAsync(context, audit, "subscriber-added", saved);
        return Results.Json(await DocumentAsync(context, notifications, saved, withSecret: true), ApiGate.Json, statusCode: 201);
    }

    private static async Task<IResult> PutAsync(HttpContext context, string id, INotifications notifications, IAudit audit)
    {
        var known = await FoundAsync(context, id, notifications);
        var saved = await SaveAsync(context, notifications, await WantedAsync(context, known.Id, known.Municipality));
        await NoteAsync(context, audit, "subscriber-changed", saved);

        // A secret that stays as it was is no news, and is in no answer.
        return Results.Json(await DocumentAsync(context, notifications, saved, withSecret: saved.Secret != known.Secret), ApiGate.Json);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string id, INotifications notifications, IAudit audit)
    {
        var known = await FoundAsync(context, id, notifications);
        await notifications.RemoveAsync(known.Id, context.RequestAborted);
        await NoteAsync(context, audit, "subscriber-removed", known);
        return Results.NoContent();
    }

    private static async Task<IResult> RotateAsync(HttpContext context, string id, INotifications notifications, IAudit audit)
    {
        var known = await FoundAsync(context, id, notifications);
        var request = await RequestBody.ReadAsync<SecretRequest>(context, RequestBody.StrictPartial, BodyBytesMax, "Expected a JSON object with overlapSeconds, a whole number, or an empty one.");
        Subscriber saved;
        try
        {
            saved = await notifications.RotateSecretAsync(known.Id, request.OverlapSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null, context.RequestAborted);
        }
        catch (ArgumentException e)
        {
            throw Refusal(e);
        }

        await NoteAsync(context, audit, "subscriber-secret", saved);
        return Results.Json(Document(saved, withSecret: true), ApiGate.Json);
    }

    private static async Task<Subscriber> SaveAsync(HttpContext context, INotifications notifications, Subscriber wanted)
    {
        try
        {
            return await notifications.SaveAsync(wanted, context.RequestAborted);
        }
        catch (ArgumentException e)
        {
            throw Refusal(e);
        }
    }

    private static async Task<Subscriber> WantedAsync(HttpContext context, int id, string municipality)
    {
        var request = await RequestBody.ReadAsync<SubscriberRequest>(context, RequestBody.StrictPartial, BodyBytesMax, Expected);
        return new Subscriber(
            id, municipality, Word<ChannelKind>(request.Channel, "channel"), request.Target ?? "", request.Language ?? "pt", request.Rule,
            request.SeverityMin is { } severity ? Word<Severity>(severity, "severityMin") : Severity.Information, request.Secret ?? "")
        {
            Digest = request.Digest ?? false,
            Role = request.Role is { } role ? Word<StaffRole>(role, "role") : null,
        };
    }

    private static T Word<T>(string? text, string member)
        where T : struct, Enum =>
        Words.TryRead<T>(text ?? "", out var value)
            ? value
            : throw new ProblemException(Problems.BadBody, $"{member} must be one of {Words.All<T>()}, but is {(text is null ? "missing" : $"\"{Query.Short(text)}\"")}.", member);

    /// <summary>The member of the body that a field came from.</summary>
    private static ProblemException Refusal(ArgumentException e)
    {
        var member = e.ParamName is { Length: > 0 } name ? char.ToLowerInvariant(name[0]) + name[1..] : null;
        return new ProblemException(Problems.BadBody, e.Message.Split(" (Parameter", 2)[0], member is "overlap" ? "overlapSeconds" : member);
    }

    private static string Allowed(HttpContext context, IMunicipalities municipalities)
    {
        DemandSignedIn(context);
        var municipality = new Query(context).Municipality(municipalities)?.Slug ?? throw new ProblemException(Problems.BadParameter, "municipality is needed.", "municipality");
        return context.User.Holds(Role.Operator, municipality)
            ? municipality
            : throw new ProblemException(Problems.NotAllowed, $"Only operators of {municipality} may see and change its subscribers.");
    }

    /// <summary>The subscriber; another municipality's does not exist for who asks.</summary>
    private static async Task<Subscriber> FoundAsync(HttpContext context, string id, INotifications notifications)
    {
        DemandSignedIn(context);
        if (int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && await notifications.FindSubscriberAsync(number, context.RequestAborted) is { } found && context.User.Holds(Role.Operator, found.Municipality))
        {
            return found;
        }

        throw new ProblemException(Problems.UnknownSubscriber, $"There is no subscriber \"{Query.Short(id)}\" that you may see.", "id");
    }

    private static Task NoteAsync(HttpContext context, IAudit audit, string act, Subscriber one) =>
        audit.NoteAsync(context, one.Municipality, act, string.Create(CultureInfo.InvariantCulture, $"subscriber {one.Id}"), Document(one) with { Target = one.TargetMasked });

    private static void DemandSignedIn(HttpContext context)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, "Subscribers are for operators: sign in first.");
        }
    }

    /// <summary>What is said of a subscriber; of one by role with whom it reaches now.</summary>
    private static async Task<SubscriberDocument> DocumentAsync(HttpContext context, INotifications notifications, Subscriber one, bool withSecret = false)
    {
        var document = Document(one, withSecret);
        return one.Role is { } role && await notifications.AudienceAsync(role, one.Municipality, context.RequestAborted) is var audience
            ? document with { Reached = audience.Addresses.Count, Unreachable = audience.Unreachable }
            : document;
    }

    private static SubscriberDocument Document(Subscriber one, bool withSecret = false) => new(
        one.Id, one.Municipality, Words.Of(one.Channel), one.Target, one.Role is { } role ? Words.Of(role) : null, null, null, one.Language, one.Rule, Words.Of(one.SeverityMin), one.Digest, one.DisabledBecause, withSecret && one.Secret.Length > 0 ? one.Secret : null,
        one.SecretPreviousUntil);
}
