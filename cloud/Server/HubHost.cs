using System.Net;
using System.Net.Sockets;
using Hub.Cloud.Alerts;
using Hub.Cloud.Api;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using OpenTelemetry.Metrics;

namespace Hub.Cloud.Server;

/// <summary>Composition of the hub: every stage added, opened, and served from one process. No logic of its own.</summary>
internal static class HubHost
{
    /// <summary>Builds the hub, opens its stores, makes sure there is an administrator, and starts serving.</summary>
    /// <param name="configuration">Settings, with <c>Hub:Data</c> absolute.</param>
    /// <param name="configure">Last word on the services.</param>
    /// <param name="stop">Ends the start.</param>
    /// <param name="prepare">What must be in the stores before the first client connects.</param>
    /// <exception cref="StartException">A port is busy, a store is in use, or a setting is wrong: one line that says what to do.</exception>
    public static async Task<WebApplication> StartAsync(
        IConfigurationRoot configuration, Action<IServiceCollection> configure, CancellationToken stop, Func<IServiceProvider, CancellationToken, Task>? prepare = null)
    {
        var app = Build(configuration, configure);
        try
        {
            await OpenAsync(app.Services, stop);
            if (prepare is not null)
            {
                await prepare(app.Services, stop);
            }

            var password = await FirstAdministratorAsync(app.Services, stop);
            await app.StartAsync(stop);
            Announce(app, configuration, password);
            return app;
        }
        catch (Exception exception)
        {
            await app.DisposeAsync();
            if (Explain(exception, configuration) is { } line)
            {
                throw new StartException(line, exception);
            }

            throw;
        }
    }

    /// <summary>Waits for Ctrl-C, SIGTERM or <paramref name="stop"/>, then stops within <see cref="HubSettings.StopTimeout"/>.</summary>
    public static async Task WaitAsync(WebApplication app, CancellationToken stop)
    {
        await using var registration = stop.Register(app.Lifetime.StopApplication);
        await app.WaitForShutdownAsync(CancellationToken.None);
    }

    /// <summary>The stores opened for a tool that runs without serving.</summary>
    public static async Task<ServiceProvider> OpenToolsAsync(IConfiguration configuration, CancellationToken stop)
    {
        var services = new ServiceCollection();
        services.AddSingleton(configuration);
        services.AddLogging(logging => logging.AddConsole().SetMinimumLevel(LogLevel.Warning));
        services.AddSingleton(TimeProvider.System);
        services.AddHubMunicipalities(configuration);
        services.AddHubStations(configuration);
        var provider = services.BuildServiceProvider();
        await provider.MigrateMunicipalitiesAsync(stop);
        await provider.MigrateStationsAsync(stop);
        return provider;
    }

