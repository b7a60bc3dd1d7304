using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Hub.Edge.Outbox.Tests;
using Hub.Tests.Kit;

namespace Hub.Edge.Uplink.Tests;

/// <summary>A station that wakes up without the time and asks the hub.</summary>
public sealed class ClockTests
{
    private static readonly DateTimeOffset Truth = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_station_in_1970_asks_the_hub_and_sends_what_it_took_with_the_time_it_had()
    {
        var machine = new FakeMachine(DateTimeOffset.UnixEpoch);
        using var clock = new StationClock(machine, TimeProvider.System);
        await using var fixture = new UplinkFixture { Clock = clock };
        await fixture.StartAgentAsync();
        for (var i = 0; i < 3; i++)
        {
            machine.Pass(TimeSpan.FromMinutes(1));
            await fixture.Outbox.AppendAsync(new[] { new Reading("air", "pm2_5", clock.GetUtcNow().UtcDateTime, i) }, null, Cancel);
        }

        await fixture.Broker.StartAsync();
        await Eventually.TrueAsync(() => fixture.Log.Any(line => line.StartsWith("Information: Uplink: this station does not know the time yet", StringComparison.Ordinal)), "it asks");
        Assert.Empty(fixture.Broker.Packs);
        await fixture.StopAgentAsync();
        await fixture.Broker.StopAsync();

        // The hub that knows the answer; the readings of before the restart of the agent are stamped too.
        fixture.Broker.Time = () => Truth;
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.ReleasedAsync(3);
        Assert.Equal([Truth.AddMinutes(-2).UtcDateTime, Truth.AddMinutes(-1).UtcDateTime, Truth.UtcDateTime], fixture.Broker.Taken.OrderBy(r => r.Value).Select(r => r.PhenomenonTime));
        Assert.Contains("\"at\":\"2026-11-22T12:00:00Z\"", fixture.Broker.Others[^1].Payload, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1795348800", true)]
    [InlineData("1795348800.123456", true)]
    [InlineData("", false)]
    [InlineData("now", false)]
    [InlineData("-5", false)]
    [InlineData("1795348800x", false)]
    [InlineData("1795348800000", false)]
    [InlineData("1795348800.1234567890123456789012345", false)]
    public void An_answer_is_seconds_and_nothing_else(string text, bool good)
    {
        Assert.Equal(good, TimeQuestion.TryRead(System.Text.Encoding.ASCII.GetBytes(text), out var instant));
        Assert.Equal(good ? Truth.AddSeconds(0) : default, good ? new DateTimeOffset(instant.Year, instant.Month, instant.Day, instant.Hour, instant.Minute, instant.Second, TimeSpan.Zero) : default);
    }
}
