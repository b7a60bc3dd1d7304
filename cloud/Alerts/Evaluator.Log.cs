using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Alerts;

/// <summary>Log lines of the evaluator.</summary>
internal static partial class EvaluatorLog
{
    [LoggerMessage(EventId = 6001, Level = LogLevel.Information, Message = "Alarms: {Rules} rules, {Active} active alarms; evaluated up to commit {Commit} of {LastCommit}.")]
    public static partial void Started(ILogger logger, int rules, int active, long commit, long lastCommit);

    [LoggerMessage(EventId = 6002, Level = LogLevel.Warning, Message = "Evaluating alarms failed; nothing is lost, it is tried again in {Delay}.")]
    public static partial void PassFailed(ILogger logger, Exception exception, TimeSpan delay);

    [LoggerMessage(EventId = 6003, Level = LogLevel.Information, Message = "Rule {Municipality}/{Rule} was evaluated over {Datastreams} datastreams: {Changes} changes of the alarm history.")]
    public static partial void RuleEvaluated(ILogger logger, string municipality, string rule, int datastreams, int changes);

    [LoggerMessage(EventId = 6004, Level = LogLevel.Information, Message = "Settings that decide the alarm history have changed: every rule is evaluated again over the horizon.")]
    public static partial void SettingsChanged(ILogger logger);

    [LoggerMessage(EventId = 6005, Level = LogLevel.Information, Message = "Alarms were evaluated up to commit {Commit}, but the series end with commit {LastCommit}, as after a restore: every rule is evaluated again over the horizon.")]
    public static partial void SeriesOlder(ILogger logger, long commit, long lastCommit);
}
