using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Api;

internal sealed partial class ApiGate
{
    [LoggerMessage(1, LogLevel.Warning, "A request was answered 503 because the series are unavailable")]
    private partial void LogUnavailable(Exception exception);
}
