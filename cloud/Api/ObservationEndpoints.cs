using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Readings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Hub.Cloud.Api;

/// <summary>Observations of a datastream, raw or in buckets, and the newest of all.</summary>
internal static class ObservationEndpoints
{
    private const string Tag = "Observations";

    /// <summary>Most points that can be asked for; so many observations are held in memory for it.</summary>
    private const int PointsMax = 20_000;

    /// <summary>Cadence of a datastream of instantaneous values, when the cost of a question is estimated.</summary>
    private static readonly TimeSpan CadenceAssumed = TimeSpan.FromMinutes(1);

    private static readonly QueryParameter Every = new(
        "every", "Width of buckets: `15m`, `1h`, `1d` or ISO 8601 (`PT15M`, `P1D`). Whole days are the legal days of the municipality, whole weeks (`7d`, `P7D`) begin on its Monday. Observations as they are stored when absent.", Example: "1h");

    private static readonly QueryParameter Stat = new(
        "stat", $"Figure in each bucket: {Words.All<Statistic>()}. When absent the one that is right for the quantity (levels are averaged as energy, counts are summed). Needs `every` or `points`.", Example: "mean");

    private static readonly QueryParameter Percent = new(
        "percent", "With `stat=percentile`: the percentage of values that lie below it, 0 to 100, interpolated between the closest ranks. LA10, the level exceeded 10 % of the time, is percent=90.", "number", Example: "90");

    private static readonly QueryParameter Points = new(
        "points",
        "Most points of the answer, 2 to 20000; a chart seldom shows more than 2000. The observations themselves when they are so few, else the narrowest usual buckets that keep it; `resolution` says which. All in one answer, "
        + "without `limit`. Of no effect beside `every`.",
        "integer", Example: "2000");

    private static readonly QueryParameter QualityWanted = new(
        "quality", "`good`: only observations that nothing is known against, in buckets as well; `any`, when absent: all, each with its flags.", Example: "good");

    private static readonly QueryParameter Without = new(
        "without", $"Leaves out observations with any of these flags, joined by commas: {string.Join(", ", Words.Of((Quality)((1 << Words.QualityCount) - 1)))}.", Example: "out-of-range,spike");

    private static readonly QueryParameter Format = new("format", "`json` or `csv`; overrides the Accept header.", Example: "csv");

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/datastreams/{id}/observations", ObservationsAsync)
            .Describe(
                "ListObservations", Tag, "Observations of a datastream",
                "Observations with from <= phenomenonTime < to in order of time, the last 24 hours when nothing is said. Without `every` and `points` they are given as they are stored; with `every`, combined "
                + "in buckets that hold data; with `points`, in whichever way gives at most so many. `resolution` (header Hub-Resolution) says which it was, `statistic` (Hub-Statistic) the figure. A bucket says which share of it "
                + "is covered, and whether that makes its figure valid by law. "
                + "CSV (Accept: text/csv or format=csv) has the header `phenomenonTime,result,unit,quality,calibration,raw,coverage,revision`, in buckets "
                + "`phenomenonTime,phenomenonTimeEnd,result,unit,quality,count,coverage,valid,min,max`; several quality words are joined by a space; the next part is in the header Link.",
                QueryParameter.From, QueryParameter.To, Every, Points, Stat, Percent, QualityWanted, Without, QueryParameter.Page, Format)
            .Produces<ObservationsDocument>(200, "application/json", "text/csv")
            .Problem(400).Problem(404).Problem(503).Problem(504);

