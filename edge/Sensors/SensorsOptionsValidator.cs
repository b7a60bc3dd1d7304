using System.Globalization;
using Hub.Edge.Sensors.Noise.Microphone;
using Hub.Edge.Sensors.Replay;
using Hub.Edge.Sensors.Replay.Formats;
using Hub.Edge.Sensors.Simulated;
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

        for (int index = 0; index < options.Sensors.Count; index++)
        {
            foreach (string failure in Failures(options.Sensors[index], options.Replay, $"{SensorsOptions.Section}:Sensors:{index}"))
            {
                yield return failure;
            }
        }

        if (options.Sensors.Any(sensor => sensor.Kind == SensorOptions.KindReplay))
        {
            foreach (string failure in Failures(options.Replay, $"{SensorsOptions.Section}:Replay"))
            {
                yield return failure;
            }
        }
    }

    /// <summary>What is wrong with what all replays share.</summary>
    public static IEnumerable<string> Failures(ReplayOptions options, string key)
    {
        if (options.Anchor is null)
        {
            yield return $"{key}:Anchor is missing: give the instant of the first start, e.g. 2026-11-22T15:04:05Z, and the same one at every later start.";
        }

        if (options.History is not null && !IsHistory(options.History))
        {
            yield return $"{key}:History is '{options.History}': give a duration such as 7.00:00:00, or all.";
        }

        if (!ReplayZone.TryFind(options.Zone, out _))
        {
            yield return ZoneFailure($"{key}:Zone", options.Zone);
        }
    }

    /// <summary>What is wrong with one sensor.</summary>
    public static IEnumerable<string> Failures(SensorOptions sensor, ReplayOptions agent, string key)
    {
        if (!IsName(sensor.Name))
        {
            yield return $"{key}:Name is '{sensor.Name}': give 1 to {NameCharactersMax} of a-z, 0-9 and -, beginning with a letter or digit.";
        }

        IEnumerable<string> failures = sensor.Kind switch
        {
            SensorOptions.KindReplay when sensor.Replay is { } replay => Failures(replay, agent, $"{key}:Replay"),
            SensorOptions.KindReplay => [$"{key}:Replay is missing: say which file to replay."],
            SensorOptions.KindSimulated => Failures(sensor.Simulated ?? new SimulatedSensorOptions(), $"{key}:Simulated"),
            SensorOptions.KindMicrophone when sensor.Microphone is { } microphone => MicrophoneChecks.Failures(microphone, $"{key}:Microphone"),
            SensorOptions.KindMicrophone => [$"{key}:Microphone is missing: say which device to record from."],
            _ => [$"{key}:Kind is '{sensor.Kind}': give {SensorOptions.KindReplay}, {SensorOptions.KindSimulated} or {SensorOptions.KindMicrophone}."],
        };
        foreach (string failure in failures)
        {
            yield return failure;
        }
    }

    private static IEnumerable<string> Failures(ReplaySensorOptions options, ReplayOptions agent, string key)
    {
        ReplayFormat? format = ReplayFormat.Find(options.Format);
        if (format is null)
        {
            yield return $"{key}:Format is '{options.Format}': give one of {string.Join(", ", ReplayFormat.All.Select(known => known.Name))}.";
        }
        else
        {
            foreach (string failure in format.Failures(options, key))
            {
                yield return failure;
            }

            foreach (string quantity in options.Quantities.Where(quantity => format.Quantities.Count > 0 && !format.Quantities.Contains(quantity)))
            {
                yield return $"{key}:Quantities has '{quantity}', which the format {format.Name} cannot give: {string.Join(", ", format.Quantities)}.";
            }
        }

        if (options.File.Length == 0)
        {
            yield return $"{key}:File is missing: name the publisher's file.";
        }
        else if (!File.Exists(ReplaySensor.PathOf(options, agent)))
        {
            yield return $"{key}:File: there is no file {ReplaySensor.PathOf(options, agent)}; relative names start at {SensorsOptions.Section}:Replay:Folder.";
        }

        if (options.Publisher.Length == 0 || options.Licence.Length == 0)
        {
            yield return $"{key}:Publisher and {key}:Licence are both needed: say whose data it is and under what licence.";
        }

        if (options.Period is { } period && (period < TimeSpan.Zero || period > TimeSpan.FromDays(31) || period.Ticks % TimeSpan.TicksPerSecond != 0))
        {
            yield return $"{key}:Period is {period}: give whole seconds, up to 31 days.";
        }

        if (options.Cycle is { } cycle && (cycle < TimeSpan.FromDays(1) || cycle > TimeSpan.FromDays(3660) || cycle.Ticks % TimeSpan.TicksPerDay != 0))
        {
            yield return $"{key}:Cycle is {cycle}: give whole days, 1 to 3660.";
        }

        if (options.History is not null && !IsHistory(options.History))
        {
            yield return $"{key}:History is '{options.History}': give a duration such as 7.00:00:00, or all.";
        }

        if (options.Zone is not null && !ReplayZone.TryFind(options.Zone, out _))
        {
            yield return ZoneFailure($"{key}:Zone", options.Zone);
        }

        if (options.Place is not null && !ReplayZone.TryFind(options.Place, out _))
        {
            yield return ZoneFailure($"{key}:Place", options.Place);
        }

        if (options.AlignAt is null ? options.Align == ReplayAlign.Instant : !ReplayShift.TryAt(options.AlignAt, out _))
        {
            yield return options.Align == ReplayAlign.Instant
                ? $"{key}:AlignAt is '{options.AlignAt}': give the publisher's time that is put on the anchor, e.g. 2025-03-22T20:15:00."
                : $"{key}:AlignAt is '{options.AlignAt}': give the publisher's date whose midnight is put on the anchor's, e.g. 2017-06-22.";
        }
    }

    private static IEnumerable<string> Failures(SimulatedSensorOptions options, string key)
    {
        foreach (string quantity in options.Quantities.Where(quantity => !SimulatedProfile.All.ContainsKey(quantity)))
        {
            yield return $"{key}:Quantities has '{quantity}', which cannot be simulated: {string.Join(", ", SimulatedProfile.All.Keys.Order(StringComparer.Ordinal))}.";
        }

        if (options.Interval < TimeSpan.FromSeconds(1) || options.Interval > TimeSpan.FromDays(1) || options.Interval.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            yield return $"{key}:Interval is {options.Interval}: give whole seconds, 00:00:01 to 1.00:00:00.";
        }

        if (options.History < TimeSpan.Zero || options.History > TimeSpan.FromDays(366))
        {
            yield return $"{key}:History is {options.History}: give zero to 366 days.";
        }

        if (!ReplayZone.TryFind(options.Zone, out _))
        {
            yield return ZoneFailure($"{key}:Zone", options.Zone);
        }
    }

    private static string ZoneFailure(string key, string zone) =>
        $"{key} is '{zone}', which this machine does not know: give UTC, an offset such as +01:00 or an IANA name such as Europe/Lisbon (the package tzdata holds them).";

    private static bool IsHistory(string text) =>
        text == "all" || (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan history) && history >= TimeSpan.Zero && history <= TimeSpan.FromDays(3660));

    private static bool IsName(string name) =>
        name.Length is >= 1 and <= NameCharactersMax && name[0] != '-' && name.All(character => character is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');
}
