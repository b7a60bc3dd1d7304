using Hub.Edge.Sensors.Replay;
using Hub.Edge.Sensors.Replay.Formats;
using Hub.Tests.Kit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using YamlDotNet.RepresentationModel;

namespace Hub.Edge.Sensors.Tests;

/// <summary>The demonstration's files as they are carried beside the tests.</summary>
internal static class Demo
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "demo");

    public static string Data(string file) => Path.Combine(Folder, "data", file);

    public static IEnumerable<string> Stations => Directory.EnumerateFiles(Path.Combine(Folder, "stations"), "*.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal);

    public static ReplaySensorOptions Options(string format, string file, string? series = null) => new()
    {
        Format = format,
        File = Data(file),
        Series = series,
        Period = format == "noisemonitor" ? TimeSpan.FromSeconds(file.Contains("1s", StringComparison.Ordinal) ? 1 : 60) : null,
        Publisher = "publisher",
        Licence = "licence",
    };

    public static ReplayTable Read(ReplaySensorOptions options) => ReplayFormat.Find(options.Format)!.Read(options.File, Path.GetFileName(options.File), options);

    public static SensorOptions Sensor(ReplaySensorOptions replay) => new() { Name = "sensor", Kind = "replay", Replay = replay };

    public static SensorFactory Factory(TimeProvider time) => new(time, NullLoggerFactory.Instance);

    /// <summary>A station file as configuration: its keys, and its sensors under <c>Agent:Sensors</c> as the agent puts them.</summary>
    public static IConfigurationRoot Configuration(string stationFile, string anchor)
    {
        var values = new Dictionary<string, string?>
        {
            ["Agent:Replay:Anchor"] = anchor,
            ["Agent:Replay:Folder"] = Path.GetDirectoryName(stationFile),
        };
        foreach ((string key, string value) in Yaml(stationFile))
        {
            values[key.StartsWith("sensors:", StringComparison.Ordinal) ? $"Agent:{key}" : key] = value;
        }

        return new ConfigurationBuilder().AddInMemoryCollection(values).Build();
    }

    public static IEnumerable<(string Key, string Value)> Yaml(string file)
    {
        using var reader = new StreamReader(file);
        var stream = new YamlStream();
        stream.Load(reader);
        return Walk("", stream.Documents[0].RootNode).ToList();
    }

    private static IEnumerable<(string Key, string Value)> Walk(string key, YamlNode node) => node switch
    {
        YamlMappingNode mapping => mapping.Children.SelectMany(child => Walk(Join(key, ((YamlScalarNode)child.Key).Value!), child.Value)),
        YamlSequenceNode sequence => sequence.Children.SelectMany((child, index) => Walk(Join(key, $"{index}"), child)),
        _ => [(key, ((YamlScalarNode)node).Value!)],
    };

    private static string Join(string key, string name) => key.Length == 0 ? name : $"{key}:{name}";
}
