using Hub.Edge.Outbox;
using Microsoft.Extensions.Options;

namespace Hub.Edge.Agent;

/// <summary>What the station file says of the station itself, section <c>Agent</c>. Hub, outbox, uplink and sensors have options of their own below it.</summary>
internal sealed class AgentOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "Agent";

    /// <summary>Slug of the municipality, as the hub knows it. Required.</summary>
    public string Municipality { get; set; } = "";

    /// <summary>Slug of the station, as the hub knows it. Required.</summary>
    public string Station { get; set; } = "";

    /// <summary>Name of the place, for people.</summary>
    public string? Name { get; set; }

    /// <summary>Where the station stands.</summary>
    public LocationOptions? Location { get; set; }

    /// <summary>Whose data it is, where it is not the municipality's own.</summary>
    public string? Attribution { get; set; }

    /// <summary><c>trace</c>, <c>debug</c>, <c>information</c> (default), <c>warning</c>, <c>error</c>, <c>critical</c> or <c>none</c>: what is logged, and everything graver.</summary>
    public string? LogLevel { get; set; }

    /// <summary>When the machine's clock is believed.</summary>
    public ClockOptions Clock { get; set; } = new();

    /// <summary>What the agent reports on itself.</summary>
    public ReportOptions Report { get; set; } = new();
}

/// <summary>A place on earth, WGS 84.</summary>
internal sealed class LocationOptions
{
    /// <summary>Degrees north, -90 to 90.</summary>
    public double Latitude { get; set; }

    /// <summary>Degrees east, -180 to 180.</summary>
    public double Longitude { get; set; }
}

/// <summary>The station's clock.</summary>
internal sealed class ClockOptions
{
    /// <summary>
    /// When the machine's clock is believed: <c>synchronised</c>, once NTP holds it; <c>system</c>, always; <c>auto</c> (default), as the first on boards such as a Raspberry Pi
    /// and as the second elsewhere. Until then the hub is asked for the time, and readings wait with the time since the machine's start.
    /// </summary>
    public ClockTrust Trust { get; set; }
}

/// <summary>The agent as a sensor of itself: CPU temperature, readings waiting, time since start.</summary>
internal sealed class ReportOptions
{
    /// <summary>Time between reports, 1 s to 1 day, default one minute; 0 for none.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Time between writings of <c>status.json</c>, 1 s to 1 day, default one hour; <c>hub-agent status</c> asks a running agent itself. Each costs the card 4 KiB or more.</summary>
    public TimeSpan StatusInterval { get; set; } = TimeSpan.FromHours(1);
}

/// <summary>Checks <see cref="AgentOptions"/>.</summary>
internal sealed class AgentOptionsValidator : IValidateOptions<AgentOptions>
{
    public ValidateOptionsResult Validate(string? name, AgentOptions options)
    {
        var failures = new List<string>();
        if (options.Location is { } location)
        {
            if (location.Latitude is not (>= -90 and <= 90))
            {
                failures.Add(FormattableString.Invariant($"{AgentOptions.Section}:Location:Latitude is {location.Latitude}; give -90 to 90 degrees."));
            }

            if (location.Longitude is not (>= -180 and <= 180))
            {
                failures.Add(FormattableString.Invariant($"{AgentOptions.Section}:Location:Longitude is {location.Longitude}; give -180 to 180 degrees."));
            }
        }

        if (options.Report.Interval != TimeSpan.Zero && (options.Report.Interval < TimeSpan.FromSeconds(1) || options.Report.Interval > TimeSpan.FromDays(1)))
        {
            failures.Add($"{AgentOptions.Section}:Report:Interval is {options.Report.Interval}; give 00:00:01 to 1.00:00:00, or 00:00:00 for no reports.");
        }

        if (options.Report.StatusInterval < TimeSpan.FromSeconds(1) || options.Report.StatusInterval > TimeSpan.FromDays(1))
        {
            failures.Add($"{AgentOptions.Section}:Report:StatusInterval is {options.Report.StatusInterval}; give 00:00:01 to 1.00:00:00.");
        }

        if (!Enum.IsDefined(options.Clock.Trust))
        {
            failures.Add($"{AgentOptions.Section}:Clock:Trust is {options.Clock.Trust}; give auto, synchronised or system.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
