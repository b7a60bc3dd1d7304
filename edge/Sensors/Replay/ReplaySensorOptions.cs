using System.ComponentModel.DataAnnotations;

namespace Hub.Edge.Sensors.Replay;

/// <summary>How publisher time is put on the anchor.</summary>
public enum ReplayAlign
{
    /// <summary>A publisher-local midnight is put on the station-local midnight at or before the anchor: time of day is kept.</summary>
    Day = 0,

    /// <summary>One instant of the publisher is put on the anchor itself.</summary>
    Instant = 1,
}

/// <summary>What a row's time stamp marks.</summary>
public enum ReplayStamp
{
    /// <summary>The start of the averaging period.</summary>
    Start = 0,

    /// <summary>Its end.</summary>
    End = 1,
}

/// <summary>One publisher's file, read as it is and shifted in time. Bound from <c>replay:</c> of a sensor in the station file.</summary>
public sealed class ReplaySensorOptions
{
    /// <summary><c>ostluft</c>, <c>opensensemap</c>, <c>citypulse</c>, <c>telraam</c>, <c>noisemonitor</c>, or <c>csv</c> described by <see cref="Csv"/>.</summary>
    public string Format { get; set; } = "";

    /// <summary>The publisher's file, plain or gzip (told apart by content). Relative names start at <see cref="ReplayOptions.Folder"/>.</summary>
    [DataType("path-inside")]
    public string File { get; set; } = "";

    /// <summary>
    /// Which of the file's series, where it has several: the station (<c>ostluft</c>; may be left out if there is one) or the sensorId
    /// (<c>opensensemap</c>; required). Not used by the others.
    /// </summary>
    public string? Series { get; set; }

    /// <summary>Quantity ids to deliver, of those the file has; empty for all.</summary>
    public IList<string> Quantities { get; } = [];

    /// <summary>Averaging or counting period of a row, whole seconds, zero for instantaneous; default: what the format says (<c>csv</c>: zero).</summary>
    public TimeSpan? Period { get; set; }

    /// <summary>Whether time stamps mark the start or the end of the period; default: what the format says (<c>csv</c>: start).</summary>
    public ReplayStamp? Stamp { get; set; }

    /// <summary>
    /// Zone of the time stamps: <c>UTC</c>, a fixed offset such as <c>+01:00</c>, or an IANA name for local time, whose doubled hour is then
    /// resolved by the order of the rows. Default: what the format says (<c>csv</c>: UTC).
    /// </summary>
    public string? Zone { get; set; }

    /// <summary>Zone in which people lived by the clock where the file was measured; its midnights are what <see cref="ReplayAlign.Day"/> aligns. Default: what the format says (<c>csv</c>: <see cref="Zone"/>).</summary>
    public string? Place { get; set; }

    /// <summary>How publisher time is put on the anchor; default <c>day</c>.</summary>
    public ReplayAlign Align { get; set; }

    /// <summary>
    /// With <c>day</c>: the publisher-local date (<c>2017-06-22</c>) whose first midnight is put on the anchor's; default: the first midnight
    /// at or after the file's end, so that the file ends where the anchor's day begins. With <c>instant</c>: the publisher time, in
    /// <see cref="Zone"/>, that is put on the anchor (<c>2025-03-22T20:15:00</c>); required.
    /// </summary>
    public string? AlignAt { get; set; }

    /// <summary>
    /// After how long the file begins again, whole days; default: the fewest days that hold the file. Given shorter than the file, rows at or
    /// behind the file's start plus the cycle are left out (and counted).
    /// </summary>
    public TimeSpan? Cycle { get; set; }

    /// <summary>How far before the anchor the backlog of a first start goes, or <c>all</c>; default: <see cref="ReplayOptions.History"/>. With <c>instant</c> a duration never reaches further back than the file's first row.</summary>
    public string? History { get; set; }

    /// <summary>Whose data it is. Required: it is shown beside the values.</summary>
    public string Publisher { get; set; } = "";

    /// <summary>Licence the publisher gave, e.g. <c>CC0 1.0</c>. Required.</summary>
    public string Licence { get; set; } = "";

    /// <summary>Description of the file for the format <c>csv</c>.</summary>
    public CsvFormatOptions? Csv { get; set; }
}
