using System.Globalization;
using BenchmarkDotNet.Running;
using Hub.Tests.Benchmarks.Agent;
using Hub.Tests.Benchmarks.Alerts;
using Hub.Tests.Benchmarks.Ingest;
using Hub.Tests.Benchmarks.Portal;
using Hub.Tests.Benchmarks.QualityControl;
using Hub.Tests.Benchmarks.Series;

namespace Hub.Tests.Benchmarks;

/// <summary>Starts the benchmarks; see README.md.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["ratios"]:
                Noise.PrintTimesRealTime(Console.Out);
                return 0;
            case ["agent"]:
                return await AgentSize.RunAsync(120, null, Console.Out);
            case ["agent", var seconds]:
                return await AgentSize.RunAsync(Number(seconds), null, Console.Out);
            case ["agent", var seconds, var program]:
                return await AgentSize.RunAsync(Number(seconds), program, Console.Out);
            case ["series", .. var rest]:
                return await SeriesBenchmark.WideAsync(Number(rest, 0, 2_000), Console.Out);
            case ["series-many", .. var rest]:
                return await ManyBenchmark.RunAsync(Number(rest, 0, 2_000), Console.Out);
            case ["series-long", .. var rest]:
                return await SeriesBenchmark.LongAsync(Number(rest, 0, 30), Console.Out);
            case ["series-year", .. var rest]:
                return await YearBenchmark.RunAsync(Number(rest, 0, 20), Number(rest, 1, 365), rest.Length > 2 ? rest[2] : null, Console.Out);
            case ["series-open", .. var rest]:
                return await OpenBenchmark.RunAsync(Number(rest, 0, 1_000), Console.Out);
            case ["series-open-child", var verb, var folder]:
                return await OpenBenchmark.ChildAsync(verb, folder);
            case ["series-stall", .. var rest]:
                return await StallBenchmark.RunAsync(Number(rest, 0, 80), Number(rest, 1, 60), Number(rest, 2, 60), Console.Out);
            case ["alerts", .. var rest]:
                return await AlertsBenchmark.RunAsync(Number(rest, 0, 20), Console.Out);
            case ["quality", .. var rest]:
                return await QualityBenchmark.RunAsync(Number(rest, 0, 300), Number(rest, 1, 3), Number(rest, 2, 60), Console.Out);
            case ["ingest", .. var rest]:
                return await IngestBenchmark.SaturateAsync(Number(rest, 0, 10), Console.Out);
            case ["ingest-light", .. var rest]:
                return await IngestBenchmark.LightAsync(Number(rest, 0, 20), Console.Out);
            case ["hub-memory", .. var rest]:
                return await MemoryBenchmark.RunAsync(Number(rest, 0, 100), Number(rest, 1, 30), Console.Out);
            case ["viewers", .. var rest]:
                return await ViewersBenchmark.RunAsync(Number(rest, 0, 500), Number(rest, 1, 30), Console.Out);
            case ["pages", .. var rest]:
                return await PagesBenchmark.RunAsync(Number(rest, 0, 100), Number(rest, 1, 365), Number(rest, 2, 30), Console.Out);
            case ["bridge", var mqtt, var influx]:
                return await Bridge.RunAsync(Number(mqtt), Number(influx));
            default:
                BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments);
                return 0;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static int Number(string[] rest, int index, int otherwise) => index < rest.Length ? Number(rest[index]) : otherwise;
}
