using System.ComponentModel;
using System.Globalization;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

[Description("One message about an alarm to one subscriber.")]
internal sealed record DeliveryDocument(
    [property: Description("Identifier, in order of creation.")] long Delivery,
    string Municipality,
    [property: Description("The alarm and what is said of it; the same for everybody who gets the message.")] string Key,
    [property: Description("started, ended, past, corrected or digest (several alarms in one mail).")] string Kind,
    [property: Description("mail, webhook, mqtt, off, sms or telegram.")] string Channel,
    [property: Description("To whom, masked.")] string Target,
    [property: Description("waiting, delivered, suppressed, dead (given up) or gathered (told by another message, which the answer names).")] string State,
    int Attempts,
    [property: Description("Last answer or error; empty before the first.")] string Answer,
    DateTime CreatedAt,
    [property: Description("Null unless delivered.")] DateTime? DeliveredAt);

/// <summary>The delivery log, for the operators of its municipality: look, and send again what was given up.</summary>
internal static class DeliveryEndpoints
{
    private const string Tag = "Notifications";

    private static readonly QueryParameter Municipality = new("municipality", "Of this municipality; needed.", Example: "braga");
    private static readonly QueryParameter State = new("state", $"Only deliveries that stand there: {Words.All<DeliveryState>()}.", Example: "dead");
    private static readonly QueryParameter Before = new("before", "Only identifiers below this one: filled in by `next`.", "integer");
    private static readonly QueryParameter Limit = new(QueryParameter.Limit, "Most deliveries of one answer, 1 to 1000; 100 when absent.", "integer");

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/deliveries", ListAsync)
            .Describe("ListDeliveries", Tag, "Delivery log", "For operators: which message about an alarm went to whom, when, with which answer, newest first. Targets are masked.", Municipality, State, Before, Limit)
            .Produces<PageDocument<DeliveryDocument>>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapPost("/deliveries/{id}/resend", ResendAsync)
            .Describe(
                "ResendDelivery", Tag, "Send again what was given up",
                "For operators, once the cause has been put right: the delivery waits again, under its key, and has all its attempts. Only a dead one is sent again. When later news about the alarm has been delivered meanwhile, the message says so (overtaken), and on a topic it does not take the place of what is retained.")
            .Produces<DeliveryDocument>(202)
            .Problem(401).Problem(404).Problem(409);
    }

    private static async Task<IResult> ListAsync(HttpContext context, INotifications notifications, IMunicipalities municipalities)
    {
        DemandSignedIn(context);
        var query = new Query(context);
        var municipality = query.Municipality(municipalities)?.Slug ?? throw new ProblemException(Problems.BadParameter, "municipality is needed.", "municipality");
        if (!context.User.Holds(Role.Operator, municipality))
        {
            throw new ProblemException(Problems.NotAllowed, $"Only operators of {municipality} may see its delivery log.");
        }

        var limit = query.Limit(1_000, 100);
        var found = await notifications.SearchAsync(municipality, query.Word<DeliveryState>("state"), query.Number("before", 1, long.MaxValue), limit, context.RequestAborted);
        var next = found.Count == limit ? query.Address(("before", found[^1].Id.ToString(CultureInfo.InvariantCulture))) : null;
        return PlaceEndpoints.Page(found.Select(Document), next);
    }

    private static async Task<IResult> ResendAsync(HttpContext context, string id, INotifications notifications, IAudit audit)
    {
        DemandSignedIn(context);

        // Of another municipality's log nothing exists for them.
        var delivery = long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && await notifications.FindAsync(number, context.RequestAborted) is { } found
            && context.User.Holds(Role.Operator, found.Municipality)
                ? found
                : throw Unknown(id);
        var subject = string.Create(CultureInfo.InvariantCulture, $"delivery {delivery.Id}");
        await audit.NoteAsync(context, delivery.Municipality, "notification-resend", subject, new { delivery.Key, Channel = Words.Of(delivery.Channel), delivery.Target, delivery.State, delivery.Attempts, delivery.Answer });
        try
        {
            return Results.Json(Document(await notifications.ResendAsync(delivery.Id, context.RequestAborted)), ApiGate.Json, statusCode: 202);
        }
        catch (KeyNotFoundException)
        {
            throw Unknown(id);
        }
        catch (InvalidOperationException refused)
        {
            throw new ProblemException(Problems.DeliveryRefused, refused.Message);
        }
    }

    private static ProblemException Unknown(string id) => new(Problems.UnknownDelivery, $"There is no delivery \"{Query.Short(id)}\" that you may see.", "id");

    private static void DemandSignedIn(HttpContext context)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, "The delivery log is for operators: sign in first.");
        }
    }

    private static DeliveryDocument Document(Delivery d) => new(
        d.Id, d.Municipality, d.Key, Words.Of(d.Kind), Words.Of(d.Channel), d.Target, d.State, d.Attempts, d.Answer, d.CreatedAt, d.DeliveredAt);
}
