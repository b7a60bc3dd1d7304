using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using Hub.Cloud.Ingest.Mqtt;
using Hub.Cloud.Ingest.Pipeline;
using Hub.Cloud.Ingest.Quarantine;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.TestHost;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Hub.Cloud.Ingest.Tests;

/// <summary>The ingest stage in a host of its own, with a real broker on a free port, real tables in a temporary file, and the store and the stations in memory.</summary>
internal sealed class IngestHost : IAsyncDisposable
{
    public const string Secret = "correct-horse-battery-staple";
    public const string OtherSecret = "another-secret-altogether";

    private readonly WebApplication _app;
    private readonly TempFolder? _folder;
    private readonly ErrorLog _errors;
    private readonly MetricsSum _metrics;
    private bool _stopped;

    private IngestHost(WebApplication app, TempFolder? folder, ErrorLog errors)
    {
        _app = app;
        _metrics = new MetricsSum(app.Services.GetRequiredService<IMeterFactory>());
        _folder = folder;
        _errors = errors;
        Series = (MemorySeries)app.Services.GetRequiredService<ISeries>();
        Stations = (FakeStations)app.Services.GetRequiredService<IStations>();
    }

    public MemorySeries Series { get; }

    public FakeStations Stations { get; }

    public Station Air => Stations.TryGet("braga", "air-1", out var station) ? station : throw new InvalidOperationException();

    public Station Noise => Stations.TryGet("braga", "noise-1", out var station) ? station : throw new InvalidOperationException();

    public IIngest Ingest => _app.Services.GetRequiredService<IIngest>();

    public IngestPipeline Pipeline => _app.Services.GetRequiredService<IngestPipeline>();

    public IQuarantine Quarantine => _app.Services.GetRequiredService<IQuarantine>();

    public IHubPublisher Publisher => _app.Services.GetRequiredService<IHubPublisher>();

    public IServiceProvider Services => _app.Services;

    public IngestCounters Counters => _app.Services.GetRequiredService<IIngestCounters>().Snapshot();

    public MetricsSum Metrics => _metrics;

    /// <summary>What was logged as a warning so far.</summary>
    public IReadOnlyCollection<string> Warnings => _errors.Warnings;

    public EmbeddedBroker Broker => _app.Services.GetRequiredService<EmbeddedBroker>();

    public ExternalBroker External => _app.Services.GetRequiredService<ExternalBroker>();

    public string Database => $"Data Source={Path.Combine(_app.Configuration["Hub:Data"]!, "hub.db")}";

    public int Port => Broker.BoundEndpoint!.Port;

    /// <summary>Set by tests that provoke errors on purpose.</summary>
    public bool ErrorsExpected { get; set; }

    /// <summary>Ports of the web server, without TLS and with it; there is one when a certificate was given.</summary>
    public (int Http, int Https) WebPorts =>
        _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a).Port).ToArray() is [var http, var https]
            ? (http, https)
            : throw new InvalidOperationException("This host has no web server.");

    /// <summary>Starts a host; a folder and a store given from outside outlive it.</summary>
    public static async Task<IngestHost> StartAsync(
        Dictionary<string, string?>? settings = null,
        TempFolder? folder = null,
        MemorySeries? series = null,
        FakeStations? stations = null,
        TimeProvider? time = null,
        bool start = true,
        System.Security.Cryptography.X509Certificates.X509Certificate2? web = null)
    {
        var own = folder is null ? new TempFolder() : null;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var errors = new ErrorLog();
        builder.Logging.AddProvider(errors);
        if (web is null)
        {
            builder.WebHost.UseTestServer();
        }
        else
        {
            builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
                kestrel.Listen(IPAddress.Loopback, 0);
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(web));
            });
        }

        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Hub:Data"] = (folder ?? own)!.Path,
            ["Hub:Mqtt:Endpoint"] = "127.0.0.1:0",
        });
        builder.Configuration.AddInMemoryCollection(settings);
        if (stations is null)
        {
            stations = new FakeStations();
            stations.Add("braga", "air-1", Secret);
            stations.Add("braga", "noise-1", OtherSecret);
            stations.Add("aveiro", "air-1", OtherSecret);
        }

        builder.Services.AddSingleton<ISeries>(series ?? new MemorySeries());
        builder.Services.AddSingleton<IStations>(stations);
        builder.Services.AddSingleton<IAdapterSecrets>(stations);
        if (time is not null)
        {
            builder.Services.AddSingleton(time);
        }

        builder.Services.AddHubIngest(builder.Configuration);
        var app = builder.Build();
        app.MapHubIngest();
        var host = new IngestHost(app, own, errors);
        try
        {
            await app.Services.MigrateIngestAsync(CancellationToken.None);
            if (start)
            {
                await app.StartAsync();
            }
        }
        catch
        {
            host.ErrorsExpected = true;
            host._stopped = true;
            await host.DisposeAsync();
            throw;
        }

        return host;
    }

    public Task<IngestDbContext> ContextAsync() => _app.Services.GetRequiredService<IDbContextFactory<IngestDbContext>>().CreateDbContextAsync();

    public HttpClient Http() => _app.GetTestClient();

    public async Task StopAsync()
    {
        if (!_stopped)
        {
            _stopped = true;
            await _app.StopAsync();
        }
    }

    /// <summary>All stored results of one datastream by time.</summary>
    public async Task<IReadOnlyList<Observation>> StoredAsync(Station station, string sensor, string quantity)
    {
        var stored = new List<Observation>();
        if (Stations.TryDatastream(station, sensor, quantity, out var id))
        {
            await foreach (var observation in Series.RangeAsync(id, DateTime.UnixEpoch, DateTime.UnixEpoch.AddYears(200), CancellationToken.None))
            {
                stored.Add(observation);
            }
        }

        return stored;
    }

    public static void AssertAddUp(IngestCounters counters) =>
        Assert.Equal(counters.Received, counters.Stored + counters.Corrected + counters.Duplicate + counters.Quarantined);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _app.DisposeAsync();
        _metrics.Dispose();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder?.Dispose();
        if (!ErrorsExpected)
        {
            Assert.Empty(_errors.Lines);
        }
    }

    /// <summary>Collects what was logged as an error, and as a warning.</summary>
    internal sealed class ErrorLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ConcurrentQueue<string> Warnings { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Debug;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Warning)
            {
                Warnings.Enqueue($"{formatter(state, exception)} {exception}");
            }

            if (logLevel >= LogLevel.Error)
            {
                Lines.Enqueue($"{formatter(state, exception)} {exception}");
            }
            else if (Environment.GetEnvironmentVariable("HUB_TEST_LOG") is { Length: > 0 } file)
            {
                lock (Lines)
                {
                    File.AppendAllText(file, $"{logLevel} {formatter(state, exception)} {exception}\n");
                }
            }
        }

        public void Dispose()
        {
        }
    }

    /// <summary>Adds up what the stage's instruments of one host report.</summary>
    internal sealed class MetricsSum : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentDictionary<string, long> _sums = new();

        public MetricsSum(IMeterFactory meters)
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Hub.Cloud.Ingest" && ReferenceEquals(instrument.Meter.Scope, meters))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            {
                var key = instrument.Name;
                foreach (var tag in tags)
                {
                    key += $" {tag.Key}={tag.Value}";
                }

                _sums.AddOrUpdate(key, value, (_, sum) => sum + value);
            });
            _listener.Start();
        }

        public long this[string key] => _sums.GetValueOrDefault(key);

        public void Dispose() => _listener.Dispose();
    }
}
