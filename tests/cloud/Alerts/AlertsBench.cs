using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>The Alerts stage on a database of its own, with stations, series and notifications in memory, and a clock that the test owns. The evaluator can be stopped and started like a process.</summary>
internal sealed class AlertsBench : IAsyncDisposable
{
    public static readonly DateTime T0 = new(2026, 5, 4, 12, 0, 0, DateTimeKind.Utc);

    /// <summary>A migrated database to copy: migrating anew for each case is most of the time.</summary>
    private static readonly Lazy<SqliteConnection> Template = new(() =>
    {
        var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        using var db = new AlertsContext(new DbContextOptionsBuilder<AlertsContext>().UseSqlite(connection, sqlite => sqlite.MigrationsHistoryTable(AlertsContext.HistoryTable)).Options);
        db.Database.Migrate();
        return connection;
    });

    private readonly string database = $"Data Source=alerts-{Guid.NewGuid():N};Mode=Memory;Cache=Shared";
    private readonly SqliteConnection keeper;
    private ServiceProvider? services;

    private AlertsBench()
    {
        keeper = new SqliteConnection(database);
        keeper.Open();
        lock (Template.Value)
        {
            Template.Value.BackupDatabase(keeper);
        }
    }

    public JumpingTime Time { get; } = new(T0);

    public MemorySeries Series { get; init; } = new();

    public FakeStations Stations { get; } = new();

    public RecordedNotifications Notifications { get; } = new();

    public Dictionary<string, string?> Settings { get; } = [];

    public IAlerts Alerts => services!.GetRequiredService<IAlerts>();

    public IAlarmCourses Courses => services!.GetRequiredService<IAlarmCourses>();

    public IAlarmHandling Handling => services!.GetRequiredService<IAlarmHandling>();

    public IDbContextFactory<AlertsContext> Contexts => services!.GetRequiredService<IDbContextFactory<AlertsContext>>();

    public static async Task<AlertsBench> StartAsync(MemorySeries? series = null, Action<AlertsBench>? prepare = null)
    {
        var bench = new AlertsBench { Series = series ?? new MemorySeries() };
        prepare?.Invoke(bench);
        await bench.StartEvaluatorAsync();
        return bench;
    }

    public async Task StartEvaluatorAsync()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>(Settings) { ["Hub:Database"] = database }).Build();
        services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<ISeries>(Series)
            .AddSingleton<IStations>(Stations)
            .AddSingleton<IStationHistory>(Stations)
            .AddSingleton<INotifications>(Notifications)
            .AddSingleton<IMunicipalityDirectory, Directory>()
            .AddHubAlerts(configuration)
            .BuildServiceProvider();
        await services.MigrateAlertsAsync(default);
        await services.GetRequiredService<Evaluator>().StartAsync(default);
    }

    public async Task StopEvaluatorAsync()
    {
        await services!.GetRequiredService<Evaluator>().StopAsync(default);
        await services!.DisposeAsync();
        services = null;
    }

    /// <summary>Stops, and forgets how far evaluation had come, as a crash before the cursor was stored would.</summary>
    public async Task CrashAsync(long cursor)
    {
        await services!.GetRequiredService<Evaluator>().StopAsync(default);
        await using (var db = await Contexts.CreateDbContextAsync())
        {
            await db.Cursors.Where(row => row.Commit > cursor).ExecuteUpdateAsync(set => set.SetProperty(row => row.Commit, cursor));
        }

        await services!.DisposeAsync();
        await StartEvaluatorAsync();
    }

    public Task AppendAsync(params Observation[] observations) => Series.AppendAsync(observations, default).AsTask();

    public Task CaughtUpAsync() => Alerts.CaughtUpAsync(Series.LastCommit, default).AsTask().WaitAsync(Eventually.Limit);

    public async Task<IReadOnlyList<Alarm>> HistoryAsync() =>
        await Alerts.HistoryAsync(null, DateTime.MinValue, DateTime.MaxValue, 10_000, default);

    /// <summary>The history as a function of the observations must give it: without what was withdrawn on the way and without processing times.</summary>
    public async Task<string[]> EpisodesAsync() =>
        [.. (await HistoryAsync()).Where(alarm => !alarm.Withdrawn).OrderBy(alarm => alarm.Id, StringComparer.Ordinal)
            .Select(alarm => $"{alarm.Id} {alarm.ConditionAt:O} {alarm.StartedAt:O} {alarm.EndedAt:O} {alarm.StartValue} {alarm.Peak} {alarm.LastValue}")];

    public static Rule NoiseRule(double set = 70, double clear = 65, int forMinutes = 0, string slug = "night-noise") => new(
        "braga", slug, "Ruído noturno", "Night noise", Severity.Warning, "laeq", null, null, null, Crossing.Above, set, clear, TimeSpan.FromMinutes(forMinutes));

    public async ValueTask DisposeAsync()
    {
        if (services is not null)
        {
            await StopEvaluatorAsync();
        }

        await keeper.DisposeAsync();
    }

    private sealed class Directory : IMunicipalityDirectory
    {
        public (string Name, string Zone) Of(string municipality) => ("Braga", "Europe/Lisbon");
    }
}

