using System.ComponentModel.DataAnnotations;

namespace Hub.Edge.Sensors.Station.Board;

/// <summary>Settings of a <c>board</c>. Bound from <c>board:</c> of a sensor in the station file.</summary>
public sealed class BoardOptions
{
    /// <summary>A path on the file system whose space is told, e.g. the outbox's folder; default the root, <c>/</c>.</summary>
    [DataType("path")]
    public string Path { get; set; } = "/";

    /// <summary>Wireless interface whose level is told, e.g. <c>wlan0</c>; default the one with the best.</summary>
    public string? Interface { get; set; }
}
