using BenchmarkDotNet.Running;

namespace Hub.Tests.Benchmarks;

/// <summary>Starts the benchmarks; see README.md.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is ["ratios"])
        {
            Noise.PrintTimesRealTime(Console.Out);
            return 0;
        }

        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments);
        return 0;
    }
}
