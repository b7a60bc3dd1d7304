using System.Net;
using System.Text.Json;
using Hub.Cloud.Notifications;

namespace Hub.Cloud.Api.Tests;

/// <summary>The delivery log and sending again, over the real outbox.</summary>
public sealed class DeliveryTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Operators_read_the_log_of_their_municipality_by_state_and_in_parts()
    {
        await using var host = await StartAsync();
        await host.ExecuteAsync("UPDATE notifications_deliveries SET \"State\" = 3, \"Attempts\" = 10, \"Answer\" = '500 no' WHERE \"Id\" IN (1, 3)");
        var page = await host.GetAsync("/api/v1/deliveries?municipality=braga", "Operator@braga");
        Assert.Equal(["4", "3", "2", "1"], ApiHost.Texts(page, "delivery"));
        Assert.Equal(["a***@example.org"], ApiHost.Texts(page, "target").Distinct());
        var dead = await host.GetAsync("/api/v1/deliveries?municipality=braga&state=dead&limit=1", "Operator@*");
        Assert.Equal(
            "3 braga 2:started:1 started mail dead 10 500 no 2026-03-01T12:00:00Z ",
            string.Join(' ', new[] { "delivery", "municipality", "key", "kind", "channel", "state", "attempts", "answer", "createdAt", "deliveredAt" }.Select(p => dead.GetProperty("items")[0].GetProperty(p).ToString())));
        var rest = await host.GetAsync(dead.GetProperty("next").GetString()!, "Operator@*");
        Assert.Equal(["1"], ApiHost.Texts(rest, "delivery"));
        Assert.Empty(ApiHost.Texts(await host.GetAsync("/api/v1/deliveries?municipality=aveiro", "Operator@aveiro"), "delivery"));
    }

    [Fact]
    public async Task Nobody_else_reads_it()
    {
        await using var host = await StartAsync();
        await host.ProblemAsync("/api/v1/deliveries?municipality=braga", 401, "sign-in-needed");
        await host.ProblemAsync("/api/v1/deliveries?municipality=braga", 403, "not-allowed", "Viewer@braga Operator@aveiro");
        await host.ProblemAsync("/api/v1/deliveries", 400, "bad-parameter", "Operator@braga");
        await host.ProblemAsync("/api/v1/deliveries?municipality=nowhere", 404, "unknown-municipality", "Operator@braga");
        var problem = await host.ProblemAsync("/api/v1/deliveries?municipality=braga&state=lost", 400, "bad-parameter", "Operator@braga");
        Assert.Contains("waiting, delivered, suppressed, dead", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_dead_is_sent_again_and_that_is_on_record()
    {
        await using var host = await StartAsync();
        await host.ExecuteAsync("UPDATE notifications_deliveries SET \"State\" = 3, \"Attempts\" = 10, \"Answer\" = '500 no' WHERE \"Id\" = 2");
        using var client = host.Client("Operator@braga");
        using var answer = await client.PostAsync("/api/v1/deliveries/2/resend", null, Cancel);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var sent = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement;
        Assert.Equal(("waiting", 0), (sent.GetProperty("state").GetString(), sent.GetProperty("attempts").GetInt32()));
        Assert.Equal("waiting", (await host.Notifications.FindAsync(2, Cancel))!.State);

        var entry = Assert.Single(host.Audit.Entries).Note;
        Assert.Equal(("braga", "notification-resend", "delivery 2"), (entry.Municipality, entry.Action, entry.Subject));
        var details = JsonDocument.Parse(entry.Details).RootElement;
        Assert.Equal(("mail", "a***@example.org", "500 no"), (details.GetProperty("channel").GetString(), details.GetProperty("target").GetString(), details.GetProperty("answer").GetString()));

        var refused = await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/deliveries/2/resend", null, Cancel), 409, "delivery-refused");
        Assert.Contains("is waiting", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_later_news_has_overtaken_is_sent_again_too()
    {
        await using var host = await StartAsync();
        await host.Notifications.EnqueueAsync(CapEndpointTests.Message("0:ended:2") with { Alarm = "0", Kind = NotificationKind.Ended }, Cancel);
        await host.ExecuteAsync("UPDATE notifications_deliveries SET \"State\" = CASE \"Id\" WHEN 1 THEN 3 ELSE 1 END");
        using var client = host.Client("Operator@braga");
        using var answer = await client.PostAsync("/api/v1/deliveries/1/resend", null, Cancel);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("waiting", (await host.Notifications.FindAsync(1, Cancel))!.State);
    }

    [Fact]
    public async Task Whoever_may_not_sends_nothing_and_leaves_no_record()
    {
        await using var host = await StartAsync();
        await host.ExecuteAsync("UPDATE notifications_deliveries SET \"State\" = 3");
        foreach (var (rights, id, status, code) in new[]
        {
            (null, "1", 401, "sign-in-needed"), ("Viewer@braga", "1", 404, "unknown-delivery"), ("Operator@aveiro", "1", 404, "unknown-delivery"), ("Operator@braga", "99", 404, "unknown-delivery"),
            ("Operator@braga", "x", 404, "unknown-delivery"),
        })
        {
            using var client = host.Client(rights);
            await ApiHost.ProblemAsync(await client.PostAsync($"/api/v1/deliveries/{id}/resend", null, Cancel), status, code);
        }

        Assert.Empty(host.Audit.Entries);
        Assert.Equal("dead", (await host.Notifications.FindAsync(1, Cancel))!.State);
    }

    /// <summary>Four deliveries wait for one subscriber.</summary>
    private static async Task<ApiHost> StartAsync()
    {
        var host = await ApiHost.StartAsync();
        await host.MigrateNotificationsAsync();
        await host.Notifications.SaveAsync(new Subscriber(0, "braga", ChannelKind.Mail, "ana@example.org", "pt", null, Severity.Information, ""), Cancel);
        for (var i = 0; i < 4; i++)
        {
            await host.Notifications.EnqueueAsync(CapEndpointTests.Message($"{i}:started:1") with { Alarm = $"{i}" }, Cancel);
        }

        return host;
    }
}
