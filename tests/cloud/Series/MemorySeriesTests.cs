using Hub.Tests.Kit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The reference implementation keeps the promises it is the model of.</summary>
public sealed class MemorySeriesTests : SeriesConformance, IDisposable
{
    private readonly MemorySeries _series = new();

    public void Dispose() => _series.Dispose();

    protected override Task<ISeries> OpenAsync() => Task.FromResult<ISeries>(_series);
}
