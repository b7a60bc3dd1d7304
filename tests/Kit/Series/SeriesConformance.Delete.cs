using Hub.Cloud.Series;
using Xunit;

namespace Hub.Tests.Kit;

public abstract partial class SeriesConformance
{
    [Fact]
    public async Task Deleted_is_gone_with_its_history_and_neighbours_stay()
    {
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, 0, 1), At(1, 1, 2), At(1, 2, 3), At(2, 1, 4), At(3, 1, 5) }, Cancel);
        await series.AppendAsync(new[] { At(1, 1, 9), At(1, 0, 9), At(2, 1, 9), At(3, 1, 4) }, Cancel);
        var commit = series.LastCommit;
        Assert.Equal(2, await series.DeleteAsync([1, 3, 77], Noon.AddMinutes(1), Noon.AddMinutes(2), Cancel));
        Assert.Equal([At(1, 0, 9), At(1, 2, 3)], await All(series, 1));
        Assert.Equal([At(2, 1, 9)], await All(series, 2));
        Assert.Empty(await All(series, 3));
        Assert.Equal([At(1, 0, 1), At(2, 1, 4)], await HistoryAsync(series));
        Assert.Equal([1, 2], await series.DatastreamsAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Equal(commit, series.LastCommit);
        Assert.Equal(0, await series.DeleteAsync([1, 3, 77], Noon.AddMinutes(1), Noon.AddMinutes(2), Cancel));
        Assert.Equal(0, await series.DeleteAsync([], DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Equal(0, await series.DeleteAsync([1], Noon.AddMinutes(1), Noon.AddMinutes(1), Cancel));
    }

    [Fact]
    public async Task Latest_follows_a_deletion()
    {
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, -4000, 1), At(1, 1, 2), At(1, 2, 3), At(2, 2, 4), At(3, 2, 5) }, Cancel);
        await series.DeleteAsync([1, 2], Noon, DateTime.MaxValue, Cancel);
        Assert.True(series.TryGetLatest(1, out var latest));
        Assert.Equal(At(1, -4000, 1), latest);
        Assert.False(series.TryGetLatest(2, out _));
        Assert.True(series.TryGetLatest(3, out latest));
        Assert.Equal(At(3, 2, 5), latest);
        await series.AppendAsync(new[] { At(1, -5000, 7), At(2, -1, 8) }, Cancel);
        Assert.True(series.TryGetLatest(1, out latest));
        Assert.Equal(At(1, -4000, 1), latest);
        Assert.True(series.TryGetLatest(2, out latest));
        Assert.Equal(At(2, -1, 8), latest);
    }

    [Fact]
    public async Task Deleted_can_be_appended_again()
    {
        var series = await OpenAsync();
        Observation[] batch = [At(1, 0, 1), At(1, 1, 2)];
        await series.AppendAsync(batch, Cancel);
        Assert.Equal([AppendOutcome.Duplicate], (await series.AppendAsync(new[] { At(1, 0, 0) }, Cancel)).Outcomes);
        await series.DeleteAsync([1], DateTime.MinValue, DateTime.MaxValue, Cancel);
        var receipt = await series.AppendAsync(batch, Cancel);
        Assert.Equal([AppendOutcome.Stored, AppendOutcome.Stored], receipt.Outcomes);
        Assert.Equal(receipt.Commit, series.LastCommit);
        Assert.Equal([AppendOutcome.Duplicate], (await series.AppendAsync(new[] { At(1, 0, 0) }, Cancel)).Outcomes);
        Assert.Equal(batch, await All(series, 1));
        Assert.Equal([At(1, 0, 0)], await HistoryAsync(series));
    }

    [Fact]
    public async Task Cancelled_or_wrong_deletion_does_nothing()
    {
        var series = await OpenAsync();
        await series.AppendAsync(new[] { At(1, 0, 1) }, Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await series.DeleteAsync([1], DateTime.MinValue, DateTime.MaxValue, new CancellationToken(canceled: true)));
        Assert.Single(await All(series, 1));
    }
}
