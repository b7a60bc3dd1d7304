using System.Net;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Mvc.ViewFeatures;

namespace Hub.Cloud.Portal.Serving;

/// <summary>What the page for a wrong address says.</summary>
/// <param name="Key">Name of the value in the address.</param>
/// <param name="Value">What stands there.</param>
/// <param name="Allowed">What may stand there.</param>
/// <param name="Back">Address that is right.</param>
internal sealed record RefusedView(string Key, string Value, string Allowed, string Back);

/// <summary>Answers that more than one page gives.</summary>
internal static class PageAnswers
{
    /// <summary>The page for what does not exist or must not be known to exist, with status 404.</summary>
    public static IActionResult Missing(this PageModel page) => page.Said("_Missing", 404, null);

    /// <summary>The page for an address with a value that it cannot have, with status 400.</summary>
    /// <param name="page">The page.</param>
    /// <param name="key">Name of the value in the address.</param>
    /// <param name="value">What stands there.</param>
    /// <param name="allowed">What may stand there.</param>
    /// <param name="back">Address that is right.</param>
    public static IActionResult Refused(this PageModel page, string key, string? value, string allowed, string back) => page.Said("_Refused", 400, new RefusedView(key, value ?? "", allowed, back));

    /// <summary>The page that says that too many read much at the moment, with status 503 and when to come again.</summary>
    public static IActionResult Busy(this PageModel page)
    {
        page.Response.Headers.RetryAfter = "5";
        return page.Said("_Busy", 503, null);
    }

    private static ViewResult Said(this PageModel page, string name, int status, object? model)
    {
        page.Response.Headers.CacheControl = "no-cache";
        return new()
        {
            ViewName = $"/Pages/Shared/{name}.cshtml",
            StatusCode = status,
            ViewData = new ViewDataDictionary<object>(page.ViewData, model),
            TempData = page.TempData,
        };
    }

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
