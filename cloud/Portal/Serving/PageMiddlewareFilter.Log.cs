using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Portal.Serving;

internal sealed partial class PageMiddlewareFilter
{
    [LoggerMessage(1, LogLevel.Error, "The page {Path} could not be made (request {Request}).")]
    private partial void PageFailed(Exception exception, string? path, string request);
}