/// <summary>A clock that can go on in the moment somebody begins to wait by it.</summary>
internal sealed class JumpingTime(DateTimeOffset start) : FakeTimeProvider(start)
{
    /// <summary>Called with what is to be waited for, before the wait begins.</summary>
    public Action<TimeSpan>? BeforeWait { get; set; }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        BeforeWait?.Invoke(dueTime);
        return base.CreateTimer(callback, state, dueTime, period);
    }
}

/// <summary>Records what it is handed, as an outbox does: idempotent by key. Can be told to fail.</summary>
internal sealed partial class RecordedNotifications : INotifications
{
    private readonly ConcurrentDictionary<string, AlarmMessage> byKey = new();
    private readonly ConcurrentQueue<AlarmMessage> messages = new();

    public IReadOnlyList<AlarmMessage> Messages => [.. messages];

    public int Calls;

    /// <summary>Runs before a message is taken; may throw.</summary>
    public Action<AlarmMessage>? Before { get; set; }

    /// <summary>Runs after a message was taken; may throw: the crash between taking and marking.</summary>
    public Action<AlarmMessage>? After { get; set; }

    public IEnumerable<string> Told => Messages.Select(message => $"{message.Kind} {StartOf().Match(message.Key)}{(message.Withdrawn ? " withdrawn" : "")}");

    /// <summary>Kind, level and beginning and end of the episode, by the clock.</summary>
    public IEnumerable<string> ToldByLevel => Messages.Select(message => $"{message.Kind} {message.Severity} {message.StartedAt:HHmm}-{message.EndedAt:HHmm}{(message.Withdrawn ? " withdrawn" : "")}");

    [GeneratedRegex("[0-9]{8}T[0-9]{6}Z")]
    private static partial Regex StartOf();

    public ValueTask EnqueueAsync(AlarmMessage message, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref Calls);
        Before?.Invoke(message);
        if (byKey.TryAdd(message.Key, message))
        {
            messages.Enqueue(message);
        }

