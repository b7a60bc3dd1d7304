using Hub.Edge.Sensors;
using Microsoft.Extensions.Configuration;

namespace Hub.Edge.Sampling;

/// <summary>What was given for each sensor, as text to compare: the same text is the same sensor, which goes on undisturbed when others change.</summary>
internal sealed class SensorSettings
{
    private readonly Dictionary<string, string> settings = [];

    private SensorSettings()
    {
    }

    /// <summary>Reads the sensors of a configuration; what all replays have in common is a part of each replay.</summary>
    public static SensorSettings Of(IConfiguration configuration)
    {
        var read = new SensorSettings();
        string replay = Text(configuration.GetSection($"{SensorsOptions.Section}:Replay"));
        foreach (IConfigurationSection sensor in configuration.GetSection($"{SensorsOptions.Section}:{nameof(SensorsOptions.Sensors)}").GetChildren())
        {
            if (sensor[nameof(SensorOptions.Name)] is { } name)
            {
                read.settings[name] = Text(sensor) + (sensor[nameof(SensorOptions.Kind)] == SensorOptions.KindReplay ? replay : "");
            }
        }

        return read;
    }

    /// <summary>The settings of a sensor; empty where none were given.</summary>
    public string Of(string sensor) => settings.GetValueOrDefault(sensor, "");

    private static string Text(IConfigurationSection section) => string.Concat(
        section.AsEnumerable(makePathsRelative: true).Where(setting => setting.Value is not null)
            .Select(setting => $"{setting.Key.ToUpperInvariant()}={setting.Value}\n").Order(StringComparer.Ordinal));
}
