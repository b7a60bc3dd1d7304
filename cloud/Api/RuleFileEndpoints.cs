using System.Text;
using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

/// <summary>Rules as files: a municipality's out and in, and the packs that come with the hub. For operators; the packs for everybody.</summary>
internal static class RuleFileEndpoints
{
    private const string Tag = "Alarms";
    private const string Yaml = "application/yaml";

    private static readonly QueryParameter Preview = new("preview", "true: say what would change, and change nothing; false when absent.", "boolean");
    private static readonly QueryParameter RemoveOthers = new("removeOthers", "true: remove the rules of the municipality that are not in the file; false when absent.", "boolean");

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/rule-files/{municipality}", File)
            .Describe("GetRuleFile", Tag, "The rules of a municipality as a file", "For operators. YAML, in order of their names, without what is as usual: two files can be compared line by line.")
            .Produces(200, null, Yaml)
            .Problem(401).Problem(403).Problem(404);

        api.MapPut("/rule-files/{municipality}", PutAsync)
            .Describe("PutRuleFile", Tag, "Take over a file of rules", "For operators. All of the file is checked before the first rule is changed. The same file again changes nothing.", Preview, RemoveOthers)
            .Accepts<string>(Yaml)
            .Produces<RuleFileDocument>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

        api.MapGet("/rule-packs", () => PlaceEndpoints.Page(RulePacks.All.Select(pack => new RulePackDocument(pack.Name, pack.TitlePt, pack.TitleEn, [.. RuleFile.Read(pack.Yaml, "pack").Select(rule => rule.Slug)]))))
            .Describe("ListRulePacks", Tag, "Rule packs", "Sets of rules that come with the hub: thresholds of the law with their source, and usual practice.")
            .Produces<PageDocument<RulePackDocument>>();

        api.MapGet("/rule-packs/{pack}", (string pack) => Results.Text(Pack(pack).Yaml, Yaml, Encoding.UTF8))
            .Describe("GetRulePack", Tag, "One rule pack", "Its file, with comments that say where the levels come from and what is not verified.")
            .Produces(200, null, Yaml)
            .Problem(404);

        api.MapPost("/rule-packs/{pack}/{municipality}", TakeAsync)
            .Describe("TakeRulePack", Tag, "Take over a rule pack", "For operators. As the file of the pack would be taken over. From then on the rules are the municipality's own.", Preview)
            .Produces<RuleFileDocument>()
            .Problem(400).Problem(401).Problem(403).Problem(404);
    }

    private static IResult File(HttpContext context, string municipality, IAlerts alerts, IMunicipalities municipalities)
    {
        RuleEndpoints.Allow(context, municipality, municipalities);
        return Results.Text(RuleFile.Write(alerts.Rules(municipality)), Yaml, Encoding.UTF8);
    }

    private static async Task<IResult> PutAsync(HttpContext context, string municipality, IAlerts alerts, IStations stations, IMunicipalities municipalities, IAudit audit)
    {
        RuleEndpoints.Allow(context, municipality, municipalities);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = RuleFile.LengthMax;
        }

        string yaml;
        try
        {
            using var reader = new StreamReader(context.Request.Body, new UTF8Encoding(false, throwOnInvalidBytes: true));
            yaml = await reader.ReadToEndAsync(context.RequestAborted);
        }
        catch (Exception e) when (e is BadHttpRequestException or DecoderFallbackException)
        {
            throw new ProblemException(Problems.BadBody, $"Expected is a YAML file of rules in UTF-8 of at most {RuleFile.LengthMax} bytes.");
        }

        return await ImportAsync(context, municipality, yaml, new Query(context).Flag(RemoveOthers.Name) ?? false, alerts, stations, audit);
    }

    private static Task<IResult> TakeAsync(HttpContext context, string pack, string municipality, IAlerts alerts, IStations stations, IMunicipalities municipalities, IAudit audit)
    {
        RuleEndpoints.Allow(context, municipality, municipalities);
        return ImportAsync(context, municipality, Pack(pack).Yaml, removeOthers: false, alerts, stations, audit);
    }

    private static async Task<IResult> ImportAsync(HttpContext context, string municipality, string yaml, bool removeOthers, IAlerts alerts, IStations stations, IAudit audit)
    {
        var preview = new Query(context).Flag(Preview.Name) ?? false;
        IReadOnlyList<Rule> wanted;
        try
        {
            wanted = RuleFile.Read(yaml, municipality);
        }
        catch (RuleFileException e)
        {
            throw new ProblemException(Problems.BadBody, e.Message);
        }

        if (wanted.FirstOrDefault(rule => rule.Station is { } station && !stations.TryGet(municipality, station, out _)) is { } lost)
        {
            throw new ProblemException(Problems.UnknownStation, $"Rule \"{lost.Slug}\": there is no station \"{lost.Station}\" in \"{municipality}\".", "station");
        }

        var known = alerts.Rules(municipality).ToDictionary(rule => rule.Slug, StringComparer.Ordinal);
        var outcome = new RuleFileDocument(
            preview,
            [.. wanted.Where(rule => !known.ContainsKey(rule.Slug)).Select(rule => rule.Slug)],
            [.. wanted.Where(rule => known.TryGetValue(rule.Slug, out var now) && now != rule).Select(rule => rule.Slug)],
            [.. wanted.Where(rule => known.TryGetValue(rule.Slug, out var now) && now == rule).Select(rule => rule.Slug)],
            removeOthers ? [.. known.Keys.Except(wanted.Select(rule => rule.Slug), StringComparer.Ordinal).Order(StringComparer.Ordinal)] : []);
        if (preview)
        {
            return Results.Json(outcome, ApiGate.Json);
        }

        Rule[] changed = [.. wanted.Where(rule => !known.TryGetValue(rule.Slug, out var now) || now != rule)];
        try
        {
            await alerts.ApplyAsync(municipality, changed, outcome.Removed, context.RequestAborted);
        }
        catch (ArgumentException e)
        {
            throw new ProblemException(Problems.BadBody, $"{e.Message.Split(" (Parameter ")[0]} Nothing of the file was taken over.");
        }

        foreach (var slug in outcome.Removed)
        {
            await audit.NoteAsync(context, municipality, "rule-removed", slug, new { });
        }

        foreach (var rule in changed)
        {
            await audit.NoteAsync(context, municipality, "rule-saved", rule.Slug, RuleRecord.Of(rule));
        }

        return Results.Json(outcome, ApiGate.Json);
    }

    private static RulePack Pack(string name) => RulePacks.All.FirstOrDefault(pack => pack.Name == name)
        ?? throw new ProblemException(Problems.UnknownRule, $"There is no rule pack \"{Query.Short(name)}\"; there are {string.Join(", ", RulePacks.All.Select(pack => pack.Name))}.", "pack");
}
