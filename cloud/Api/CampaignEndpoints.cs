using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Bundles;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

/// <summary>New agents for stations: bundles, for administrators; campaigns, for the operators of their municipality, and for administrators where they go over municipalities.</summary>
internal static class CampaignEndpoints
{
    private const string Tag = "Agents";
    private const string Campaigns = "/agent-campaigns";
    private const int StationsMax = 10_000;
    private const string Expected = "Expected: name, version, and as you like municipality (needed but for administrators), stations (a list of identifiers in it, or of municipality/station), waveSize, failureLimit, force.";

    private static readonly QueryParameter Limit = new(QueryParameter.Limit, "Most campaigns of one answer, 1 to 1000; 100 when absent.", "integer");

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/agent-bundles", BundlesAsync)
            .Describe("ListAgentBundles", Tag, "Agent bundles the hub holds", "For operators: the newest first. Stations fetch them with their own credentials.")
            .Produces<PageDocument<BundleDocument>>()
            .Problem(401).Problem(403);

        api.MapPost("/agent-bundles", PublishAsync)
            .Describe(
                "PublishAgentBundle", Tag, "Publish an agent bundle",
                "For administrators. The body is the file that `hub agent pack` made, at most 256 MiB. It is checked as stations do; its signature where Hub:Fleet:UpdateKeys names keys. One that is there already is not stored again.")
            .WithMetadata(new FileBody("application/zip", "The bundle."))
            .DisableAntiforgery()
            .Produces<BundleDocument>(201)
            .Problem(401).Problem(403).Problem(422).Problem(503);

        api.MapGet(Campaigns, ListAsync)
            .Describe("ListAgentCampaigns", Tag, "Campaigns", "For operators: those of their municipalities, the newest first; for administrators all.", Limit)
            .Produces<PageDocument<CampaignDocument>>()
            .Problem(400).Problem(401);

        api.MapPost(Campaigns, StartAsync)
            .Describe(
                "StartAgentCampaign", Tag, "Bring a new agent to stations",
                "For operators of the municipality; without one, for administrators. Stations are offered the agent a wave after the other, as they are there; it pauses by itself when too many refuse it or go back.")
            .Accepts<CampaignStart>("application/json")
            .Produces<CampaignDocument>(201)
            .Problem(400).Problem(401).Problem(403).Problem(404).Problem(409);

        api.MapGet(Campaigns + "/{id}", FindAsync)
            .Describe("GetAgentCampaign", Tag, "A campaign with its stations", "For operators of its municipality: counts, how far each station has come, and who did what.")
            .Produces<CampaignDetailDocument>()
            .Problem(401).Problem(404);

        api.MapPost(Campaigns + "/{id}/pause", (HttpContext context, string id, IAgentUpdates updates) => ChangeAsync(context, id, updates, updates.PauseAsync))
            .Describe("PauseAgentCampaign", Tag, "Pause a campaign", "For operators of its municipality: nothing new is offered; what was offered goes on.")
            .Produces<CampaignDocument>()
            .Problem(401).Problem(404).Problem(409);

        api.MapPost(Campaigns + "/{id}/resume", (HttpContext context, string id, IAgentUpdates updates) => ChangeAsync(context, id, updates, updates.ResumeAsync))
            .Describe("ResumeAgentCampaign", Tag, "Resume a campaign", "For operators of its municipality: it goes on, and counts failures anew.")
            .Produces<CampaignDocument>()
            .Problem(401).Problem(404).Problem(409);

