using System.Text.Json;
using Hub.Cloud.Fleet.Storage;
using Hub.Cloud.Ingest;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Topics;
using Hub.Edge.Contract.Twin;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Fleet.Tests;

/// <summary>A hub's Fleet and Stations on one database, with a broker in memory. A second host on the same world is the hub after a restart, or the command line beside it.</summary>
internal sealed class FleetHost : IAsyncDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 11, 26, 4, 0, 0, TimeSpan.Zero);

    private readonly WebApplication app;
    private readonly World world;

    private FleetHost(WebApplication app, World world) => (this.app, this.world) = (app, world);

    public IFleet Fleet => app.Services.GetRequiredService<IFleet>();

    public IAgentUpdates Updates => app.Services.GetRequiredService<IAgentUpdates>();

    public IStations Stations => app.Services.GetRequiredService<IStations>();

    public IStationSecrets Secrets => app.Services.GetRequiredService<IStationSecrets>();

    public FakeBroker Broker => world.Broker;

    public FakeTimeProvider Time => world.Time;

    public DateTime Now => world.Time.GetUtcNow().UtcDateTime;

    public Station Air => Stations.TryGet("braga", "air-1", out var found) ? found : throw new InvalidOperationException();

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>What survives a hub: the database, the broker, the clock, the rules.</summary>
    internal sealed class World : IDisposable
    {
        public TempFolder Folder { get; } = new();

        public FakeBroker Broker { get; } = new();

        public FakeTimeProvider Time { get; } = new(Start);

        public FakeRules Rules { get; } = new();

        public string? Secret { get; set; }

        /// <summary>Runs before anything of Fleet is stored by <c>SaveChanges</c>, with what is about to be: for what somebody else does in the same moment.</summary>
        public Func<FleetContext, Task>? BeforeSave { get; set; }

        public void Dispose()
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            Folder.Dispose();
        }
    }

    /// <summary>Tells a world what is about to be stored.</summary>
    private sealed class Saving(World world) : SaveChangesInterceptor
    {
        public override async ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            if (world.BeforeSave is { } before)
            {
                await before((FleetContext)eventData.Context!);
            }

            return result;
        }
    }

    /// <param name="world">What is there already.</param>
    /// <param name="serves">False for a tool, which only stores.</param>
    /// <param name="settings">Settings.</param>
    public static async Task<FleetHost> StartAsync(World world, bool serves = true, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings.Append(("Hub:Data", world.Folder.Path)).Select(s => new KeyValuePair<string, string?>(s.Item1, s.Item2)));
        builder.Services.AddSingleton<TimeProvider>(world.Time);
        builder.Services.AddHubStations(builder.Configuration);

        // It looks every two seconds for changes of other processes; a test that lets a month pass would wait for a million looks.
        builder.Services.Remove(builder.Services.Single(s => s.ImplementationType?.Name == "StationWatch"));
        builder.Services.AddHubFleet(builder.Configuration).AddHubFleet(builder.Configuration);
        builder.Services.ConfigureDbContext<FleetContext>(options => options.AddInterceptors(new Saving(world)));
        if (serves)
        {
            builder.Services.AddSingleton<IHubPublisher>(world.Broker);
            builder.Services.AddSingleton<IHubBroker>(world.Broker);
            builder.Services.AddSingleton<IStationMessages>(world.Broker);
            builder.Services.AddSingleton<IEdgeRules>(world.Rules);
            builder.Services.AddHubFleetKeeper();
        }

        var app = builder.Build();
        if (serves)
        {
            app.Use((context, next) =>
            {
                // The test server has no addresses of its own.
                context.Connection.RemoteIpAddress = context.Request.Headers["Test-Remote"].ToString() is { Length: > 0 } remote ? System.Net.IPAddress.Parse(remote) : null;
                return next();
            });
            app.MapHubFleet();
        }

        await app.Services.MigrateStationsAsync(Cancel);
        await app.Services.MigrateFleetAsync(Cancel);
        await app.StartAsync(Cancel);
        var host = new FleetHost(app, world);
        if (host.Stations.All.Count == 0)
        {
            world.Secret = (await host.Stations.RegisterAsync(new StationRegistration("braga", "air-1", "Rotunda", 41.5503, -8.4229), Cancel)).Secret;
            await host.Stations.RegisterAsync(new StationRegistration("aveiro", "air-1", "Ria", 40.64, -8.65), Cancel);
        }

        return host;
    }

    public HttpClient Client() => app.GetTestClient();

    public static JsonElement Json(string text) => JsonElement.Parse(text);

    public ValueTask<Wanted> WantAsync(string settings, long? expected = null) => Fleet.WantSettingsAsync(Air, Json(settings), null, expected, "ana", Cancel);

    /// <summary>The document the broker keeps for a station; null for none.</summary>
    public DesiredState? Document(string municipality = "braga", string station = "air-1") =>
        Broker.Retained.TryGetValue(HubTopic.ConfigDesired(municipality, station), out var text)
            ? DesiredState.TryRead(System.Text.Encoding.UTF8.GetBytes(text), out var state, out var problem) ? state : throw new InvalidOperationException(problem)
            : null;

    public Task PublishedAsync(long version) => Eventually.TrueAsync(() => (Document()?.Version ?? 0) == version, $"version {version} is with the broker");

    public ValueTask OnlineAsync(string municipality = "braga") =>
        Broker.SayAsync(municipality, "air-1", StationMessageKind.Status, """{"state":"online","agent":"hub-agent 0.1.0","sensors":[{"name":"air","kind":"sps30","quantities":["pm10"],"condition":"running"}]}""", Now);

    public async Task<FleetContext> ContextAsync() => await app.Services.GetRequiredService<IDbContextFactory<FleetContext>>().CreateDbContextAsync(Cancel);

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(CancellationToken.None);
        await app.DisposeAsync();
    }
}