    private static WebApplication Build(IConfigurationRoot configuration, Action<IServiceCollection> configure)
    {
        // Nothing is read from the current folder: the hub is the same from wherever it is started.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = typeof(HubHost).Assembly.GetName().Name, ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddConfiguration(configuration);
        var settings = configuration.GetSection("Hub").Get<HubSettings>() ?? new HubSettings();
        var http = HubConfiguration.ParseEndpoint(settings.Http.Endpoint, "Hub:Http:Endpoint");
        var certificate = Certificate(settings.Http);
        if (!IPAddress.IsLoopback(http.Address) && certificate is null)
        {
            throw new StartException($"Hub:Http:Endpoint {http} is open to the network without TLS. Set Hub:Http:CertificateFile and Hub:Http:KeyFile, or serve 127.0.0.1 behind a proxy.");
        }

        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 1024 * 1024;
            kestrel.Listen(http, listen =>
            {
                if (certificate is not null)
                {
                    listen.UseHttps(certificate);
                }
            });
        });
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
            console.UseUtcTimestamp = true;
        });
        builder.Logging.AddConfiguration(configuration.GetSection("Hub:Logging"));
        if (!configuration.GetSection("Hub:Logging").Exists())
        {
            builder.Logging.AddFilter(null, LogLevel.Warning).AddFilter("Hub", LogLevel.Information);
        }

        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.StopTimeout);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddRouting();
        builder.Services.AddHubMunicipalities(configuration);
        builder.Services.AddHubStations(configuration);
        builder.Services.AddHubSeries(configuration);
        builder.Services.AddHubNotifications(configuration);
        builder.Services.AddHubAlerts(configuration);
        builder.Services.AddHubIngest(configuration);
        builder.Services.AddHubApi(configuration);
        builder.Services.AddHubPortal(configuration);
        builder.Services.AddHubBridges();
        builder.Services.AddHealthChecks().AddCheck<StoreHealth>("series", tags: ["ready"]);
        builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter("Hub.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddPrometheusExporter());
        configure(builder.Services);

        var app = builder.Build();
        app.MapHub(settings);
        return app;
    }

    private static async Task OpenAsync(IServiceProvider services, CancellationToken stop)
    {
        await MigrationLock.ReleaseStaleAsync(services.GetRequiredService<IConfiguration>(), TimeProvider.System, stop);
        await services.MigrateMunicipalitiesAsync(stop);
        await services.MigrateStationsAsync(stop);
        await services.OpenSeriesAsync(stop);
        await services.MigrateIngestAsync(stop);
        await services.MigrateNotificationsAsync(stop);
        await services.MigrateAlertsAsync(stop);
    }

    private static async Task<string?> FirstAdministratorAsync(IServiceProvider services, CancellationToken stop)
    {
        await using var scope = services.CreateAsyncScope();
        var people = scope.ServiceProvider.GetRequiredService<IPeople>();
        return await people.IsEmptyAsync(stop) ? await people.AddAsync("admin", null, Role.Administrator, null, stop) : null;
    }

    private static void Announce(WebApplication app, IConfiguration configuration, string? password)
    {
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Hub.Cloud.Server");
        foreach (var (key, value) in EffectiveSettings.Of(configuration))
        {
            log.Setting(key, value);
        }

        log.Serving(Address(app));
        if (password is not null)
        {
            // Said once, on the terminal only: a log may be kept and shipped elsewhere.
            Console.WriteLine($"""

                First start: sign in at {Address(app)}/login
                  user      admin
                  password  {password}
                It is shown only now. Change it with: hub user reset-password admin

                """);
        }
    }

    /// <summary>The address people type.</summary>
    public static string Address(WebApplication app) =>
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";

    private static System.Security.Cryptography.X509Certificates.X509Certificate2? Certificate(HttpSettings http)
    {
        if (string.IsNullOrEmpty(http.CertificateFile))
        {
            return null;
        }

        try
        {
            return System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(http.CertificateFile, http.KeyFile);
        }
        catch (Exception exception) when (exception is IOException or System.Security.Cryptography.CryptographicException or UnauthorizedAccessException)
        {
            throw new StartException($"Hub:Http:CertificateFile {http.CertificateFile} cannot be used ({exception.Message}).", exception);
        }
    }

    private static string? Explain(Exception exception, IConfiguration configuration)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case StartException or BrokerStartException or SeriesUnavailableException or InvalidDataException:
                    return cause.Message;
                case Microsoft.Extensions.Options.OptionsValidationException options:
                    return string.Join(' ', options.Failures);
                case Microsoft.AspNetCore.Connections.AddressInUseException:
                    return $"HTTP {configuration["Hub:Http:Endpoint"] ?? new HttpSettings().Endpoint} is in use by another program. Stop it, or give another address with --http.";
                case SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }:
                    return $"MQTT {configuration["Hub:Mqtt:Endpoint"] ?? "127.0.0.1:1883"} is in use by another program. Stop it, or give another address with --mqtt.";
                case SocketException { SocketErrorCode: SocketError.AccessDenied }:
                    return "A port below 1024 needs rights this user does not have. Give a higher one with --http and --mqtt.";
                case SocketException { SocketErrorCode: SocketError.AddressNotAvailable }:
                    return "An address given with --http or --mqtt does not belong to this machine.";
                case IOException:
                    return cause.Message;
            }
        }

        return null;
    }
}
