using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Hub.Cloud.Series.Tests;

internal static class Program
{
    public static async Task<int> Main(string[] args) => args switch
    {
        ["child", ..] => await Child.RunAsync(args[1..]),
        ["campaign", ..] => await CampaignChild.RunAsync(args[1..]),
        ["log-child", ..] => LogChild.Run(args[1..]),
        ["influx-child", ..] => await InfluxChild.RunAsync(args[1..]),
        ["influx-condense", ..] => await InfluxChild.CondenseAsync(args[1..]),
        _ when args.Any(arg => arg is "--server" or "--internal-msbuild-node") => await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => await ConsoleRunner.Run(args),
    };
}
