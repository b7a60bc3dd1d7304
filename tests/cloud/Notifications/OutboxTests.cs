using System.Text.Json;
using Hub.Cloud.Notifications.Outbox;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed class OutboxTests
{
    [Fact]
    public async Task A_key_queued_before_is_not_queued_again_not_even_after_a_restart_or_for_a_new_subscriber()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        var message = NotificationsBench.Message();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => bench.Notifications.EnqueueAsync(message, default).AsTask()));
        await bench.SettledAsync();
        await bench.StopAsync();
        await bench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org");
        await bench.Notifications.EnqueueAsync(message with { Value = 1 }, default);
        await bench.SettledAsync();
        Assert.Single(bench.Topic.Payloads);
        Assert.Single(await bench.LogAsync());
    }

    [Fact]
    public async Task Subscribers_get_what_they_asked_for()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Mail, "all@example.org");
        await bench.SubscribeAsync(ChannelKind.Mail, "rule@example.org", rule: "night-noise");
        await bench.SubscribeAsync(ChannelKind.Mail, "other@example.org", rule: "dust");
        await bench.SubscribeAsync(ChannelKind.Mail, "serious@example.org", min: Severity.Alert);
        await bench.Notifications.SaveAsync(new Subscriber(0, "aveiro", ChannelKind.Mail, "elsewhere@example.org", "pt", null, Severity.Information, ""), default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync();
        Assert.Equal(["a***@example.org", "r***@example.org"], (await bench.LogAsync()).Select(delivery => delivery.Target).Order());
        Assert.Empty(await bench.Notifications.LogAsync("aveiro", 10, default));
    }

    [Fact]
    public async Task Messages_about_one_alarm_do_not_overtake_each_other_and_others_do_not_wait()
    {
        await using var bench = await NotificationsBench.StartAsync();
        bench.Topic.FailuresLeft = 1;
        await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1"), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].Attempts == 1, "the first attempt failed");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:ended:2", NotificationKind.Ended), default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("b:started:1", rule: "other"), default);
        await Eventually.TrueAsync(() => bench.Topic.Payloads.Count == 1, "the other rule's message is out");
        await bench.SettledAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(["b:started:1", "a:started:1", "a:ended:2"], bench.Topic.Payloads.Select(payload => JsonDocument.Parse(payload).RootElement.GetProperty("key").GetString()));
    }

    [Fact]
    public async Task The_topic_says_the_state()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        var corrected = NotificationsBench.Message("a:corrected:4", NotificationKind.Corrected);
        AlarmMessage[] messages =
        [
            NotificationsBench.Message("a:started:1"), NotificationsBench.Message("a:ended:2", NotificationKind.Ended), NotificationsBench.Message("a:past:3", NotificationKind.Past),
            corrected, corrected with { Key = "a:corrected:5", Withdrawn = true },
        ];
        foreach (var message in messages)
        {
            await bench.Notifications.EnqueueAsync(message, default);
        }

        await bench.SettledAsync();
        Assert.Equal(
            ["active True False", "ended False False", "past False False", "corrected True False", "corrected False True"],
            bench.Topic.Payloads.Select(payload => JsonDocument.Parse(payload).RootElement)
                .Select(json => $"{json.GetProperty("state").GetString()} {json.GetProperty("active").GetBoolean()} {json.GetProperty("withdrawn").GetBoolean()}"));
    }

    [Fact]
    public async Task The_channel_that_is_off_counts_as_suppressed()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Off, "");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync();
        Assert.Equal(("suppressed", (DateTime?)null), ((await bench.LogAsync())[0].State, (await bench.LogAsync())[0].DeliveredAt));
    }

    [Fact]
    public async Task What_cannot_be_delivered_ends_as_a_dead_letter_with_the_last_answer()
    {
        await using var bench = await NotificationsBench.StartAsync();
        bench.Topic.FailuresLeft = int.MaxValue;
        await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync(TimeSpan.FromHours(2));
        var delivery = Assert.Single(await bench.LogAsync());
        Assert.Equal(("dead", 10, "the broker is away"), (delivery.State, delivery.Attempts, delivery.Answer));
    }

    [Fact]
    public async Task Removing_a_subscriber_removes_what_waits_for_it()
    {
        await using var bench = await NotificationsBench.StartAsync();
        bench.Topic.FailuresLeft = int.MaxValue;
        var subscriber = await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].Attempts == 1, "the first attempt failed");
        await bench.Notifications.RemoveAsync(subscriber.Id, default);
        Assert.Empty(await bench.LogAsync());
        Assert.Empty(await bench.Notifications.SubscribersAsync("braga", default));
    }

    [Fact]
    public async Task A_clock_that_goes_on_in_the_moment_the_wait_begins_delays_nothing()
    {
        await using var bench = await NotificationsBench.StartAsync();
        bench.Topic.FailuresLeft = 1;
        bench.Time.BeforeWait = wait =>
        {
            if (wait >= TimeSpan.FromSeconds(4) && wait < TimeSpan.FromSeconds(6))
            {
                bench.Time.BeforeWait = null;
                bench.Time.Advance(TimeSpan.FromSeconds(10));
            }
        };
        await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync();
        Assert.Single(bench.Topic.Payloads);
    }

    [Fact]
    public async Task What_was_queued_in_the_moment_its_subscriber_was_removed_is_forgotten()
    {
        await using var bench = await NotificationsBench.StartAsync();
        bench.Topic.FailuresLeft = 1;
        var subscriber = await bench.SubscribeAsync(ChannelKind.Mqtt, "");
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].Attempts == 1, "the first attempt failed");

        // The subscriber alone, as if the message had been stored a moment later.
        await using (var db = await bench.Contexts.CreateDbContextAsync())
        {
            await db.Subscribers.Where(row => row.Id == subscriber.Id).ExecuteDeleteAsync();
        }

        await Eventually.TrueAsync(
            async () =>
            {
                bench.Pass(TimeSpan.FromSeconds(1));
                return (await bench.LogAsync()).Count == 0;
            },
            "nothing waits for nobody");
        Assert.Empty(bench.Topic.Payloads);
    }

    [Theory]
    [InlineData(1, null, 0, 5)]
    [InlineData(1, null, 1, 5.5)]
    [InlineData(2, null, 0, 300)]
    [InlineData(9, null, 0, 86400)]
    [InlineData(1, 60, 0.5, 60)]
    [InlineData(2, 60, 0, 300)]
    [InlineData(1, 900000, 0, 86400)]
    [InlineData(1, -5, 0, 5)]
    public void The_schedule_is_that_of_Standard_Webhooks(int attempts, int? retryAfter, double chance, double seconds) => Assert.Equal(
        TimeSpan.FromSeconds(seconds),
        RetrySchedule.Next(attempts, new NotificationsOptions().EffectiveRetryDelays, retryAfter is { } asked ? TimeSpan.FromSeconds(asked) : null, chance));

    [Fact]
    public void After_the_last_attempt_it_is_given_up() => Assert.Null(RetrySchedule.Next(10, new NotificationsOptions().EffectiveRetryDelays, TimeSpan.FromSeconds(1), 0));

    [Theory]
    [InlineData("Municipality", "Não é", ChannelKind.Mail, "a@example.org", "pt", null, "")]
    [InlineData("Channel", "braga", (ChannelKind)9, "", "pt", null, "")]
    [InlineData("Language", "braga", ChannelKind.Mail, "a@example.org", "fr", null, "")]
    [InlineData("Rule", "braga", ChannelKind.Mail, "a@example.org", "pt", "Not A Slug", "")]
    [InlineData("Target", "braga", ChannelKind.Mail, "", "pt", null, "")]
    [InlineData("Target", "braga", ChannelKind.Mail, "nobody", "pt", null, "")]
    [InlineData("Target", "braga", ChannelKind.Mail, "a@example.org\r\nBcc: b@example.org", "pt", null, "")]
    [InlineData("Target", "braga", ChannelKind.Mail, "a@example.org, b@example.org", "pt", null, "")]
    [InlineData("Target", "braga", ChannelKind.Webhook, "ftp://example.org/", "pt", null, "")]
    [InlineData("Target", "braga", ChannelKind.Webhook, "http://example.org/", "pt", null, "")]
    [InlineData("Target", "braga", ChannelKind.Webhook, "https://127.0.0.1/", "pt", null, "")]
    [InlineData("Target", "braga", ChannelKind.Webhook, "https://[::1]/", "pt", null, "")]
    [InlineData("Target", "braga", ChannelKind.Webhook, "https://localhost/", "pt", null, "")]
    [InlineData("Target", "braga", ChannelKind.Webhook, "https://user:pw@example.org/", "pt", null, "")]
    [InlineData("Target", "braga", ChannelKind.Mqtt, "somewhere", "pt", null, "")]
    [InlineData("Secret", "braga", ChannelKind.Webhook, "https://example.org/", "pt", null, "guess")]
    public async Task A_subscriber_that_breaks_a_rule_is_refused_by_the_name_of_the_field(
        string field, string municipality, ChannelKind channel, string target, string language, string? rule, string secret)
    {
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:Webhook:AllowPrivateTargets", "false"));
        var refused = await Assert.ThrowsAsync<ArgumentException>(
            async () => await bench.Notifications.SaveAsync(new Subscriber(0, municipality, channel, target, language, rule, Severity.Information, secret), default));
        Assert.StartsWith(field, refused.Message, StringComparison.Ordinal);
        Assert.Equal(field, refused.ParamName);
    }

    [Theory]
    [InlineData("Hub:Notifications:ConcurrencyPerChannel", "0")]
    [InlineData("Hub:Notifications:RetryDelays:0", "-00:00:01")]
    [InlineData("Hub:Notifications:LogKeep", "1.00:00:00")]
    [InlineData("Hub:Notifications:Webhook:Timeout", "00:05:00")]
    [InlineData("Hub:Notifications:Webhook:SecretOverlap", "31.00:00:00")]
    [InlineData("Hub:Notifications:Sms:Url", "sms.example.org")]
    [InlineData("Hub:Notifications:Telegram:BaseUrl", "ftp://telegram.example.org")]
    [InlineData("Hub:Notifications:Mail:From", "nobody")]
    [InlineData("Hub:Notifications:Mail:Smtp:Port", "0")]
    [InlineData("Hub:PublicUrl", "hub.example.org")]
    public void A_setting_out_of_range_is_refused_by_its_full_key(string key, string value)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [key] = value }).Build();
        using var services = new ServiceCollection().AddLogging().AddHubNotifications(configuration).BuildServiceProvider();
        var refused = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<NotificationsOptions>>().Value);
        Assert.Contains(key.EndsWith(":0", StringComparison.Ordinal) ? key[..^2] : key, refused.Message, StringComparison.Ordinal);
    }
}
