using System.Globalization;
using System.Reflection;
using Hub.Edge.Outbox;
using Hub.Edge.Sampling;
using Hub.Edge.Sensors;
using Hub.Edge.Uplink;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Agent;

/// <summary>Puts the stages together and runs them: Sensors, Sampling, Outbox, Uplink. No logic of its own.</summary>
internal static class AgentHost
{
    public static string Version { get; } =
        "hub-agent " + (typeof(AgentHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0");

    /// <summary>Builds the host, with every setting checked; nothing is opened or started yet.</summary>
    /// <exception cref="ConfigurationException">A setting is wrong.</exception>
    public static IHost Build(AgentConfiguration configuration, TimeProvider time)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, ApplicationName = "hub-agent" });
        builder.Configuration.AddConfiguration(configuration.Configuration);
        AddLogging(builder.Logging, configuration.LogLevel);
        var services = builder.Services;
        services.AddSingleton<TimeProvider>(
            provider => new StationClock(new MachineTime(provider.GetRequiredService<IOptions<AgentOptions>>().Value.Clock.Trust, time), time));
        services.Configure<ConsoleLifetimeOptions>(options => options.SuppressStatusMessages = true);
        services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(3));
        services.AddOptions<AgentOptions>().Bind(builder.Configuration.GetSection(AgentOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AgentOptions>, AgentOptionsValidator>();
        services.AddSingleton(provider => Birth(provider.GetRequiredService<IOptions<AgentOptions>>().Value, provider.GetRequiredService<IOptions<SensorsOptions>>().Value, provider.GetRequiredService<TimeProvider>().GetUtcNow()));

        // Hosted services stop in the opposite order: first nothing more is taken, then the hub is told, last the status is written.
        services.AddHubOutbox(builder.Configuration);
        services.AddHostedService(provider => new StatusWriter(
            configuration.Data, Version, provider.GetRequiredService<IOptions<AgentOptions>>().Value, provider.GetRequiredService<IOutbox>(),
            provider.GetRequiredService<IUplink>(), provider.GetRequiredService<ISampling>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<StatusWriter>>()));
        services.AddHubUplink(builder.Configuration);
        services.AddHubSensors(builder.Configuration);
        services.AddHubSampling(builder.Configuration);
        services.AddHostedService(provider => new SelfReport(
            provider.GetRequiredService<IOutbox>(), provider.GetRequiredService<IOptions<AgentOptions>>().Value.Report.Interval, new CpuTemperature(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<SelfReport>>()));
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

    /// <summary>Runs until stopped by a signal, by <paramref name="cancellationToken"/>, or by the end of <paramref name="input"/> where one is given.</summary>
    /// <exception cref="OutboxUnavailableException">The outbox's folder is in use or cannot be written.</exception>
    public static async Task RunAsync(IHost host, AgentConfiguration configuration, Stream? input, CancellationToken cancellationToken)
    {
        var services = host.Services;
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("Hub.Edge.Agent");
        var agent = services.GetRequiredService<IOptions<AgentOptions>>().Value;
        var settings = List(services, configuration);
        logger.Starting(Version, agent.Municipality, agent.Station, string.Join(", ", settings));
        foreach (var warning in configuration.Warnings)
        {
            logger.Suspicious(warning);
        }

        try
        {
            // Opened here and not by the first service that asks, so that a busy folder is one line and not a failed host.
            _ = services.GetRequiredService<IOutbox>();
            if (input is not null)
            {
                _ = StopAtEndAsync(input, services.GetRequiredService<IHostApplicationLifetime>(), logger);
            }

            await host.StartAsync(cancellationToken).ConfigureAwait(false);
            await host.WaitForShutdownAsync(cancellationToken).ConfigureAwait(false);
            logger.Stopped();
        }
        finally
        {
            await ((IAsyncDisposable)host).DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The settings in force, one a line.</summary>
    public static IReadOnlyList<string> List(IServiceProvider services, AgentConfiguration configuration) =>
    [
        .. EffectiveSettings.List(
            configuration, services.GetRequiredService<IOptions<AgentOptions>>().Value, services.GetRequiredService<IOptions<HubOptions>>().Value,
            services.GetRequiredService<IOptions<OutboxOptions>>().Value, services.GetRequiredService<IOptions<UplinkOptions>>().Value),
    ];

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
            throw new ConfigurationException([.. mistakes.Select(configuration.File.Locate)]);
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

    private static StationBirth Birth(AgentOptions agent, SensorsOptions sensors, DateTimeOffset started) => new(
        Version, started, agent.Name, agent.Location?.Latitude, agent.Location?.Longitude, agent.Attribution,
        [.. sensors.Sensors.SelectMany(sensor => SensorFactory.Names(sensor)
            .Select(name => new StationBirthSensor(name, sensor.Kind, [.. sensor.Replay?.Quantities ?? sensor.Simulated?.Quantities ?? []])))]);

    private static void AddLogging(ILoggingBuilder logging, string? level)
    {
        logging.SetMinimumLevel(Enum.TryParse<LogLevel>(level, ignoreCase: true, out var minimum) ? minimum : LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddSimpleConsole(options =>
        {
            options.SingleLine = true;
            options.UseUtcTimestamp = true;
            options.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            options.ColorBehavior = LoggerColorBehavior.Disabled;
        });
    }

    private static async Task StopAtEndAsync(Stream input, IHostApplicationLifetime lifetime, ILogger logger)
    {
        // On a thread of its own: a read of the console cannot be cancelled and must not hold up anything.
        await Task.Yield();
        try
        {
            var buffer = new byte[256];
            while (await input.ReadAsync(buffer).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
        }

        logger.InputClosed();
        lifetime.StopApplication();
    }
}
