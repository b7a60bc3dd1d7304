using Hub.Edge.Calibrations;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Sampling;

/// <summary>Runs all sensors of the station side by side, and watches for those that fall silent.</summary>
internal sealed class SamplingService : BackgroundService, ISampling
{
    private readonly OutboxDoor outbox;
    private readonly SamplingInstruments instruments;
    private readonly TimeProvider time;
    private readonly ILogger<SensorRunner> logger;
    private readonly HumidityWatch humidity;
    private readonly ICalibrations calibrations;
    private readonly IReadingWatch[] watches;
    private readonly SensorFactory? factory;
    private readonly SemaphoreSlim turn = new(1, 1);
    private SamplingOptions options;
    private volatile Running[] running;
    private CancellationToken stopping;
    private bool started;
    private bool isOver;

    public SamplingService(
        IEnumerable<ISensor> sensors, IOptions<SensorsOptions> sensorsOptions, IOptions<SamplingOptions> options, SensorSettings settings, ICalibrations calibrations,
        IEnumerable<IReadingWatch> watches, OutboxDoor outbox, SamplingInstruments instruments, TimeProvider time, ILogger<SensorRunner> logger, SensorFactory? factory = null)
    {
        this.options = options.Value;
        this.outbox = outbox;
        this.instruments = instruments;
        this.time = time;
        this.logger = logger;
        this.factory = factory;
        this.calibrations = calibrations;
        this.watches = [.. watches];
        humidity = new HumidityWatch(options.Value.SuspectHumidityAbove);
        running =
        [
            .. sensors.Select(sensor => new Running(
                Runner(sensor, sensorsOptions.Value.Sensors.FirstOrDefault(entry => entry.Name == sensor.Name) ?? new SensorOptions { Name = sensor.Name }),
                settings.Of(sensor.Name), null)),
        ];
    }

    /// <inheritdoc/>
    public IReadOnlyList<SensorState> Sensors => [.. running.Select(sensor => sensor.Runner.State)];

    /// <inheritdoc/>
    public TimeSpan Appending => outbox.Busy;

    /// <inheritdoc/>
    public IReadOnlyList<Reading> Newest(string? sensor) =>
        [.. running.Where(candidate => sensor is null || candidate.Runner.Name == sensor).SelectMany(candidate => candidate.Runner.Newest)];

    /// <inheritdoc/>
    public IReadOnlyList<string> Ask(string? sensor) =>
        [.. running.Where(candidate => (sensor is null || candidate.Runner.Name == sensor) && candidate.Runner.Ask()).Select(candidate => candidate.Runner.Name)];

    /// <inheritdoc/>
    public async Task<SamplingChange> ApplyAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(isOver, this);
            var wanted = new SensorsOptions();
            configuration.GetSection(SensorsOptions.Section).Bind(wanted);
            var sampling = new SamplingOptions();
            configuration.GetSection(SamplingOptions.Section).Bind(sampling);
            var settings = SensorSettings.Of(configuration);

            // Moves what is a true level in the wanted settings too, before a sensor is made of them.
            calibrations.Use(wanted);
            options = sampling;
            humidity.Above = sampling.SuspectHumidityAbove;
            outbox.Use(sampling);

            Running[] before = running;
            Running[] gone = [.. before.Where(sensor => sensor.IsStopped || !wanted.Sensors.Any(entry => entry.Name == sensor.Runner.Name && settings.Of(entry.Name) == sensor.Settings))];
            Running[] kept = [.. before.Except(gone)];
            foreach (Running sensor in kept)
            {
                sensor.Runner.Use(sampling, wanted.Sensors.First(entry => entry.Name == sensor.Runner.Name));
            }

            // First those that go: what comes may hang on the same bus.
            await Task.WhenAll(gone.Select(StopAsync)).WaitAsync(cancellationToken).ConfigureAwait(false);
            running = kept;
            var now = new List<Running>();
            try
            {
                foreach (SensorOptions entry in wanted.Sensors)
                {
                    now.Add(kept.FirstOrDefault(sensor => sensor.Runner.Name == entry.Name) ?? Start(entry, wanted, settings));
                }
            }
            finally
            {
                running = [.. now, .. kept.Except(now)];
            }

            string[] names = [.. kept.Select(sensor => sensor.Runner.Name)];
            var change = new SamplingChange(
                [.. gone.Select(sensor => sensor.Runner.Name)], [.. now.Select(sensor => sensor.Runner.Name).Except(names)], names);
            SensorRunner.LogChanged(logger, string.Join(", ", change.Stopped), string.Join(", ", change.Started), change.Kept.Count);
            return change;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        turn.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await turn.WaitAsync(stoppingToken).ConfigureAwait(false);
        try
        {
            (stopping, started) = (stoppingToken, true);
            foreach (Running sensor in running)
            {
                Run(sensor);
            }
        }
        finally
        {
            turn.Release();
        }

        await WatchAsync(stoppingToken).ConfigureAwait(false);

        // Nobody starts a sensor any more that nobody would wait for.
        await turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        isOver = true;
        turn.Release();
        await Task.WhenAll(running.Select(sensor => sensor.Task)).ConfigureAwait(false);
        foreach (Running sensor in running)
        {
            await sensor.DisposeAsync().ConfigureAwait(false);
        }
    }

    private SensorRunner Runner(ISensor sensor, SensorOptions entry) => new(sensor, entry, options, calibrations, humidity, watches, outbox, time, instruments, logger);

    private Running Start(SensorOptions entry, SensorsOptions agent, SensorSettings settings)
    {
        ISensor sensor = (factory ?? throw new InvalidOperationException("Sensors cannot be changed here: there is no factory for them.")).Create(entry, agent);
        var start = new Running(Runner(sensor, entry), settings.Of(entry.Name), sensor);
        if (started)
        {
            Run(start);
        }

        return start;
    }

    // Each on a thread of the pool: a driver that blocks before its first await holds up nobody else.
    private void Run(Running sensor)
    {
        sensor.Stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        CancellationToken token = sensor.Stop.Token;
        sensor.Task = Task.Run(() => sensor.Runner.RunAsync(token), CancellationToken.None);
    }

    private static async Task StopAsync(Running sensor)
    {
        if (sensor.Stop is { } stop && !sensor.IsStopped)
        {
            sensor.IsStopped = true;
            await stop.CancelAsync().ConfigureAwait(false);
        }

        await sensor.Task.ConfigureAwait(false);
        sensor.Runner.Retire();
        await sensor.DisposeAsync().ConfigureAwait(false);
    }

    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval(), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                foreach (Running sensor in running)
                {
                    sensor.Runner.Watch();
                }

                if (timer.Period != Interval())
                {
                    timer.Period = Interval();
                }
            }
        }
        catch (OperationCanceledException)
        {
        }

        TimeSpan Interval() => SamplingDecisions.WatchInterval(running.Select(sensor => sensor.Runner.Cadence));
    }

    /// <summary>A sensor and what runs it.</summary>
    /// <param name="Runner">What runs it.</param>
    /// <param name="Settings">Its settings, to compare.</param>
    /// <param name="Own">The sensor, where it was made here and is disposed of here; null where the container does.</param>
    private sealed record Running(SensorRunner Runner, string Settings, ISensor? Own) : IAsyncDisposable
    {
        public CancellationTokenSource? Stop { get; set; }

        public Task Task { get; set; } = Task.CompletedTask;

        /// <summary>True for one that an earlier call began to stop.</summary>
        public bool IsStopped { get; set; }

        public async ValueTask DisposeAsync()
        {
            Stop?.Dispose();
            if (Own is not null)
            {
                await Own.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
