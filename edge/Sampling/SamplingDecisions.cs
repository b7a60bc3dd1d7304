namespace Hub.Edge.Sampling;

/// <summary>What Sampling decides about a sensor, as pure functions of time.</summary>
internal static class SamplingDecisions
{
    /// <summary>Pause before the next start: the shortest after the first failure in a row, doubled with each one, up to the longest.</summary>
    public static TimeSpan RestartPause(int failuresInARow, SamplingOptions options)
    {
        double factor = Math.Pow(2, Math.Min(failuresInARow - 1, 40));
        return TimeSpan.FromSeconds(Math.Min(options.RestartPauseMin.TotalSeconds * factor, options.RestartPauseMax.TotalSeconds));
    }

    /// <summary>How long a sensor may be silent.</summary>
    /// <param name="ofSensor">What the station file says of this sensor; null when nothing.</param>
    /// <param name="cadence">How often it gives values; zero when it cannot say.</param>
    /// <param name="options">The agent's own limit, for sensors that cannot say.</param>
    public static TimeSpan DeadAfter(TimeSpan? ofSensor, TimeSpan cadence, SamplingOptions options) =>
        ofSensor ?? (cadence > TimeSpan.Zero && options.DeadAfter > TimeSpan.Zero ? cadence * 2.75 : options.DeadAfter);

    /// <summary>Time between looks at who is silent: a quarter of the shortest cadence, so that a sensor is called dead within three periods; 1 s to 1 minute.</summary>
    public static TimeSpan WatchInterval(IEnumerable<TimeSpan> cadences) =>
        cadences.Where(cadence => cadence > TimeSpan.Zero).Select(cadence => cadence / 4).Append(TimeSpan.FromMinutes(1)).Min() is var interval && interval < TimeSpan.FromSeconds(1)
            ? TimeSpan.FromSeconds(1) : interval;

    /// <summary>True when nothing has come for longer than a sensor may be silent.</summary>
    /// <param name="silence">Since the last value, or the agent's start.</param>
    /// <param name="deadAfter">How long it may be silent; zero for ever.</param>
    public static bool IsDead(TimeSpan silence, TimeSpan deadAfter) => deadAfter > TimeSpan.Zero && silence >= deadAfter;
}
