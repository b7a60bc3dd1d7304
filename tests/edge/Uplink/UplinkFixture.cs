using System.Collections.Concurrent;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Uplink.Tests;

/// <summary>A broker, a real outbox on disk and the uplink between them.</summary>
internal sealed class UplinkFixture : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, string?> _settings;
    private IHost? _host;

    public UplinkFixture(int? port = null, params (string Key, string Value)[] settings)
    {
        Broker = new TestBroker(FreePort.Next());
        _settings = new Dictionary<string, string?>
        {
            ["Agent:Municipality"] = "braga",
            ["Agent:Station"] = "avenida",
            ["Agent:Hub:Port"] = $"{port ?? Broker.Port}",
            ["Agent:Hub:Secret"] = "s3cret",
            ["Agent:Outbox:Folder"] = _folder.File("outbox"),
            ["Agent:Uplink:RetryDelayMin"] = "00:00:00.05",
            ["Agent:Uplink:RetryDelayMax"] = "00:00:00.2",
            ["Agent:Uplink:RefusedDelay"] = "00:00:00.1",
        };
        foreach (var (key, value) in settings)
        {
            _settings[key] = value;
        }
    }

    public TestBroker Broker { get; }

    public ConcurrentQueue<string> Log { get; } = new();

    /// <summary>The station's clock, where a test gives one.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>What a test registers besides.</summary>
    public Action<IServiceCollection>? Services { get; init; }

    /// <summary>True to let the hub give another secret.</summary>
    public bool KeepsCredentials { get; init; }

    public TempFolder Folder => _folder;

    public IConfiguration Settings => new ConfigurationBuilder().AddInMemoryCollection(_settings).Build();

    public IOutbox Outbox => _host!.Services.GetRequiredService<IOutbox>();

    public IUplink Uplink => _host!.Services.GetRequiredService<IUplink>();

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static Reading Numbered(int n) =>
        new("air", "pm2_5", new DateTime(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(n), n) { Period = TimeSpan.FromSeconds(60) };

    public static Reading[] Numbered(int from, int count) => [.. Enumerable.Range(from, count).Select(n => Numbered(n))];

    public void Set(string key, string value) => _settings[key] = value;

    public async Task StartAgentAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(_settings);
        builder.Logging.AddProvider(new QueueLogger(Log));
        if (Clock is { } clock)
        {
            builder.Services.AddSingleton(clock);
        }

        builder.Services.AddHubOutbox(builder.Configuration).AddHubUplink(builder.Configuration);
        builder.Services.AddSingleton(new StationBirth(
            "hub-agent 1.2.3", new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), "Avenida", 41.5, -8.4, "Someone", [new StationBirthSensor("air", "simulated", ["pm2_5"])]));
        if (KeepsCredentials)
        {
            builder.Services.AddSingleton(new CredentialsFolder(_folder.File("credentials")));
        }

        Services?.Invoke(builder.Services);
        _host = builder.Build();
        await _host.StartAsync(Cancel);
    }

    public async Task StopAgentAsync()
    {
        if (_host is { } host)
        {
            _host = null;
            await host.StopAsync(CancellationToken.None);
            await ((IAsyncDisposable)host).DisposeAsync();
        }
    }

    public async Task AppendAsync(int from, int count, int group = 5)
    {
        for (var i = from; i < from + count; i += group)
        {
            await Outbox.AppendAsync(Numbered(i, Math.Min(group, from + count - i)), null, Cancel);
        }
    }

    public Task ReleasedAsync(long count) => Eventually.TrueAsync(() => Outbox.Counters.Released >= count, $"{count} readings were released");

    /// <summary>Every one of the first <paramref name="count"/> readings arrived as it was taken, and the counters say so.</summary>
    public void AssertTaken(int count, int refused = 0)
    {
        var arrived = Broker.Taken;
        Assert.Equal(Numbered(0, count).Select(r => new ArrivedReading(r.Sensor, r.Property, r.PhenomenonTime, r.Value, r.Period)).ToHashSet(), arrived);
        Assert.Equal(new OutboxCounters(count, count, 0, 0, 0, 0, refused), Outbox.Counters);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAgentAsync();
        await Broker.DisposeAsync();
        _folder.Dispose();
    }

    private sealed class QueueLogger(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel}: {formatter(state, exception)}");

        public void Dispose()
        {
        }
    }
}
