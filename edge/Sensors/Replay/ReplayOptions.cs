using System.ComponentModel.DataAnnotations;

namespace Hub.Edge.Sensors.Replay;

/// <summary>What all replays of one agent have in common: given by whoever starts the agent, under <c>Agent:Replay:...</c>.</summary>
public sealed class ReplayOptions
{
    /// <summary>
    /// Instant at which the replay was first started, e.g. <c>2026-11-22T15:04:05Z</c>. Whoever starts the agent stores it and gives the same
    /// instant at every later start: the place of every row in time follows from it. Required as soon as one sensor replays.
    /// </summary>
    public DateTimeOffset? Anchor { get; set; }

    /// <summary>
    /// How far before the anchor the backlog of a first start goes: a duration (<c>7.00:00:00</c>, the default) or <c>all</c>, which delivers
    /// every row of the file exactly once before the anchor. A sensor's own <see cref="ReplaySensorOptions.History"/> goes before a duration
    /// given here, but <c>all</c> given here goes before everything.
    /// </summary>
    public string? History { get; set; }

    /// <summary>Time zone of the station, IANA name; publisher-local time of day is put on this local time of day. Default <c>Europe/Lisbon</c>.</summary>
    public string Zone { get; set; } = "Europe/Lisbon";

    /// <summary>Folder that relative file names start from: the folder of the station file. Default: the working folder.</summary>
    [DataType("path")]
    public string? Folder { get; set; }
}
