using System.Globalization;
using Hub.Edge.Sensors.Kinds;
using Hub.Edge.Sensors.Replay.Formats;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Replay;

/// <summary>Kind <c>replay</c>: rows of a publisher's file.</summary>
internal sealed class ReplayKind() : SensorKind(SensorOptions.KindReplay)
{
    /// <inheritdoc/>
    public override IEnumerable<string> Failures(SensorOptions sensor, SensorsOptions agent, string key) =>
        sensor.Replay is { } replay ? Failures(replay, agent.Replay, $"{key}:Replay") : [$"{key}:Replay is missing: say which file to replay."];

    /// <inheritdoc/>
    public override ISensor Create(SensorOptions sensor, SensorContext context) =>
        new ReplaySensor(sensor.Name, sensor.Replay!, context.Agent.Replay, context.Time, context.Instruments, context.Logs.CreateLogger<ReplaySensor>());

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
            yield return ReplayZone.Failure($"{key}:Zone", options.Zone);
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
            yield return ReplayZone.Failure($"{key}:Zone", options.Zone);
        }

        if (options.Place is not null && !ReplayZone.TryFind(options.Place, out _))
        {
            yield return ReplayZone.Failure($"{key}:Place", options.Place);
        }

        if (options.AlignAt is null ? options.Align == ReplayAlign.Instant : !ReplayShift.TryAt(options.AlignAt, out _))
        {
            yield return options.Align == ReplayAlign.Instant
                ? $"{key}:AlignAt is '{options.AlignAt}': give the publisher's time that is put on the anchor, e.g. 2025-03-22T20:15:00."
                : $"{key}:AlignAt is '{options.AlignAt}': give the publisher's date whose midnight is put on the anchor's, e.g. 2017-06-22.";
        }
    }

    private static bool IsHistory(string text) =>
        text == "all" || (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan history) && history >= TimeSpan.Zero && history <= TimeSpan.FromDays(3660));
}
