using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed class DeliveryLogTests
{
    [Fact]
    public async Task The_log_is_searched_by_state_and_in_parts()
    {
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:RetryDelays:0", "00:00:01"));
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org");
        await bench.SubscribeAsync(ChannelKind.Off, "");
        bench.Topic.FailuresLeft = int.MaxValue;
        await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        for (var i = 0; i < 3; i++)
        {
            await bench.Notifications.EnqueueAsync(NotificationsBench.Message($"{i}:started:1") with { Alarm = $"{i}" }, default);
        }

        await bench.SettledAsync(TimeSpan.FromSeconds(1));
        foreach (var (state, channel) in new[] { (DeliveryState.Delivered, ChannelKind.Mail), (DeliveryState.Suppressed, ChannelKind.Off), (DeliveryState.Dead, ChannelKind.Mqtt) })
        {
            var found = await bench.Notifications.SearchAsync("braga", state, null, 10, default);
            Assert.Equal(["2:started:1", "1:started:1", "0:started:1"], found.Select(delivery => delivery.Key));
            Assert.All(found, delivery => Assert.Equal((channel, state.ToString().ToLowerInvariant()), (delivery.Channel, delivery.State)));
            var part = await bench.Notifications.SearchAsync("braga", state, found[0].Id, 1, default);
            Assert.Equal(found[1], Assert.Single(part));
        }

        Assert.Equal(9, (await bench.Notifications.SearchAsync("braga", null, null, 100, default)).Count);
        Assert.Empty(await bench.Notifications.SearchAsync("braga", DeliveryState.Waiting, null, 10, default));
        Assert.Empty(await bench.Notifications.SearchAsync("aveiro", null, null, 10, default));
        Assert.Null(await bench.Notifications.FindAsync(99, default));
    }

    [Fact]
    public async Task A_dead_delivery_goes_out_again_under_its_key_and_with_all_its_attempts()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = SmsTests.Answering(500, 500, 500, 204);
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:RetryDelays:0", "00:00:01"));
        await bench.SubscribeAsync(ChannelKind.Webhook, receiver.Address);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync(TimeSpan.FromSeconds(1));
        var dead = Assert.Single(await bench.LogAsync());
        Assert.Equal(("dead", 2), (dead.State, dead.Attempts));

        var again = await bench.Notifications.ResendAsync(dead.Id, default);
        Assert.Equal((dead.Id, "waiting", 0, "500 Internal Server Error"), (again.Id, again.State, again.Attempts, again.Answer));
        await bench.SettledAsync(TimeSpan.FromSeconds(1));
        var delivered = await bench.Notifications.FindAsync(dead.Id, default);
        Assert.Equal(("delivered", 2), (delivered!.State, delivered.Attempts));
        Assert.Equal(4, receiver.Requests.Count);
        Assert.Single(receiver.Requests.Select(request => request.Id).Distinct());
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(async () => await bench.Notifications.ResendAsync(dead.Id, default));
        Assert.Contains("is delivered", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_goes_where_the_subscriber_is_now_and_to_nobody_who_is_gone_or_switched_off()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = SmsTests.Answering(410, 204);
        await using var bench = await NotificationsBench.StartAsync();
        var subscriber = await bench.SubscribeAsync(ChannelKind.Webhook, receiver.Address);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SwitchedOffAsync();
        var dead = Assert.Single(await bench.LogAsync());
        var off = await Assert.ThrowsAsync<InvalidOperationException>(async () => await bench.Notifications.ResendAsync(dead.Id, default));
        Assert.Contains("switched off (410 Gone)", off.Message, StringComparison.Ordinal);

        await bench.Notifications.SaveAsync(subscriber with { Target = receiver.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal) }, default);
        Assert.StartsWith("http://localhost:", (await bench.Notifications.ResendAsync(dead.Id, default)).Target, StringComparison.Ordinal);
        await bench.SettledAsync();
        Assert.Equal("delivered", (await bench.LogAsync())[0].State);

        receiver.Answer = SmsTests.Answering(410);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("b:started:1") with { Alarm = "b" }, default);
        await bench.SwitchedOffAsync();
        await bench.Notifications.RemoveAsync(subscriber.Id, default);
        var last = (await bench.Notifications.SearchAsync("braga", DeliveryState.Dead, null, 1, default))[0];
        Assert.Contains("gone", (await Assert.ThrowsAsync<InvalidOperationException>(async () => await bench.Notifications.ResendAsync(last.Id, default))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await bench.Notifications.ResendAsync(99, default));
    }

    [Fact]
    public async Task What_later_news_has_overtaken_goes_out_under_its_key_and_says_so_and_is_not_the_state_of_its_topic()
    {
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:RetryDelays:0", "00:00:01"));
        await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        bench.Topic.FailuresLeft = 2;
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1"), default);
        await bench.SettledAsync(TimeSpan.FromSeconds(1));
        var dead = Assert.Single(await bench.LogAsync());
        Assert.Equal("dead", dead.State);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:ended:2", NotificationKind.Ended), default);
        await bench.SettledAsync();
        await bench.Notifications.ResendAsync(dead.Id, default);
        await bench.SettledAsync();
        Assert.Equal("delivered", (await bench.Notifications.FindAsync(dead.Id, default))!.State);
        Assert.Equal(["a:ended:2 False", "a:started:1 True"], bench.Topic.Messages.Select(message => $"{message.Key} {message.Overtaken}"));
        Assert.DoesNotContain("overtaken", bench.Topic.Payloads[0], StringComparison.Ordinal);
        Assert.Contains("\"overtaken\":true", bench.Topic.Payloads[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_mail_sent_again_says_whether_later_news_has_gone_out_and_keeps_its_id(bool overtaken)
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Mail, "ana@example.org");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1"), default);
        await bench.SettledAsync();
        var dead = Assert.Single(await bench.LogAsync());

        // As if the mail server had refused it for good.
        var id = Assert.Single(bench.Mails).MessageId;
        Array.ForEach(Directory.GetFiles(bench.MailFolder), File.Delete);
        await using (var db = await bench.Contexts.CreateDbContextAsync())
        {
            await db.Deliveries.ExecuteUpdateAsync(set => set.SetProperty(row => row.State, DeliveryState.Dead).SetProperty(row => row.DeliveredAt, (DateTime?)null));
        }

        if (overtaken)
        {
            await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:ended:2", NotificationKind.Ended), default);
            await bench.SettledAsync();
        }

        await bench.Notifications.ResendAsync(dead.Id, default);
        await bench.SettledAsync();
        Assert.Equal("delivered", (await bench.Notifications.FindAsync(dead.Id, default))!.State);
        var mail = bench.Mails.Single(one => one.MessageId == id);
        Assert.StartsWith(overtaken ? "Sent again: Warning: Night noise" : "Warning: Night noise", mail.Subject, StringComparison.Ordinal);
        Assert.Equal(overtaken, mail.TextBody!.Contains("could not be delivered at the time", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_two_who_ask_at_once_one_sends_it()
    {
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:RetryDelays:0", "00:00:01"));
        await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        bench.Topic.FailuresLeft = 2;
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync(TimeSpan.FromSeconds(1));
        var dead = Assert.Single(await bench.LogAsync());
        var asked = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            try
            {
                await bench.Notifications.ResendAsync(dead.Id, default);
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }));
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].State == "delivered", "it arrives");
        Assert.Single(asked, sent => sent);
        Assert.Single(bench.Topic.Payloads);
    }
}
