using System.Text.Json;
using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Notifications.Sms;
using Hub.Tests.Kit;
using Microsoft.Extensions.Options;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>Signing up for SMS: confirmed by a link in one, and ended by a link in each.</summary>
public sealed class SmsSignUpTests
{
    private const string Number = "+351912345678";

    private static readonly SignUpRequest Asked = SignUpTests.Request(Number) with { Channel = ChannelKind.Sms };

    [Fact]
    public async Task The_link_in_the_first_confirms_and_the_link_in_each_ends_them()
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        await using var bench = await StartAsync(gateway);
        Assert.Equal([ChannelKind.Mail, ChannelKind.Sms], bench.SignUp.Channels);
        Assert.Equal(RequestOutcome.Taken, await bench.SignUp.RequestAsync(Asked, null, default));
        await Eventually.TrueAsync(() => gateway.Requests.Count == 1, "the first message is sent");
        var first = TextOf(gateway, 0);
        Assert.StartsWith("Alertas de Braga: para confirmar, https://hub.example.org/subscribe/confirm?t=", first, StringComparison.Ordinal);
        Assert.EndsWith(" Se nao pediu, ignore.", first, StringComparison.Ordinal);
        Assert.Equal(1, Gsm7.PartsOf(first));

        var (outcome, preferences) = await bench.SignUp.ConfirmAsync(TokenOf(first), default);
        Assert.Equal(ConfirmOutcome.Confirmed, outcome);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1"), default);
        await bench.SettledAsync();
        var alarm = TextOf(gateway, 1);
        Assert.Contains("limite 70 dB", alarm, StringComparison.Ordinal);
        Assert.Contains(" Parar: https://hub.example.org/unsubscribe?t=", alarm, StringComparison.Ordinal);
        Assert.InRange(Gsm7.PartsOf(alarm), 1, SmsText.PartsMax);

        // The link to the preferences, asked for by number.
        Assert.Equal(RequestOutcome.Taken, await bench.SignUp.RequestLinkAsync(ChannelKind.Sms, Number, "en", null, default));
        await Eventually.TrueAsync(() => gateway.Requests.Count == 3, "the link is sent");
        Assert.Equal(Number, (await bench.SignUp.FindPreferencesAsync(TokenOf(TextOf(gateway, 2)), default))!.Target);

        Assert.True(await bench.SignUp.UnsubscribeAsync(TokenOf(alarm), default));
        Assert.Null(await bench.SignUp.FindPreferencesAsync(preferences, default));
    }

    [Fact]
    public async Task A_storm_is_one_message_of_at_most_three_parts()
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        await using var bench = await StartAsync(gateway);
        await bench.SignUp.RequestAsync(Asked, null, default);
        await Eventually.TrueAsync(() => gateway.Requests.Count == 1, "the first message is sent");
        await bench.SignUp.ConfirmAsync(TokenOf(TextOf(gateway, 0)), default);
        for (var i = 0; i < 40; i++)
        {
            await bench.Notifications.EnqueueAsync(NotificationsBench.Message($"{i}:started:1") with { Alarm = $"alarm-{i}", StationName = "Praça da República" }, default);
        }

        await bench.SettledAsync(TimeSpan.FromMinutes(1));
        var texts = gateway.Requests.Select((_, i) => TextOf(gateway, i)).ToList();
        var digest = Assert.Single(texts, text => text.StartsWith("Resumo: ", StringComparison.Ordinal));
        Assert.InRange(Gsm7.PartsOf(digest), 2, SmsText.PartsMax);
        Assert.Contains("Praca da Republica", digest, StringComparison.Ordinal);
        Assert.Contains(" Parar: https://", digest, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("912345678")]
    [InlineData("maria@example.org")]
    [InlineData("")]
    public async Task A_number_that_is_none_is_refused(string number)
    {
        await using var gateway = await WebhookReceiver.StartAsync();
        await using var bench = await StartAsync(gateway);
        Assert.Equal("Target", (await Assert.ThrowsAsync<ArgumentException>(async () => await bench.SignUp.RequestAsync(Asked with { Target = number }, null, default))).ParamName);
        Assert.Empty(gateway.Requests);
    }

    [Fact]
    public async Task It_is_offered_only_where_it_was_set()
    {
        await using var bench = await SignUpTests.StartAsync();
        Assert.Equal([ChannelKind.Mail], bench.SignUp.Channels);
        Assert.Equal("Channel", (await Assert.ThrowsAsync<ArgumentException>(async () => await bench.SignUp.RequestAsync(Asked, null, default))).ParamName);
    }

    [Theory]
    [InlineData("Sms", "without Hub:Notifications:Sms:Url")]
    [InlineData("Telegram", "without Hub:Notifications:Telegram:Token")]
    [InlineData("Webhook", "must be Mail, Sms or Telegram")]
    public async Task A_channel_that_is_not_set_up_is_refused_at_the_start(string channel, string reason)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(async () => await SignUpTests.StartAsync(("Hub:Notifications:SignUp:Channels:0", channel)));
        Assert.Contains("Hub:Notifications:SignUp:Channels", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    private static Task<NotificationsBench> StartAsync(WebhookReceiver gateway) => SignUpTests.StartAsync(
        ("Hub:Notifications:Sms:Url", gateway.Root + "/sms"), ("Hub:Notifications:Sms:AllowPrivateTargets", "true"), ("Hub:Notifications:SignUp:Channels:0", "Mail"), ("Hub:Notifications:SignUp:Channels:1", "Sms"));

    private static string TextOf(WebhookReceiver gateway, int number)
    {
        using var body = JsonDocument.Parse(gateway.Requests[number].Body);
        Assert.Equal(Number, body.RootElement.GetProperty("to").GetString());
        return body.RootElement.GetProperty("text").GetString()!;
    }

    private static string TokenOf(string text)
    {
        var begin = text.IndexOf("?t=", StringComparison.Ordinal) + 3;
        return text.Substring(begin, 50);
    }
}
