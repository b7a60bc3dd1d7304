using Hub.Edge.Sensors;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Sampling;

/// <summary>Runs all sensors of the station side by side, and watches for those that fall silent.</summary>
internal sealed class SamplingService : BackgroundService, ISampling
{
    private readonly SensorRunner[] runners;
    private readonly TimeProvider time;
    private readonly TimeSpan watchInterval;

    public SamplingService(
        IEnumerable<ISensor> sensors, IOptions<SensorsOptions> sensorsOptions, IOptions<SamplingOptions> options,
        OutboxDoor outbox, SamplingInstruments instruments, TimeProvider time, ILogger<SensorRunner> logger)
    {
        this.time = time;
        ISensor[] fitted = [.. sensors];
        watchInterval = SamplingDecisions.WatchInterval(fitted.Select(sensor => sensor.Cadence));
        var humidity = new HumidityWatch(options.Value.SuspectHumidityAbove);
        runners =
        [
            .. fitted.Select(sensor => new SensorRunner(
                sensor,
                sensorsOptions.Value.Sensors.FirstOrDefault(entry => entry.Name == sensor.Name) ?? new SensorOptions { Name = sensor.Name },
                options.Value, humidity, outbox, time, instruments, logger)),
        ];
    }

    /// <inheritdoc/>
    public IReadOnlyList<SensorState> Sensors => [.. runners.Select(runner => runner.State)];

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        // Each on a thread of the pool: a driver that blocks before its first await holds up nobody else.
        Task.WhenAll([.. runners.Select(runner => Task.Run(() => runner.RunAsync(stoppingToken), CancellationToken.None)), WatchAsync(stoppingToken)]);

    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(watchInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                foreach (SensorRunner runner in runners)
                {
                    runner.Watch();
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }
}
