using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Hub.Cloud.Api;

/// <summary>Observations of a datastream, raw or in buckets, and the newest of all.</summary>
internal static class ObservationEndpoints
{
    private const string Tag = "Observations";

    private static readonly QueryParameter Every = new(
        "every", "Width of buckets: `15m`, `1h`, `1d` or ISO 8601 (`PT15M`, `P1D`). Whole days are the legal days of the municipality. Observations as they are stored when absent.", Example: "1h");

    private static readonly QueryParameter Stat = new(
        "stat", $"Figure in each bucket: {Words.All<Statistic>()}. When absent the one that is right for the quantity (levels are averaged as energy, counts are summed).", Example: "mean");

    private static readonly QueryParameter Format = new("format", "`json` or `csv`; overrides the Accept header.", Example: "csv");

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/datastreams/{id}/observations", ObservationsAsync)
            .Describe(
                "ListObservations", Tag, "Observations of a datastream",
                "Observations with from <= phenomenonTime < to in order of time, the last 24 hours when nothing is said. Without `every` they are given as they are stored; with it, combined "
                + "in buckets that hold data. CSV (Accept: text/csv or format=csv) has the header `phenomenonTime,result,unit,quality,calibration,raw,coverage,revision`, in buckets "
                + "`phenomenonTime,phenomenonTimeEnd,result,unit,quality,count,coverage`; several quality words are joined by a space; the next part is in the header Link.",
                QueryParameter.From, QueryParameter.To, Every, Stat, QueryParameter.Page, Format)
            .Produces<ObservationsDocument>(200, "application/json", "text/csv")
            .Problem(400).Problem(404).Problem(503);

        api.MapGet("/observations/latest", Latest)
            .Describe(
                "ListLatest", Tag, "The newest observation of each datastream", "By identifier of the datastream; datastreams without observations are left out. Answers 304 to If-None-Match.",
                QueryParameter.Municipality, QueryParameter.Station, QueryParameter.Property, QueryParameter.After, QueryParameter.Page)
            .Produces<PageDocument<LatestDocument>>()
            .Problem(400).Problem(404);
    }

    private static async Task<IResult> ObservationsAsync(
        HttpContext context, string id, IStations stations, IMunicipalities municipalities, ISeries series, TimeProvider time, ApiInstruments instruments)
    {
        var query = new Query(context);
        var datastream = PlaceEndpoints.Find(context, id, stations);
        var (from, to) = query.Range(time.GetUtcNow().UtcDateTime, TimeSpan.FromDays(1));
        var limit = query.Limit();
        var csv = WantsCsv(query, context.Request);
        var every = query.Duration("every");
        var stat = query.Word<Statistic>("stat");
        if (every is null && stat is not null)
        {
            throw new ProblemException(Problems.BadParameter, "stat needs every: without buckets there is nothing to combine.", "every");
        }

        var answer = new ObservationWriter(context, datastream, PlaceEndpoints.Document(datastream, series), from, to, limit, instruments);
        if (every is not { } width)
        {
            await (csv ? answer.WriteCsvAsync(series, query) : answer.WriteJsonAsync(series, query));
            return Results.Empty;
        }

        if ((to - from).Ticks / width.Ticks >= ObservationWriter.BucketsMax)
        {
            throw new ProblemException(
                Problems.RangeTooLarge, $"{Words.Of(from)} to {Words.Of(to)} has more than {ObservationWriter.BucketsMax} buckets of {Words.Of(width)}.", "every");
        }

        var statistic = stat ?? Statistics.Of(datastream.Quantity.Averaging);
        var buckets = await series.AggregateAsync(
            new AggregateQuery(datastream.Id, from, to, Buckets(width, datastream, municipalities), statistic), context.RequestAborted);
        await (csv ? answer.WriteCsvAsync(buckets, query) : answer.WriteJsonAsync(buckets, width, statistic, query));
        return Results.Empty;
    }

    /// <summary>Whole days follow the legal day of the municipality; anything else is aligned to UTC.</summary>
    private static BucketWidth Buckets(TimeSpan width, Datastream datastream, IMunicipalities municipalities) =>
        width.Ticks % TimeSpan.TicksPerDay == 0
            && municipalities.TryGet(datastream.Station.Municipality, out var municipality)
            && TimeZoneInfo.TryFindSystemTimeZoneById(municipality.Zone, out var zone)
                ? new BucketWidth(width, zone)
                : new BucketWidth(width);

    private static bool WantsCsv(Query query, HttpRequest request)
    {
        switch (query.Text("format"))
        {
            case "csv":
                return true;
            case "json":
                return false;
            case { } other:
                throw Query.Wrong("format", other, "json or csv");
        }

        double csv = 0, json = 0;
        if (MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted))
        {
            foreach (var media in accepted)
            {
                csv = media.MediaType == "text/csv" ? Math.Max(csv, media.Quality ?? 1) : csv;
                json = media.MediaType == "application/json" ? Math.Max(json, media.Quality ?? 1) : json;
            }
        }

        return csv > json;
    }

    private static IResult Latest(HttpContext context, IStations stations, IMunicipalities municipalities, ISeries series, ApiInstruments instruments)
    {
        var query = new Query(context);
        var limit = query.Limit();
        var after = query.Number("after", 0, int.MaxValue) ?? 0;
        List<LatestDocument> items = [];
        string? next = null;
        foreach (var d in query.Datastreams(stations, municipalities))
        {
            if (d.Id <= after || !series.TryGetLatest(d.Id, out var o))
            {
                continue;
            }

            if (items.Count == limit)
            {
                next = query.Address(("after", items[^1].Datastream.ToString(CultureInfo.InvariantCulture)));
                break;
            }

            items.Add(new LatestDocument(
                d.Id, d.Station.Municipality, d.Station.Slug, d.Station.Name, d.Sensor, d.Quantity.Id, d.Quantity.SenmlUnit, Words.Of(d.Period),
                o.PhenomenonTime, o.Result, Words.Of(o.Quality), o.Calibration, double.IsNaN(o.Coverage) ? null : o.Coverage));
        }

        var bytes = JsonSerializer.SerializeToUtf8Bytes(new PageDocument<LatestDocument>(items, next), ApiGate.Json);
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 12))}\"");
        var signedIn = context.User.Identity?.IsAuthenticated == true;
        context.Response.Headers.CacheControl = signedIn ? "private, max-age=1" : "public, max-age=1";
        instruments.ObservationsSent(items.Count);

        // Answers 304 by itself when the caller has this version.
        return Results.Bytes(bytes, "application/json; charset=utf-8", entityTag: tag);
    }
}
