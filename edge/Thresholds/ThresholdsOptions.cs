using System.ComponentModel.DataAnnotations;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Thresholds;

/// <summary>Thresholds that the station watches by itself, and what it does then. Keys <c>Agent:Thresholds:...</c>.</summary>
public sealed class ThresholdsOptions
{
    /// <summary>Section the options are bound from.</summary>
    public const string Section = "Agent:Thresholds";

    /// <summary>Most actions of a station.</summary>
    public const int ActionsMax = 32;

    /// <summary>Rules of the station itself, at most 100, for one that gets none from its hub. A rule of the hub with the same slug goes over it.</summary>
    public IList<ThresholdRuleOptions> Rules { get; } = [];

    /// <summary>What happens while a rule's alarm is on, at most 32.</summary>
    public IList<ThresholdActionOptions> Actions { get; } = [];

    /// <summary>
    /// Longest time between two readings over which a pending condition is believed to have held, at least three of their periods; 1 s to 1 day, default 15 min as in the hub. Past it the wait for
    /// <c>forSeconds</c> begins anew.
    /// </summary>
    public TimeSpan PendingGapMax { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long the connection must be lost until the hub counts as out of reach, for actions with <c>onlyWithoutHub</c>; 0 to 1 day, default 30 s.</summary>
    public TimeSpan WithoutHubAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>First pause before an action that failed is tried again, 100 ms to 1 min, default 1 s; doubles up to <see cref="RetryDelayMax"/>.</summary>
    public TimeSpan RetryDelayMin { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest such pause, up to 1 hour, default 1 min.</summary>
    public TimeSpan RetryDelayMax { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Slug of the municipality; from <c>Agent:Municipality</c>.</summary>
    internal string Municipality { get; set; } = "";

    /// <summary>Slug of the station; from <c>Agent:Station</c>.</summary>
    internal string Station { get; set; } = "";
}

/// <summary>A rule in the station file: the same as a rule of the hub that is marked <c>edge</c>.</summary>
public sealed class ThresholdRuleOptions
{
    /// <summary>Name of the rule, 1 to 64 of <c>a-z 0-9 -</c>. Required.</summary>
    public string Slug { get; set; } = "";

    /// <summary>Identifier of the observed property. Required.</summary>
    public string Property { get; set; } = "";

    /// <summary><c>above</c> (default) or <c>below</c>.</summary>
    public EdgeCrossing Crossing { get; set; } = EdgeCrossing.Above;

    /// <summary>Level at or beyond which the condition holds, canonical unit of the property. Required.</summary>
    public double? SetLevel { get; set; }

    /// <summary>Level at or beyond which, on the other side, an alarm ends; default <see cref="SetLevel"/>.</summary>
    public double? ClearLevel { get; set; }

    /// <summary>How long the condition must hold, by the times of the readings, 0 (default) to 31 days, s.</summary>
    public int ForSeconds { get; set; }

    /// <summary>Only this sensor, as its readings bear it (<c>radar-in</c>); default each that gives the property.</summary>
    public string? Sensor { get; set; }

    /// <summary>Only readings averaged over this time, s; default each.</summary>
    public int? PeriodSeconds { get; set; }

    internal EdgeRule ToRule() => new(Slug, Property, Crossing, SetLevel ?? double.NaN, ClearLevel ?? SetLevel ?? double.NaN, ForSeconds, Sensor, PeriodSeconds);
}

/// <summary>What happens while the alarm of a rule is on: exactly one of <see cref="Pin"/> and <see cref="Mqtt"/>.</summary>
public sealed class ThresholdActionOptions
{
    /// <summary>Slug of the rule, of the station file or the hub; the rule may come later. Required.</summary>
    public string Rule { get; set; } = "";

    /// <summary>GPIO line to switch, by its BCM number, 0 to 1023.</summary>
    public int? Pin { get; set; }

    /// <summary>True where the line is low while the alarm is on (a relay board that switches with a low level); default false. Off is the other level.</summary>
    public bool ActiveLow { get; set; }

    /// <summary>A message on the local network.</summary>
    public ThresholdMqttOptions? Mqtt { get; set; }

    /// <summary>True to act only while the hub is out of reach; default false, always.</summary>
    public bool OnlyWithoutHub { get; set; }
}

/// <summary>A retained message on a broker nearby: JSON that says on or off.</summary>
public sealed class ThresholdMqttOptions
{
    /// <summary>Host name or address of the broker; default 127.0.0.1.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>TCP port, 1 to 65535; default 1883.</summary>
    public int Port { get; set; } = 1883;

    /// <summary>Topic, without wildcards, at most 512 bytes. Required.</summary>
    public string Topic { get; set; } = "";

    /// <summary>User name; default none.</summary>
    public string? UserName { get; set; }

    /// <summary>File whose first line is the password; read at each connection. Only with <see cref="UserName"/>.</summary>
    [DataType("path")]
    public string? PasswordFile { get; set; }

    /// <summary>True for TLS. Required for every address but this machine's own, unless <see cref="PlainAllowed"/>.</summary>
    public bool Tls { get; set; }

    /// <summary>PEM file with the certificates of the authorities that alone are believed; default those of the operating system. Only with <see cref="Tls"/>.</summary>
    [DataType("path")]
    public string? CaFile { get; set; }

    /// <summary>True to speak unencrypted to another machine: for a closed network only.</summary>
    public bool PlainAllowed { get; set; }
}
