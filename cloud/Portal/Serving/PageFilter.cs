using System.Globalization;
using Hub.Cloud.Portal.Show;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Portal.Serving;

/// <summary>Around every page: its language, the choices remembered in cookies, and the headers of an HTML answer.</summary>
internal sealed class PageFilter(PortalInstruments instruments, PageKeeping keeping, OwnMap own, IOptions<PortalOptions> options) : IAsyncResourceFilter
{
    /// <summary>Nothing but the hub itself: no inline script or style, no other origin but those that the operator's own map comes from (<see cref="MapOptions"/>). Workers draw the map.</summary>
    private readonly string _policy =
        $"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:{own.Origins}; connect-src 'self'{own.Origins}; font-src 'self'; worker-src 'self' blob:; " +
        "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public async Task OnResourceExecutionAsync(ResourceExecutingContext context, ResourceExecutionDelegate next)
    {
        var http = context.HttpContext;
        var page = http.RequestServices.GetRequiredService<PageScope>();
        CultureInfo.CurrentCulture = page.Speech.Culture;
        CultureInfo.CurrentUICulture = page.Speech.Culture;
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = _policy;
        headers.ContentLanguage = page.Speech.Tag;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = keeping.IsKept(http) ? string.Create(CultureInfo.InvariantCulture, $"public, max-age={options.Value.PagesKeptFor.TotalSeconds:0}") : "no-cache";
        headers.Append("Vary", "Cookie, Accept-Language");
        Remember(http, "lang", PageScope.LanguageCookie, page.Speech.Code, static asked => Speech.Find(asked) is not null);
        Remember(http, "theme", PageScope.ThemeCookie, page.Theme, static asked => asked is "light" or "dark" or "auto");
        var executed = await next();
        if (executed.Exception is null && context.ActionDescriptor is CompiledPageActionDescriptor descriptor)
        {
            instruments.PageRendered(descriptor.ViewEnginePath, page.Speech.Code);
        }
    }

    private static void Remember(HttpContext http, string key, string cookie, string value, Func<string, bool> isKnown)
    {
        if (http.Request.Query[key].ToString() is { Length: > 0 } asked && isKnown(asked))
        {
            http.Response.Cookies.Append(cookie, value, new CookieOptions
            {
                MaxAge = TimeSpan.FromDays(365),
                SameSite = SameSiteMode.Lax,
                HttpOnly = true,
                IsEssential = true,
                Secure = http.Request.IsHttps,
            });
        }
    }
}
