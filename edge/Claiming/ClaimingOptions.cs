namespace Hub.Edge.Claiming;

/// <summary>What is to be claimed, and where it is written. From the command line of <c>hub-agent claim</c>.</summary>
public sealed record ClaimingOptions
{
    /// <summary>Where the hub's pages are, e.g. <c>https://hub.example.pt</c>; http only for this machine.</summary>
    public required string Hub { get; init; }

    /// <summary>The code as the operator gave it.</summary>
    public required string Code { get; init; }

    /// <summary>The station file to write. Secret (<c>secret</c>) and authority (<c>hub-ca.pem</c>) are written beside it.</summary>
    public required string StationFile { get; init; }

    /// <summary>Name of the agent, with version.</summary>
    public required string Agent { get; init; }

    /// <summary>Profile to begin with: a file, or a name in <see cref="ProfilesFolder"/>; null for the one the operator chose, or none.</summary>
    public string? Profile { get; init; }

    /// <summary>Folder of the profiles; null where there is none.</summary>
    public string? ProfilesFolder { get; init; }

    /// <summary>PEM file with the only authorities believed for the hub's pages; null for those of the operating system.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>True to write over a station file that is there; it is kept with <c>.before</c> behind its name.</summary>
    public bool Force { get; init; }

    /// <summary>How long a hub out of reach is tried, 0 (once) to 1 day: on a first boot the network may come later than we do.</summary>
    public TimeSpan Patience { get; init; }

    /// <summary>Checks a station file as the agent would: all mistakes, a line each; empty when it is good.</summary>
    public required Func<string, IReadOnlyList<string>> Check { get; init; }

    /// <summary>Null when it can be used; otherwise what is wrong.</summary>
    internal string? Mistake()
    {
        if (!Uri.TryCreate(Hub, UriKind.Absolute, out var hub) || hub.Scheme is not ("http" or "https") || hub.UserInfo.Length > 0)
        {
            return $"'{Hub}' is not the address of a hub; give one such as https://hub.example.pt.";
        }

        if (hub.Scheme == "http" && !hub.IsLoopback)
        {
            return $"{Hub}: a claim carries the station's secret and goes over https only; plain http is for a hub on this machine.";
        }

        if (Patience < TimeSpan.Zero || Patience > TimeSpan.FromDays(1))
        {
            return $"cannot wait for {Patience}; give 00:00:00 to 1.00:00:00.";
        }

        return Contract.Claims.ClaimCode.TryParse(Code, out _) ? null : $"'{Code}' is no claim code; one looks like 7K3M-Q9XT-2HWB.";
    }
}
