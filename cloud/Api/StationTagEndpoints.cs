using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Hub.Cloud.Api;

/// <summary>The tags of stations: read with the stations, changed by operators of their municipality.</summary>
internal static class StationTagEndpoints
{
    private const int BodyBytesMax = 4 * 1024;

    public static void Map(RouteGroupBuilder api) =>
        api.MapPut("/stations/{municipality}/{station}/tags", PutAsync)
            .Describe(
                "PutStationTags", "Places", "Change the tags of a station",
                "For operators. Rules with a tag concern the stations that have it: at a station that gets it they are evaluated over what is stored, and at one that loses it their open alarms are withdrawn.")
            .Accepts<StationTagsRequest>("application/json")
            .Produces<StationDocument>()
            .Problem(400).Problem(401).Problem(403).Problem(404);

    private static async Task<IResult> PutAsync(HttpContext context, string municipality, string station, IStations stations, IMunicipalities municipalities, IAudit audit)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, "Stations are changed by operators: sign in first.");
        }

        if (!municipalities.TryGet(municipality, out _))
        {
            throw new ProblemException(Problems.UnknownMunicipality, $"There is no municipality \"{Query.Short(municipality)}\".", "municipality");
        }

        if (!context.User.Holds(Role.Operator, municipality))
        {
            throw new ProblemException(Problems.NotAllowed, $"Only operators of {municipality} may change its stations.");
        }

        if (!stations.TryGet(municipality, station, out var found))
        {
            throw Missing();
        }

        var request = await RequestBody.ReadAsync<StationTagsRequest>(
            context, RequestBody.Strict, BodyBytesMax, "Expected is a JSON object with tags, a list of words such as \"zona-mista\"; at most 4 KiB.");
        Station saved;
        try
        {
            saved = await stations.TagAsync(found.Id, [.. request.Tags.Select(tag => tag ?? "")], context.RequestAborted);
        }
        catch (ArgumentException e)
        {
            throw new ProblemException(Problems.BadBody, "tags" + e.Message.Split(" (Parameter ")[0]["Tags".Length..], "tags");
        }
        catch (KeyNotFoundException)
        {
            // Removed in this moment.
            throw Missing();
        }

        if (!saved.Tags.SequenceEqual(found.Tags))
        {
            await audit.NoteAsync(context, municipality, "station-tagged", $"station {station}", new { saved.Tags, Before = found.Tags });
        }

        return Results.Json(PlaceEndpoints.Document(saved), ApiGate.Json);

        ProblemException Missing() => new(Problems.UnknownStation, $"There is no station \"{Query.Short(station)}\" in \"{Query.Short(municipality)}\".", "station");
    }
}
