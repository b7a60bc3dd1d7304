using Microsoft.Extensions.Logging;

namespace Hub.Cloud.QualityControl;

internal static partial class QualityLog
{
    [LoggerMessage(EventId = 4001, Level = LogLevel.Information, Message = "Quality control takes up commits after {Commit} of {Last}; {Stretches} stretches are flagged, {Pending} datastreams have days to judge.")]
    public static partial void Started(this ILogger logger, long commit, long last, long stretches, int pending);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Warning, Message = "The series end at commit {Last} and quality control had taken up {Commit}: they are from a backup. Everything is judged anew.")]
    public static partial void SeriesOlder(this ILogger logger, long commit, long last);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Information, Message = "The hub's own checks have changed: everything is judged anew.")]
    public static partial void DefaultsChanged(this ILogger logger);

    [LoggerMessage(EventId = 4004, Level = LogLevel.Error, Message = "A pass of quality control failed and is tried again in {Wait}.")]
    public static partial void PassFailed(this ILogger logger, Exception exception, TimeSpan wait);

    [LoggerMessage(EventId = 4005, Level = LogLevel.Warning, Message = "Day {Day} of datastream {Datastream} is not judged: it has more than {Max} observations.")]
    public static partial void TooDense(this ILogger logger, int datastream, DateOnly day, int max);

    [LoggerMessage(EventId = 4006, Level = LogLevel.Warning, Message = "Findings of datastream {Datastream} on {Day} are not kept: {Key} is reached. Declare checks that flag less, or raise it.")]
    public static partial void Refused(this ILogger logger, int datastream, DateOnly day, string key);

    [LoggerMessage(EventId = 4007, Level = LogLevel.Information, Message = "Checks of {Property} in {Municipality}: version {Version}, from {From}, declared by {Person}.")]
    public static partial void Declared(this ILogger logger, string municipality, string property, int version, DateTime from, string person);

    [LoggerMessage(EventId = 4008, Level = LogLevel.Information, Message = "{Findings} findings of {Datastreams} datastreams from {From} to {To} are gone with their observations.")]
    public static partial void FindingsRemoved(this ILogger logger, long findings, int datastreams, DateTime from, DateTime to);
}
