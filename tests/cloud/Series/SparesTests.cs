using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>Buffers used again: each by one caller at a time, so many at most, and what is not kept is disposed of.</summary>
public sealed class SparesTests
{
    [Fact]
    public void One_is_kept_for_the_next_caller_and_more_than_enough_are_disposed_of()
    {
        var spares = new Spares<Buffer>(static () => new Buffer(), 2);
        Buffer[] three = [spares.Rent(), spares.Rent(), spares.Rent()];
        Assert.Equal(3, three.Distinct().Count());
        Array.ForEach(three, spares.Return);
        Assert.Equal([false, false, true], three.Select(buffer => buffer.IsDisposed));

        var again = spares.Rent();
        Assert.Contains(again, three[..2]);
        spares.Trim();
        Assert.False(again.IsDisposed);
        Assert.Equal(2, three.Count(buffer => buffer.IsDisposed));
        Assert.DoesNotContain(spares.Rent(), three);
    }

    private sealed class Buffer : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
