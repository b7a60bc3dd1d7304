using System.Security.Cryptography;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Hub.Cloud.Api;

/// <summary>What is told about alarms, for everybody: an Atom feed for each municipality, and the CAP alerts it lists. The same for whoever asks, so that it can be kept and passed on.</summary>
internal static class CapEndpoints
{
    private const string Tag = "Alarms";
    private const string FeedType = "application/atom+xml";
    private const string AlertType = "application/cap+xml";

    private static readonly QueryParameter Language = new("language", "Of titles and summaries: pt or en; pt when absent. The alerts speak both.", Example: "en");

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/municipalities/{municipality}/alarms.atom", FeedAsync)
            .Describe(
                "GetAlarmFeed", Tag, "Feed of alarms",
                "What was told about alarms of a municipality's public stations, the 100 latest messages, as an Atom feed (RFC 4287) of CAP alerts. Ask again with If-None-Match: 304 says that nothing has changed.", Language)
            .Produces<string>(200, FeedType)
            .Produces(304)
            .Problem(400).Problem(404);

        api.MapGet("/municipalities/{municipality}/alarms/{identifier}.cap", AlertAsync)
            .Describe(
                "GetCapAlert", Tag, "One CAP alert",
                "A message about an alarm as an alert of the Common Alerting Protocol (OASIS CAP 1.2), in Portuguese and English. It never changes: what comes later about the alarm is another alert that refers to it.")
            .Produces<string>(200, AlertType)
            .Produces(304)
            .Problem(404);
    }

    private static async Task<IResult> FeedAsync(HttpContext context, string municipality, IMunicipalities municipalities, IStations stations, ICapAlerts alerts)
    {
        var found = municipalities.TryGet(municipality, out var known)
            ? known
            : throw new ProblemException(Problems.UnknownMunicipality, $"There is no municipality \"{Query.Short(municipality)}\".", "municipality");
        var language = new Query(context).Text("language") ?? "pt";
        if (language is not ("pt" or "en"))
        {
            throw Query.Wrong("language", language, "pt or en");
        }

        // People of the municipality too: what they alone may see has no place in what is passed on.
        string[] everybodys = [.. stations.All.Where(station => station.Municipality == found.Slug && station.Public).Select(station => station.Slug)];
        var root = alerts.PublicUrl ?? $"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}";
        var self = $"{root}{ApiExtensions.Root}/municipalities/{found.Slug}/alarms.atom{(language == "pt" ? "" : $"?language={language}")}";
        var feed = await alerts.FeedAsync(
            new CapFeedRequest(found.Slug, found.Name, everybodys, language, new Uri(self), identifier => new Uri($"{root}{ApiExtensions.Root}/municipalities/{found.Slug}/alarms/{identifier}.cap")),
            context.RequestAborted);
        return Document(feed.Xml, FeedType, feed.UpdatedAt);
    }

    private static async Task<IResult> AlertAsync(HttpContext context, string municipality, string identifier, IStations stations, ICapAlerts alerts)
    {
        // It was public when the alert was made; it may not be now.
        var alert = await alerts.FindAsync(municipality, identifier, context.RequestAborted) is { } known && stations.TryGet(municipality, known.Station, out var station) && station.Public
            ? known
            : throw new ProblemException(Problems.UnknownAlert, $"There is no alert \"{Query.Short(identifier)}\" of \"{Query.Short(municipality)}\".", "identifier");
        return Document(alert.Xml, AlertType, alert.SentAt);
    }

    /// <summary>Answers 304 where the caller has these very bytes.</summary>
    private static IResult Document(ReadOnlyMemory<byte> xml, string type, DateTime? changedAt) => Results.Bytes(
        xml, $"{type}; charset=utf-8", lastModified: changedAt is { } at ? new DateTimeOffset(at) : null,
        entityTag: new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(xml.Span).AsSpan(0, 16))}\""));
}
