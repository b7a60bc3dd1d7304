using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Series;

internal sealed partial class InfluxSeries
{
    [LoggerMessage(20, LogLevel.Information, "Series store open on InfluxDB at {Address}: last commit {Commit}, {Datastreams} datastreams, {Spilled} observations in the spill, took {Took}.")]
    private partial void LogOpened(string address, long commit, int datastreams, long spilled, TimeSpan took);

    [LoggerMessage(21, LogLevel.Information, "Series store on InfluxDB at {Address} closed: last commit {Commit}, {Spilled} observations in the spill.")]
    private partial void LogClosed(string address, long commit, long spilled);

    [LoggerMessage(22, LogLevel.Warning, "Stopping took longer than {StopWithin}: {Observations} observations were refused; their senders still hold them.")]
    private partial void LogNotDrained(TimeSpan stopWithin, int observations);

    [LoggerMessage(23, LogLevel.Warning, "InfluxDB at {Address} {Reason} Observations wait in the hub until it serves again.")]
    private partial void LogAway(Exception exception, string address, string reason);

    [LoggerMessage(24, LogLevel.Information, "InfluxDB at {Address} serves again; it did not since {Since}.")]
    private partial void LogBack(string address, DateTimeOffset since);

    [LoggerMessage(25, LogLevel.Information, "Everything that waited is on InfluxDB at {Address}.")]
    private partial void LogDrained(string address);

    [LoggerMessage(26, LogLevel.Error, "A group commit to InfluxDB at {Address} failed; its {Observations} observations are not acknowledged.")]
    private partial void LogCommitFailed(Exception exception, string address, int observations);

    [LoggerMessage(27, LogLevel.Error, "{Observations} observations are refused by InfluxDB at {Address}: {Reason} They are kept in {File} while there is room.")]
    private partial void LogRefused(int observations, string address, string reason, string file);

    [LoggerMessage(28, LogLevel.Error, "{File} cannot be written: observations that InfluxDB refuses are not acknowledged.")]
    private partial void LogNotKept(Exception exception, string file);

    [LoggerMessage(30, LogLevel.Error, "InfluxDB at {Address} {Reason} Nothing is acknowledged any more.")]
    private partial void LogInUse(string address, string reason);

    [LoggerMessage(31, LogLevel.Warning, "InfluxDB at {Address} could not be told that this hub lets go of it; another hub has to wait {Lasts}.")]
    private partial void LogNotLetGo(Exception exception, string address, TimeSpan lasts);

    [LoggerMessage(29, LogLevel.Information, "Of the refused observations {Taken} were taken now, {Refused} are still refused by InfluxDB at {Address}.")]
    private partial void LogRetried(int taken, int refused, string address);
}
