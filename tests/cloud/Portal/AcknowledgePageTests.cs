using System.Net;
using Hub.Cloud.Alerts;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>Acknowledging by the link in a mail.</summary>
public sealed class AcknowledgePageTests
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Following_the_link_does_nothing_and_its_button_acknowledges_in_the_persons_name()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        var link = await LinkAsync(host, "a6", "Ana@cm-braga.pt");
        using var browser = host.Browser();
        for (var time = 0; time < 3; time++)
        {
            using var seen = await browser.GetAsync(link, Cancel);
            Assert.Equal((HttpStatusCode.OK, true, "no-referrer"), (seen.StatusCode, seen.Headers.CacheControl?.NoStore, seen.Headers.GetValues("Referrer-Policy").Single()));
        }

        var page = await browser.GetStringAsync(link, Cancel);
        Assert.Empty(Html.Read(page).Faults);
        Assert.Contains("em nome de ana@cm-braga.pt", page, StringComparison.Ordinal);
        Assert.Contains("Oficina municipal", page, StringComparison.Ordinal);
        Assert.Equal(AlarmState.ActiveUnacknowledged, (await host.Handling.FindAsync("a6", Cancel))!.Handling.State);

        for (var time = 0; time < 2; time++)
        {
            using var done = await browser.PostAsync("/alarms/acknowledge", Form(page), Cancel);
            Assert.Equal(HttpStatusCode.OK, done.StatusCode);
            var answer = await done.Content.ReadAsStringAsync(Cancel);
            Assert.Contains("foi reconhecido em nome de ana@cm-braga.pt", answer, StringComparison.Ordinal);
            Assert.Empty(Html.Read(answer).Faults);
        }

        var story = (await host.Handling.FindAsync("a6", Cancel))!;
        Assert.Equal(("ana@cm-braga.pt", AlarmEventCause.MailLink), (story.Handling.AcknowledgedBy, story.Events[^1].Cause));
        Assert.Equal(("alarm-acknowledged", "ana@cm-braga.pt"), (host.Audit.Notes.Single().Action, host.Audit.Notes.Single().By));

        // It opens nothing else.
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/alarms/a6", Cancel)).StatusCode);
    }

    [Fact]
    public async Task Only_operators_get_a_link_and_an_old_changed_or_missing_one_is_not_good()
    {
        var time = new FakeTimeProvider(new(Noon));
        await using var host = await PortalHost.StartAsync(new(Noon), time);
        var links = host.App.Services.GetRequiredService<AcknowledgeLinks>();
        foreach (var address in new[] { "eva@cm-braga.pt", "ivo@cm-evora.pt", "citizen@example.org" })
        {
            Assert.Null(await links.ForAsync("a1", "braga", address, Cancel));
        }

        var link = await LinkAsync(host, "a1", "ana@cm-braga.pt");
        using var browser = host.Browser("en");
        var page = await browser.GetStringAsync(link, Cancel);
        foreach (var wrong in new[] { "/alarms/acknowledge", link[..^1] + (link[^1] == 'A' ? 'B' : 'A'), "/alarms/acknowledge?token=" + new string('x', 5_000), await LinkAsync(host, "a2", "ana@cm-braga.pt") })
        {
            using var refused = await browser.GetAsync(wrong, Cancel);
            Assert.Equal(HttpStatusCode.Gone, refused.StatusCode);
            Assert.Contains("not good any more", await refused.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        }

        time.Advance(AcknowledgeLinks.Life);
        using var late = await browser.PostAsync("/alarms/acknowledge", Form(page), Cancel);
        Assert.Equal(HttpStatusCode.Gone, late.StatusCode);
        Assert.Equal(AlarmState.ActiveUnacknowledged, (await host.Handling.FindAsync("a1", Cancel))!.Handling.State);
    }

    /// <summary>A link as the mail has it.</summary>
    private static async Task<string> LinkAsync(PortalHost host, string alarm, string address) =>
        (await host.App.Services.GetRequiredService<AcknowledgeLinks>().ForAsync(alarm, "braga", address, Cancel))!;

    private static FormUrlEncodedContent Form(string page) => new(
        Html.Read(page).Tags.Where(tag => tag["name"] is "token" or "__RequestVerificationToken").Select(tag => KeyValuePair.Create(tag["name"]!, tag["value"]!)));
}
