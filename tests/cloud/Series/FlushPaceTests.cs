using CsCheck;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>The active table fills in step with the writing of its predecessor.</summary>
public sealed class FlushPaceTests
{
    [Fact]
    public void A_quarter_comes_at_once_and_the_whole_when_the_predecessor_is_written()
    {
        Assert.Equal(100_000, FlushPace.RowsMax(400_000, 0, 400_000));
        Assert.Equal(250_000, FlushPace.RowsMax(400_000, 200_000, 400_000));
        Assert.Equal(400_000, FlushPace.RowsMax(400_000, 400_000, 400_000));

        // An empty predecessor is nothing to wait for, and its size does not matter.
        Assert.Equal(400_000, FlushPace.RowsMax(400_000, 0, 0));
        Assert.Equal(100_000, FlushPace.RowsMax(400_000, 0, 3));
    }

    [Fact]
    public void More_written_never_allows_less_and_never_more_than_a_table() =>
        Gen.Select(Gen.Long[1, 10_000_000], Gen.Long[1, 10_000_000], Gen.Double[0, 1], Gen.Double[0, 1]).Sample((table, rows, a, b) =>
        {
            var (less, more) = (FlushPace.RowsMax(table, (long)(Math.Min(a, b) * rows), rows), FlushPace.RowsMax(table, (long)(Math.Max(a, b) * rows), rows));
            Assert.InRange(less, 0, more);
            Assert.InRange(more, 0, table);
            Assert.Equal(table, FlushPace.RowsMax(table, rows, rows));
        });
}