        api.MapGet("/observations/latest", Latest)
            .Describe(
                "ListLatest", Tag, "The newest observation of each datastream", "By identifier of the datastream; datastreams without observations are left out. Answers 304 to If-None-Match.",
                QueryParameter.Municipality, QueryParameter.Station, QueryParameter.Property, QueryParameter.After, QueryParameter.Page)
            .Produces<PageDocument<LatestDocument>>()
            .Problem(400).Problem(404);
    }

    private static async Task<IResult> ObservationsAsync(
        HttpContext context, string id, IStations stations, IMunicipalities municipalities, ISeries series, TimeProvider time, QueryGuard guard, ApiInstruments instruments)
    {
        var query = new Query(context);
        var datastream = PlaceEndpoints.Find(context, id, stations);
        var (from, to) = query.Range(time.GetUtcNow().UtcDateTime, TimeSpan.FromDays(1));
        var csv = WantsCsv(query, context.Request);
        var asked = Asked(query);
        var unwanted = Unwanted(query);
        var limit = asked.Points ?? query.Limit();
        using var clock = guard.Clock(context.RequestAborted);
        var answer = new ObservationWriter(context, new AnswerHead(datastream, PlaceEndpoints.Document(datastream, series), from, to, limit, asked.Points), clock, instruments);
        try
        {
            if (asked.Every is null && await RawAsync(datastream, series, from, to, asked, unwanted, clock) is { } read)
            {
                await (csv ? answer.WriteCsvAsync(read, query) : answer.WriteJsonAsync(read, query));
                return Results.Empty;
            }

            var width = asked.Every ?? SeriesResolution.For(to - from, datastream.Period, asked.Points!.Value, raw: false)!.Value;
            var question = new AggregateQuery(datastream.Id, from, to, Buckets(width, datastream, municipalities), asked.Statistic ?? Statistics.Of(datastream.Quantity.Averaging), unwanted)
            {
                Percent = asked.Percent ?? 50,
                Cadence = datastream.Period,
            };
            var buckets = await BucketsAsync(question, series, guard, clock);
            await (csv ? answer.WriteCsvAsync(buckets, question, query) : answer.WriteJsonAsync(buckets, question, query));
            return Results.Empty;
        }
        catch (Exception e) when (answer.Began && (e is SeriesUnavailableException || clock.Late))
        {
            // Part of the answer is on its way: that it ends too early must show.
            context.Abort();
            return Results.Empty;
        }
        catch (OperationCanceledException) when (clock.Late && !context.RequestAborted.IsCancellationRequested)
        {
            throw new ProblemException(Problems.QueryTimeout, "The store did not answer in time; the question was cancelled.");
        }
    }

    /// <summary>What was asked for, checked for what does not go together.</summary>
    private static (TimeSpan? Every, Statistic? Statistic, double? Percent, int? Points) Asked(Query query)
    {
        var every = query.Duration("every");
        var stat = query.Word<Statistic>("stat");
        var percent = query.Percent("percent");

        // An explicit width wins: then points are of no effect.
        var most = (int?)query.Number("points", SeriesResolution.PointsMin, PointsMax);
        var points = every is null ? most : null;
        if (every is null && points is null && stat is not null)
        {
            throw new ProblemException(Problems.BadParameter, "stat needs every or points: without buckets there is nothing to combine.", "every");
        }

        if (points is not null && query.Text(QueryParameter.Limit) is not null)
        {
            throw new ProblemException(Problems.BadParameter, "limit is for pages; the points asked for all come in one answer.", QueryParameter.Limit);
        }

        if ((stat == Statistic.Percentile) != percent.HasValue)
        {
            throw new ProblemException(Problems.BadParameter, "stat=percentile and percent need each other, as stat=percentile&percent=90 for LA10.", percent is null ? "percent" : "stat");
        }

        return (every, stat, percent, points);
    }

    /// <summary>Flags that an observation must not have to be in the answer.</summary>
    private static Quality Unwanted(Query query)
    {
        var unwanted = query.Text("quality") switch
        {
            null or "any" => Quality.Good,
            "good" => (Quality)(-1),
            var other => throw Query.Wrong("quality", other, "good or any"),
        };
        foreach (var word in query.Text("without")?.Split(',') ?? [])
        {
            unwanted |= Words.TryRead<Quality>(word, out var flag) && flag != Quality.Good
                ? flag
                : throw Query.Wrong("without", word, $"flags joined by commas, of {string.Join(", ", Words.Of((Quality)((1 << Words.QualityCount) - 1)))}");
        }

        return unwanted;
    }

    /// <summary>How to read the observations as they are stored; null when they are more than the points asked for, or a figure was.</summary>
    private static async ValueTask<ReadRange?> RawAsync(
        Datastream datastream, ISeries series, DateTime from, DateTime to, (TimeSpan? Every, Statistic? Statistic, double? Percent, int? Points) asked, Quality unwanted, StoreClock clock)
    {
        ReadRange read = unwanted == Quality.Good
            ? (begin, end, cancellationToken) => series.RangeAsync(datastream.Id, begin, end, cancellationToken)
            : (begin, end, cancellationToken) => series.RangeAsync(datastream.Id, begin, end, cancellationToken).Where(observation => (observation.Quality & unwanted) == 0);
        if (asked.Points is not { } most)
        {
            return read;
        }

        if (asked.Statistic is not null || SeriesResolution.For(to - from, datastream.Period, most) is not null)
        {
            return null;
        }

        // The cadence is a promise of the station's, or none was given: whether they are so few shows when they are read.
        List<Observation> few = [];
        await foreach (var observation in read(from, to, clock.Token))
        {
            if (few.Count == most)
            {
                return null;
            }

            few.Add(observation);
        }

        return (_, _, _) => few.ToAsyncEnumerable();
    }

    private static async Task<IReadOnlyList<Bucket>> BucketsAsync(AggregateQuery question, ISeries series, QueryGuard guard, StoreClock clock)
    {
        var (from, to, width) = (question.From, question.To, question.Every.Width);
        if ((to - from).Ticks / width.Ticks >= ObservationWriter.BucketsMax)
        {
            throw new ProblemException(
                Problems.RangeTooLarge, $"{Words.Of(from)} to {Words.Of(to)} has more than {ObservationWriter.BucketsMax} buckets of {Words.Of(width)}.", "every");
        }

        // Nothing is read after the newest observation, nor of days of which nothing is stored: all of time may be asked for.
        var end = !series.TryGetLatest(question.Datastream, out var latest) ? from : latest.PhenomenonTime < to ? latest.PhenomenonTime : to;
        var held = series.HeldWithin(from, end);
        var rows = QuestionCost.Of(held, question.Cadence > TimeSpan.Zero ? question.Cadence : CadenceAssumed, question);
        guard.Demand(rows, held);
        using var turn = await guard.TurnAsync(rows, clock.Token);
        try
        {
            return await series.AggregateAsync(question, clock.Token);
        }
        catch (ArgumentException refused) when (refused is not ArgumentOutOfRangeException)
        {
            // The question was checked: what is left are the store's own limits, and its message says which and what to do.
            throw new ProblemException(Problems.RangeTooLarge, refused.Message, "every");
        }
    }

    /// <summary>Whole days, and so weeks, follow the legal day of the municipality; anything else is aligned to UTC.</summary>
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
