namespace Hub.Cloud.Server;

internal static partial class HubHostLog
{
    [LoggerMessage(1, LogLevel.Information, "Setting {Key} = {Value}")]
    public static partial void Setting(this ILogger log, string key, string value);

    [LoggerMessage(2, LogLevel.Information, "Serving {Address}")]
    public static partial void Serving(this ILogger log, string address);

    [LoggerMessage(3, LogLevel.Critical, "The hub ends. {Reason}")]
    public static partial void Lost(this ILogger log, string reason);
}
