using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

public sealed class SecretRotationTests
{
    [Fact]
    public async Task During_the_overlap_messages_are_signed_with_both_secrets_and_then_with_the_new_one_alone()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var bench = await NotificationsBench.StartAsync();
        var before = await bench.SubscribeAsync(ChannelKind.Webhook, receiver.Address);
        var after = await bench.Notifications.RotateSecretAsync(before.Id, null, default);
        Assert.NotEqual(before.Secret, after.Secret);
        Assert.Equal((before.Secret, new DateTime(2026, 5, 5, 12, 0, 0, DateTimeKind.Utc)), (after.SecretPrevious, after.SecretPreviousUntil));

        await SendAsync(bench, "a");
        await bench.StopAsync();
        bench.Time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromSeconds(1));
        await bench.StartAsync();
        await SendAsync(bench, "b");
        bench.Time.Advance(TimeSpan.FromSeconds(1));
        await SendAsync(bench, "c");

        Assert.Equal($"{Sign(receiver.Requests[0], after.Secret)} {Sign(receiver.Requests[0], before.Secret)}", receiver.Requests[0].Signature);
        Assert.Equal($"{Sign(receiver.Requests[1], after.Secret)} {Sign(receiver.Requests[1], before.Secret)}", receiver.Requests[1].Signature);
        Assert.Equal(Sign(receiver.Requests[2], after.Secret), receiver.Requests[2].Signature);
    }

    [Fact]
    public async Task Saving_it_with_another_secret_keeps_the_one_before_and_with_the_same_or_none_changes_nothing()
    {
        await using var bench = await NotificationsBench.StartAsync(("Hub:Notifications:Webhook:SecretOverlap", "01:00:00"));
        var first = await bench.SubscribeAsync(ChannelKind.Webhook, "https://example.org/");
        Assert.Equal(("", (DateTime?)null), (first.SecretPrevious, first.SecretPreviousUntil));
        var second = await bench.Notifications.SaveAsync(first with { Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }, default);
        Assert.Equal((first.Secret, new DateTime(2026, 5, 4, 13, 0, 0, DateTimeKind.Utc)), (second.SecretPrevious, second.SecretPreviousUntil));
        bench.Time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(second, await bench.Notifications.SaveAsync(second, default));
        Assert.Equal(second, await bench.Notifications.SaveAsync(second with { Secret = "", SecretPrevious = "", SecretPreviousUntil = null }, default));

        // What is no webhook has no secret.
        var mail = await bench.Notifications.SaveAsync(second with { Channel = ChannelKind.Mail, Target = "maria@example.org" }, default);
        Assert.Equal(("", "", (DateTime?)null), (mail.Secret, mail.SecretPrevious, mail.SecretPreviousUntil));
    }

    [Fact]
    public async Task A_secret_that_others_know_is_not_used_once_more()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var bench = await NotificationsBench.StartAsync();
        var before = await bench.SubscribeAsync(ChannelKind.Webhook, receiver.Address);
        await bench.Notifications.RotateSecretAsync(before.Id, null, default);
        var after = await bench.Notifications.RotateSecretAsync(before.Id, TimeSpan.Zero, default);
        Assert.Equal(("", (DateTime?)null), (after.SecretPrevious, after.SecretPreviousUntil));
        await SendAsync(bench, "a");
        Assert.Equal(Sign(receiver.Requests[0], after.Secret), receiver.Requests[0].Signature);
    }

    [Fact]
    public async Task An_old_secret_is_forgotten_when_its_time_is_over()
    {
        await using var bench = await NotificationsBench.StartAsync();
        var before = await bench.SubscribeAsync(ChannelKind.Webhook, "https://example.org/");
        await bench.Notifications.RotateSecretAsync(before.Id, null, default);
        await Eventually.TrueAsync(
            async () =>
            {
                bench.Pass(TimeSpan.FromHours(12));
                await using var db = await bench.Contexts.CreateDbContextAsync();
                return await db.Subscribers.AllAsync(row => row.SecretPrevious == "" && row.SecretPreviousUntil == null);
            },
            "nothing is left of it");
    }

    [Fact]
    public async Task What_has_no_secret_cannot_have_another()
    {
        await using var bench = await NotificationsBench.StartAsync();
        var mail = await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org");
        Assert.Contains("only webhooks", (await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Notifications.RotateSecretAsync(mail.Id, null, default))).Message, StringComparison.Ordinal);
        Assert.Contains("0 to 30 days", (await Assert.ThrowsAsync<ArgumentException>(async () => await bench.Notifications.RotateSecretAsync(mail.Id, TimeSpan.FromDays(31), default))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<KeyNotFoundException>(async () => await bench.Notifications.RotateSecretAsync(99, null, default));
    }

    private static async Task SendAsync(NotificationsBench bench, string alarm)
    {
        await bench.Notifications.EnqueueAsync(NotificationsBench.Message($"{alarm}:started:1") with { Alarm = alarm }, default);
        await bench.SettledAsync();
    }

    private static string Sign(WebhookReceiver.Received request, string secret) => "v1," + Convert.ToBase64String(
        HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), (byte[])[.. Encoding.UTF8.GetBytes($"{request.Id}.{request.Timestamp}."), .. request.Body]));
}
