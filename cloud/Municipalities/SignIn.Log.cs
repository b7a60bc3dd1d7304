using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Municipalities;

internal sealed partial class SignIn
{
    [LoggerMessage(20, LogLevel.Warning, "Person {UserName} is locked out until {Until:u} after {Failures} wrong passwords in a row")]
    private partial void LogLockedOut(string userName, int failures, DateTime until);
}