        api.MapPost(Campaigns + "/{id}/cancel", (HttpContext context, string id, IAgentUpdates updates) => ChangeAsync(context, id, updates, updates.CancelAsync))
            .Describe("CancelAgentCampaign", Tag, "Cancel a campaign", "For operators of its municipality: the offer is taken back from every station that has not installed it. What is on trial already ends by itself.")
            .Produces<CampaignDocument>()
            .Problem(401).Problem(404).Problem(409);
    }

    private static string By(HttpContext context) => context.User.Identity?.Name is { Length: > 0 } name ? name : "api";

    private static void DemandSignIn(HttpContext context)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, "The agents are for operators: sign in first.");
        }
    }

    private static bool MaySee(HttpContext context, Campaign campaign) => campaign.Municipality is { } municipality ? context.User.Holds(Role.Operator, municipality) : context.User.Holds(Role.Administrator, null);

    private static async Task<IResult> BundlesAsync(HttpContext context, IAgentUpdates updates, IMunicipalities municipalities)
    {
        DemandSignIn(context);
        if (!context.User.Holds(Role.Administrator, null) && !municipalities.All.Any(m => context.User.Holds(Role.Operator, m.Slug)))
        {
            throw new ProblemException(Problems.NotAllowed, "Only operators may see which bundles there are.");
        }

        return PlaceEndpoints.Page((await updates.BundlesAsync(context.RequestAborted)).Select(Document));
    }

    private static async Task<IResult> PublishAsync(HttpContext context, IAgentUpdates updates)
    {
        DemandSignIn(context);
        if (!context.User.Holds(Role.Administrator, null))
        {
            throw new ProblemException(Problems.NotAllowed, "Only administrators of the hub may publish agents: they run at every municipality's stations.");
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = BundleManifest.BundleBytesMax + 1;
        }

        try
        {
            return Results.Json(Document(await updates.PublishAsync(context.Request.Body, By(context), context.RequestAborted)), ApiGate.Json, statusCode: StatusCodes.Status201Created);
        }
        catch (BundleRefusedException refused)
        {
            throw new ProblemException(Problems.BundleRefused, refused.Message);
        }
        catch (BadHttpRequestException wrong)
        {
            throw new ProblemException(Problems.BundleRefused, wrong.Message);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException && !context.RequestAborted.IsCancellationRequested)
        {
            throw new ProblemException(Problems.DiskUnavailable, "The bundle could not be written; nothing was taken.");
        }
    }

    private static async Task<IResult> ListAsync(HttpContext context, IAgentUpdates updates)
    {
        DemandSignIn(context);
        var limit = new Query(context).Limit(1_000, 100);

        // As many as are kept: what others may not see must not count against the limit.
        var all = await updates.CampaignsAsync(null, 1_000, context.RequestAborted);
        return PlaceEndpoints.Page(all.Where(campaign => MaySee(context, campaign)).Take(limit).Select(Document));
    }

    private static async Task<IResult> FindAsync(HttpContext context, string id, IAgentUpdates updates)
    {
        var campaign = await FoundAsync(context, id, updates);
        var stations = await updates.StationsAsync(campaign.Id, context.RequestAborted);
        var events = await updates.EventsAsync(campaign.Id, context.RequestAborted);
        return Results.Json(
            new CampaignDetailDocument(
                Document(campaign),
                [.. stations.Select(s => new CampaignStationDocument(s.Municipality, s.Station, Words.Of(s.Status), s.At, s.Problem))],
                [.. events.Select(e => new CampaignEventDocument(e.At, e.By, Words.Of(e.State), e.Reason))]),
            ApiGate.Json);
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, string id, IAgentUpdates updates, Func<long, string, CancellationToken, ValueTask<Campaign>> change)
    {
        var campaign = await FoundAsync(context, id, updates);
        try
        {
            return Results.Json(Document(await change(campaign.Id, By(context), context.RequestAborted)), ApiGate.Json);
        }
        catch (CampaignRefusedException refused)
        {
            throw new ProblemException(Problems.CampaignRefused, refused.Message);
        }
        catch (KeyNotFoundException)
        {
            throw Unknown(id);
        }
    }

    /// <summary>The campaign, if the caller may work with it; what they may not see does not exist for them.</summary>
    private static async Task<Campaign> FoundAsync(HttpContext context, string id, IAgentUpdates updates)
    {
        DemandSignIn(context);
        return long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && await updates.FindAsync(number, context.RequestAborted) is { } campaign && MaySee(context, campaign)
            ? campaign
            : throw Unknown(id);
    }

    private static ProblemException Unknown(string id) => new(Problems.UnknownCampaign, $"There is no campaign \"{Query.Short(id)}\" that you may see.", "id");

    private static async Task<IResult> StartAsync(HttpContext context, IAgentUpdates updates, IStations stations, IMunicipalities municipalities)
    {
        DemandSignIn(context);
        var body = await AgentEndpoints.BodyAsync(context, 1024 * 1024) ?? throw new ProblemException(Problems.BadBody, Expected);
        var start = Read(body);
        if (start.Municipality is { } municipality)
        {
            if (!municipalities.TryGet(municipality, out _))
            {
                throw new ProblemException(Problems.UnknownMunicipality, $"There is no municipality \"{Query.Short(municipality)}\".", "municipality");
            }

            if (!context.User.Holds(Role.Operator, municipality))
            {
                throw new ProblemException(Problems.NotAllowed, $"Only operators of {municipality} may bring agents to its stations.");
            }
        }
        else if (!context.User.Holds(Role.Administrator, null))
        {
            throw new ProblemException(Problems.NotAllowed, "Only administrators of the hub may start a campaign over municipalities: name yours in \"municipality\".");
        }

        try
        {
            var request = new CampaignRequest(
                start.Name ?? "", start.Version ?? "", start.Municipality, start.Stations is null ? null : [.. start.Stations.Select(name => Station(name, start.Municipality, stations))],
                start.WaveSize ?? CampaignRequest.WaveSizeDefault, start.FailureLimit ?? CampaignRequest.FailureLimitDefault, start.Force ?? false);
            var campaign = await updates.StartAsync(request, By(context), context.RequestAborted);
            context.Response.Headers.Location = string.Create(CultureInfo.InvariantCulture, $"{ApiExtensions.Root}{Campaigns}/{campaign.Id}");
            return Results.Json(Document(campaign), ApiGate.Json, statusCode: StatusCodes.Status201Created);
        }
        catch (ArgumentException wrong)
        {
            throw new ProblemException(Problems.BadBody, wrong.Message);
        }
        catch (CampaignRefusedException refused)
        {
            throw new ProblemException(Problems.CampaignRefused, refused.Message);
        }
    }

    private static Station Station(string name, string? municipality, IStations stations)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var (town, slug) = slash < 0 ? (municipality ?? "", name) : (name[..slash], name[(slash + 1)..]);

        // Of another municipality than the campaign's nothing is said, not even whether it exists.
        return (municipality is null || town == municipality) && stations.TryGet(town, slug, out var found)
            ? found
            : throw new ProblemException(Problems.UnknownStation, $"There is no station \"{Query.Short(name)}\" that this campaign could be for.", "stations");
    }

    private static CampaignStart Read(JsonElement body)
    {
        var start = new CampaignStart(null, null, null, null, null, null, null);
        foreach (var member in body.EnumerateObject())
        {
            var value = member.Value;
            start = (member.Name, value.ValueKind) switch
            {
                ("name", JsonValueKind.String) => start with { Name = value.GetString() },
                ("version", JsonValueKind.String) => start with { Version = value.GetString() },
                ("municipality" or "stations" or "waveSize" or "failureLimit" or "force", JsonValueKind.Null) => start,
                ("municipality", JsonValueKind.String) => start with { Municipality = value.GetString() },
                ("stations", JsonValueKind.Array) when value.GetArrayLength() <= StationsMax && value.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String) =>
                    start with { Stations = [.. value.EnumerateArray().Select(one => one.GetString()!)] },
                ("waveSize", JsonValueKind.Number) when value.TryGetInt32(out var wave) => start with { WaveSize = wave },
                ("failureLimit", JsonValueKind.Number) when value.TryGetInt32(out var limit) => start with { FailureLimit = limit },
                ("force", JsonValueKind.True or JsonValueKind.False) => start with { Force = value.GetBoolean() },
                _ => throw new ProblemException(Problems.BadBody, $"\"{Query.Short(member.Name)}\" cannot be read. {Expected}"),
            };
        }

        return start;
    }

    private static BundleDocument Document(StoredBundle b) => new(b.Sha256, b.Version, b.Runtime, b.Bytes, b.SignatureChecked, b.PublishedBy, b.PublishedAt);

    private static CampaignDocument Document(Campaign c) => new(
        c.Id, c.Name, c.Version, c.Municipality, c.WaveSize, c.FailureLimit, c.Force, Words.Of(c.State), c.Reason, c.StartedBy, c.StartedAt, c.ChangedBy, c.ChangedAt, c.Stations, c.Ended,
        c.Counts.OrderBy(count => count.Key).ToDictionary(count => Words.Of(count.Key), count => count.Value));
}
