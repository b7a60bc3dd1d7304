using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Stations;

/// <summary>
/// Sees what the command line changed in the database of a running hub: a station registered, a secret rotated, a station removed. Each of them adds or removes a
/// credential, so one small query tells whether anything is new.
/// </summary>
internal sealed partial class StationWatch(IDbContextFactory<StationsDatabase> databases, StationRegistry registry, TimeProvider time, ILogger<StationWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var seen = (Count: -1, Last: -1, AdapterCount: -1, AdapterLast: -1);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var now = await StateAsync(stoppingToken);
                if (now != seen)
                {
                    await registry.LoadAsync(stoppingToken);
                    seen = now;
                }
            }
            catch (Exception exception) when (exception is System.Data.Common.DbException or InvalidOperationException)
            {
                LogUnreadable(exception);
            }
        }
    }

    private async Task<(int Count, int Last, int AdapterCount, int AdapterLast)> StateAsync(CancellationToken stop)
    {
        await using var database = await databases.CreateDbContextAsync(stop);
        var count = await database.Credentials.CountAsync(stop);
        var adapters = await database.AdapterCredentials.CountAsync(stop);
        return (
            count,
            count == 0 ? 0 : await database.Credentials.MaxAsync(c => c.Id, stop),
            adapters,
            adapters == 0 ? 0 : await database.AdapterCredentials.MaxAsync(c => c.Id, stop));
    }

    [LoggerMessage(20, LogLevel.Warning, "The stations could not be read again; what is in memory stays in use.")]
    private partial void LogUnreadable(Exception exception);
}
