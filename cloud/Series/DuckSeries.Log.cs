using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Series;

internal sealed partial class DuckSeries
{
    [LoggerMessage(1, LogLevel.Information, "Series store open in {Folder}: last commit {Commit}, {Datastreams} datastreams, took {Took}.")]
    private partial void LogOpened(string folder, long commit, int datastreams, TimeSpan took);

    [LoggerMessage(2, LogLevel.Information, "Series store closed in {Folder}: last commit {Commit}.")]
    private partial void LogClosed(string folder, long commit);

    [LoggerMessage(3, LogLevel.Warning, "Stopping took longer than {StopWithin}: {Observations} observations were refused; their senders still hold them.")]
    private partial void LogNotDrained(TimeSpan stopWithin, int observations);

    [LoggerMessage(4, LogLevel.Error, "A group commit in {Folder} failed; its {Observations} observations are not acknowledged. See that the disk is not full and can be written.")]
    private partial void LogCommitFailed(Exception exception, string folder, int observations);

    [LoggerMessage(5, LogLevel.Warning, "The series store in {Folder} cannot be opened for writing yet; it is tried again.")]
    private partial void LogReopenFailed(Exception exception, string folder);

    [LoggerMessage(6, LogLevel.Information, "The series store in {Folder} commits again; last commit {Commit}.")]
    private partial void LogRecovered(string folder, long commit);

    [LoggerMessage(7, LogLevel.Error, "An observer failed in commit {Commit}; the commit itself is durable.")]
    private partial void LogObserverFailed(Exception exception, long commit);
}
