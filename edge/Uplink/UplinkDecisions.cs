namespace Hub.Edge.Uplink;

/// <summary>What an acknowledgement means for the pack it answers.</summary>
internal enum Verdict
{
    /// <summary>The hub has it: release.</summary>
    Taken,

    /// <summary>The hub will never take it, or keeps it in quarantine: release and count as refused.</summary>
    Refused,

    /// <summary>Not now: keep, wait, send again.</summary>
    Later,

    /// <summary>Not allowed or not addressed rightly: keep, wait, send again, and say loudly that a person must act.</summary>
    Forbidden,
}

/// <summary>How a connection, or the attempt at one, ended.</summary>
internal enum SessionEnd
{
    /// <summary>The line broke or the hub is not there.</summary>
    Lost,

    /// <summary>It worked for a while: readings were acknowledged on it.</summary>
    LostAfterWork,

    /// <summary>The hub refused the station's name or secret.</summary>
    Unauthorised,

    /// <summary>Another agent connected under the station's name.</summary>
    TakenOver,
}

/// <summary>The uplink's decisions, as pure functions.</summary>
internal static class UplinkDecisions
{
    /// <summary>A broker's code for a message that it took and threw away, because nobody has subscribed: no hub has joined it yet, or its session there has expired.</summary>
    public const int NoMatchingSubscribers = 0x10;

    /// <summary>Ranges left to the backlog of one connection.</summary>
    public const int BacklogsMax = 8;

    /// <summary>What a PUBACK reason code (MQTT 5, table 2-6) means.</summary>
    public static Verdict Judge(int reasonCode) => reasonCode switch
    {
        NoMatchingSubscribers => Verdict.Later,
        < 0x80 => Verdict.Taken,
        0x83 or 0x99 => Verdict.Refused,
        0x87 or 0x90 => Verdict.Forbidden,
        _ => Verdict.Later,
    };

    /// <summary>Whether a CONNACK reason code says that it is the station's name or secret that is not accepted.</summary>
    public static bool IsUnauthorised(int reasonCode) => reasonCode is 0x85 or 0x86 or 0x87 or 0x8A or 0x8C;

    /// <summary>
    /// Pause number <paramref name="attempt"/> (0-based) of a run of failures: doubles from <paramref name="min"/> to <paramref name="max"/>, of which between a half and
    /// all is waited, so that a city's stations do not come back at the same moment.
    /// </summary>
    /// <param name="attempt">0 or more.</param>
    /// <param name="random">0 to 1.</param>
    /// <param name="min">First pause.</param>
    /// <param name="max">Longest pause.</param>
    public static TimeSpan Pause(int attempt, double random, TimeSpan min, TimeSpan max)
    {
        var whole = Math.Min(max.TotalSeconds, min.TotalSeconds * Math.Pow(2, Math.Min(attempt, 40)));
        return TimeSpan.FromSeconds(Math.Max(min.TotalSeconds / 2, whole * (0.5 + (random / 2))));
    }

    /// <summary>The pause after a connection ended, and the number of the attempt after it.</summary>
    public static (TimeSpan Pause, int Attempt) Reconnect(SessionEnd end, int attempt, double random, UplinkOptions options) => end switch
    {
        SessionEnd.Unauthorised or SessionEnd.TakenOver => (options.RefusedDelay, attempt),
        SessionEnd.LostAfterWork => (Pause(0, random, options.RetryDelayMin, options.RetryDelayMax), 1),
        _ => (Pause(attempt, random, options.RetryDelayMin, options.RetryDelayMax), Math.Min(attempt, 1000) + 1),
    };

    /// <summary>Whether what is sent first has fallen so far behind what is taken that it is to be left to the backlog.</summary>
    /// <param name="next">Sequence number behind what was sent.</param>
    /// <param name="live">Where one would begin now.</param>
    /// <param name="backlogs">Ranges left to the backlog already; each costs the outbox a place in what it writes down.</param>
    /// <param name="options">How much may be in flight: more than that is behind.</param>
    public static bool IsBehind(long next, long live, int backlogs, UplinkOptions options) =>
        live - next > (long)options.Window * options.PackReadings && backlogs < BacklogsMax;

    /// <summary>Most packs in flight: ours, or what the broker allows where that is less.</summary>
    public static int Window(int ours, ushort? receiveMaximum) => receiveMaximum is { } theirs and > 0 ? Math.Min(ours, theirs) : ours;
}
