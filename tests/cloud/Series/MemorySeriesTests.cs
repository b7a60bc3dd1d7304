using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The reference implementation keeps the promises it is the model of.</summary>
public sealed class MemorySeriesTests : SeriesConformance, IDisposable
{
    private readonly MemorySeries _series = new();

    // A million observations in a list: of the reference only in the long run.
    [Fact]
    [Trait("kind", "long")]
    public Task A_percentile_of_more_than_a_million_observations_is_refused_and_says_what_to_do() => RefusesAPercentileOfMoreThanAMillionAsync(_series);

    public void Dispose() => _series.Dispose();

    protected override Task<ISeries> OpenAsync() => Task.FromResult<ISeries>(_series);
}
