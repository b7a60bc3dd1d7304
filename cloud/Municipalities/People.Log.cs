using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Municipalities;

internal sealed partial class People
{
    [LoggerMessage(1, LogLevel.Information, "Person {UserName} added as {Role} of {Municipality}")]
    private partial void LogAdded(string userName, Role role, string municipality);

    [LoggerMessage(2, LogLevel.Information, "Person {UserName} has a new password; their sessions have ended")]
    private partial void LogPasswordReset(string userName);

    [LoggerMessage(3, LogLevel.Information, "Person {UserName} is now {Role} of {Municipality}; their sessions have ended")]
    private partial void LogGranted(string userName, Role role, string municipality);

    [LoggerMessage(4, LogLevel.Information, "Person {UserName} has no role in {Municipality} any more; their sessions have ended")]
    private partial void LogRevoked(string userName, string municipality);

    [LoggerMessage(5, LogLevel.Information, "Person {UserName} removed")]
    private partial void LogRemoved(string userName);
}
