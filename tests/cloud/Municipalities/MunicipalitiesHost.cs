using System.Net;
using System.Net.Http.Headers;
using System.Security.Claims;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Municipalities.Tests;

/// <summary>The stage in a small web application, on a database file and data folder of its own.</summary>
internal sealed class MunicipalitiesHost : IAsyncDisposable
{
    private readonly WebApplication app;

    private MunicipalitiesHost(WebApplication app, FakeTimeProvider time)
    {
        this.app = app;
        Time = time;
    }

    public FakeTimeProvider Time { get; }

    public IServiceProvider Services => app.Services;

    public IMunicipalities Municipalities => Services.GetRequiredService<IMunicipalities>();

    public IPeople People => Services.GetRequiredService<IPeople>();

    public IRoles Roles => Services.GetRequiredService<IRoles>();

    public ISignIn SignIn => Services.GetRequiredService<ISignIn>();

    public static async Task<MunicipalitiesHost> StartAsync(TempFolder folder, FakeTimeProvider? time = null, params (string Key, string Value)[] settings)
    {
        time ??= new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings
            .Append(("Hub:Data", folder.Path))
            .Select(s => new KeyValuePair<string, string?>(s.Item1, s.Item2)));
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddHubMunicipalities(builder.Configuration);
        builder.Services.AddAuthorization();
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapPost("/enter", async (HttpContext context, ISignIn signIn) =>
            (await signIn.SignInAsync(context, context.Request.Query["user"]!, context.Request.Query["password"]!, remember: false)).ToString());
        app.MapPost("/leave", async (HttpContext context, ISignIn signIn) => await signIn.SignOutAsync(context));
        app.MapGet("/who", (ClaimsPrincipal person) => string.Join(' ', person.FindAll(Rights.ClaimType).Select(c => c.Value).Order(StringComparer.Ordinal)));
        app.MapGet("/page", () => "page").RequireAuthorization();
        app.MapGet("/api/v1/thing", () => "thing").RequireAuthorization();
        app.MapGet("/api/v1/forbidden", (HttpContext context) => context.ForbidAsync());
        await app.Services.MigrateMunicipalitiesAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new MunicipalitiesHost(app, time);
    }

    public async Task<Municipality> AddBragaAsync(string slug = "braga") =>
        await Municipalities.SaveAsync(new Municipality(slug, "Braga", "Norte", "0303", 41.55, -8.42, "Europe/Lisbon"), TestContext.Current.CancellationToken);

    public HttpClient Client() => app.GetTestClient();

    /// <summary>A browser: keeps the cookie it is given.</summary>
    public async Task<(HttpClient Browser, string Outcome, string? SetCookie)> EnterAsync(string user, string password)
    {
        var browser = Client();
        var answer = await browser.PostAsync($"/enter?user={WebUtility.UrlEncode(user)}&password={WebUtility.UrlEncode(password)}", null, TestContext.Current.CancellationToken);
        var cookie = answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies.Single() : null;
        if (cookie is not null)
        {
            browser.DefaultRequestHeaders.Add("Cookie", cookie.Split(';')[0]);
        }

        return (browser, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), cookie);
    }

    public HttpClient WithToken(string token)
    {
        var client = Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();
}
