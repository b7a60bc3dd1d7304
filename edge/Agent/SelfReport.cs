using System.Globalization;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Hub.Edge.Sampling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Agent;

/// <summary>The agent as a sensor of its own: what it reports goes the way of all readings.</summary>
internal sealed class SelfReport(
    IOutbox outbox, TimeSpan interval, CpuTemperature temperature, TimeProvider time, ILogger<SelfReport> logger, IReadOnlyList<IReadingWatch>? watches = null) : BackgroundService
{
    /// <summary>Name of the sensor; no sensor of a station may bear it.</summary>
    public const string SensorName = "agent";

    private readonly long _started = time.GetTimestamp();
    private readonly StationClock? _clock = time as StationClock;
    private TimeSpan _stepped = (time as StationClock)?.State.Stepped ?? TimeSpan.Zero;
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Another rhythm from now on; zero for no reports.</summary>
    public void Use(TimeSpan other)
    {
        lock (_gate)
        {
            interval = other;
            _changed.TrySetResult();
        }
    }

    public override void Dispose()
    {
        _changed.TrySetResult();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            Task changed;
            TimeSpan rhythm;
            lock (_gate)
            {
                if (_changed.Task.IsCompleted)
                {
                    _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }

                (changed, rhythm) = (_changed.Task, interval);
            }

            using var round = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            var reporting = ReportAsync(rhythm, round.Token);
            await Task.WhenAny(changed, reporting).ConfigureAwait(false);
            await round.CancelAsync().ConfigureAwait(false);
            await reporting.ConfigureAwait(false);
        }
    }

    private async Task ReportAsync(TimeSpan interval, CancellationToken stoppingToken)
    {
        try
        {
            if (interval == TimeSpan.Zero)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, time, stoppingToken).ConfigureAwait(false);
            }

            using var timer = new PeriodicTimer(interval, time);
            do
            {
                try
                {
                    var readings = Read();
                    Show(readings);
                    await outbox.AppendAsync(readings, null, stoppingToken).ConfigureAwait(false);
                }
                catch (IOException e)
                {
                    logger.ReportFailed(e);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Show(Reading[] readings)
    {
        foreach (var watch in watches ?? [])
        {
            try
            {
                for (var i = 0; i < readings.Length; i++)
                {
                    watch.Taken(readings[i]);
                }
            }
#pragma warning disable CA1031 // Who looks on must not hurt what is looked at.
            catch (Exception e)
            {
                logger.WatchFailed(watch.GetType().Name, e);
            }
#pragma warning restore CA1031
        }
    }

    internal Reading[] Read()
    {
        var now = time.GetUtcNow().UtcDateTime;
        now = new DateTime(now.Ticks - (now.Ticks % TimeSpan.TicksPerMillisecond), DateTimeKind.Utc);
        var readings = new List<Reading>
        {
            new(SensorName, "uptime", now, Math.Floor(time.GetElapsedTime(_started).TotalSeconds)),
            new(SensorName, "outbox_depth", now, outbox.Counters.Held),
        };
        if (temperature.Read() is { } celsius)
        {
            readings.Add(new Reading(SensorName, "cpu_temperature", now, celsius));
        }

        if (_clock?.State is { } clock)
        {
            readings.Add(new Reading(SensorName, "clock_state", now, (int)clock.Source));
            readings.Add(new Reading(SensorName, "clock_sync_age", now, Math.Floor(clock.SinceConfirmed.TotalSeconds)));
            if (clock.Stepped != _stepped)
            {
                var period = TimeSpan.FromSeconds(Math.Floor(interval.TotalSeconds));
                readings.Add(new Reading(SensorName, "clock_step", now - period, Math.Round((clock.Stepped - _stepped).TotalSeconds, 3)) { Period = period });
                _stepped = clock.Stepped;
            }
        }

        return [.. readings];
    }
}

/// <summary>The processor's temperature where Linux offers it: <c>thermal_zone*/temp</c>, thousandths of a degree Celsius.</summary>
/// <param name="folder">The folder of thermal zones.</param>
internal sealed class CpuTemperature(string folder = "/sys/class/thermal")
{
    /// <summary>Degrees Celsius of the zone that names the processor, else of the first one; null where there is none or it gives nonsense.</summary>
    public double? Read()
    {
        try
        {
            var zones = Directory.Exists(folder) ? Directory.GetDirectories(folder, "thermal_zone*").Order(StringComparer.Ordinal).ToArray() : [];
            var zone = zones.FirstOrDefault(zone => Type(zone).Contains("cpu", StringComparison.OrdinalIgnoreCase) || Type(zone).Contains("x86_pkg", StringComparison.Ordinal))
                ?? zones.FirstOrDefault();
            return zone is not null
                && int.TryParse(File.ReadAllText(Path.Combine(zone, "temp")).Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var thousandths)
                && thousandths is > -60_000 and < 150_000
                ? thousandths / 1000.0
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Type(string zone)
    {
        var path = Path.Combine(zone, "type");
        return File.Exists(path) ? File.ReadAllText(path) : "";
    }
}
