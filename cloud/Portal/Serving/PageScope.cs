using System.Globalization;
using System.Security.Claims;
using System.Text.Json;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Portal.Assets;
using Hub.Cloud.Portal.Show;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Portal.Serving;

/// <summary>A feed that goes with a page.</summary>
/// <param name="Title">In the page's language.</param>
/// <param name="Address">Below this hub.</param>
internal sealed record PageFeed(string Title, string Address);

/// <summary>What every page of one request needs to know: language, theme, visitor, time. One per request.</summary>
internal sealed class PageScope
{
    public const string LanguageCookie = "hub-language";
    public const string ThemeCookie = "hub-theme";

    private static readonly string[] ScriptWords = ["age.", "bell.", "live.", "quality.", "status.", "map.", "chart.live", "chart.word."];

    public PageScope(IHttpContextAccessor accessor, IOptions<PortalOptions> options, BuiltAssets assets, IEnumerable<ISignIn> signIn, IEnumerable<ISignUp> signUp, TimeProvider clock)
    {
        Context = accessor.HttpContext ?? throw new InvalidOperationException("A page is rendered outside a request.");
        Options = options.Value;
        Assets = assets;
        SignInOffered = signIn.Any();
        SignUpOffered = signUp.LastOrDefault()?.Offer.Enabled == true;
        Now = clock.GetUtcNow().UtcDateTime;
        var request = Context.Request;
        Speech = Speech.Find(request.Query["lang"])
            ?? Speech.Find(request.Cookies[LanguageCookie])
            ?? Speech.Accepted(request.GetTypedHeaders().AcceptLanguage.Select(static tag => (tag.Value.ToString(), tag.Quality ?? 1)))
            ?? Speech.Find(Options.Language)!;
        var theme = request.Query["theme"].ToString() is { Length: > 0 } asked ? asked : request.Cookies[ThemeCookie];
        Theme = theme is "light" or "dark" ? theme : "auto";
    }

    public HttpContext Context { get; }

    public PortalOptions Options { get; }

    public BuiltAssets Assets { get; }

    public Speech Speech { get; }

    /// <summary><c>light</c>, <c>dark</c>, or <c>auto</c>: as the visitor's system says.</summary>
    public string Theme { get; }

    public bool SignInOffered { get; }

    /// <summary>Whether people may sign up for alerts.</summary>
    public bool SignUpOffered { get; }

    public DateTime Now { get; }

    public ClaimsPrincipal Visitor => Context.User;

    public bool IsSignedIn => Visitor.Identity?.IsAuthenticated == true;

    /// <summary>Municipality that the page is about; null for all. The event stream is asked for this one only.</summary>
    public string? Municipality { get; set; }

    /// <summary>Station of that municipality that the page is about; null for all of them.</summary>
    public string? Station { get; set; }

    /// <summary>Whether the page shows values that change.</summary>
    public bool Live { get; set; }

    /// <summary>Script entries the page needs beside the one of all pages.</summary>
    public IList<string> Scripts { get; } = [];

    /// <summary>Script entries that the page is useful without: their styles stand in its head, their script is fetched once it has been painted, for an element that names it (web/src/late.ts).</summary>
    public IList<string> LateScripts { get; } = [];

    /// <summary>Address of a script entry, for the element that it is fetched for.</summary>
    public string AddressOfScript(string entry) => "/assets/" + Assets.Entry(entry).File;

    /// <summary>Feeds that tell what the page tells, with their titles; programs find them in the head of the page.</summary>
    public IList<PageFeed> Feeds { get; } = [];

    /// <summary>Address of this page with one query value changed: for the language and theme switches.</summary>
    public string With(string key, string value)
    {
        var query = Context.Request.Query.Where(one => one.Key != key && one.Key is not ("lang" or "theme"))
            .SelectMany(static one => one.Value, static (one, text) => KeyValuePair.Create(one.Key, (string?)text))
            .Append(KeyValuePair.Create(key, (string?)value));
        return (Context.Request.PathBase + OriginalPath).ToString() + QueryString.Create(query);
    }

    /// <summary>Path as the visitor typed it, also on error pages.</summary>
    public PathString OriginalPath =>
        Context.Features.Get<Microsoft.AspNetCore.Diagnostics.IExceptionHandlerPathFeature>()?.Path is { } failed ? failed : Context.Request.Path;

    /// <summary>Address of this page, to come back to after a form of it was carried out elsewhere.</summary>
    public string Here => (Context.Request.PathBase + OriginalPath).ToString() + Context.Request.QueryString;

    /// <summary>Where stations and phones reach this hub, without a slash at its end.</summary>
    public string HubAddress => Options.PublicUrl.Length > 0 ? Options.PublicUrl.TrimEnd('/') : $"{Context.Request.Scheme}://{Context.Request.Host}{Context.Request.PathBase}";

    /// <summary>Facts for the page's scripts, as JSON that is safe inside a script element.</summary>
    public string Facts()
    {
        var live = Options.LiveAddress + "?batch=true" + (Municipality is null ? "" : "&municipality=" + Uri.EscapeDataString(Municipality) + (Station is null ? "" : "&station=" + Uri.EscapeDataString(Station)));
        return JsonSerializer.Serialize(new
        {
            language = Speech.Tag,
            now = new DateTimeOffset(Now).ToUnixTimeMilliseconds(),
            live,
            pulse = "/pulse",
            assets = "/assets/",
            equipment = Units.Equipment,
            words = Speech.Some(ScriptWords),
        });
    }

    /// <summary>An instant as scripts and <c>datetime</c> attributes read it.</summary>
    public static string Iso(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>A number as scripts and attributes read it.</summary>
    public static string Plain(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
