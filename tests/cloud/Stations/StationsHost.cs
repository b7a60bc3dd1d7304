using Hub.Edge.Contract.Quantities;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Stations.Tests;

/// <summary>The stage as the server composes it, on a database file of its own.</summary>
internal sealed class StationsHost : IAsyncDisposable
{
    private readonly ServiceProvider services;

    private StationsHost(ServiceProvider services, FakeTimeProvider time)
    {
        this.services = services;
        Time = time;
    }

    public FakeTimeProvider Time { get; }

    public IStations Stations => services.GetRequiredService<IStations>();

    public IStationSecrets Secrets => services.GetRequiredService<IStationSecrets>();

    public IAdapterSecrets Adapters => services.GetRequiredService<IAdapterSecrets>();

    public IStationHistory History => services.GetRequiredService<IStationHistory>();

    public IStationCredentials Credentials => services.GetRequiredService<IStationCredentials>();

    public Notebook.IStationNotebook Notebook => services.GetRequiredService<Notebook.IStationNotebook>();

    public static async Task<StationsHost> StartAsync(TempFolder folder, FakeTimeProvider? time = null, params (string Key, string Value)[] settings)
    {
        time ??= new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        var services = Build(folder, time, settings);
        await services.MigrateStationsAsync(TestContext.Current.CancellationToken);
        return new StationsHost(services, time);
    }

    public static ServiceProvider Build(TempFolder folder, FakeTimeProvider time, params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Append(("Hub:Database", folder.File("hub.db"))).Select(s => new KeyValuePair<string, string?>(s.Item1, s.Item2)))
            .Build();
        return new ServiceCollection().AddSingleton<TimeProvider>(time).AddHubStations(configuration).BuildServiceProvider();
    }

    public static Quantity Quantity(string id) => QuantityCatalogue.TryGet(id, out var found) ? found : throw new ArgumentException(id);

    public async Task<(Station Station, string Secret)> RegisterAsync(string municipality = "braga", string slug = "centro") =>
        await Stations.RegisterAsync(new StationRegistration(municipality, slug, "Centro", 41.55, -8.42), TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => services.DisposeAsync();
}
