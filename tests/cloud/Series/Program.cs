using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Hub.Cloud.Series.Tests;

internal static class Program
{
    public static async Task<int> Main(string[] args) => args switch
    {
        ["child", ..] => await Child.RunAsync(args[1..]),
        _ when args.Any(arg => arg is "--server" or "--internal-msbuild-node") => await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => await ConsoleRunner.Run(args),
    };
}
