using CsCheck;
using Hub.Cloud.Notifications.Outbox;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>A channel sends no more in a minute than it may; what waits for it is not lost, and the most urgent goes first.</summary>
public sealed class ChannelRateTests
{
    private static readonly DateTime Noon = new(2026, 5, 4, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void No_minute_has_more_than_the_limit_and_no_second_more_than_its_share_and_what_is_promised_is_kept() =>
        Gen.Select(Gen.Int[1, 200], Gen.Select(Gen.Int[0, 4_000], Gen.Int[1, 9]).Array[1, 200]).Sample((perMinute, asks) =>
        {
            var rate = new ChannelRate(perMinute);
            List<DateTime> begun = [];
            var now = Noon;
            foreach (var (wait, wanted) in asks)
            {
                now = now.AddMilliseconds(wait);
                var allowed = rate.AllowedAt(now);
                if (allowed == 0)
                {
                    var next = rate.NextAt(now);
                    Assert.True(next > now && next <= now + ChannelRate.Span);
                    Assert.Equal(0, rate.AllowedAt(now));
                    now = next;
                    allowed = rate.AllowedAt(now);
                    Assert.True(allowed > 0);
                }

                for (var i = 0; i < Math.Min(allowed, wanted); i++)
                {
                    rate.Note(now);
                    begun.Add(now);
                }
            }

            for (var i = 0; i < begun.Count; i++)
            {
                Assert.True(begun.Skip(i).TakeWhile(at => at < begun[i].AddMinutes(1)).Count() <= perMinute);
                Assert.True(begun.Skip(i).TakeWhile(at => at < begun[i].AddSeconds(1)).Count() <= (perMinute + 59) / 60);
            }
        });

    [Fact]
    public void Without_a_limit_nothing_waits()
    {
        var rate = new ChannelRate(0);
        rate.Note(Noon);
        Assert.Equal((int.MaxValue, Noon), (rate.AllowedAt(Noon), rate.NextAt(Noon)));
    }

    [Fact]
    public async Task Over_the_limit_a_call_goes_first_then_the_serious_and_nothing_is_lost_and_a_restart_gives_no_new_allowance()
    {
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:Mail:PerMinuteMax", "2"));
        foreach (var name in new[] { "ana", "bruno", "carla", "davide" })
        {
            await bench.SubscribeAsync(ChannelKind.Mail, $"{name}@example.org");
        }

        // Another channel does not wait for this one.
        await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        await bench.Duty.SaveAsync(new DutyRoster("braga", Severity.Alert, [new DutyStep(TimeSpan.Zero, [new DutyEntry(4, "")])]), default);
        await bench.StopAsync();
        var queued = new[]
        {
            ("p", NotificationKind.Past, Severity.Alert), ("i", NotificationKind.Started, Severity.Information), ("w", NotificationKind.Started, Severity.Warning), ("a", NotificationKind.Started, Severity.Alert),
        };
        await bench.StartAsync();
        foreach (var (key, kind, severity) in queued)
        {
            await bench.Notifications.EnqueueAsync(NotificationsBench.Message($"{key}:{kind}:1", kind, severity, rule: key) with { Alarm = key }, default);
        }

        // One in a second, two in a minute: what was there first has gone out, and from then on the call and the serious ones come before the rest.
        List<string> sent = [];
        for (var minute = 0; sent.Count < 16; minute++)
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    bench.Pass(TimeSpan.FromSeconds(1));
                    return (await MailsAsync(bench)).Count >= Math.Min(16, sent.Count + 2);
                },
                "two more mails are out");
            sent = [.. (await MailsAsync(bench)).Select(delivery => delivery.Key[..1] + (delivery.Target[..1] == "d" ? "!" : ""))];
            if (minute == 2)
            {
                await bench.StopAsync();
                await bench.StartAsync();
            }
        }

        await bench.SettledAsync();
        Assert.Equal(4, bench.Topic.Payloads.Count);
        var late = sent.Skip(4).Select(one => "!awip".IndexOf(one == "a!" ? '!' : one[0], StringComparison.Ordinal)).ToList();
        Assert.Equal(late.Order(), late);
        await using var db = await bench.Contexts.CreateDbContextAsync();
        var begun = await db.Deliveries.Where(row => row.Channel == ChannelKind.Mail).OrderBy(row => row.AttemptedAt).Select(row => row.AttemptedAt!.Value).ToListAsync();
        Assert.Equal(16, begun.Count);
        Assert.All(begun.Zip(begun.Skip(2)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromMinutes(1)));
        Assert.All(begun.Zip(begun.Skip(1)), pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromSeconds(1)));
    }

    [Theory]
    [InlineData("Hub:Notifications:Sms:PerMinuteMax", "-1", "Sms:PerMinuteMax must be 0")]
    [InlineData("Hub:Notifications:Telegram:PerMinuteMax", "60001", "Telegram:PerMinuteMax must be 0")]
    [InlineData("Hub:Notifications:DigestEvery", "00:00:04", "DigestEvery must be")]
    [InlineData("Hub:Notifications:DigestEvery", "00:07:00", "DigestEvery must be")]
    public async Task A_setting_out_of_range_is_refused(string key, string value, string reason) =>
        Assert.Contains(reason, (await Assert.ThrowsAsync<OptionsValidationException>(() => NotificationsBench.StartAsync((key, value)))).Message, StringComparison.Ordinal);

    private static async Task<List<Delivery>> MailsAsync(NotificationsBench bench) =>
        [.. (await bench.LogAsync()).Where(delivery => delivery is { Channel: ChannelKind.Mail, State: "delivered" }).OrderBy(delivery => delivery.DeliveredAt)];
}
