using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The embedded store with its default settings.</summary>
public class DuckSeriesConformanceTests : SeriesConformance, IAsyncLifetime
{
    private Store? _store;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    protected override async Task<ISeries> OpenAsync()
    {
        _store = await Store.OpenAsync(Set);
        return _store.Series;
    }

    protected override async Task<IReadOnlyList<Observation>> HistoryAsync(ISeries series) => await ((DuckSeries)series).HistoryAsync(TestContext.Current.CancellationToken);

    private protected virtual void Set(SeriesOptions options)
    {
    }
}

/// <summary>The same with no key held in memory between groups: every comparison is a look-up in the store.</summary>
public sealed class DuckSeriesWithoutMemoryTests : DuckSeriesConformanceTests
{
    private protected override void Set(SeriesOptions options) => options.KnownKeysMax = 0;
}

/// <summary>The same with room for so few keys and days that both ways of comparing alternate, and with groups of a few observations.</summary>
public sealed class DuckSeriesWithLittleMemoryTests : DuckSeriesConformanceTests
{
    private protected override void Set(SeriesOptions options) => (options.KnownKeysMax, options.KnownDaysLoadedMax, options.GroupObservationsMax) = (20, 2, 8);
}
