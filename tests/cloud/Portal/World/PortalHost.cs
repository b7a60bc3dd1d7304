using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>The pages on a server of their own, over a <see cref="City"/>: in memory, or on a port with a made-up event stream.</summary>
internal sealed class PortalHost : IAsyncDisposable
{
    private PortalHost(WebApplication app, City city, FakeFleet fleet, FakeUpdates updates)
    {
        App = app;
        City = city;
        Fleet = fleet;
        Updates = updates;
    }

    public WebApplication App { get; }

    public City City { get; }

    public FakeFleet Fleet { get; }

    public FakeUpdates Updates { get; }

    public required FakeHandling Handling { get; init; }

    public required FakeAudit Audit { get; init; }

    public required MadeUpApi Api { get; init; }

    public required FakeNotebook Notebook { get; init; }

    public required FakeQuarantine Quarantine { get; init; }

    public static async Task<PortalHost> StartAsync(City city, TimeProvider clock, int? port = null, bool withSignIn = true, string? signUpFolder = null, Action<Dictionary<string, string?>>? settings = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        if (port is { } at)
        {
            builder.WebHost.UseKestrelCore().UseUrls($"http://127.0.0.1:{at.ToString(CultureInfo.InvariantCulture)}");
        }
        else
        {
            builder.WebHost.UseTestServer();
        }

        builder.Logging.ClearProviders();
        if (Environment.GetEnvironmentVariable("HUB_PORTAL_LOG") is not null)
        {
            builder.Logging.AddConsole();
        }

        // A test changes what a page shows and asks again at once.
        Dictionary<string, string?> values = new() { ["Hub:Portal:PagesKeptFor"] = "00:00:00" };
        if (signUpFolder is not null)
        {
            values["Hub:Data"] = signUpFolder;
            values["Hub:PublicUrl"] = "https://hub.example.org";
            values["Hub:Notifications:SignUp:Enabled"] = "true";
        }

        settings?.Invoke(values);
        builder.Configuration.AddInMemoryCollection(values);
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton<IMunicipalities>(city.Municipalities);
        builder.Services.AddSingleton<IStations>(city.Stations);
        builder.Services.AddSingleton<ISeries>(city.Series);
        builder.Services.AddSingleton<IAlerts>(city.Alerts);
        var handling = new FakeHandling(clock, () => city.Alerts.All, static _ => { });
        builder.Services.AddSingleton<IAlarmHandling>(handling);
        builder.Services.AddSingleton<IRoles, FakeRoles>();
        var audit = new FakeAudit { At = clock.GetUtcNow().UtcDateTime };
        var notebook = new FakeNotebook(clock, city);
        builder.Services.AddSingleton<Hub.Cloud.Stations.Notebook.IStationNotebook>(notebook);
        builder.Services.AddSingleton<IStationHistory>(notebook);
        builder.Services.AddSingleton<Audit.IAudit>(audit);
        var quarantine = new FakeQuarantine(city.Now);
        builder.Services.AddSingleton<Ingest.IQuarantine>(quarantine);
        var fleet = new FakeFleet(clock.GetUtcNow().UtcDateTime);
        builder.Services.AddSingleton<Fleet.IFleet>(fleet);
        var updates = new FakeUpdates(clock.GetUtcNow().UtcDateTime);
        builder.Services.AddSingleton<Fleet.IAgentUpdates>(updates);
        if (withSignIn)
        {
            builder.Services.AddSingleton<ISignIn, FakeSignIn>();
        }

        if (signUpFolder is not null)
        {
            builder.Services.AddSingleton<IAlarmTopic, FakeTopic>();
            builder.Services.AddSingleton<IDutyHours, Alerts.Rules.DutyHours>();
            builder.Services.AddHubNotifications(builder.Configuration);
            builder.Services.AddSingleton<IRoleHolders, FakeRoleHolders>();
        }

        builder.Services.AddAuthentication(FakeSignIn.Scheme).AddCookie(FakeSignIn.Scheme);
        builder.Services.AddAuthorization();
        builder.Services.AddHubPortal(builder.Configuration);
        builder.Services.AddHubPortal(builder.Configuration);
        var app = builder.Build();
        if (port is not null)
        {
            app.MapGet("/api/v1/live", (HttpContext context) => LiveAsync(context, city, clock));
        }

        var api = new MadeUpApi(city);
        api.Map(app);
        app.MapHubPortal();
        if (signUpFolder is not null)
        {
            await app.Services.MigrateNotificationsAsync(CancellationToken.None);
        }

        await app.StartAsync();
        return new(app, city, fleet, updates) { Handling = handling, Audit = audit, Api = api, Notebook = notebook, Quarantine = quarantine };
    }

    /// <summary>A browser of its own: cookies kept, redirects not followed.</summary>
    public HttpClient Browser(string? acceptLanguage = "pt-PT,pt;q=0.9")
    {
        HttpClient client = new(new CookieHandler(App.GetTestServer().CreateHandler())) { BaseAddress = new("http://localhost") };
        if (acceptLanguage is not null)
        {
            client.DefaultRequestHeaders.AcceptLanguage.ParseAdd(acceptLanguage);
        }

        return client;
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        City.Series.Dispose();
    }

    /// <summary>Four times a second a new value of another station, stored and told to the listener.</summary>
    private static async Task LiveAsync(HttpContext context, City city, TimeProvider clock)
    {
        // As the hub does: a stream ends when it stops.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, context.RequestServices.GetRequiredService<Microsoft.Extensions.Hosting.IHostApplicationLifetime>().ApplicationStopping);
        try
        {
            await TellAsync(context, city, clock, ended.Token);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
    }

    private static async Task TellAsync(HttpContext context, City city, TimeProvider clock, CancellationToken ended)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsync(": hello\n\n", ended);
        await context.Response.Body.FlushAsync(ended);
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(250), clock);
        var (round, alarms) = (0, city.Alerts.All);
        while (await timer.WaitForNextTickAsync(ended))
        {
            if (alarms != city.Alerts.All)
            {
                alarms = city.Alerts.All;
                await context.Response.WriteAsync("event: alarm\ndata: {}\n\n", ended);
            }

            var station = city.Stations.All[round++ % city.Stations.All.Count];
            if (!station.Public || station.Slug is "ponte" or "aqueduto")
            {
                continue;
            }

            var datastream = city.Stations.DatastreamsOf(station.Id)[0];
            var now = clock.GetUtcNow().UtcDateTime;
            now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
            Observation observation = new(datastream.Id, now - datastream.Period, 20 + round % 17 + 0.3, default);
            await city.Series.AppendAsync(new[] { observation }, ended);
            var json = JsonSerializer.Serialize(new object[][]
            {
                [observation.Datastream, $"{station.Municipality}/{station.Slug}", datastream.Quantity.Id, new DateTimeOffset(observation.PhenomenonTime).ToUnixTimeMilliseconds(), observation.Result],
            });
            await context.Response.WriteAsync($"event: observations\ndata: {json}\n\n", ended);
            await context.Response.Body.FlushAsync(ended);
        }
    }

    private sealed class CookieHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private readonly System.Net.CookieContainer cookies = new();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (cookies.GetCookieHeader(request.RequestUri!) is { Length: > 0 } header)
            {
                request.Headers.Add("Cookie", header);
            }

            var response = await base.SendAsync(request, cancellationToken);
            foreach (var cookie in response.Headers.TryGetValues("Set-Cookie", out var set) ? set : [])
            {
                cookies.SetCookies(request.RequestUri!, cookie);
            }

            return response;
        }
    }
}
