using System.Globalization;
using System.Reflection;
using Hub.Edge.Calibrations;
using Hub.Edge.Commands;
using Hub.Edge.Outbox;
using Hub.Edge.Sampling;
using Hub.Edge.Sensors;
using Hub.Edge.Thresholds;
using Hub.Edge.Twin;
using Hub.Edge.Update;
using Hub.Edge.Uplink;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Agent;

/// <summary>Puts the stages together: Sensors, Sampling, Outbox, Uplink, Twin, Commands, Update. No logic of its own.</summary>
internal static class AgentHost
{
    /// <summary>File of the alarms of thresholds that are on, below the data folder.</summary>
    private const string ThresholdsFile = "thresholds.json";

    public static string Version { get; } =
        "hub-agent " + (AgentManifest.VersionBeside(AppContext.BaseDirectory) ?? typeof(AgentHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0");

    /// <summary>Builds the host, with every setting checked; nothing is opened or started yet.</summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="time">The system's clock and timers.</param>
    /// <param name="run">What outlives this host; null where it is only checked.</param>
    /// <exception cref="ConfigurationException">A setting is wrong.</exception>
    public static IHost Build(AgentConfiguration configuration, TimeProvider time, AgentRun? run = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, ApplicationName = "hub-agent" });
        builder.Configuration.AddConfiguration(configuration.Configuration);
        var supervised = SystemdHelpers.IsSystemdService();
        AddLogging(builder.Logging, run, supervised);
        var services = builder.Services;
        services.AddSingleton<TimeProvider>(
            provider => new StationClock(new MachineTime(provider.GetRequiredService<IOptions<AgentOptions>>().Value.Clock.Trust, time), time));
        services.Configure<ConsoleLifetimeOptions>(options => options.SuppressStatusMessages = true);

        // Longer than the uplink takes where nobody answers its goodbye, shorter than systemd waits.
        services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(8));
        services.AddOptions<AgentOptions>().Bind(builder.Configuration.GetSection(AgentOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AgentOptions>, AgentOptionsValidator>();
        if (run is not null)
        {
            services.AddSingleton<IStationSelf>(run);
            services.AddSingleton<IAgentDesk>(run);
            services.AddSingleton(run.Answered);
            services.AddSingleton(Secrets.CredentialsIn(configuration.Data));
            if (run.Twin is { } twin)
            {
                services.AddHubTwin(twin);
            }
        }

        // Hosted services stop in the opposite order: first nothing more is taken, then the hub is told, last the status is written.
        services.AddHubOutbox(builder.Configuration);
        services.AddSingleton(provider => new AgentStatusSource(
            Version, provider.GetRequiredService<IOptions<AgentOptions>>().Value, provider.GetRequiredService<IOutbox>(), provider.GetRequiredService<IUplink>(),
            provider.GetRequiredService<ISampling>(), provider.GetService<ITwin>(), provider.GetRequiredService<TimeProvider>()));
        services.AddHostedService(provider => new StatusWriter(
            configuration.Data, provider.GetRequiredService<AgentStatusSource>(), provider.GetRequiredService<IOptions<AgentOptions>>().Value.Report.StatusInterval,
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<StatusWriter>>()));
        services.AddHubCommands(builder.Configuration);
        services.AddSingleton(provider => Pages(provider.GetRequiredService<IOptions<HubOptions>>().Value, Path.Combine(Secrets.CredentialsIn(configuration.Data).Path, "secret")));
        services.AddSingleton(provider => new StationHealth(
            within => [.. provider.GetRequiredService<ISampling>().Sensors.Where(sensor => sensor.Condition == SensorCondition.Running && sensor.Cadence <= within).Select(sensor => sensor.Name)]));
        services.AddHubUpdate(builder.Configuration, Version["hub-agent ".Length..]);
        services.AddHubUplink(builder.Configuration);
        services.AddHubSensors(builder.Configuration);
        services.AddHubCalibrations(builder.Configuration, Path.Combine(configuration.Data, CalibrateCommands.FolderName));
        services.AddSingleton<IHubLink>(provider => new UplinkLink(provider.GetRequiredService<IUplink>()));
        services.AddHubThresholds(builder.Configuration, Path.Combine(configuration.Data, ThresholdsFile));
        services.AddHubSampling(builder.Configuration);
        services.AddSingleton(provider => new SelfReport(
            provider.GetRequiredService<IOutbox>(), provider.GetRequiredService<IOptions<AgentOptions>>().Value.Report.Interval, new CpuTemperature(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SelfReport>>(), [.. provider.GetServices<IReadingWatch>()]));
        services.AddHostedService(provider => provider.GetRequiredService<SelfReport>());
        if (supervised)
        {
            // Says READY=1 once all of the above has started, and STOPPING=1.
            services.AddSystemd();
            if (Watchdog.IntervalFromEnvironment() is { } interval)
            {
                services.AddHostedService(provider => new Watchdog(
                    provider.GetRequiredService<ISystemdNotifier>(), provider.GetRequiredService<ISampling>(), interval, provider.GetRequiredService<TimeProvider>(),
                    provider.GetRequiredService<ILogger<Watchdog>>()));
            }
        }

        var host = builder.Build();
        try
        {
            Check(host.Services, configuration);
            return host;
        }
        catch (ConfigurationException)
        {
            host.Dispose();
            throw;
        }
    }

    /// <summary>What the settings say of the station itself.</summary>
    public static AgentOptions Bind(AgentConfiguration configuration)
    {
        var options = new AgentOptions();
        configuration.Configuration.GetSection(AgentOptions.Section).Bind(options);
        return options;
    }

    /// <summary>All of what is wrong, and for what the station file says, where it says it.</summary>
    private static void Check(IServiceProvider services, AgentConfiguration configuration)
    {
        var mistakes = new List<string>();
        Try(() => services.GetRequiredService<IStartupValidator>().Validate());
        if (mistakes.Count == 0)
        {
            var sensors = services.GetRequiredService<IOptions<SensorsOptions>>().Value.Sensors;
            for (var i = 0; i < sensors.Count; i++)
            {
                if (sensors[i].Name == SelfReport.SensorName)
                {
                    mistakes.Add(string.Create(CultureInfo.InvariantCulture, $"Agent:Sensors:{i}:Name is '{SelfReport.SensorName}', the agent's own name; give another one."));
                }
            }
        }

        if (configuration.LogLevel is { } level && !Enum.TryParse<LogLevel>(level, ignoreCase: true, out _))
        {
            mistakes.Add($"The log level '{level}' is not one of trace, debug, information, warning, error, critical, none.");
        }

        if (mistakes.Count > 0)
        {
            throw new ConfigurationException([.. mistakes.Select(configuration.Locate)]);
        }

        void Try(Action check)
        {
            try
            {
                check();
            }
            catch (OptionsValidationException e)
            {
                mistakes.AddRange(e.Failures);
            }
            catch (AggregateException e)
            {
                mistakes.AddRange(e.InnerExceptions.SelectMany(inner => inner is OptionsValidationException invalid ? invalid.Failures : [inner.Message]));
            }
            catch (InvalidOperationException e)
            {
                // The binder says this of a value that is not of its type; the schema finds those first, save in the environment.
                mistakes.Add(e.Message.ReplaceLineEndings(" "));
            }
        }
    }

    /// <param name="hub">The settings.</param>
    /// <param name="given">File of the secret that the hub has given, which goes before that of the station file.</param>
    private static HubPages Pages(HubOptions hub, string given)
    {
        var host = hub.Address.Contains(':', StringComparison.Ordinal) ? $"[{hub.Address.Trim('[', ']')}]" : hub.Address;
        _ = Uri.TryCreate(string.IsNullOrEmpty(hub.Pages) ? $"https://{host}" : hub.Pages, UriKind.Absolute, out var address);
        return new HubPages(
            address, $"{hub.Municipality}/{hub.Station}",
            () => (File.Exists(given) ? given : hub.SecretFile) is { Length: > 0 } file ? File.ReadLines(file).FirstOrDefault()?.Trim() : hub.Secret, hub.PlainAllowed);
    }

    private static void AddLogging(ILoggingBuilder logging, AgentRun? run, bool supervised)
    {
        var threshold = run?.Threshold ?? new LogThreshold();
        logging.SetMinimumLevel(LogLevel.Trace);
        logging.AddFilter((category, level) => threshold.IsOn(category, level));
        if (run is not null)
        {
            logging.AddProvider(run.Lines);
        }

        if (supervised)
        {
            // The journal has a time and a level of its own: lines begin with <6>.
            logging.AddSystemdConsole();
            return;
        }

        logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.UseUtcTimestamp = true;
            options.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            options.ColorBehavior = LoggerColorBehavior.Disabled;
        });
    }
}
