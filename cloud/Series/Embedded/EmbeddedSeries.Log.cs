using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Series;

internal sealed partial class EmbeddedSeries
{
    [LoggerMessage(1, LogLevel.Information, "Series store open in {Folder}: last commit {Commit}, {Datastreams} datastreams, took {Took}.")]
    private partial void LogOpened(string folder, long commit, int datastreams, TimeSpan took);

    [LoggerMessage(2, LogLevel.Information, "Series store closed in {Folder}: last commit {Commit}.")]
    private partial void LogClosed(string folder, long commit);

    [LoggerMessage(3, LogLevel.Warning, "Stopping took longer than {StopWithin}: {Observations} observations were refused; their senders still hold them.")]
    private partial void LogNotDrained(TimeSpan stopWithin, int observations);

    [LoggerMessage(4, LogLevel.Error, "A group commit in {Folder} failed; its {Observations} observations are not acknowledged. See that the disk is not full and can be written.")]
    private partial void LogCommitFailed(Exception exception, string folder, int observations);

    [LoggerMessage(5, LogLevel.Warning, "The series store in {Folder} cannot be written yet; it is tried again.")]
    private partial void LogNotRecovered(Exception exception, string folder);

    [LoggerMessage(6, LogLevel.Information, "The series store in {Folder} commits again; last commit {Commit}.")]
    private partial void LogRecovered(string folder, long commit);

    [LoggerMessage(8, LogLevel.Warning, "{Bytes} bytes at the end of the write-ahead log in {Folder} were no whole group and are cut off: what was being written when the hub was killed. It was acknowledged to nobody.")]
    private partial void LogTailCut(long bytes, string folder);

    [LoggerMessage(9, LogLevel.Warning, "What is in memory of the series store in {Folder} could not be written as parts at the stop; it stays in the write-ahead log for the next start.")]
    private partial void LogNotFlushed(Exception exception, string folder);
}
