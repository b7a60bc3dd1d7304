using Hub.Edge.Sensors.Buses;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Sensors.Tests.Buses;

public sealed class TermiosPortTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Pty pty = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => pty.Dispose();

    [Fact]
    public async Task Every_byte_value_passes_both_ways_unchanged()
    {
        using TermiosPort port = Open();
        byte[] all = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        pty.Say(all);
        Assert.Equal(all, await ReadAsync(port, all.Length));
        port.Write(all);
        Assert.Equal(all, pty.Hear(all.Length));
    }

    [Fact]
    public async Task Silence_is_no_bytes_after_the_patience_and_bytes_end_the_wait()
    {
        var clock = new FakeTimeProvider();
        using TermiosPort port = TermiosPort.Open(pty.Path, 9600, clock);
        var buffer = new byte[8];
        ValueTask<int> silent = port.ReadAsync(buffer, TimeSpan.FromSeconds(2), Stop);
        Assert.False(silent.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(0, await silent);

        ValueTask<int> waiting = port.ReadAsync(buffer, TimeSpan.FromSeconds(2), Stop);
        pty.Say(7);
        Assert.Equal(1, await waiting);
        Assert.Equal(7, buffer[0]);
    }

    [Fact]
    public async Task What_nobody_reads_is_bounded_and_the_newest_stays()
    {
        using TermiosPort port = Open();
        for (int block = 0; block < 12; block++)
        {
            pty.Say([.. Enumerable.Repeat((byte)block, 512)]);
        }

        await Eventually.TrueAsync(() => port.Dropped == 2048, "all has arrived");
        byte[] kept = await ReadAsync(port, 4096);
        Assert.Equal(Enumerable.Range(4, 8).SelectMany(block => Enumerable.Repeat((byte)block, 512)), kept);
    }

    [Fact]
    public async Task An_unplugged_adapter_ends_the_wait_and_every_later_call_at_once()
    {
        using TermiosPort port = Open();
        ValueTask<int> waiting = port.ReadAsync(new byte[8], Patience, Stop);
        pty.Unplug();
        var gone = await Assert.ThrowsAsync<IOException>(async () => await waiting);
        Assert.Contains("unplugged", gone.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(async () => await port.ReadAsync(new byte[8], Patience, Stop));
        Assert.Throws<IOException>(() => port.Write([1]));
    }

    [Fact]
    public async Task What_arrived_before_the_end_is_still_read()
    {
        using TermiosPort port = Open();
        pty.Say(1, 2, 3);
        Assert.Equal([1, 2, 3], await ReadAsync(port, 3));
        pty.Unplug();
        await Assert.ThrowsAsync<IOException>(async () => await port.ReadAsync(new byte[8], Patience, Stop));
    }

    [Fact]
    public async Task Disposal_ends_a_wait_and_lets_the_port_be_opened_again()
    {
        TermiosPort port = Open();
        ValueTask<int> waiting = port.ReadAsync(new byte[8], Patience, Stop);
        port.Dispose();
        port.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(async () => await waiting);
        Assert.Throws<ObjectDisposedException>(() => port.Write([1]));

        // Its thread lets go of the port a moment later.
        await Eventually.TrueAsync(
            () =>
            {
                try
                {
                    using TermiosPort again = Open();
                    return true;
                }
                catch (SensorException)
                {
                    return false;
                }
            },
            "the port is free");
    }

    [Fact]
    public void A_second_reader_of_the_same_port_is_refused()
    {
        using TermiosPort port = Open();
        Assert.Contains("another program", Assert.Throws<SensorException>(() => TermiosPort.Open(pty.Path, 9600, TimeProvider.System)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/dev/no-such-port", 9600, "no such port")]
    [InlineData("/dev/null", 9600, "no serial port")]
    [InlineData("/dev/no-such-port", 9601, "9600")]
    public void A_port_that_cannot_be_opened_says_why(string path, int rate, string expected) =>
        Assert.Contains(expected, Assert.Throws<SensorException>(() => TermiosPort.Open(path, rate, TimeProvider.System)).Message, StringComparison.Ordinal);

    private TermiosPort Open() => TermiosPort.Open(pty.Path, 115200, TimeProvider.System);

    private static async Task<byte[]> ReadAsync(TermiosPort port, int count)
    {
        var bytes = new byte[count];
        for (int read = 0; read < count;)
        {
            int more = await port.ReadAsync(bytes.AsMemory(read), Patience, Stop);
            Assert.True(more > 0, $"only {read} of {count} bytes came");
            read += more;
        }

        return bytes;
    }
}
