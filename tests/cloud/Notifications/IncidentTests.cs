using System.Text;
using MimeKit;
using Xunit;

namespace Hub.Cloud.Notifications.Tests;

/// <summary>Alarms of several levels of a rule at the same time are one conversation.</summary>
public sealed class IncidentTests
{
    [Fact]
    public async Task The_mails_about_an_escalation_are_one_thread()
    {
        await using var bench = await NotificationsBench.StartAsync();
        await bench.SubscribeAsync(ChannelKind.Mail, "maria@example.org", "pt");
        var warning = NotificationsBench.Message("a:started:1");
        var alert = NotificationsBench.Message("a-alert:started:1", severity: Severity.Alert) with { Alarm = "a-alert", Incident = warning.Alarm };
        var other = NotificationsBench.Message("b:started:1") with { Alarm = "b" };
        foreach (var message in new[] { warning, alert, other })
        {
            await bench.Notifications.EnqueueAsync(message, default);
            await bench.SettledAsync();
        }

        var mails = Directory.GetFiles(bench.MailFolder).Select(file => MimeMessage.Load(file)).ToLookup(mail => mail.Headers["X-Hub-Alarm"]);
        Assert.Equal([mails[warning.Alarm].Single().MessageId!], mails["a-alert"].Single().References);
        Assert.Empty(mails["b"].Single().References);
    }

    [Theory]
    [InlineData(null, "night-noise-avenida-1-20260504T105400Z")]
    [InlineData("first", "first")]
    public void The_payload_names_the_incident(string? incident, string expected) => Assert.Contains(
        $"\"incident\":\"{expected}\"", Encoding.UTF8.GetString(AlarmJson.Webhook(NotificationsBench.Message() with { Incident = incident }, DateTime.UnixEpoch)), StringComparison.Ordinal);
}
