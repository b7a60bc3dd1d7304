using Hub.Edge.Sensors.Kinds;
using Hub.Edge.Sensors.Replay;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Sensors;

/// <summary>Checks the sensors' options at start; every failure begins with the full key and says what to give.</summary>
internal sealed class SensorsOptionsValidator : IValidateOptions<SensorsOptions>
{
    private const int NameCharactersMax = 64;

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, SensorsOptions options)
    {
        List<string> failures = [.. Failures(options)];
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    /// <summary>All that is wrong.</summary>
    public static IEnumerable<string> Failures(SensorsOptions options)
    {
        if (options.Sensors.Count > SensorsOptions.SensorsMax)
        {
            yield return $"{SensorsOptions.Section}:Sensors has {options.Sensors.Count} entries; a station may have {SensorsOptions.SensorsMax}.";
        }

        foreach (string twice in options.Sensors.GroupBy(sensor => sensor.Name).Where(group => group.Count() > 1).Select(group => group.Key))
        {
            yield return $"{SensorsOptions.Section}:Sensors has the name '{twice}' twice: give each sensor its own.";
        }

        // A name of its own, and the names of its parts: readings of two sensors under one name would be taken for one.
        foreach (var twice in options.Sensors
            .SelectMany(sensor => SensorFactory.Names(sensor).Append(sensor.Name).Distinct().Select(name => (Name: name, Sensor: sensor)))
            .GroupBy(entry => entry.Name)
            .Where(group => group.Select(entry => entry.Sensor.Name).Distinct().Count() > 1))
        {
            yield return $"{SensorsOptions.Section}:Sensors: readings named '{twice.Key}' would come of {string.Join(" and ", twice.Select(entry => $"'{entry.Sensor.Name}'"))}: rename one of them.";
        }

        for (int index = 0; index < options.Sensors.Count; index++)
        {
            foreach (string failure in Failures(options.Sensors[index], options, $"{SensorsOptions.Section}:Sensors:{index}"))
            {
                yield return failure;
            }
        }

        if (options.Sensors.Any(sensor => sensor.Kind == SensorOptions.KindReplay))
        {
            foreach (string failure in ReplayKind.Failures(options.Replay, $"{SensorsOptions.Section}:Replay"))
            {
                yield return failure;
            }
        }
    }

    /// <summary>What is wrong with one sensor.</summary>
    public static IEnumerable<string> Failures(SensorOptions sensor, SensorsOptions agent, string key)
    {
        if (!IsName(sensor.Name))
        {
            yield return $"{key}:Name is '{sensor.Name}': give 1 to {NameCharactersMax} of a-z, 0-9 and -, beginning with a letter or digit.";
        }

        if (IsName(sensor.Name) && SensorFactory.Names(sensor).MaxBy(name => name.Length) is { Length: > NameCharactersMax } tooLong)
        {
            yield return $"{key}:Name is '{sensor.Name}', which makes readings named '{tooLong}': give one that is {tooLong.Length - NameCharactersMax} characters shorter.";
        }

        IEnumerable<string> failures = SensorKinds.Find(sensor.Kind)?.Failures(sensor, agent, key)
            ?? [$"{key}:Kind is '{sensor.Kind}': give one of {string.Join(", ", SensorKinds.All.Select(kind => kind.Name))}."];
        foreach (string failure in failures)
        {
            yield return failure;
        }
    }

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= NameCharactersMax && name[0] != '-' && name.All(character => character is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');
}
