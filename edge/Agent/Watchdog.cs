using System.Globalization;
using System.Net.Sockets;
using Hub.Edge.Sampling;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Agent;

/// <summary>
/// Tells systemd that the agent lives, twice in each of its watchdog times (<c>WatchdogSec</c>), for as long as sampling and outbox make progress. When they do not it says so once and
/// falls silent; systemd then kills the agent and starts it again.
/// </summary>
/// <param name="notifier">The way to systemd.</param>
/// <param name="sampling">What has to move.</param>
/// <param name="interval">Time between signs of life: half of the watchdog time.</param>
/// <param name="time">The monotonic clock.</param>
/// <param name="logger">Where it is said why there are no more signs.</param>
internal sealed class Watchdog(ISystemdNotifier notifier, ISampling sampling, TimeSpan interval, TimeProvider time, ILogger<Watchdog> logger) : BackgroundService
{
    private static readonly ServiceState Alive = new("WATCHDOG=1");

    /// <summary>The interval that systemd asks of this process; null when it does not watch it.</summary>
    public static TimeSpan? IntervalFromEnvironment() =>
        WatchdogDecisions.Interval(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"), Environment.ProcessId);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, time);
        var told = false;
        try
        {
            do
            {
                var stuck = WatchdogDecisions.Stuck(sampling.Sensors, sampling.Appending, interval * 2);
                if (stuck is null)
                {
                    Say(told);
                }
                else if (!told)
                {
                    logger.NothingMoves(stuck);
                }

                told = stuck is not null;
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Say(bool again)
    {
        if (again)
        {
            logger.MovesAgain();
        }

        try
        {
            notifier.Notify(Alive);
        }
        catch (SocketException e)
        {
            logger.SignFailed(e);
        }
    }
}

/// <summary>What the watchdog decides, as pure functions.</summary>
internal static class WatchdogDecisions
{
    /// <summary>What stands still, for a person; null while the agent makes progress or has nothing to do.</summary>
    /// <param name="sensors">All sensors of the station.</param>
    /// <param name="appending">How long the outbox has been busy with one append.</param>
    /// <param name="patience">How long it may be.</param>
    /// <remarks>
    /// A new start helps only against what hangs in this process. So none for a sensor that fails (it is started again anyhow), for one that hangs while others give values, for
    /// one that has given nothing since the start (another start would not change that, and the agent would be started for ever), for a disk that refuses, or for a
    /// hub that cannot be reached.
    /// </remarks>
    public static string? Stuck(IReadOnlyList<SensorState> sensors, TimeSpan appending, TimeSpan patience)
    {
        if (appending >= patience)
        {
            return string.Create(CultureInfo.InvariantCulture, $"the outbox has been busy with one append for {appending.TotalSeconds:0} s");
        }

        return sensors.Count > 0 && sensors.All(sensor => sensor is { Condition: SensorCondition.Dead, Failure: null, TakenAt: not null })
            ? "every sensor gave values and now says nothing, without failing"
            : null;
    }

    /// <summary>Half of the watchdog time, or null when there is none or it is another process's.</summary>
    /// <param name="microseconds">Environment variable <c>WATCHDOG_USEC</c>.</param>
    /// <param name="processId">Environment variable <c>WATCHDOG_PID</c>; where it is missing, the time is for whoever reads it.</param>
    /// <param name="ownProcessId">This process.</param>
    public static TimeSpan? Interval(string? microseconds, string? processId, int ownProcessId) =>
        long.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) && whole is >= 2_000 and <= 86_400_000_000
        && (string.IsNullOrEmpty(processId) || processId == ownProcessId.ToString(CultureInfo.InvariantCulture))
            ? TimeSpan.FromMicroseconds(whole / 2)
            : null;
}
