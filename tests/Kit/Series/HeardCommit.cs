using Hub.Cloud.Series;

namespace Hub.Tests.Kit;

/// <summary>A copy of a commit that an observer was told of.</summary>
/// <param name="Commit">Its number.</param>
/// <param name="Observations">What it stored or corrected, in order of arrival.</param>
public sealed record HeardCommit(long Commit, IReadOnlyList<Observation> Observations)
{
    public static HeardCommit Of(SeriesCommit commit) => new(commit.Commit, commit.Observations.ToArray());
}
