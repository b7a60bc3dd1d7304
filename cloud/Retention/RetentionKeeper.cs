using Hub.Cloud.Municipalities;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Retention;

/// <summary>Runs retention for every municipality, once a day at the quietest hour of its legal day.</summary>
internal sealed class RetentionKeeper(IRetention retention, IMunicipalities municipalities, RetentionInstruments instruments, TimeProvider time, ILogger<RetentionKeeper> log) : BackgroundService
{
    /// <summary>How often it looks whether a municipality's hour has come.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(10);

    /// <summary>Local hour from which a day's run is due: after midnight's own work, before people come.</summary>
    private const int Hour = 3;

    private readonly Dictionary<string, DateTime> _done = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(LookEvery, time);
        do
        {
            foreach (var municipality in municipalities.All)
            {
                await LookAsync(municipality, stoppingToken).ConfigureAwait(false);
            }
        }
        while (await NextAsync(timer, stoppingToken).ConfigureAwait(false));
    }

    private static async ValueTask<bool> NextAsync(PeriodicTimer timer, CancellationToken stop)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>A hub that was off at that hour runs when it is next on: deleting twice a day does no harm, deleting never does.</summary>
    private async ValueTask LookAsync(Municipality municipality, CancellationToken stop)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var local = now + (TimeZoneInfo.TryFindSystemTimeZoneById(municipality.Zone, out var zone) ? zone.GetUtcOffset(now) : TimeSpan.Zero);
        if (local.Hour < Hour || (_done.TryGetValue(municipality.Slug, out var day) && day == local.Date))
        {
            return;
        }

        try
        {
            await retention.RunAsync(municipality.Slug, "schedule", stop).ConfigureAwait(false);
            _done[municipality.Slug] = local.Date;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The hub stops; the next start goes on.
        }
#pragma warning disable CA1031 // Store away, database busy, disk full: the next look tries again, and other municipalities go on.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            instruments.Failed();
            log.RunFailed(exception, municipality.Slug);
        }
    }
}
