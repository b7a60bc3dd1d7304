using Hub.Edge.Sensors.Replay;
using Hub.Edge.Sensors.Simulated;

namespace Hub.Edge.Sensors;

/// <summary>The sensors of a station, as bound from the section <c>Agent</c>.</summary>
public sealed class SensorsOptions
{
    /// <summary>Section the options are bound from.</summary>
    public const string Section = "Agent";

    /// <summary>Most sensors one station may have.</summary>
    public const int SensorsMax = 64;

    /// <summary>The sensors fitted, in the order of the station file; names are unique. Keys <c>Agent:Sensors:{n}:...</c>.</summary>
    public IList<SensorOptions> Sensors { get; } = [];

    /// <summary>What all replays of this agent have in common. Keys <c>Agent:Replay:...</c>.</summary>
    public ReplayOptions Replay { get; set; } = new();
}

/// <summary>One entry of <c>sensors:</c> in the station file.</summary>
public sealed class SensorOptions
{
    /// <summary>Kind of a sensor that replays a publisher's file.</summary>
    public const string KindReplay = "replay";

    /// <summary>Kind of a sensor that makes plausible values up.</summary>
    public const string KindSimulated = "simulated";

    /// <summary>Name at the station, 1 to 64 of <c>a-z 0-9 -</c>, first one alphanumeric. Part of every reading's name: do not change it later.</summary>
    public string Name { get; set; } = "";

    /// <summary><c>replay</c> or <c>simulated</c>; the section of the same name holds the rest.</summary>
    public string Kind { get; set; } = "";

    /// <summary>Settings of a replay.</summary>
    public ReplaySensorOptions? Replay { get; set; }

    /// <summary>Settings of a simulation; may be left out, everything has a default.</summary>
    public SimulatedSensorOptions? Simulated { get; set; }
}
