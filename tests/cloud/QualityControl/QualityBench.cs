using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Hub.Cloud.Municipalities;
using Hub.Cloud.QualityControl.Storage;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.QualityControl.Tests;

/// <summary>The stage on a database of its own, with stations and series in memory, and a clock that the test owns. The worker can be stopped and started like a process.</summary>
internal sealed class QualityBench : IAsyncDisposable
{
    public static readonly DateTime T0 = new(2026, 5, 4, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>A migrated database to copy: migrating anew for each case is most of the time.</summary>
    private static readonly Lazy<SqliteConnection> Template = new(() =>
    {
        var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        using var db = new QualityContext(new DbContextOptionsBuilder<QualityContext>().UseSqlite(connection, sqlite => sqlite.MigrationsHistoryTable(QualityContext.HistoryTable)).Options);
        db.Database.Migrate();
        return connection;
    });

    private readonly string _database = $"Data Source=quality-{Guid.NewGuid():N};Mode=Memory;Cache=Shared";
    private readonly SqliteConnection _keeper;
    private ServiceProvider? _services;

    private QualityBench(FakeTimeProvider? time)
    {
        Time = time ?? new FakeTimeProvider(T0.AddDays(5));
        _keeper = new SqliteConnection(_database);
        _keeper.Open();
        lock (Template.Value)
        {
            Template.Value.BackupDatabase(_keeper);
        }
    }

    public FakeTimeProvider Time { get; }

    public MemorySeries Series { get; init; } = new();

    public FakeStations Stations { get; } = new();

    public Dictionary<string, string?> Settings { get; } = [];

    /// <summary>Errors logged.</summary>
    public ConcurrentQueue<string> Failures { get; } = [];

    public IQualityControl Quality => _services!.GetRequiredService<IQualityControl>();

    public IFindingsRemoval Removal => _services!.GetRequiredService<IFindingsRemoval>();

    public FindingsBook Book => _services!.GetRequiredService<FindingsBook>();

    public QualityRunner Runner => _services!.GetRequiredService<QualityRunner>();

    public QualityInstruments Instruments => _services!.GetRequiredService<QualityInstruments>();

    public IDbContextFactory<QualityContext> Contexts => _services!.GetRequiredService<IDbContextFactory<QualityContext>>();

    public static async Task<QualityBench> StartAsync(Action<QualityBench>? prepare = null, FakeTimeProvider? time = null)
    {
        var bench = new QualityBench(time);
        prepare?.Invoke(bench);
        await bench.StartRunnerAsync();
        return bench;
    }

    public async Task StartRunnerAsync()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>(Settings) { ["Hub:Database"] = _database }).Build();
        _services = new ServiceCollection()
            .AddLogging(logging => logging.ClearProviders().AddProvider(new Journal(Failures)))
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<ISeries>(Series)
            .AddSingleton<IStations>(Stations)
            .AddSingleton<IStationHistory>(Stations)
            .AddSingleton<IMunicipalities, FakeMunicipalities>()
            .AddHubQualityControl(configuration)
            .AddHubQualityControl(configuration)
            .BuildServiceProvider();
        await _services.MigrateQualityControlAsync(default);
        await Runner.StartAsync(default);
    }

    public async Task StopRunnerAsync()
    {
        await Runner.StopAsync(default);
        await _services!.DisposeAsync();
        _services = null;
    }

    /// <summary>Stops, and puts cursor and pending days back to what they were at an earlier moment, as a crash between two storings of the cursor would.</summary>
    public async Task CrashAsync((long Commit, long Place, List<PendingRow> Pending) earlier)
    {
        await Runner.StopAsync(default);
        await using (var db = await Contexts.CreateDbContextAsync())
        {
            await db.Pending.ExecuteDeleteAsync();
            db.Pending.AddRange(earlier.Pending);
            await db.SaveChangesAsync();
            await db.Cursors.ExecuteUpdateAsync(set => set.SetProperty(row => row.Commit, earlier.Commit).SetProperty(row => row.Place, earlier.Place));
        }

        await _services!.DisposeAsync();
        await StartRunnerAsync();
    }

    public async Task<(long Commit, long Place, List<PendingRow> Pending)> CursorAsync()
    {
        await using var db = await Contexts.CreateDbContextAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var cursor = await db.Cursors.AsNoTracking().SingleOrDefaultAsync();
        return (cursor?.Commit ?? 0, cursor?.Place ?? 0, await db.Pending.AsNoTracking().ToListAsync());
    }

    public Task AppendAsync(params Observation[] observations) => Series.AppendAsync(observations, default).AsTask();

    /// <summary>Waits until everything is judged; a pass that failed is tried again when the clock of the test goes on, which it does.</summary>
    public async Task CaughtUpAsync()
    {
        var caughtUp = Quality.CaughtUpAsync(default);
        await Eventually.TrueAsync(
            () =>
            {
                if (!caughtUp.IsCompleted)
                {
                    Time.Advance(TimeSpan.FromSeconds(1));
                }

                return caughtUp.IsCompleted;
            },
            "everything is judged");
        await caughtUp;
    }

    /// <summary>All findings, without their numbers, in an order of their own.</summary>
    public async Task<List<Finding>> FindingsAsync()
    {
        var found = await Quality.FindingsAsync(new FindingsQuery([.. Enumerable.Range(1, 20)], DateTime.MinValue.ToUniversalTime(), T0.AddYears(1), null, 0, 10_000), default);
        return [.. found.Select(one => one.Finding).OrderBy(one => one.Datastream).ThenBy(one => one.Check).ThenBy(one => one.From)];
    }

    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
        {
            await StopRunnerAsync();
        }

        await _keeper.DisposeAsync();
        Series.Dispose();
    }

    private sealed class Journal(ConcurrentQueue<string> failures, bool isOurs = false) : ILoggerProvider, ILogger
    {
        /// <summary>What the stage says; the database says errors of its own when a stop ends a transaction.</summary>
        public ILogger CreateLogger(string categoryName) => new Journal(failures, categoryName.StartsWith("Hub.", StringComparison.Ordinal));

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => isOurs && logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                failures.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
        }
    }

    private sealed class FakeMunicipalities : IMunicipalities
    {
        private readonly Municipality _braga = new("braga", "Braga", "Norte", "0303", 41.55, -8.42, "Europe/Lisbon");

        public IReadOnlyList<Municipality> All => [_braga];

        public bool TryGet(string slug, [NotNullWhen(true)] out Municipality? found) => (found = slug == "braga" ? _braga : null) is not null;

        public ValueTask<Municipality> SaveAsync(Municipality municipality, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}

/// <summary>Five stations of Braga a few hundred metres apart, and one far away.</summary>
internal sealed class FakeStations : IStations, IStationHistory
{
    private readonly ConcurrentDictionary<int, Datastream> _datastreams = [];
    private readonly ConcurrentDictionary<string, Station> _stations = [];
    private readonly List<StationPlace> _places = [];

    public event Action? Changed;

    public IReadOnlyList<Station> All => [.. _stations.Values];

    public void Add(int id, string station, string property, string sensor, double northMetres = 0)
    {
        QuantityCatalogue.TryGet(property, out var quantity);
        if (!_stations.TryGetValue(station, out var place))
        {
            place = _stations[station] = new Station(_stations.Count + 1, "braga", station, station, North(northMetres), -8.42, true, "");
            _places.Add(new StationPlace(_places.Count + 1, place.Id, new StationLocation(QualityBench.T0, place.Latitude, place.Longitude)));
        }

        _datastreams[id] = new Datastream(id, place, sensor, quantity!, TimeSpan.FromMinutes(15));
        Changed?.Invoke();
    }

    /// <summary>A station stands somewhere else since an instant.</summary>
    public void Move(string station, double northMetres, DateTime since)
    {
        lock (_places)
        {
            var place = _stations[station] = _stations[station] with { Latitude = North(northMetres) };
            _places.Add(new StationPlace(_places.Count + 1, place.Id, new StationLocation(since, place.Latitude, place.Longitude)));
            foreach (var datastream in _datastreams.Values.Where(datastream => datastream.Station.Id == place.Id).ToList())
            {
                _datastreams[datastream.Id] = datastream with { Station = place };
            }
        }

        Changed?.Invoke();
    }

    public ValueTask<IReadOnlyList<StationLocation>> LocationsAsync(int stationId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<StationPlace>> MovedAsync(CancellationToken cancellationToken)
    {
        lock (_places)
        {
            return new([.. _places.Where(place => _places.Any(other => other.StationId == place.StationId && other != place))]);
        }
    }

    public IReadOnlyList<Datastream> DatastreamsOf(int stationId) => [.. _datastreams.Values.Where(datastream => datastream.Station.Id == stationId)];

    public bool TryGet(string municipality, string station, [NotNullWhen(true)] out Station? found) => (found = _stations.GetValueOrDefault(station)) is not null;

    public bool TryGetDatastream(int id, [NotNullWhen(true)] out Datastream? found) => _datastreams.TryGetValue(id, out found);

    public bool Authenticate(string municipality, string station, ReadOnlySpan<byte> secretUtf8, [NotNullWhen(true)] out Station? authenticated) => throw new NotSupportedException();

    public bool TryResolve(int stationId, ReadOnlySpan<byte> sensorUtf8, Quantity quantity, int periodSeconds, out int datastream) => throw new NotSupportedException();

    public ValueTask<int> ResolveAsync(int stationId, string sensor, Quantity quantity, int periodSeconds, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<(Station Station, string Secret)> RegisterAsync(StationRegistration registration, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<string> RotateSecretAsync(int stationId, TimeSpan overlap, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> UpdateAsync(Station changed, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> TagAsync(int stationId, IReadOnlyList<string> tags, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask RemoveAsync(int stationId, CancellationToken cancellationToken) => throw new NotSupportedException();

    private static double North(double metres) => 41.55 + (metres / 111_195);
}
