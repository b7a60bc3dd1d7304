namespace Hub.Edge.Sampling;

/// <summary>How sensors are run. Keys <c>Agent:Sampling:...</c>; what is said of one sensor in the station file goes before it.</summary>
public sealed class SamplingOptions
{
    /// <summary>Section the options are bound from.</summary>
    public const string Section = "Agent:Sampling";

    /// <summary>Pause before a failed sensor is started again, doubled with each failure in a row; 100 ms to 1 h, default 1 s.</summary>
    public TimeSpan RestartPauseMin { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest such pause, not below <see cref="RestartPauseMin"/>, up to 1 day; default 5 min. Longer spares a broken bus, shorter finds a mended sensor sooner.</summary>
    public TimeSpan RestartPauseMax { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Pause before readings are offered again to an outbox whose disk refused them, 100 ms to 1 h; default 2 s. The sensor waits meanwhile.</summary>
    public TimeSpan OutboxPause { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>A sensor without any value for this long is reported dead; zero for never, up to 31 days; default 2 h.</summary>
    public TimeSpan DeadAfter { get; set; } = TimeSpan.FromHours(2);

    /// <summary>
    /// The same value for this long, in event time, is flagged as stuck; zero for never, up to 31 days; default 6 h. Counts and amounts that add up
    /// (no vehicle, no rain) and a calm or dark zero are never stuck.
    /// </summary>
    public TimeSpan StuckAfter { get; set; } = TimeSpan.FromHours(6);

    /// <summary>Fewest equal values in a row that can be stuck, 2 to 10 000; default 10.</summary>
    public int StuckCountMin { get; set; } = 10;

    /// <summary>
    /// Relative humidity, 0 to 100 %RH, above which values of optical particle counters are flagged as suspect, when any sensor of the station has measured it within five
    /// minutes; 100 for never; default 85.
    /// </summary>
    public double SuspectHumidityAbove { get; set; } = 85;
}
