using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The embedded store with its default settings.</summary>
public class EmbeddedSeriesConformanceTests : SeriesConformance, IAsyncLifetime
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

    private protected virtual void Set(SeriesOptions options)
    {
    }
}

/// <summary>The same with no key held in memory between groups: every comparison is a look-up in the store.</summary>
public sealed class EmbeddedSeriesWithoutKeysTests : EmbeddedSeriesConformanceTests
{
    private protected override void Set(SeriesOptions options) => options.KnownKeysMax = 0;
}

/// <summary>The same with room for so few keys and days that both ways of comparing alternate, and with groups of a few observations.</summary>
public sealed class EmbeddedSeriesWithLittleMemoryTests : EmbeddedSeriesConformanceTests
{
    private protected override void Set(SeriesOptions options) => (options.KnownKeysMax, options.KnownDaysLoadedMax, options.GroupObservationsMax) = (20, 2, 8);
}

/// <summary>The same with memory tables of a few observations, so that nearly every question crosses memory, several parts and their history; parts are merged at the usual pace.</summary>
[Trait("kind", "long")]
public sealed class EmbeddedSeriesInPartsTests : EmbeddedSeriesConformanceTests
{
    private protected override void Set(SeriesOptions options) => (options.FlushObservationsMax, options.OpenPartsMax) = (3, 2);
}

/// <summary>The same with every part merged as soon as there is a second one, and no key in memory.</summary>
[Trait("kind", "long")]
public sealed class EmbeddedSeriesAlwaysMergingTests : EmbeddedSeriesConformanceTests
{
    private protected override void Set(SeriesOptions options) => (options.FlushObservationsMax, options.PartsPerDayMax, options.KnownKeysMax) = (1, 1, 0);
}
