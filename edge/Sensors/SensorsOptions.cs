using Hub.Edge.Sensors.Air.AlphasenseB4;
using Hub.Edge.Sensors.Air.Scd41;
using Hub.Edge.Sensors.Air.Sds011;
using Hub.Edge.Sensors.Noise.Microphone;
using Hub.Edge.Sensors.Replay;
using Hub.Edge.Sensors.Simulated;
using Hub.Edge.Sensors.Station.Board;
using Hub.Edge.Sensors.Station.Ina219;
using Hub.Edge.Sensors.Traffic;
using Hub.Edge.Sensors.Traffic.Lidar;
using Hub.Edge.Sensors.Traffic.Loops;
using Hub.Edge.Sensors.Traffic.Ops243;
using Hub.Edge.Sensors.Weather.Anemometer;
using Hub.Edge.Sensors.Weather.RainGauge;

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

    /// <summary>Kind of a microphone that measures sound levels.</summary>
    public const string KindMicrophone = "microphone";

    /// <summary>Name at the station, 1 to 64 of <c>a-z 0-9 -</c>, first one alphanumeric. Part of every reading's name: do not change it later.</summary>
    public string Name { get; set; } = "";

    /// <summary>What it is: <c>replay</c>, <c>simulated</c> or a device; the section of the same name, where there is one, holds the rest.</summary>
    public string Kind { get; set; } = "";

    /// <summary>Where a device is wired to.</summary>
    public BusOptions? Bus { get; set; }

    /// <summary>Time between looks at a device; default and least the kind's own.</summary>
    public TimeSpan? Every { get; set; }

    /// <summary>Interval that the looks at a device are averaged over, whole seconds, 1 s to 1 day; default the kind's own, one minute for most.</summary>
    public TimeSpan? Period { get; set; }

    /// <summary>Settings of a replay.</summary>
    public ReplaySensorOptions? Replay { get; set; }

    /// <summary>Settings of a simulation; may be left out, everything has a default.</summary>
    public SimulatedSensorOptions? Simulated { get; set; }

    /// <summary>Settings of a microphone.</summary>
    public MicrophoneSensorOptions? Microphone { get; set; }

    /// <summary>Settings of a SDS011; may be left out.</summary>
    public Sds011Options? Sds011 { get; set; }

    /// <summary>Settings of a SCD41; may be left out.</summary>
    public Scd41Options? Scd41 { get; set; }

    /// <summary>Settings of Alphasense B4 cells: what stands on their certificates.</summary>
    public AlphasenseB4Options? AlphasenseB4 { get; set; }

    /// <summary>How a traffic detector makes figures of vehicles.</summary>
    public TrafficOptions? Traffic { get; set; }

    /// <summary>Settings of an <c>ops243</c>.</summary>
    public RadarOptions? Radar { get; set; }

    /// <summary>Settings of <c>loops</c>.</summary>
    public ContactOptions? Contacts { get; set; }

    /// <summary>Settings of a <c>tfluna</c> or <c>hcsr04</c>.</summary>
    public RangingOptions? Ranging { get; set; }

    /// <summary>Settings of a <c>raingauge</c>.</summary>
    public RainGaugeOptions? RainGauge { get; set; }

    /// <summary>Settings of an <c>anemometer</c>.</summary>
    public AnemometerOptions? Anemometer { get; set; }

    /// <summary>Settings of an <c>ina219</c>.</summary>
    public Ina219Options? Supply { get; set; }

    /// <summary>Settings of a <c>board</c>.</summary>
    public BoardOptions? Board { get; set; }

    /// <summary>How to correct what the instrument says; one per quantity. Applied by Sampling, the raw value is kept. What <c>hub-agent calibrate</c> recorded goes over it. Default none.</summary>
    public IList<CalibrationOptions> Calibrations { get; } = [];

    /// <summary>How long after a calibration its values are flagged as due for the next, zero for never. Default: <c>Agent:Calibrations:DueAfter</c>, else by the kind.</summary>
    public TimeSpan? CalibrationDue { get; set; }

    /// <summary>The same value for this long is flagged as stuck; zero for never. Default: <c>Agent:Sampling:StuckAfter</c>.</summary>
    public TimeSpan? StuckAfter { get; set; }

    /// <summary>Without any value for this long the sensor is reported dead; zero for never. Default: three periods of a device, else <c>Agent:Sampling:DeadAfter</c>.</summary>
    public TimeSpan? DeadAfter { get; set; }
}

/// <summary>A linear correction: value = raw x <see cref="Gain"/> + <see cref="Offset"/>, in the quantity's canonical unit. One recorded by <c>hub-agent calibrate</c> goes over it.</summary>
public sealed class CalibrationOptions
{
    /// <summary>Quantity id it is for. Required.</summary>
    public string Quantity { get; set; } = "";

    /// <summary>Factor, not zero; default 1.</summary>
    public double Gain { get; set; } = 1;

    /// <summary>Added after the factor, canonical unit; default 0.</summary>
    public double Offset { get; set; }

    /// <summary>Version of this calibration, 1 or more, sent with every value; count it up whenever gain or offset changes.</summary>
    public int Version { get; set; }

    /// <summary>When it was done; the next is due <c>calibrationDue</c> later. Default: not known, never due.</summary>
    public DateTimeOffset? Date { get; set; }
}
