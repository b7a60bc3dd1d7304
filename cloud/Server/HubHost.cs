using System.Net;
using Hub.Cloud.Alerts;
using Hub.Cloud.Api;
using Hub.Cloud.Audit;
using Hub.Cloud.Fleet;
using Hub.Cloud.InfluxQl;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal;
using Hub.Cloud.QualityControl;
using Hub.Cloud.Retention;
using Hub.Cloud.Series;
using Hub.Cloud.Server.Tools.Backup;
using Hub.Cloud.Stations;
using Hub.Cloud.Transfer;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Hub.Cloud.Server;

/// <summary>Composition of the hub: every stage added, opened, and served from one process. No logic of its own.</summary>
internal static class HubHost
{
    // It warns at every start that the keys of sessions are not encrypted at rest. They are in the data folder, which only its owner can read, beside the
    // password hashes; a key to encrypt them with would have to lie in the same place.
    private const string DataProtection = "Microsoft.AspNetCore.DataProtection";

    /// <summary>Combinations of tags of one instrument at most: room for them is made in advance. The hub's own have a few, one has one for each municipality; only requests have more, by route and status.</summary>
    private const int MetricSeriesMax = 500;

    /// <summary>Builds the hub, opens its stores, makes sure there is an administrator, and starts serving.</summary>
    /// <param name="configuration">Settings, with <c>Hub:Data</c> absolute.</param>
    /// <param name="configure">Last word on the services.</param>
    /// <param name="stop">Ends the start.</param>
    /// <param name="prepare">What must be in the stores before the first client connects.</param>
    /// <exception cref="StartException">A port is busy, a store is in use, or a setting is wrong: one line that says what to do.</exception>
    public static async Task<WebApplication> StartAsync(
        IConfigurationRoot configuration, Action<IServiceCollection> configure, CancellationToken stop, Func<IServiceProvider, CancellationToken, Task>? prepare = null)
    {
        WebApplication? app = null;
        RestoreTool.RefuseUnfinished(configuration);
        try
        {
            app = Build(configuration, configure);
            await OpenAsync(app.Services, stop);
            if (prepare is not null)
            {
                await prepare(app.Services, stop);
            }

            await app.StartAsync(stop);

            // Only now: a start that fails, at a busy port for one, would make a password and show it to nobody.
            var password = await FirstAdministratorAsync(app.Services, stop);
            Announce(app, configuration, password);
            return app;
        }
        catch (Exception exception)
        {
            if (app is not null)
            {
                await AbandonAsync(app);
            }

            if (StartFault.Explain(exception, configuration) is { } line)
            {
                throw new StartException(line, exception);
            }

            throw;
        }
    }

    /// <summary>Stops what had started before it lets go of everything: a service that is only disposed of would call that a failure of its own.</summary>
    private static async Task AbandonAsync(WebApplication app)
    {
        try
        {
            await app.StopAsync(CancellationToken.None);
        }
        catch (Exception)
        {
            // What never started may refuse to stop. Why the start failed is what the user needs to know, and that is on its way.
        }

        await app.DisposeAsync();
    }

    /// <summary>Waits for Ctrl-C, SIGTERM or <paramref name="stop"/>, then stops within <see cref="HubSettings.StopTimeout"/>.</summary>
    /// <exception cref="StartException">It had to end because another hub serves on its database.</exception>
    public static async Task WaitAsync(WebApplication app, CancellationToken stop)
    {
        await using var registration = stop.Register(app.Lifetime.StopApplication);
        var hold = app.Services.GetRequiredService<DatabaseHold>();
        await app.WaitForShutdownAsync(CancellationToken.None);
        if (hold.Lost is { } reason)
        {
            throw new StartException(reason);
        }
    }

    /// <summary>The stores opened for a tool that runs without serving.</summary>
    /// <param name="configuration">Settings.</param>
    /// <param name="stop">Ends the opening.</param>
    /// <param name="withSeries">Also the time series, for tools that read or write observations: no hub may be running on them.</param>
    /// <param name="withNotifications">Also the subscribers.</param>
    /// <exception cref="StartException">A store cannot be used or is in use, or a setting is wrong.</exception>
    public static async Task<ServiceProvider> OpenToolsAsync(IConfiguration configuration, CancellationToken stop, bool withSeries = false, bool withNotifications = false)
    {
        var services = new ServiceCollection();
        services.AddSingleton(configuration);
        services.AddLogging(logging => logging.AddConsole().SetMinimumLevel(LogLevel.Warning).AddFilter(DataProtection, LogLevel.Error));
        services.AddSingleton(TimeProvider.System);
        services.AddHubMunicipalities(configuration);
        services.AddHubStations(configuration);
        services.AddHubFleet(configuration);
        if (withSeries)
        {
            services.AddHubSeries(configuration);
            services.AddHubTransfer();
            services.AddHubLabels();
        }

        if (withNotifications)
        {
            services.AddHubNotifications(configuration);
            services.AddHubRoleHolders();
        }

        var provider = services.BuildServiceProvider();
        try
        {
            await provider.MigrateMunicipalitiesAsync(stop);
            await provider.MigrateStationsAsync(stop);
            await provider.MigrateFleetAsync(stop);
            if (withSeries)
            {
                await provider.OpenSeriesAsync(stop);
            }

            if (withNotifications)
            {
                await provider.MigrateNotificationsAsync(stop);
            }

            return provider;
        }
        catch (Exception exception)
        {
            await provider.DisposeAsync();
            if (StartFault.Explain(exception, configuration) is { } line)
            {
                throw new StartException(line, exception);
            }

            throw;
        }
    }

