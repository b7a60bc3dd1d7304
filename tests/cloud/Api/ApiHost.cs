using System.Net;
using System.Security.Claims;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Fleet;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.QualityControl;
using Hub.Cloud.Retention;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Api.Tests;

/// <summary>The API over stand-ins of the stages behind it: two municipalities, each with a public and a private station.</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    /// <summary>Names the rights of a request's sender, separated by spaces, in place of a real sign-in.</summary>
    private const string RightsHeader = "Test-Rights";

    private readonly WebApplication app;
    private TempFolder? folder;

    private ApiHost(WebApplication app) => this.app = app;

    public static DateTime Now { get; } = new(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc);

    public FakeTimeProvider Time { get; private init; } = null!;

    public FakeMunicipalities Municipalities { get; } = new();

    public FakeStations Stations { get; } = new();

    public FakeAlerts Alerts { get; } = new();

    public FakeQuarantine Quarantine { get; } = new();

    public FakeAudit Audit { get; } = new();

    public FakeSignIn SignIn { get; } = new();

    /// <summary>Is called for each request before it is answered.</summary>
    public Action<HttpContext>? OnRequest { get; set; }

    /// <summary>The real Fleet, without a broker; commands are answered as the test says.</summary>
    public ScriptedFleet Fleet { get; private set; } = null!;

    public MemorySeries Series { get; } = new();

    /// <summary>Set before the first request: what the API sees instead of <see cref="Series"/>.</summary>
    public ISeries? InPlaceOfSeries { get; set; }

    public Station Centro { get; private set; } = null!;

    public Station Escola { get; private set; } = null!;

    /// <summary>Handling in memory, of the alarms in <see cref="Alerts"/>.</summary>
    public FakeHandling Handling => field ??= new FakeHandling(Time, () => Alerts.Alarms, Alerts.Announce);

    /// <summary>PM10 of the public station of Braga, minute means.</summary>
    public int Pm10 { get; private set; }

    /// <summary>Sound level of the public station of Braga, minute means.</summary>
    public int Laeq { get; private set; }

    /// <summary>NO2 of the private station of Braga, minute means.</summary>
    public int PrivateNo2 { get; private set; }

    /// <summary>Vehicles counted at the public station of Aveiro, quarters of an hour.</summary>
    public int Vehicles { get; private set; }

    public static Task<ApiHost> StartAsync(params (string Key, string Value)[] settings) => StartAsync(null, settings);

    /// <summary>Starts one.</summary>
    /// <param name="configure">Last word on what it is made of; with another server than the one in memory, clients speak to that.</param>
    /// <param name="settings">Settings.</param>
    public static async Task<ApiHost> StartAsync(Action<WebApplicationBuilder>? configure, params (string Key, string Value)[] settings)
    {
        var time = new FakeTimeProvider(Now);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings.Select(s => new KeyValuePair<string, string?>(s.Key, s.Value)));
        var app = (WebApplication?)null;
        ApiHost? host = null;
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddSingleton<IMunicipalities>(_ => host!.Municipalities);
        builder.Services.AddSingleton<IStations>(_ => host!.Stations);
        builder.Services.AddSingleton<IStationHistory>(_ => host!.Stations);
        builder.Services.AddSingleton<IAlerts>(_ => host!.Alerts);
        builder.Services.AddSingleton<IAlarmHandling>(_ => host!.Handling);
        builder.Services.AddSingleton<IRoles, FakeRoles>();
        builder.Services.AddSingleton<IQuarantine>(_ => host!.Quarantine);
        builder.Services.AddSingleton<ISignIn>(_ => host!.SignIn);
        builder.Services.AddSingleton<ISeries>(_ => host!.InPlaceOfSeries ?? host.Series);
        var folder = new TempFolder();
        builder.Configuration["Hub:Data"] = folder.Path;
        builder.Services.AddSingleton<IStationSecrets, NoSecrets>();
        builder.Services.AddHubFleet(builder.Configuration);
        var real = builder.Services.Last(s => s.ServiceType == typeof(IFleet));
        builder.Services.AddSingleton<IFleet>(services => host!.Fleet = new ScriptedFleet((IFleet)real.ImplementationFactory!(services)));
        builder.Services.AddHubRetention(builder.Configuration);
        builder.Services.AddHubQualityControl(builder.Configuration);
        builder.Services.AddSingleton<IAudit>(_ => host!.Audit);
        builder.Services.AddSingleton<IAlarmTopic, NoTopic>();
        builder.Services.AddHubNotifications(builder.Configuration);
        builder.Services.AddSingleton<IRoleHolders, FakeRoleHolders>();

        // What waits stays: a test says itself what became of it.
        builder.Services.Remove(builder.Services.Last(s => s.ServiceType == typeof(Microsoft.Extensions.Hosting.IHostedService)));
        builder.Services.AddHubApi(builder.Configuration);
        configure?.Invoke(builder);
        app = builder.Build();
        host = new ApiHost(app) { Time = time, folder = folder };
        app.Use((context, next) =>
        {
            if (context.Request.Headers[RightsHeader].ToString() is { Length: > 0 } rights)
            {
                context.User = new ClaimsPrincipal(new ClaimsIdentity(rights.Split(' ').Select(r => new Claim(Rights.ClaimType, r)), "test"));
            }

            host.OnRequest?.Invoke(context);
            return next();
        });
        app.MapHubApi();
        host.Furnish();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    /// <summary>The real campaigns, without a keeper: nothing is offered.</summary>
    public IAgentUpdates Updates => app.Services.GetRequiredService<IAgentUpdates>();

    /// <summary>Brings the tables of Fleet up to date: only for tests that need them.</summary>
    public Task MigrateFleetAsync() => app.Services.MigrateFleetAsync(TestContext.Current.CancellationToken);

    /// <summary>The real Notifications, without a worker: nothing is delivered.</summary>
    public INotifications Notifications => app.Services.GetRequiredService<INotifications>();

    /// <summary>Brings the tables of Notifications up to date: only for tests that need them.</summary>
    public Task MigrateNotificationsAsync() => app.Services.MigrateNotificationsAsync(TestContext.Current.CancellationToken);

    /// <summary>Runs a statement on the hub's database.</summary>
    public async Task ExecuteAsync(string statement)
    {
        await using var connection = Hub.Tests.Kit.PostgreSql.OnPostgreSql.Connection($"Data Source={folder!.File("hub.db")}");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Brings the tables of Retention up to date: only for tests that need them.</summary>
    public Task MigrateRetentionAsync() => app.Services.MigrateRetentionAsync(TestContext.Current.CancellationToken);

    /// <summary>Brings the tables of QualityControl up to date and lets it judge: only for tests that need it.</summary>
    public async Task<Microsoft.Extensions.Hosting.IHostedService> StartQualityControlAsync()
    {
        await app.Services.MigrateQualityControlAsync(TestContext.Current.CancellationToken);
        var runner = new ServiceCollection().AddHubQualityControlRunner().Single().ImplementationFactory!(app.Services) as Microsoft.Extensions.Hosting.IHostedService;
        await runner!.StartAsync(TestContext.Current.CancellationToken);
        return runner;
    }

    /// <summary>What the API asks for it.</summary>
    public T Service<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    /// <summary>Brings the tables of Alerts up to date: only for tests that have the real one.</summary>
    public Task MigrateAlertsAsync() => app.Services.MigrateAlertsAsync(TestContext.Current.CancellationToken);

    public IQualityControl Quality => app.Services.GetRequiredService<IQualityControl>();

    public HttpClient Client(string? rights = null)
    {
        var client = app.Services.GetRequiredService<IServer>() is TestServer ? app.GetTestClient() : new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        if (rights is not null)
        {
            client.DefaultRequestHeaders.Add(RightsHeader, rights);
        }

        return client;
    }

    public async Task<JsonElement> GetAsync(string path, string? rights = null)
    {
        using var client = Client(rights);
        using var answer = await client.GetAsync(path, TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Asserts that an address answers with a problem, and returns it.</summary>
    public async Task<JsonElement> ProblemAsync(string path, int status, string code, string? rights = null)
    {
        using var client = Client(rights);
        return await ProblemAsync(await client.GetAsync(path, TestContext.Current.CancellationToken), status, code);
    }

    public static async Task<JsonElement> ProblemAsync(HttpResponseMessage answer, int status, string code)
    {
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.Equal($"urn:hub:problem:{code}", problem.GetProperty("type").GetString());
        return problem;
    }

    public async Task StoreAsync(params Observation[] observations) => await Series.AppendAsync(observations, TestContext.Current.CancellationToken);

    public static IEnumerable<string?> Texts(JsonElement page, string property) => page.GetProperty("items").EnumerateArray().Select(i => i.GetProperty(property).ToString());

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        Series.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder?.Dispose();
    }

    private void Furnish()
    {
        Municipalities.List.Add(new Municipality("aveiro", "Aveiro", "Centro", "0105", 40.64, -8.65, "Europe/Lisbon"));
        Municipalities.List.Add(new Municipality("braga", "Braga", "Norte", "0303", 41.55, -8.42, "Europe/Lisbon"));
        Centro = Stations.Add("braga", "centro", attribution: "Câmara de Braga");
        Escola = Stations.Add("braga", "escola", isPublic: false);
        var ria = Stations.Add("aveiro", "ria");
        var porto = Stations.Add("aveiro", "porto", isPublic: false);
        Pm10 = Stations.Add(Centro, "air", "pm10", TimeSpan.FromMinutes(1));
        Laeq = Stations.Add(Centro, "noise", "laeq", TimeSpan.FromMinutes(1));
        PrivateNo2 = Stations.Add(Escola, "air", "no2", TimeSpan.FromMinutes(1));
        Vehicles = Stations.Add(ria, "road", "vehicle_count", TimeSpan.FromMinutes(15));
        Stations.Add(porto, "air", "no2", TimeSpan.FromMinutes(1));
    }
}
