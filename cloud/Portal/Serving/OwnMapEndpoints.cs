using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Hub.Cloud.Portal.Serving;

/// <summary>Serves the files of the operator's own map: an archive in ranges, so that a page fetches only the tiles it shows, and the own areas. Both are for everybody, as maps are.</summary>
internal static class OwnMapEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints, OwnMap own)
    {
        if (own.Archive == OwnMap.ArchivePath)
        {
            Serve(endpoints, OwnMap.ArchivePath, own.Options.PmTiles.Source, "application/vnd.pmtiles");
        }

        if (own.Boundary.Length > 0)
        {
            Serve(endpoints, OwnMap.BoundaryPath, own.Options.Boundary.File, "application/geo+json");
        }
    }

    private static void Serve(IEndpointRouteBuilder endpoints, string address, string path, string type)
    {
        var full = Path.GetFullPath(path);
        endpoints.MapMethods(address, [HttpMethods.Get, HttpMethods.Head], (HttpContext context) =>
        {
            var file = new FileInfo(full);
            if (!file.Exists)
            {
                // It was there when the hub started.
                return Results.Problem("The file of this map is gone from the hub's disk.", statusCode: 503);
            }

            context.Response.Headers.CacheControl = "public, max-age=3600";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            var tag = new EntityTagHeaderValue($"\"{file.Length:x}-{file.LastWriteTimeUtc.Ticks:x}\"");
            return Results.File(full, type, lastModified: file.LastWriteTimeUtc, entityTag: tag, enableRangeProcessing: true);
        }).ExcludeFromDescription();
    }
}
