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

    /// <summary>True when nothing has come for longer than a sensor may be silent.</summary>
    /// <param name="silence">Since the last value, or the agent's start.</param>
    /// <param name="deadAfter">How long it may be silent; zero for ever.</param>
    public static bool IsDead(TimeSpan silence, TimeSpan deadAfter) => deadAfter > TimeSpan.Zero && silence >= deadAfter;
}
