using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Notifications.Webhook;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed class WebhookTests
{
    [Fact]
    public void The_signature_agrees_with_the_published_test_vector()
    {
        Assert.True(WebhookSignature.TryReadSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", out var key));
        Assert.Equal(
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            WebhookSignature.Sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("whsec_")]
    [InlineData("whsec_AAAA")]
    [InlineData("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa?!")]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    public void A_secret_that_is_none_is_refused(string secret) => Assert.False(WebhookSignature.TryReadSecret(secret, out _));

    [Fact]
    public async Task After_five_failures_it_arrives_once_signed_for_each_attempt_and_with_one_id()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (number, context) =>
        {
            context.Response.StatusCode = number < 5 ? 500 : 204;
            return Task.CompletedTask;
        };
        await using var bench = await NotificationsBench.StartAsync();
        var subscriber = await bench.SubscribeAsync(ChannelKind.Webhook, receiver.Address);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync(TimeSpan.FromHours(6));
        var delivery = Assert.Single(await bench.LogAsync());
        Assert.Equal(("delivered", 6, "204 No Content"), (delivery.State, delivery.Attempts, delivery.Answer));
        Assert.Equal(6, receiver.Requests.Count);
        Assert.Single(receiver.Requests.Select(request => request.Id).Distinct());
        Assert.Single(receiver.Requests.Select(request => Encoding.UTF8.GetString(request.Body)).Distinct());
        Assert.Equal(6, receiver.Requests.Select(request => request.Timestamp).Distinct().Count());
        var key = Convert.FromBase64String(subscriber.Secret["whsec_".Length..]);
        Assert.Equal(32, key.Length);
        Assert.All(receiver.Requests, request => Assert.Equal(
            "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes($"{request.Id}.{request.Timestamp}."), .. request.Body])), request.Signature));

        using var body = JsonDocument.Parse(receiver.Requests[0].Body);
        Assert.Equal("alarm.started", body.RootElement.GetProperty("type").GetString());
        Assert.Equal(new DateTime(2026, 5, 4, 12, 0, 0, DateTimeKind.Utc), body.RootElement.GetProperty("timestamp").GetDateTime());
        var data = body.RootElement.GetProperty("data");
        Assert.Equal("active", data.GetProperty("state").GetString());
        Assert.Equal("night-noise-avenida-1-20260504T105400Z", data.GetProperty("alarm").GetString());
        Assert.Equal(72.4, data.GetProperty("value").GetDouble());

        // The API's names and meanings: the condition began to hold, then it had held for the rule's duration.
        Assert.Equal("2026-05-04T10:54:00Z", data.GetProperty("conditionAt").GetString());
        Assert.Equal("2026-05-04T10:59:00Z", data.GetProperty("startedAt").GetString());
    }

    [Fact]
    public async Task Gone_disables_the_endpoint_and_everything_waiting_for_it()
    {
        await using var receiver = await WebhookReceiver.StartAsync();

        // It says so when both messages wait for it, not before the second is there.
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        receiver.Answer = async (_, context) =>
        {
            await waiting.Task;
            context.Response.StatusCode = 410;
        };
        await using var bench = await NotificationsBench.StartAsync();
        var subscriber = await bench.SubscribeAsync(ChannelKind.Webhook, receiver.Address);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:started:1"), default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("a:ended:2", NotificationKind.Ended), default);
        waiting.SetResult();
        await bench.SettledAsync();
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("b:started:1"), default);

        Assert.Single(receiver.Requests);
        Assert.Equal(["dead", "dead"], (await bench.LogAsync()).Select(delivery => delivery.State));
        Assert.Equal("410 Gone", (await bench.Notifications.SubscribersAsync("braga", default))[0].DisabledBecause);

        // Saving it is the way back.
        receiver.Answer = (_, context) => { context.Response.StatusCode = 200; return Task.CompletedTask; };
        await bench.Notifications.SaveAsync(subscriber, default);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message("c:started:1"), default);
        await bench.SettledAsync();
        Assert.Equal("delivered", (await bench.LogAsync())[0].State);
    }

    [Fact]
    public async Task Redirects_are_failures_and_are_not_followed()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (_, context) => { context.Response.Redirect("/elsewhere"); return Task.CompletedTask; };
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:RetryDelays:0", "00:00:05"));
        await bench.SubscribeAsync(ChannelKind.Webhook, receiver.Address);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync(TimeSpan.FromSeconds(1));
        Assert.All(receiver.Requests, request => Assert.Equal("/hook", request.Path));
        var delivery = Assert.Single(await bench.LogAsync());
        Assert.Equal(("dead", 2, "302 Found: redirects are not followed"), (delivery.State, delivery.Attempts, delivery.Answer));
    }

    [Fact]
    public async Task Retry_After_is_honoured()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (number, context) =>
        {
            context.Response.StatusCode = number == 0 ? 429 : 200;
            context.Response.Headers.RetryAfter = "600";
            return Task.CompletedTask;
        };
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Webhook, receiver.Address);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(async () => (await bench.LogAsync())[0].Attempts == 1, "the first attempt is logged");
        await bench.SettledAsync(TimeSpan.FromSeconds(10));
        Assert.InRange(receiver.Requests[1].Timestamp - receiver.Requests[0].Timestamp, 600, 1200);
    }

    [Fact]
    public async Task A_receiver_that_never_answers_is_given_up_after_the_timeout_and_tried_again()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (number, context) => number == 0 ? Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted) : Task.CompletedTask;
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Webhook, receiver.Address);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(() => receiver.Requests.Count == 1, "the request arrived");
        bench.Time.Advance(TimeSpan.FromSeconds(15));
        await bench.SettledAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(("delivered", 2), ((await bench.LogAsync())[0].State, (await bench.LogAsync())[0].Attempts));
    }

    [Fact]
    public async Task A_private_address_is_refused_when_the_connection_is_made()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Webhook, receiver.Address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        await bench.StopAsync();

        // The operator takes the permission back: what was saved before is judged again at each connection.
        bench.Settings["Hub:Notifications:Webhook:AllowPrivateTargets"] = "false";
        await bench.StartAsync();
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync();
        Assert.Empty(receiver.Requests);
        var delivery = Assert.Single(await bench.LogAsync());
        Assert.Equal("dead", delivery.State);
        Assert.StartsWith("Refused: localhost is a private or loopback address", delivery.Answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.1.2.3", true)]
    [InlineData("127.0.0.53", true)]
    [InlineData("169.254.169.254", true)]
    [InlineData("172.31.255.255", true)]
    [InlineData("172.32.0.0", false)]
    [InlineData("192.168.0.1", true)]
    [InlineData("100.64.0.1", true)]
    [InlineData("0.0.0.0", true)]
    [InlineData("224.0.0.1", true)]
    [InlineData("255.255.255.255", true)]
    [InlineData("193.136.0.1", false)]
    [InlineData("::1", true)]
    [InlineData("::", true)]
    [InlineData("::ffff:10.0.0.1", true)]
    [InlineData("::ffff:193.136.0.1", false)]
    [InlineData("64:ff9b::a00:1", true)]
    [InlineData("2002:a00:1::", true)]
    [InlineData("fd00::1", true)]
    [InlineData("fe80::1", true)]
    [InlineData("2001:690::1", false)]
    [InlineData("2a00:1450:4003:80f::200e", false)]
    public void Addresses_that_are_not_public_are_known(string address, bool isPrivate) => Assert.Equal(isPrivate, PrivateAddresses.Contains(IPAddress.Parse(address)));

    [Fact]
    public async Task What_the_receiver_took_before_a_crash_comes_again_with_the_same_id()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (number, context) => number == 0 ? Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted) : Task.CompletedTask;
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Webhook, receiver.Address);
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await Eventually.TrueAsync(() => receiver.Requests.Count == 1, "the receiver has it, and has not answered yet");
        await bench.StopAsync();
        await bench.StartAsync();
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message(), default);
        await bench.SettledAsync();
        Assert.Equal(2, receiver.Requests.Count);
        Assert.Equal(receiver.Requests[0].Id, receiver.Requests[1].Id);
        Assert.Equal(receiver.Requests[0].Body, receiver.Requests[1].Body);
        Assert.Single(await bench.LogAsync());
    }
}
