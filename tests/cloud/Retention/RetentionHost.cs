using Hub.Cloud.Municipalities;
using Hub.Cloud.QualityControl;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Retention.Tests;

/// <summary>Retention with real stations and municipalities on one database, and series in memory.</summary>
internal sealed class RetentionHost : IAsyncDisposable
{
    public static readonly DateTime Now = new(2026, 7, 10, 12, 0, 0, DateTimeKind.Utc);

    private readonly TempFolder _folder = new();
    private readonly ServiceProvider _services;

    private RetentionHost()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Hub:Data"] = _folder.Path }).Build();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddLogging(logging => logging.ClearProviders());
        services.AddSingleton<TimeProvider>(Time);
        services.AddHubMunicipalities(configuration);
        services.AddHubStations(configuration);
        services.AddSingleton<ISeries>(Series);
        services.AddHubRetention(configuration).AddHubRetention(configuration).AddHubRetentionKeeper();
        services.AddHubQualityControl(configuration).AddHubQualityControlRunner();
        var removal = services.Single(service => service.ServiceType == typeof(IFindingsRemoval)).ImplementationType!;
        services.AddSingleton<IFindingsRemoval>(provider => new CutOff((IFindingsRemoval)ActivatorUtilities.CreateInstance(provider, removal), this));
        _services = services.BuildServiceProvider();
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(Now));

    public MemorySeries Series { get; } = new();

    public IRetention Retention => _services.GetRequiredService<IRetention>();

    public IQualityControl Checks => _services.GetRequiredService<IQualityControl>();

    /// <summary>While set, findings cannot be removed: as if the hub had died before.</summary>
    public bool IsCutOff { get; set; }

    public IHostedService Keeper => _services.GetServices<IHostedService>().OfType<RetentionKeeper>().Single();

    public Station Centro { get; private set; } = null!;

    public int Pm10 { get; private set; }

    public int Laeq { get; private set; }

    public int Elsewhere { get; private set; }

    public IStations Stations => _services.GetRequiredService<IStations>();

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<RetentionHost> StartAsync()
    {
        var host = new RetentionHost();
        await host._services.MigrateMunicipalitiesAsync(Cancel);
        await host._services.MigrateStationsAsync(Cancel);
        await host._services.MigrateRetentionAsync(Cancel);
        await host._services.MigrateRetentionAsync(Cancel);
        await host._services.MigrateQualityControlAsync(Cancel);
        var municipalities = host._services.GetRequiredService<IMunicipalities>();
        await municipalities.SaveAsync(new Municipality("braga", "Braga", "Norte", "0303", 41.55, -8.42, "Europe/Lisbon"), Cancel);
        await municipalities.SaveAsync(new Municipality("aveiro", "Aveiro", "Centro", "0105", 40.64, -8.65, "Europe/Lisbon"), Cancel);
        (host.Centro, _) = await host.Stations.RegisterAsync(new StationRegistration("braga", "centro", "Centro", 41.55, -8.42), Cancel);
        var (other, _) = await host.Stations.RegisterAsync(new StationRegistration("aveiro", "rossio", "Rossio", 40.64, -8.65), Cancel);
        host.Pm10 = await host.StreamAsync(host.Centro, "pm10");
        host.Laeq = await host.StreamAsync(host.Centro, "laeq");
        host.Elsewhere = await host.StreamAsync(other, "pm10");
        return host;
    }

    /// <summary>One observation a day at noon for a number of days back from now, today's included.</summary>
    public async Task FillAsync(int datastream, int days) =>
        await Series.AppendAsync(Enumerable.Range(0, days).Select(day => new Observation(datastream, Now.AddDays(-day), day, Quality.Good)).ToArray(), Cancel);

    /// <summary>How many days back the observations of a datastream are.</summary>
    public async Task<List<int>> DaysAsync(int datastream)
    {
        var days = new List<int>();
        await foreach (var observation in Series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            days.Add((int)(Now - observation.PhenomenonTime).TotalDays);
        }

        days.Sort();
        return days;
    }

    /// <summary>Lets pm10 above a limit be flagged, in everything that is stored.</summary>
    public async Task FlagAsync(double above)
    {
        await Worker.StartAsync(Cancel);
        await Checks.DeclareAsync("braga", "pm10", null, new CheckParameters { Range = new RangeParameters(0, above) }, "ana", Cancel);
        await Checks.CaughtUpAsync(Cancel);
    }

    /// <summary>How many days back the findings of a datastream are.</summary>
    public async Task<List<int>> FoundAsync(int datastream)
    {
        var found = await Checks.FindingsAsync(new FindingsQuery([datastream], DateTime.UnixEpoch, Now.AddDays(1), null, 0, 1_000), Cancel);
        return [.. found.Select(one => (int)(Now - one.Finding.From).TotalDays).Order()];
    }

    public async ValueTask DisposeAsync()
    {
        await Worker.StopAsync(default);
        await _services.DisposeAsync();
        Series.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Dispose();
    }

    private IHostedService Worker => _services.GetServices<IHostedService>().Single(service => service.GetType().Assembly == typeof(IQualityControl).Assembly);

    private async Task<int> StreamAsync(Station station, string property) =>
        await Stations.ResolveAsync(station.Id, "one", QuantityCatalogue.TryGet(property, out var quantity) ? quantity : throw new InvalidOperationException(property), 60, Cancel);

    private sealed class CutOff(IFindingsRemoval inner, RetentionHost host) : IFindingsRemoval
    {
        public IReadOnlyList<int> DatastreamsBefore(DateTime before) => inner.DatastreamsBefore(before);

        public ValueTask<long> RemoveAsync(IReadOnlyCollection<int> datastreams, DateTime from, DateTime to, CancellationToken cancellationToken) =>
            host.IsCutOff ? throw new IOException("The hub is gone.") : inner.RemoveAsync(datastreams, from, to, cancellationToken);
    }
}
