using System.Net;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Mvc.ViewFeatures;

namespace Hub.Cloud.Portal.Serving;

/// <summary>Answers that more than one page gives.</summary>
internal static class PageAnswers
{
    /// <summary>The page for what does not exist or must not be known to exist, with status 404.</summary>
    public static IActionResult Missing(this PageModel page) =>
        new ViewResult
        {
            ViewName = "/Pages/Shared/_Missing.cshtml",
            StatusCode = 404,
            ViewData = new ViewDataDictionary(page.ViewData) { Model = null },
            TempData = page.TempData,
        };

    /// <summary>For pages whose address is a key: nobody keeps them, indexes them, or is told the address by a link on them.</summary>
    public static void KeepSecret(this PageModel page)
    {
        var headers = page.Response.Headers;
        headers.CacheControl = "no-cache, no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["X-Robots-Tag"] = "noindex";
    }

    /// <summary>Where a request came from. A proxy on the hub's own machine says for whom it asks; nobody else is believed.</summary>
    public static IPAddress? Source(this PageModel page)
    {
        var remote = page.HttpContext.Connection.RemoteIpAddress;
        return remote is not null && IPAddress.IsLoopback(remote)
            && page.Request.Headers["X-Forwarded-For"].ToString().Split(',')[^1].Trim() is { Length: > 0 } told && IPAddress.TryParse(told, out var source)
            ? source
            : remote;
    }
}