        After?.Invoke(message);
        return ValueTask.CompletedTask;
    }

    public ValueTask<Subscriber> SaveAsync(Subscriber subscriber, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<Subscriber>> SubscribersAsync(string municipality, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Subscriber?> FindSubscriberAsync(int subscriberId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<RoleAudience> AudienceAsync(StaffRole role, string municipality, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask RemoveAsync(int subscriberId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<Delivery>> LogAsync(string municipality, int countMax, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Subscriber> RotateSecretAsync(int subscriberId, TimeSpan? overlap, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<Delivery>> SearchAsync(string municipality, DeliveryState? state, long? before, int countMax, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Delivery?> FindAsync(long deliveryId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Delivery> ResendAsync(long deliveryId, CancellationToken cancellationToken) => throw new NotSupportedException();
}

/// <summary>Two stations in Braga with noise (one minute), one with PM10 (one hour); more can be added.</summary>
internal sealed class FakeStations : IStations, IStationHistory
{
    private volatile List<StationPlace> places = [];

    // Replaced, not changed: the evaluator reads meanwhile.
    private volatile Dictionary<int, Datastream> datastreams = [];

    public FakeStations()
    {
        Add(1, "avenida", "laeq", 60);
        Add(2, "se", "laeq", 60);
        Add(3, "avenida", "pm10", 3600);
    }

    public event Action? Changed;

    public IReadOnlyList<Station> All => [.. datastreams.Values.Select(datastream => datastream.Station).Distinct()];

    public void Add(int id, string station, string property, int periodSeconds)
    {
        QuantityCatalogue.TryGet(property, out var quantity);
        var known = datastreams.Values.Select(datastream => datastream.Station).FirstOrDefault(one => one.Slug == station);
        datastreams = new(datastreams)
        {
            [id] = new Datastream(
                id, known ?? new Station(id, "braga", station, $"Estação {station}", 41.55, -8.42, true, ""), "s1", quantity!, TimeSpan.FromSeconds(periodSeconds)),
        };
        Changed?.Invoke();
    }

    /// <summary>Moves a station.</summary>
    public void Move(string station, DateTime since, double latitude, double longitude)
    {
        var before = All.Single(one => one.Slug == station);
        List<StationPlace> known = [.. places];
        if (!known.Exists(place => place.StationId == before.Id))
        {
            known.Add(new StationPlace(known.Count + 1, before.Id, new StationLocation(DateTime.MinValue, before.Latitude, before.Longitude)));
        }

        known.Add(new StationPlace(known.Count + 1, before.Id, new StationLocation(since, latitude, longitude)));
        places = known;
        datastreams = datastreams.ToDictionary(
            one => one.Key, one => one.Value.Station.Slug == station ? one.Value with { Station = before with { Latitude = latitude, Longitude = longitude } } : one.Value);
        Changed?.Invoke();
    }

    /// <summary>Gives a station these tags instead of those it has.</summary>
    public void Tag(string station, params string[] tags)
    {
        datastreams = datastreams.ToDictionary(one => one.Key, one => one.Value.Station.Slug == station ? one.Value with { Station = one.Value.Station with { Tags = tags } } : one.Value);
        Changed?.Invoke();
    }

    public ValueTask<IReadOnlyList<StationLocation>> LocationsAsync(int stationId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<StationPlace>> MovedAsync(CancellationToken cancellationToken) => new(places);

    public IReadOnlyList<Datastream> DatastreamsOf(int stationId) => [.. datastreams.Values.Where(datastream => datastream.Station.Id == stationId)];

    public bool TryGet(string municipality, string station, [NotNullWhen(true)] out Station? found) => (found = All.FirstOrDefault(one => one.Slug == station)) is not null;

    public bool TryGetDatastream(int id, [NotNullWhen(true)] out Datastream? found) => datastreams.TryGetValue(id, out found);

    public bool Authenticate(string municipality, string station, ReadOnlySpan<byte> secretUtf8, [NotNullWhen(true)] out Station? authenticated) => throw new NotSupportedException();

    public bool TryResolve(int stationId, ReadOnlySpan<byte> sensorUtf8, Quantity quantity, int periodSeconds, out int datastream) => throw new NotSupportedException();

    public ValueTask<int> ResolveAsync(int stationId, string sensor, Quantity quantity, int periodSeconds, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<(Station Station, string Secret)> RegisterAsync(StationRegistration registration, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<string> RotateSecretAsync(int stationId, TimeSpan overlap, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> UpdateAsync(Station changed, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<Station> TagAsync(int stationId, IReadOnlyList<string> tags, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask RemoveAsync(int stationId, CancellationToken cancellationToken) => throw new NotSupportedException();
}

/// <summary>Observations in short.</summary>
internal static class Obs
{
    public static Observation At(int datastream, DateTime at, double value, Quality quality = Quality.Good, int revision = 0) => new(datastream, at, value, quality) { Revision = revision };
}
