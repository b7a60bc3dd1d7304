using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Retention;

internal static partial class RetentionLog
{
    [LoggerMessage(EventId = 3901, Level = LogLevel.Information, Message = "Retention of {Municipality}: {Policies} policies saved by {Person}.")]
    public static partial void PoliciesSaved(this ILogger logger, string municipality, int policies, string person);

    [LoggerMessage(EventId = 3902, Level = LogLevel.Information, Message = "Retention of {Municipality}: hold {Hold} set by {Person}.")]
    public static partial void HoldSet(this ILogger logger, string municipality, long hold, string person);

    [LoggerMessage(EventId = 3903, Level = LogLevel.Information, Message = "Retention of {Municipality}: hold {Hold} released by {Person}.")]
    public static partial void HoldReleased(this ILogger logger, string municipality, long hold, string person);

    [LoggerMessage(EventId = 3904, Level = LogLevel.Information, Message = "Retention of {Municipality}: {Observations} observations of {Property} before {Before} deleted by {Person}; of {Condensed} of them rollups are kept, {RollupDays} days of rollups are gone, and {Findings} findings went with them.")]
    public static partial void Deleted(this ILogger logger, string municipality, string property, DateTime before, long observations, long condensed, long rollupDays, long findings, string person);

    [LoggerMessage(EventId = 3905, Level = LogLevel.Error, Message = "Retention of {Municipality} failed and is tried again at the next run.")]
    public static partial void RunFailed(this ILogger logger, Exception exception, string municipality);
}