    /// <summary>The time series alone, of any store, for a tool that copies between two of them.</summary>
    /// <param name="configuration">Settings that name the store.</param>
    /// <param name="names">Settings of the hub whose database says what the datastreams are, for the labels of what is written; none where it has no database.</param>
    /// <param name="stop">Ends the opening.</param>
    /// <exception cref="StartException">It cannot be used or is in use, or a setting is wrong.</exception>
    public static async Task<ServiceProvider> OpenSeriesAsync(IConfiguration configuration, IConfiguration? names, CancellationToken stop)
    {
        var services = new ServiceCollection();
        services.AddSingleton(configuration);
        services.AddLogging(logging => logging.AddConsole().SetMinimumLevel(LogLevel.Warning));
        services.AddSingleton(TimeProvider.System);
        services.AddHubSeries(configuration);
        services.AddHubTransfer();
        if (names is not null)
        {
            services.AddHubStations(names);
            services.AddHubLabels();
        }

        var provider = services.BuildServiceProvider();
        try
        {
            if (names is not null)
            {
                await provider.MigrateStationsAsync(stop);
            }

            await provider.OpenSeriesAsync(stop);
            return provider;
        }
        catch (Exception exception)
        {
            await provider.DisposeAsync();
            if (StartFault.Explain(exception, configuration) is { } line)
            {
                throw new StartException(line, exception);
            }

            throw;
        }
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

        var hosts = HttpGuard.Hosts(settings);
        builder.Services.AddHttpGuard(settings, hosts);
        if (string.IsNullOrEmpty(settings.PublicUrl))
        {
            configuration["Hub:PublicUrl"] = PublicUrl(http, certificate);
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
        builder.Logging.AddFilter(DataProtection, LogLevel.Error);

        // A start that fails is told in one line by who started it; the host would tell the same with a stack trace. What makes it end later is logged.
        var started = false;
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => level >= (Volatile.Read(ref started) ? LogLevel.Warning : LogLevel.Critical));
        builder.Logging.AddConfiguration(configuration.GetSection("Hub:Logging"));
        if (!configuration.GetSection("Hub:Logging").Exists())
        {
            builder.Logging.AddFilter(null, LogLevel.Warning).AddFilter("Hub", LogLevel.Information);
        }

        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.StopTimeout);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<DatabaseHold>().AddHostedService(services => services.GetRequiredService<DatabaseHold>());
        builder.Services.AddRouting();
        builder.Services.AddHubMunicipalities(configuration);
        builder.Services.AddHubStations(configuration);
        builder.Services.AddHubSeries(configuration);
        builder.Services.AddHubNotifications(configuration);
        builder.Services.AddHubAlerts(configuration);
        builder.Services.AddHubFleet(configuration).AddHubFleetKeeper();
        builder.Services.AddHubIngest(configuration);
        builder.Services.AddHubAudit(configuration);
        builder.Services.AddHubRetention(configuration).AddHubRetentionKeeper();
        builder.Services.AddHubQualityControl(configuration).AddHubQualityControlRunner();
        builder.Services.AddHubApi(configuration);
        builder.Services.AddHubInfluxQl(configuration);
        builder.Services.AddHubPortal(configuration);
        builder.Services.AddHubBridges();
        builder.Services.AddHostedService<HeapCompaction>();
        builder.Services.AddHealthChecks().AddCheck<StoreHealth>("series", tags: ["ready"]).AddCheck<DatabaseHealth>("database", tags: ["ready"]);
        builder.Services.AddOpenTelemetry().ConfigureResource(static resource => resource.AddService("hub")).WithMetrics(metrics => metrics
            .AddMeter("Hub.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
            .AddView(static instrument => instrument.Meter.Name == "Microsoft.AspNetCore.Hosting" ? null : new MetricStreamConfiguration { CardinalityLimit = MetricSeriesMax })
            .AddPrometheusExporter());
        configure(builder.Services);

        var app = builder.Build();
        app.Lifetime.ApplicationStarted.Register(() => Volatile.Write(ref started, true));
        app.UseHttpGuard(settings, hosts, certificate is not null);
        app.MapHub(settings);
        return app;
    }

    private static async Task OpenAsync(IServiceProvider services, CancellationToken stop)
    {
        await services.MigrateMunicipalitiesAsync(stop);
        await services.MigrateStationsAsync(stop);
        await services.OpenSeriesAsync(stop);
        await services.MigrateQualityControlAsync(stop);
        await services.MigrateIngestAsync(stop);
        await services.MigrateRetentionAsync(stop);
        await services.MigrateAuditAsync(stop);
        await services.MigrateNotificationsAsync(stop);
        await services.MigrateAlertsAsync(stop);
        await services.MigrateFleetAsync(stop);
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

    /// <summary>Where people reach pages served at <paramref name="http"/>; null when that cannot be known: any free port, or every address of the machine and no name.</summary>
    internal static string? PublicUrl(IPEndPoint http, System.Security.Cryptography.X509Certificates.X509Certificate2? certificate)
    {
        if (http.Port == 0)
        {
            return null;
        }

        if (certificate is null)
        {
            return $"http://{http}";
        }

        var name = certificate.GetNameInfo(System.Security.Cryptography.X509Certificates.X509NameType.DnsName, forIssuer: false);
        return Uri.CheckHostName(name) == UriHostNameType.Dns ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"https://{name}:{http.Port}") : null;
    }
}
