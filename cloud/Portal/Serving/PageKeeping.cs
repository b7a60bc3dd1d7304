using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Hub.Cloud.Portal.Serving;

/// <summary>
/// Public pages are made once for everybody who asks within <see cref="PortalOptions.PagesKeptFor"/>, and compressed once: hundreds of screens that fetch a city anew each minute cost as much as a few. Only for
/// visitors of whom nothing is known but language and theme; who has any other cookie gets a page of their own, uncompressed (a page with secrets must not be).
/// </summary>
internal sealed class PageKeeping(IOptions<PortalOptions> options) : IOutputCachePolicy
{
    /// <summary>Memory for kept pages, bytes; past it the oldest go.</summary>
    private const long MemoryMax = 64 * 1024 * 1024;

    /// <summary>How long pages may be kept whose figures are of closed hours; they are the dearest to make.</summary>
    public static readonly TimeSpan ClosedHoursKeptFor = TimeSpan.FromMinutes(1);

    private static readonly string[] Pages = ["/", "/alarms", "/wall", "/open-data", "/about"];

    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<PageKeeping>();
        services.AddOutputCache(static cache => (cache.SizeLimit, cache.MaximumBodySize) = (MemoryMax, MemoryMax / 8));
        services.AddOptions<OutputCacheOptions>().Configure<PageKeeping>(static (cache, keeping) => cache.AddBasePolicy(keeping));
        services.AddResponseCompression(static compression =>
        {
            compression.EnableForHttps = true;
            compression.MimeTypes = ["text/html", "application/json"];
        });
    }

    public void Use(IApplicationBuilder app)
    {
        if (options.Value.PagesKeptFor > TimeSpan.Zero)
        {
            app.UseWhen(IsKept, static kept => kept.Use(Finish).UseOutputCache().UseResponseCompression());
        }
    }

    /// <summary>Others may wait for the page that one visitor has asked for first: it is made to its end, also when that one leaves.</summary>
    private static Task Finish(HttpContext http, RequestDelegate next)
    {
        http.RequestAborted = CancellationToken.None;
        return next(http);
    }

    /// <summary>Whether a request is for a page that is the same for everybody.</summary>
    public bool IsKept(HttpContext http)
    {
        var request = http.Request;
        return options.Value.PagesKeptFor > TimeSpan.Zero
            && (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            && IsPublic(request.Path)
            && !request.Headers.ContainsKey(HeaderNames.Authorization)
            && !request.Query.ContainsKey("lang") && !request.Query.ContainsKey("theme")
            && request.Cookies.All(static cookie => cookie.Key is PageScope.LanguageCookie or PageScope.ThemeCookie);
    }

    public ValueTask CacheRequestAsync(OutputCacheContext context, CancellationToken cancellation)
    {
        var page = context.HttpContext.RequestServices.GetRequiredService<PageScope>();
        context.EnableOutputCaching = context.AllowCacheLookup = context.AllowCacheStorage = context.AllowLocking = true;
        context.ResponseExpirationTimeSpan = IsOfClosedHours(context.HttpContext.Request.Path) ? ClosedHoursKeptFor : options.Value.PagesKeptFor;
        var rules = context.CacheVaryByRules;
        rules.QueryKeys = "*";
        rules.VaryByValues["language"] = page.Speech.Code;
        rules.VaryByValues["theme"] = page.Theme;
        var compression = context.HttpContext.RequestServices.GetRequiredService<IResponseCompressionProvider>();
        rules.VaryByValues["encoding"] = compression.GetCompressionProvider(context.HttpContext)?.EncodingName ?? "";
        return ValueTask.CompletedTask;
    }

    public ValueTask ServeFromCacheAsync(OutputCacheContext context, CancellationToken cancellation) => ValueTask.CompletedTask;

    public ValueTask ServeResponseAsync(OutputCacheContext context, CancellationToken cancellation)
    {
        var response = context.HttpContext.Response;
        context.AllowCacheStorage = response.StatusCode == StatusCodes.Status200OK && response.Headers.SetCookie.Count == 0;
        return ValueTask.CompletedTask;
    }

    /// <summary>Whether a page is one of a topic: air, noise, traffic.</summary>
    private static bool IsOfClosedHours(PathString path) => path.Value is { } text && text.StartsWith("/m/", StringComparison.Ordinal) && text.AsSpan(3).Contains('/');

    /// <summary>A city, a station and the pages of topics; not what hangs below a station, which is for its people.</summary>
    private static bool IsPublic(PathString path)
    {
        var text = path.Value ?? "/";
        var parts = text.Count(static one => one == '/');
        return Array.IndexOf(Pages, text) >= 0
            || (text.StartsWith("/m/", StringComparison.Ordinal) && parts is 2 or 3)
            || (text.StartsWith("/stations/", StringComparison.Ordinal) && parts == 3);
    }
}
