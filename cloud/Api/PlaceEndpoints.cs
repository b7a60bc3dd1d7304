using Hub.Cloud.Municipalities;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

/// <summary>What there is: municipalities, stations, datastreams, quantities, problems.</summary>
internal static class PlaceEndpoints
{
    private const string Tag = "Places";

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/municipalities", (HttpContext context, IMunicipalities municipalities) =>
                Page(municipalities.All.Select(m => new MunicipalityDocument(m.Slug, m.Name, m.Region, m.Code, m.Latitude, m.Longitude, m.Zone))))
            .Describe("ListMunicipalities", Tag, "Municipalities", "All municipalities of this hub, by name.")
            .Produces<PageDocument<MunicipalityDocument>>();

        api.MapGet("/stations", (HttpContext context, IStations stations, IMunicipalities municipalities) =>
                Page(new Query(context).Stations(stations, municipalities).Select(Document)))
            .Describe("ListStations", Tag, "Stations", "The stations the caller may see, by municipality and slug.", QueryParameter.Municipality, QueryParameter.Tag)
            .Produces<PageDocument<StationDocument>>()
            .Problem(400).Problem(404);

        api.MapGet("/stations/{municipality}/{station}", StationDetails)
            .Describe("GetStation", Tag, "One station", "A station with its datastreams.")
            .Produces<StationDetailsDocument>()
            .Problem(404);

        api.MapGet("/datastreams", ListDatastreams)
            .Describe(
                "ListDatastreams", Tag, "Datastreams", "The datastreams the caller may see, by identifier.",
                QueryParameter.Municipality, QueryParameter.Station, QueryParameter.Tag, QueryParameter.Property, QueryParameter.After, QueryParameter.Page)
            .Produces<PageDocument<DatastreamDocument>>()
            .Problem(400).Problem(404);

        api.MapGet("/datastreams/{id}", (HttpContext context, string id, IStations stations, ISeries series) =>
                Results.Json(Document(Find(context, id, stations), series), ApiGate.Json))
            .Describe("GetDatastream", Tag, "One datastream", "What a datastream observes, in which unit, over which period.")
            .Produces<DatastreamDocument>()
            .Problem(404);

        api.MapGet("/quantities", () => Page(QuantityCatalogue.All.Select(q => new QuantityDocument(
                q.Id, q.NamePt, q.NameEn, q.SenmlUnit, q.UcumUnit, q.PlausibleMin, q.PlausibleMax, Words.Of(Statistics.Of(q.Averaging)), q.Description, q.Source))))
            .Describe("ListQuantities", Tag, "Observed properties", "The quantity catalogue: what can be observed, and in which unit it is stored.")
            .Produces<PageDocument<QuantityDocument>>();

        api.MapGet("/problems", () => Page(Problems.All))
            .Describe("ListProblems", "Help", "Problems", "Every problem the API answers with, by stable code, with what it means for the caller and for the operator.")
            .Produces<PageDocument<ProblemKind>>();
    }

    public static Datastream Find(HttpContext context, string id, IStations stations) =>
        int.TryParse(id, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)
            && stations.TryGetDatastream(number, out var found)
            && context.User.CanSee(found.Station)
                ? found
                : throw new ProblemException(Problems.UnknownDatastream, $"There is no datastream \"{Query.Short(id)}\" that you may see.", "id");

    public static DatastreamDocument Document(Datastream d, ISeries series) => new(
        d.Id,
        d.Station.Municipality,
        d.Station.Slug,
        d.Station.Name,
        d.Sensor,
        d.Quantity.Id,
        d.Quantity.SenmlUnit,
        d.Quantity.UcumUnit,
        Words.Of(d.Period),
        Words.Of(Statistics.Of(d.Quantity.Averaging)),
        series.TryGetLatest(d.Id, out var latest) ? latest.PhenomenonTime : null,
        d.Station.Attribution);

    public static IResult Page<T>(IEnumerable<T> items, string? next = null) => Results.Json(new PageDocument<T>([.. items], next), ApiGate.Json);

    internal static StationDocument Document(Station s) => new(s.Municipality, s.Slug, s.Name, s.Latitude, s.Longitude, s.Public, s.Attribution, s.Tags);

    private static IResult StationDetails(HttpContext context, string municipality, string station, IStations stations, ISeries series)
    {
        if (!stations.TryGet(municipality, station, out var s) || !context.User.CanSee(s))
        {
            throw new ProblemException(
                Problems.UnknownStation, $"There is no station \"{Query.Short(station)}\" in \"{Query.Short(municipality)}\" that you may see.", "station");
        }

        return Results.Json(
            new StationDetailsDocument(
                s.Municipality, s.Slug, s.Name, s.Latitude, s.Longitude, s.Public, s.Attribution, s.Tags, [.. stations.DatastreamsOf(s.Id).Select(d => Document(d, series))]),
            ApiGate.Json);
    }

    private static IResult ListDatastreams(HttpContext context, IStations stations, IMunicipalities municipalities, ISeries series)
    {
        var query = new Query(context);
        var limit = query.Limit();
        var after = query.Number("after", 0, int.MaxValue) ?? 0;
        var found = query.Datastreams(stations, municipalities).Where(d => d.Id > after).Take(limit + 1).ToArray();
        var next = found.Length > limit ? query.Address(("after", found[limit - 1].Id.ToString(System.Globalization.CultureInfo.InvariantCulture))) : null;
        return Page(found.Take(limit).Select(d => Document(d, series)), next);
    }
}
