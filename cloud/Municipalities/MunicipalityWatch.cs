using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Municipalities;

/// <summary>Sees what the command line changed in the database of a running hub. There are at most a few hundred municipalities: they are simply read again.</summary>
internal sealed partial class MunicipalityWatch(MunicipalityRegister register, TimeProvider time, ILogger<MunicipalityWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await register.LoadAsync(stoppingToken);
            }
            catch (Exception exception) when (exception is System.Data.Common.DbException or InvalidOperationException)
            {
                LogUnreadable(exception);
            }
        }
    }

    [LoggerMessage(20, LogLevel.Warning, "The municipalities could not be read again; what is in memory stays in use.")]
    private partial void LogUnreadable(Exception exception);
}
