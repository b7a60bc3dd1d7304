namespace Hub.Edge.Thresholds;

/// <summary>What Thresholds decides, as pure functions.</summary>
internal static class ThresholdsDecisions
{
    /// <summary>Whether an output is to be on.</summary>
    /// <param name="alarm">The alarm of its rule.</param>
    /// <param name="onlyWithoutHub">It is to act only while the hub is out of reach.</param>
    /// <param name="outOfReach">The hub is.</param>
    public static bool IsOn(bool alarm, bool onlyWithoutHub, bool outOfReach) => alarm && (!onlyWithoutHub || outOfReach);

    /// <summary>Pause before an output is tried again: the shortest after the first failure in a row, doubled with each one, up to the longest.</summary>
    public static TimeSpan RetryPause(int failuresInARow, ThresholdsOptions options) =>
        TimeSpan.FromSeconds(Math.Min(options.RetryDelayMin.TotalSeconds * Math.Pow(2, Math.Min(failuresInARow - 1, 40)), options.RetryDelayMax.TotalSeconds));

    /// <summary>The rules in force: the hub's over those of the station file with the same slug.</summary>
    public static IReadOnlyList<Contract.Twin.EdgeRule> InForce(IReadOnlyList<Contract.Twin.EdgeRule> stationFile, IReadOnlyList<Contract.Twin.EdgeRule> hub) =>
        [.. hub, .. stationFile.Where(rule => hub.All(other => other.Slug != rule.Slug))];
}
