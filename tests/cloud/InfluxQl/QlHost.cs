using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.InfluxQl.Tests;

/// <summary>The stage over the real Municipalities and Stations, alarms as a test says, and any store.</summary>
internal sealed class QlHost : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly TempFolder folder;

    private QlHost(WebApplication app, TempFolder folder, FakeTimeProvider time, SaidAlerts alerts)
    {
        this.app = app;
        this.folder = folder;
        Time = time;
        Alerts = alerts;
    }

    public static DateTime Now { get; } = new(2026, 4, 2, 12, 0, 0, DateTimeKind.Utc);

    public FakeTimeProvider Time { get; }

    public SaidAlerts Alerts { get; }

    public IServiceProvider Services => app.Services;

    public ISeries Series => Services.GetRequiredService<ISeries>();

    public IStations Stations => Services.GetRequiredService<IStations>();

    public static async Task<QlHost> StartAsync(ISeries? series = null, params (string Key, string Value)[] settings)
    {
        var (time, folder, alerts) = (new FakeTimeProvider(Now), new TempFolder(), new SaidAlerts());
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings.Append(("Hub:Data", folder.Path)).Select(s => new KeyValuePair<string, string?>(s.Item1, s.Item2)));
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddHubMunicipalities(builder.Configuration);
        builder.Services.AddHubStations(builder.Configuration);
        builder.Services.AddSingleton(series ?? new MemorySeries());
        builder.Services.AddSingleton<IAlerts>(alerts);
        builder.Services.AddHubInfluxQl(builder.Configuration);
        builder.Services.AddAuthorization();
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapHubInfluxQl();
        await app.Services.MigrateMunicipalitiesAsync(TestContext.Current.CancellationToken);
        await app.Services.MigrateStationsAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new QlHost(app, folder, time, alerts);
    }

    public async Task<Station> AddAsync(string municipality, string station, bool isPublic = true)
    {
        if (!Services.GetRequiredService<IMunicipalities>().TryGet(municipality, out _))
        {
            await Services.GetRequiredService<IMunicipalities>().SaveAsync(
                new Municipality(municipality, municipality, "Norte", "", 41.5, -8.4, "Europe/Lisbon"), TestContext.Current.CancellationToken);
        }

        return (await Stations.RegisterAsync(new StationRegistration(municipality, station, $"Estação {station}", 41.5, -8.4, isPublic), TestContext.Current.CancellationToken)).Station;
    }

    public async Task<int> AddAsync(Station station, string sensor, string property, int period) =>
        await Stations.ResolveAsync(station.Id, sensor, QuantityCatalogue.TryGet(property, out var quantity) ? quantity : throw new ArgumentException(property), period, TestContext.Current.CancellationToken);

    public async Task AppendAsync(params Observation[] observations) => await Series.AppendAsync(observations, TestContext.Current.CancellationToken);

    public HttpClient Client() => app.GetTestClient();

    public HttpClient Client(string user, string password)
    {
        var client = Client();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
        return client;
    }

    /// <summary>Asks, and gives back status and document.</summary>
    public async Task<(int Status, JsonElement Document)> AskAsync(string question, string parameters = "epoch=ms", HttpClient? client = null)
    {
        using var answer = await (client ?? Client()).PostAsync(
            new Uri($"/query?db=hub&{parameters}", UriKind.Relative), new FormUrlEncodedContent([KeyValuePair.Create("q", question)]), TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement);
    }

    /// <summary>The rows of the answer to one statement, a line for each, with the tags before the rows of a series.</summary>
    public async Task<string> LinesAsync(string question, string parameters = "epoch=ms", HttpClient? client = null)
    {
        var (status, document) = await AskAsync(question, parameters, client);
        return status == 200 ? Lines(document.GetProperty("results")[0]) : document.GetProperty("error").GetString()!;
    }

    public static string Lines(JsonElement result)
    {
        if (result.TryGetProperty("error", out var error))
        {
            return error.GetString()!;
        }

        var lines = new StringBuilder();
        foreach (var series in result.TryGetProperty("series", out var all) ? all.EnumerateArray() : [])
        {
            var tags = series.TryGetProperty("tags", out var named) ? string.Join(',', named.EnumerateObject().Select(tag => $"{tag.Name}={tag.Value}")) : "";
            lines.Append(CultureInfo.InvariantCulture, $"{(series.TryGetProperty("name", out var name) ? name.GetString() : "")} {tags} {series.GetProperty("columns")}\n");
            foreach (var row in series.GetProperty("values").EnumerateArray())
            {
                lines.Append(CultureInfo.InvariantCulture, $"{row}\n");
            }
        }

        return lines.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        folder.Dispose();
    }
}

/// <summary>Alarms and rules as a test says.</summary>
internal sealed class SaidAlerts : IAlerts
{
    public event Action<IReadOnlyList<Alarm>>? Changed;

    public event Action? RulesChanged;

    public List<Alarm> Alarms { get; } = [];

    public List<Rule> RuleList { get; } = [];

    public IReadOnlyList<Rule> Rules(string? municipality) => [.. RuleList.Where(rule => municipality is null || rule.Municipality == municipality)];

    public IReadOnlyList<Alarm> Active(string? municipality) => [.. Alarms.Where(alarm => alarm.EndedAt is null)];

    public ValueTask<IReadOnlyList<Alarm>> HistoryAsync(string? municipality, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken) =>
        new([.. Alarms.Where(alarm => alarm.StartedAt < to && (alarm.EndedAt is null || alarm.EndedAt >= from)).OrderByDescending(alarm => alarm.StartedAt).Take(countMax)]);

    public ValueTask<Rule> SaveAsync(Rule rule, CancellationToken cancellationToken) => throw Unasked();

    public ValueTask ApplyAsync(string municipality, IReadOnlyList<Rule> saved, IReadOnlyList<string> removed, CancellationToken cancellationToken) => throw Unasked();

    public ValueTask RemoveAsync(string municipality, string slug, CancellationToken cancellationToken) => throw Unasked();

    public ValueTask<Rehearsal> RehearseAsync(Rule rule, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken) => throw Unasked();

    public ValueTask CaughtUpAsync(long commit, CancellationToken cancellationToken) => throw Unasked();

    private NotSupportedException Unasked()
    {
        (Changed, RulesChanged) = (null, null);
        return new NotSupportedException("The stage only reads.");
    }
}
