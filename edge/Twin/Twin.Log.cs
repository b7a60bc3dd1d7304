using Microsoft.Extensions.Logging;

namespace Hub.Edge.Twin;

internal static partial class TwinLog
{
    [LoggerMessage(1, LogLevel.Error, "Twin: what was kept cannot be read and is put aside; the station file stands alone until the hub says again what it wants.")]
    public static partial void Damaged(this ILogger logger);

    [LoggerMessage(2, LogLevel.Information, "Twin: settings of version {Version} are good and are put in force, on trial for {Trial}.")]
    public static partial void Trying(this ILogger logger, long version, TimeSpan trial);

    [LoggerMessage(3, LogLevel.Warning, "Twin: settings of version {Version} are not put in force ({Outcome}): {Problems}")]
    public static partial void Refused(this ILogger logger, long version, string outcome, string problems);

    [LoggerMessage(4, LogLevel.Information, "Twin: settings of version {Version} have reached the hub and stay.")]
    public static partial void Applied(this ILogger logger, long version);

    [LoggerMessage(5, LogLevel.Error, "Twin: settings of version {Version} are taken back, those of version {InForce} are in force again (0 is the station file alone): {Problems}")]
    public static partial void RolledBack(this ILogger logger, long version, long inForce, string problems);

    [LoggerMessage(6, LogLevel.Error, "Twin: settings of version {Version} could not be put in force.")]
    public static partial void CannotApply(this ILogger logger, long version, Exception exception);

    [LoggerMessage(7, LogLevel.Error, "Twin: its state could not be written: is the disk full? New settings wait until it can.")]
    public static partial void NotKept(this ILogger logger, Exception exception);

    [LoggerMessage(8, LogLevel.Warning, "Twin: at the start settings of version {Version} are {Outcome}, those of version {InForce} are in force (0 is the station file alone). {Problems}")]
    public static partial void Found(this ILogger logger, long version, string outcome, long inForce, string problems);
}
