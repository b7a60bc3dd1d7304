using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Hub.Cloud.Portal.Assets;

/// <summary>Serves the built files at <c>/assets/</c>, compressed when the browser takes brotli, never twice when it has them already.</summary>
internal static class AssetEndpoint
{
    public static void Map(IEndpointRouteBuilder endpoints, BuiltAssets assets) =>
        endpoints.MapMethods("/assets/{**path}", [HttpMethods.Get, HttpMethods.Head], (HttpContext context, string path) => Serve(context, assets, path)).ExcludeFromDescription();

    private static IResult Serve(HttpContext context, BuiltAssets assets, string path)
    {
        if (!assets.TryGet(path, out var asset))
        {
            return Results.NotFound();
        }

        var headers = context.Response.Headers;
        headers.CacheControl = asset.Immutable ? "public, max-age=31536000, immutable" : "public, max-age=3600";
        headers.XContentTypeOptions = "nosniff";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.Vary = HeaderNames.AcceptEncoding;
        // A worker's requests follow the policy of the worker's own file.
        headers.ContentSecurityPolicy = "default-src 'none'; connect-src 'self'; script-src 'self'";
        var content = asset.Plain;
        var tag = asset.Tag;
        if (asset.Brotli is not null && TakesBrotli(context.Request))
        {
            content = asset.Brotli;
            tag = tag[..^1] + "-br\"";
            headers.ContentEncoding = "br";
        }

        return Results.Bytes(content, asset.ContentType, entityTag: new EntityTagHeaderValue(tag));
    }

    private static bool TakesBrotli(HttpRequest request) =>
        request.GetTypedHeaders().AcceptEncoding.Any(static coding => coding.Value.Equals("br", StringComparison.OrdinalIgnoreCase) && coding.Quality is not 0);
}
