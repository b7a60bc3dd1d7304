using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Series;
using Hub.Cloud.Series.Tests;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.InfluxQl.Tests;

/// <summary>
/// The same observations in the embedded store, behind the stage, and on a real InfluxDB, written there by the hub's own store: five days around the change to summer time, of ten datastreams at four stations.
/// </summary>
public sealed class TwoStores : IAsyncLifetime
{
    private readonly InfluxServer server = new();
    private readonly TempFolder folder = new();
    private readonly HttpClient http = new();
    private ServiceProvider? embedded;
    private ServiceProvider? written;

    public static DateTime Begin { get; } = new(2026, 3, 27, 0, 0, 0, DateTimeKind.Utc);

    public static DateTime End { get; } = new(2026, 4, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Whether both are there.</summary>
    public bool IsThere => Host is not null;

    internal QlHost Host { get; private set; } = null!;

    /// <summary>Makes stations and says what is observed there.</summary>
    internal Func<QlHost, Task<Observation[]>> Furnish { get; init; } = FurnishAsync;

    public async ValueTask InitializeAsync()
    {
        await server.InitializeAsync();
        if (!InfluxServer.IsInstalled)
        {
            return;
        }

        embedded = await StoreAsync("embedded", null);
        Host = await QlHost.StartAsync(embedded.GetRequiredService<ISeries>());
        var observations = await Furnish(Host);
        written = await StoreAsync("influx", new Labels(Host));
        foreach (var part in observations.Chunk(40_000))
        {
            await written.GetRequiredService<ISeries>().AppendAsync(part, TestContext.Current.CancellationToken);
            await Host.Series.AppendAsync(part, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Asks both.</summary>
    public async Task<(JsonElement Hub, JsonElement Influx)> AskAsync(string question)
    {
        var (_, hub) = await Host.AskAsync(question, "epoch=ns");
        using var answer = await http.PostAsync(
            new Uri($"{server.Address}/query?db=hub&epoch=ns"), new FormUrlEncodedContent([KeyValuePair.Create("q", question)]), TestContext.Current.CancellationToken);
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        // It does not write infinite numbers, and says so instead of an answer; the hub writes null for them.
        return (hub, text.StartsWith("json:", StringComparison.Ordinal) ? hub : JsonDocument.Parse(text).RootElement);
    }

    /// <summary>Asks both, and says how long each took until the whole answer was there.</summary>
    internal async Task<(TimeSpan Hub, TimeSpan Influx)> TimeAsync(string question)
    {
        var begin = TimeProvider.System.GetTimestamp();
        using (var client = Host.Client())
        {
            await client.GetByteArrayAsync(new Uri($"/query?db=hub&epoch=ms&q={Uri.EscapeDataString(question)}", UriKind.Relative), TestContext.Current.CancellationToken);
        }

        var between = TimeProvider.System.GetTimestamp();
        await http.GetByteArrayAsync(new Uri($"{server.Address}/query?db=hub&epoch=ms&q={Uri.EscapeDataString(question)}"), TestContext.Current.CancellationToken);
        return (TimeProvider.System.GetElapsedTime(begin, between), TimeProvider.System.GetElapsedTime(between));
    }

    public async ValueTask DisposeAsync()
    {
        if (Host is not null)
        {
            await Host.DisposeAsync();
            await written!.DisposeAsync();
            await embedded!.DisposeAsync();
        }

        await server.DisposeAsync();
        http.Dispose();
        folder.Dispose();
    }

    private async Task<ServiceProvider> StoreAsync(string name, IDatastreamLabels? labels)
    {
        var settings = new Dictionary<string, string?> { ["Hub:Series:Folder"] = folder.File(name), ["Hub:Series:Store"] = "Embedded" };
        if (labels is not null)
        {
            (settings["Hub:Series:Store"], settings["Hub:Series:Influx:Address"], settings["Hub:Series:Influx:Database"]) = ("Influx", server.Address, "hub");
        }

        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddLogging(logging => logging.ClearProviders());
        services.AddSingleton(TimeProvider.System);
        services.AddHubSeries(configuration);
        if (labels is not null)
        {
            services.AddSingleton(labels);
        }

        var provider = services.BuildServiceProvider();
        await provider.OpenSeriesAsync(TestContext.Current.CancellationToken);
        return provider;
    }

    private static async Task<Observation[]> FurnishAsync(QlHost host)
    {
        List<Observation> all = [];
        var random = new Random(20260329);
        foreach (var (municipality, station) in new[] { ("braga", "centro"), ("braga", "rotunda norte"), ("aveiro", "cais"), ("aveiro", "escola") })
        {
            var at = await host.AddAsync(municipality, station.Replace(' ', '-'));
            all.AddRange(Observations(await host.AddAsync(at, "ops", "no2", 600), TimeSpan.FromMinutes(10), random, () => 20 + (30 * random.NextDouble())));
            all.AddRange(Observations(await host.AddAsync(at, "microfone", "laeq", 300), TimeSpan.FromMinutes(5), random, () => 45 + (25 * random.NextDouble())));
            if (municipality == "braga")
            {
                // Whole numbers, so that values repeat.
                all.AddRange(Observations(await host.AddAsync(at, "camara", "vehicle_count", 900), TimeSpan.FromMinutes(15), random, () => random.Next(0, 8)));
            }
        }

        return [.. all.OrderBy(observation => observation.PhenomenonTime)];
    }

    private static IEnumerable<Observation> Observations(int datastream, TimeSpan cadence, Random random, Func<double> value)
    {
        for (var time = Begin; time < End; time += cadence)
        {
            // Gaps of single readings, and one of some hours; not all at full minutes.
            if (random.Next(20) == 0 || (datastream % 3 == 0 && time.Day == 29 && time.Hour is >= 8 and < 15))
            {
                continue;
            }

            var result = value();
            yield return new Observation(datastream, time.AddMicroseconds(random.Next(4) == 0 ? random.Next(1_000_000) : 0), result, random.Next(6) == 0 ? Quality.Spike : Quality.Good)
            {
                Raw = datastream % 2 == 0 ? result * 1.1 : double.NaN,
                Calibration = datastream % 2 == 0 ? 3 : 0,
                Revision = datastream == 3 ? 1 : 0,
                Coverage = random.Next(3) == 0 ? 0.5 : double.NaN,
            };
        }
    }

    private sealed class Labels(QlHost host) : IDatastreamLabels
    {
        public long Version => 1;

        public IReadOnlyCollection<KeyValuePair<string, string>> Of(int datastream) => host.Stations.TryGetDatastream(datastream, out var found)
            ?
            [
                new("municipality", found.Station.Municipality), new("station", found.Station.Slug), new("sensor", found.Sensor), new("property", found.Quantity.Id),
                new("period", ((int)found.Period.TotalSeconds).ToString(CultureInfo.InvariantCulture)),
            ]
            : [];
    }
}
