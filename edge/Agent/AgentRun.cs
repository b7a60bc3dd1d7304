using System.Collections;
using System.Runtime.InteropServices;
using System.Text.Json;
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
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Agent;

/// <summary>
/// One run of the program: builds the stages with the settings in force, and builds them anew when other settings or the hub ask for it. What outlives that is here: the twin, the
/// commands answered, the last lines of the log.
/// </summary>
/// <param name="arguments">The command line.</param>
/// <param name="environment">Environment variables.</param>
/// <param name="workingFolder">What relative paths of command line and environment start from, absolute.</param>
/// <param name="time">The system's clock and timers.</param>
/// <param name="isSupervised">True when whoever started the agent starts it again when it ends.</param>
internal sealed class AgentRun(AgentArguments arguments, IDictionary environment, string workingFolder, TimeProvider time, bool isSupervised) : ITwinSettings, IStationSelf, IAgentDesk, IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private IHost? _host;
    private ISampling? _sampling;
    private AgentConfiguration? _current;
    private (AgentConfiguration Of, StationBirth Birth, IReadOnlyList<(string Sensor, StationBirthSensor Entry)> Sensors)? _birth;
    private DateTimeOffset? _started;
    private bool _again;

    /// <summary>The twin; null before <see cref="RunAsync"/> and where another agent holds the data folder.</summary>
    public StationTwin? Twin { get; private set; }

    /// <summary>Which agent runs, as reported to the hub.</summary>
    public ThisAgent Reported { get; } = new();

    /// <summary>Commands that were answered.</summary>
    public AnsweredCommands Answered { get; } = new();

    /// <summary>The last lines of the log.</summary>
    public LogRing Lines { get; } = new(time);

    /// <summary>From which level on is logged.</summary>
    public LogThreshold Threshold { get; } = new();

    /// <inheritdoc/>
    public string Agent => AgentHost.Version;

    /// <inheritdoc/>
    public IReadOnlyList<string> Settings => EffectiveSettings.List(Current);

    /// <inheritdoc/>
    public JsonElement Status
    {
        get
        {
            IHost host;
            lock (_gate)
            {
                host = _host ?? throw new InvalidOperationException("The agent stops.");
            }

            return JsonSerializer.SerializeToElement(host.Services.GetRequiredService<AgentStatusSource>().Take(stopped: false), AgentStatusJson.Default.AgentStatus);
        }
    }

    /// <inheritdoc/>
    public StationBirth Birth
    {
        get
        {
            var configuration = Current;
            if (_birth is not { } birth || !ReferenceEquals(birth.Of, configuration))
            {
                _birth = birth = Make(configuration);
            }

            var conditions = _sampling?.Sensors.ToDictionary(sensor => sensor.Name, sensor => sensor.Condition.ToString().ToLowerInvariant());
            return birth.Birth with { Sensors = [.. birth.Sensors.Select(sensor => sensor.Entry with { Condition = conditions?.GetValueOrDefault(sensor.Sensor) })] };
        }
    }

    private AgentConfiguration Current
    {
        get
        {
            lock (_gate)
            {
                return _current ?? throw new InvalidOperationException("The agent has not begun.");
            }
        }
    }

    /// <summary>Runs until stopped by a signal, by <paramref name="cancellationToken"/>, or by the end of <paramref name="input"/> where one is given.</summary>
    /// <returns>0, or <see cref="AgentCommands.AgainWanted"/> when whoever started the agent is to start it again.</returns>
    /// <exception cref="ConfigurationException">A setting is wrong.</exception>
    /// <exception cref="OutboxUnavailableException">The outbox's folder is in use or cannot be written.</exception>
    public async Task<int> RunAsync(Stream? input, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, cancellationToken);

        // Also while the stages are being built anew, when no host listens.
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        var alone = AgentConfiguration.Build(arguments, environment, workingFolder);
        Directory.CreateDirectory(alone.Data);
        using var held = Hold(Path.Combine(alone.Data, "twin"));
        if (held is not null)
        {
            Twin = StationTwin.Open(
                Path.Combine(alone.Data, "twin"), this, Reported, new MachineTime(ClockTrust.System, time), time);
            Twin.OnChange(() => Reported.Want(Twin.Settled));
            Twin.OnChange(SetRules);
            Twin.OnReached(Reported.HubReached);
        }

        var watching = Twin?.RunAsync(stop.Token) ?? Task.CompletedTask;
        var isRead = false;
        try
        {
            while (true)
            {
                var (host, configuration) = Build();
                await using (((IAsyncDisposable)host).ConfigureAwait(false))
                {
                    var logger = Begin(host, configuration);

                    // Opened here and not by the first service that asks, so that a busy folder is one line and not a failed host.
                    _ = host.Services.GetRequiredService<IOutbox>();
                    if (Twin is null)
                    {
                        throw new ConfigurationException($"The data folder {alone.Data} is in use by another agent; stop that one or give this one another folder with --data.");
                    }

                    SetRules();
                    if (input is not null && !isRead)
                    {
                        isRead = true;
                        _ = StopAtEndAsync(input, logger);
                    }

                    try
                    {
                        await RunStagesAsync(host, stop.Token).ConfigureAwait(false);
                    }
                    catch (Exception e) when (Twin is { InForce: not null, Settled: null } && e is not OperationCanceledException)
                    {
                        logger.StagesFailed(e);
                        Twin.CannotRun([$"The agent does not run with these settings: {e.GetBaseException().Message.ReplaceLineEndings(" ")}"]);
                        Restart();
                    }
                    finally
                    {
                        Reported.Use(null);
                        End();
                    }

                    if (host.Services.GetRequiredService<IUpdate>().ExitCode is { } code)
                    {
                        logger.Stopped();
                        return code;
                    }

                    if (stop.IsCancellationRequested || !_again)
                    {
                        logger.Stopped();
                        return 0;
                    }

                    logger.Again(isSupervised ? "the service manager starts the agent again" : "the stages are built anew");
                }

                if (isSupervised)
                {
                    return AgentCommands.AgainWanted;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }

        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            _ = _stop.CancelAsync();
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Check(JsonElement? settings)
    {
        try
        {
            // What hub-agent check does: everything is checked, nothing is opened.
            AgentHost.Build(Compose(settings, 0), time).Dispose();
            return [];
        }
        catch (ConfigurationException e)
        {
            return e.Messages;
        }
#pragma warning disable CA1031 // A fault of ours must not have the settings put in force.
        catch (Exception e)
        {
            return [$"settings: could not be checked: {e.Message.ReplaceLineEndings(" ")}"];
        }
#pragma warning restore CA1031
    }

    /// <inheritdoc/>
    public async Task<bool> ApplyAsync(JsonElement? settings, long version, CancellationToken cancellationToken)
    {
        var next = Compose(settings, version);
        IHost? host;
        AgentConfiguration before;
        lock (_gate)
        {
            (host, before) = (_host, Current);
        }

        if (host is null)
        {
            // Being built anew anyhow: with what the twin has in force then.
            return false;
        }

        var services = host.Services;
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("Hub.Edge.Agent");
        var parts = ApplyPlan.Of(before, next);
        logger.Applies(version, parts.ToString());
        if (parts.HasFlag(ApplyParts.Rebuild))
        {
            Restart();
            return false;
        }

        try
        {
            if (parts.HasFlag(ApplyParts.Log))
            {
                Threshold.Set(next.LogLevel);
            }

            if (parts.HasFlag(ApplyParts.Sampling))
            {
                await services.GetRequiredService<ISampling>().ApplyAsync(next.Configuration, cancellationToken).ConfigureAwait(false);
            }

            if (parts.HasFlag(ApplyParts.Report))
            {
                services.GetRequiredService<SelfReport>().Use(AgentHost.Bind(next).Report.Interval);
            }

            lock (_gate)
            {
                _current = next;
            }

            if (parts.HasFlag(ApplyParts.Uplink))
            {
                await services.GetRequiredService<IUplink>().ApplyAsync(next.Configuration, cancellationToken).ConfigureAwait(false);
            }

            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // What does not go while the stages run may go when they are built anew.
        catch (Exception e)
        {
            logger.AppliesAnew(e);
            Restart();
            return false;
        }
#pragma warning restore CA1031
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Log(int count)
    {
        var secrets = Secrets.Of(Current);
        return [.. Lines.Last(count).Select(line => secrets.Aggregate(line, (text, secret) => text.Replace(secret, EffectiveSettings.Hidden, StringComparison.Ordinal)))];
    }

    /// <inheritdoc/>
    public void Restart()
    {
        IHost? host;
        lock (_gate)
        {
            _again = true;
            host = _host;
        }

        host?.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
    }

    public void Dispose()
    {
        Twin?.Dispose();
        _stop.Dispose();
        Lines.Dispose();
    }

    /// <summary>The stages with the settings in force; what the hub wants and they cannot run with is taken back.</summary>
    private (IHost Host, AgentConfiguration Configuration) Build()
    {
        while (true)
        {
            var wanted = Twin?.InForce;
            try
            {
                var configuration = Compose(wanted?.Settings, wanted?.Version ?? 0);
                return (AgentHost.Build(configuration, time, this), configuration);
            }
            catch (ConfigurationException e) when (wanted?.Settings is not null)
            {
                // Where the station file by itself is wrong a person must act, and what the hub wants is not to blame.
                if (Check(null).Count > 0)
                {
                    throw;
                }

                Twin!.CannotRun(e.Messages);
            }
        }
    }

    private AgentConfiguration Compose(JsonElement? settings, long version) =>
        AgentConfiguration.Build(arguments, environment, workingFolder, settings is { } given ? TwinOverlay.Read(given, version) : null);

    /// <summary>Hands the rules that the hub has in force to the thresholds that run; from any thread.</summary>
    private void SetRules()
    {
        IHost? host;
        lock (_gate)
        {
            host = _host;
        }

        try
        {
            host?.Services.GetRequiredService<IThresholds>().Set(Twin?.InForce?.Rules ?? []);
        }
        catch (ObjectDisposedException)
        {
            // The stages have just ended; those built next are given the rules when they begin.
        }
    }

    private ILogger Begin(IHost host, AgentConfiguration configuration)
    {
        var services = host.Services;
        lock (_gate)
        {
            (_host, _current, _again) = (host, configuration, false);
            _sampling = null;
        }

        Threshold.Set(configuration.LogLevel);
        var logs = services.GetRequiredService<ILoggerFactory>();
        Twin?.LogTo(logs.CreateLogger("Hub.Edge.Twin"));
        var logger = logs.CreateLogger("Hub.Edge.Agent");
        var agent = AgentHost.Bind(configuration);
        _started ??= services.GetRequiredService<TimeProvider>().GetUtcNow();
        logger.Starting(AgentHost.Version, agent.Municipality, agent.Station, string.Join(", ", EffectiveSettings.List(configuration)));
        foreach (var warning in configuration.Warnings)
        {
            logger.Suspicious(warning);
        }

        return logger;
    }

    private async Task RunStagesAsync(IHost host, CancellationToken stop)
    {
        _sampling = host.Services.GetRequiredService<ISampling>();

        Reported.Use(host.Services.GetRequiredService<IUpdate>());
        Reported.Want(Twin!.Settled);

        // Nothing is acknowledged before the uplink runs: from then on it is with these settings.
        Twin!.InForceNow();
        await host.StartAsync(stop).ConfigureAwait(false);
        await host.WaitForShutdownAsync(stop).ConfigureAwait(false);
    }

    private void End()
    {
        lock (_gate)
        {
            _host = null;
            _sampling = null;
        }
    }

    private (AgentConfiguration Of, StationBirth Birth, IReadOnlyList<(string Sensor, StationBirthSensor Entry)> Sensors) Make(AgentConfiguration configuration)
    {
        var agent = AgentHost.Bind(configuration);
        var sensors = new SensorsOptions();
        configuration.Configuration.GetSection(SensorsOptions.Section).Bind(sensors);
        return (
            configuration,
            new StationBirth(AgentHost.Version, _started ?? time.GetUtcNow(), agent.Name, agent.Location?.Latitude, agent.Location?.Longitude, agent.Attribution, []),
            [.. sensors.Sensors.SelectMany(sensor => SensorFactory.Names(sensor)
                .Select(name => (sensor.Name, new StationBirthSensor(name, sensor.Kind, [.. sensor.Replay?.Quantities ?? sensor.Simulated?.Quantities ?? []]))))]);
    }

    /// <summary>Holds the folder of the twin against another agent; null where another has it.</summary>
    private static FileStream? Hold(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private async Task StopAtEndAsync(Stream input, ILogger logger)
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
        await _stop.CancelAsync().ConfigureAwait(false);
    }
}
