using System.Globalization;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Agent;

/// <summary>The agent as a sensor of its own: what it reports goes the way of all readings.</summary>
internal sealed class SelfReport(IOutbox outbox, TimeSpan interval, CpuTemperature temperature, TimeProvider time, ILogger<SelfReport> logger) : BackgroundService
{
    /// <summary>Name of the sensor; no sensor of a station may bear it.</summary>
    public const string SensorName = "agent";

    private readonly long _started = time.GetTimestamp();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (interval == TimeSpan.Zero)
        {
            return;
        }

        using var timer = new PeriodicTimer(interval, time);
        try
        {
            do
            {
                try
                {
                    await outbox.AppendAsync(Read(), null, stoppingToken).ConfigureAwait(false);
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

    private Reading[] Read()
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
