using System.Net;
using System.Text.RegularExpressions;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal.Tests.World;
using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>Signing up as a citizen does: by forms and by the links in the mails, over the real stage.</summary>
public sealed partial class SignUpPageTests : IAsyncLifetime
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private readonly FakeTimeProvider clock = new(new(Noon));
    private readonly TempFolder folder = new();
    private PortalHost host = null!;

    public async ValueTask InitializeAsync() => host = await PortalHost.StartAsync(new(Noon), clock, signUpFolder: folder.Path);

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        SqliteConnection.ClearAllPools();
        folder.Dispose();
    }

    [Theory]
    [InlineData("pt", "Receber alertas")]
    [InlineData("en", "Get alerts")]
    public async Task A_citizen_signs_up_in_three_steps_confirms_is_told_changes_and_leaves(string language, string title)
    {
        using var browser = host.Browser();
        var start = Good(await Text(browser, $"/stations/braga/avenida-central?lang={language}"));
        var link = start.Tags.Single(tag => tag.Name == "a" && tag["href"]?.StartsWith("/subscribe", StringComparison.Ordinal) == true)["href"]!;
        Assert.Contains(title, start.Text, StringComparison.Ordinal);

        // Where: the station is chosen already. What. How.
        var where = Good(await Text(browser, link));
        Assert.Contains(where.Tags, tag => tag.Name == "option" && tag["value"] == "braga/avenida-central" && tag["selected"] == "selected");
        var what = Good(await Text(browser, "/subscribe?place=braga%2Favenida-central&radius=2000&what=&level=&step=2"));
        Assert.Contains("2 km", what.Text, StringComparison.Ordinal);
        Assert.Contains(what.Tags, tag => tag.Name == "option" && tag["value"] == "property:pm2_5");
        Assert.Contains(what.Tags, tag => tag["id"] == "level-2" && tag["checked"] is not null);
        var how = Good(await Text(browser, "/subscribe?place=braga%2Favenida-central&radius=2000&what=property%3Apm2_5&level=1&step=3"));
        using var sent = await PostAsync(browser, "/subscribe", how, Fields("maria@example.org", language));
        Assert.Equal("/subscribe?step=sent", sent.Headers.Location?.OriginalString);
        Good(await Text(browser, "/subscribe?step=sent"));

        // The link in the mail: a look changes nothing, the button does.
        var letter = await MailAsync("/subscribe/confirm");
        var confirm = LinkOf(letter, "/subscribe/confirm");
        for (var look = 0; look < 2; look++)
        {
            Assert.Contains("m***@example.org", Good(await Text(browser, confirm)).Text, StringComparison.Ordinal);
        }

        using var confirmed = await PostAsync(browser, confirm, Good(await Text(browser, confirm)));
        var preferences = confirmed.Headers.Location!.OriginalString;
        var mine = Good(await Text(browser, preferences));
        Assert.Contains("maria@example.org", mine.Text, StringComparison.Ordinal);
        Assert.Contains("Avenida Central", mine.Text, StringComparison.Ordinal);
        Good(await Text(browser, confirm));

        // Told, once.
        await host.App.Services.GetRequiredService<INotifications>().EnqueueAsync(Message(), Cancel);
        var alarm = await MailAsync("/unsubscribe");
        var unsubscribe = LinkOf(alarm, "/unsubscribe");

        // Changed.
        using var changed = await PostAsync(browser, preferences + "&handler=Change", mine, new("language", "en"), new("quiet", "on"), new("from", "23:00"), new("until", "06:30"), new("pause", "7"));
        Assert.Contains("done=changed", changed.Headers.Location!.OriginalString, StringComparison.Ordinal);
        var paused = Good(await Text(browser, changed.Headers.Location.OriginalString));
        Assert.Contains(paused.Tags, tag => tag["id"] == "from" && tag["value"] == "23:00");
        Assert.Contains(paused.Tags, tag => tag["id"] == "except" && tag["checked"] is null);
        Assert.Contains(paused.Tags, tag => tag.Name == "option" && tag["value"] == "keep");
        using var bad = await PostAsync(browser, preferences + "&handler=Change", mine, new("language", "en"), new("quiet", "on"), new("from", "23:00"), new("until", "23:00"));
        Assert.Contains(Good(await bad.Content.ReadAsStringAsync(Cancel)).Tags, tag => tag["id"] == "problem-quiet" && tag["role"] == "alert");

        // Left: as a mail program does it, without cookies.
        using var program = host.Browser();
        using (var look = await program.GetAsync(unsubscribe, Cancel))
        {
            Assert.Contains("Braga", Good(await look.Content.ReadAsStringAsync(Cancel)).Text, StringComparison.Ordinal);
        }

        using HttpClient bare = new(host.App.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>() is Microsoft.AspNetCore.TestHost.TestServer server ? server.CreateHandler() : null!) { BaseAddress = new("http://localhost") };
        using var nothing = await bare.PostAsync(unsubscribe, new FormUrlEncodedContent([new("List-Unsubscribe", "Yes")]), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, nothing.StatusCode);
        Assert.Contains("maria@example.org", await Text(browser, preferences), StringComparison.Ordinal);
        for (var click = 0; click < 2; click++)
        {
            using var done = await bare.PostAsync(unsubscribe, new FormUrlEncodedContent([new("List-Unsubscribe", "One-Click")]), Cancel);
            Assert.Equal(HttpStatusCode.OK, done.StatusCode);
            Good(await done.Content.ReadAsStringAsync(Cancel));
        }

        Good(await Text(browser, unsubscribe));
        Assert.DoesNotContain("maria@example.org", Good(await Text(browser, preferences)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_is_asked_for_by_address_and_everything_is_deleted()
    {
        using var browser = host.Browser();
        var preferences = await SignedUpAsync(browser, "maria@example.org");
        var form = Good(await Text(browser, "/subscriptions"));
        foreach (var address in new[] { "nobody@example.org", "maria@example.org" })
        {
            using var asked = await PostAsync(browser, "/subscriptions?handler=Link", form, new KeyValuePair<string, string>("email", address));
            Assert.Equal("/subscriptions?done=sent", asked.Headers.Location?.OriginalString);
        }

        Good(await Text(browser, "/subscriptions?done=sent"));
        var link = LinkOf(await MailAsync("/subscriptions"), "/subscriptions");
        var mine = Good(await Text(browser, link));
        var edit = mine.Tags.Single(tag => tag["href"]?.Contains("&edit=", StringComparison.Ordinal) == true)["href"]!.Split('#')[0];
        var fields = Good(await Text(browser, edit));
        foreach (var value in new[] { "braga/avenida-central", "2000", "property:pm2_5" })
        {
            Assert.Contains(fields.Tags, tag => tag.Name == "option" && tag["value"] == value && tag["selected"] is not null);
        }

        // A mistake is told at its field; what holds for another municipality is moved there, with another link.
        var id = fields.Tags.First(tag => tag["name"] == "subscription")["value"]!;
        using var bad = await PostAsync(browser, link + "&handler=Subscription", fields, new("subscription", id), new("place", "evora"), new("what", "rule:pm25-alto"), new("level", "3"));
        Assert.Contains(Good(await bad.Content.ReadAsStringAsync(Cancel)).Tags, tag => tag["id"] == "problem-what");
        using var changed = await PostAsync(browser, link + "&handler=Subscription", fields, new("subscription", id), new("place", "evora"), new("level", "3"));
        link = changed.Headers.Location!.OriginalString.Replace("done=changed&", "", StringComparison.Ordinal);
        mine = Good(await Text(browser, link));
        Assert.Contains("Todo o município de Évora", mine.Text, StringComparison.Ordinal);
        Assert.Contains("Só alertas, o mais grave", mine.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("maria@example.org", await Text(browser, preferences), StringComparison.Ordinal);
        using var unsure = await PostAsync(browser, link + "&handler=Forget", mine);
        Assert.Contains(Good(await unsure.Content.ReadAsStringAsync(Cancel)).Tags, tag => tag["id"] == "problem-sure");
        using var forgotten = await PostAsync(browser, link + "&handler=Forget", mine, new KeyValuePair<string, string>("sure", "on"));
        Assert.Equal("/subscriptions?done=forgotten", forgotten.Headers.Location?.OriginalString);
        Good(await Text(browser, "/subscriptions?done=forgotten"));
        Assert.DoesNotContain("maria@example.org", await Text(browser, preferences), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mistake_is_told_at_its_field_and_nothing_typed_is_lost()
    {
        using var browser = host.Browser();
        var how = Good(await Text(browser, "/subscribe?place=braga&step=3"));
        using var bad = await PostAsync(browser, "/subscribe", how, new("place", "braga"), new("level", "2"), new("email", "nobody"), new("language", "pt"), new("quiet", "on"), new("from", "23:15"), new("until", "06:30"));
        var page = Good(await bad.Content.ReadAsStringAsync(Cancel));
        Assert.Contains(page.Tags, tag => tag["id"] == "email" && tag["value"] == "nobody" && tag["aria-describedby"] == "problem-email" && tag["aria-invalid"] == "true");
        Assert.Contains(page.Tags, tag => tag["id"] == "from" && tag["value"] == "23:15");
        Assert.Contains(page.Tags, tag => tag["aria-current"] == "step");
        foreach (var (address, problem) in new[]
        {
            ("/subscribe?place=atlantis&step=2", "problem-place"), ("/subscribe?place=braga%2Foficina&step=3", "problem-place"), ("/subscribe?place=braga&what=rule%3Anone&step=3", "problem-what"),
            ("/subscribe?place=braga&level=9&step=3", "problem-level"), ("/subscribe?place=braga&latitude=95&longitude=1&step=2", "problem-point"), ("/subscribe?place=braga%2Fse&radius=7&step=2", "problem-radius"),
        })
        {
            Assert.Contains(Good(await Text(browser, address)).Tags, tag => tag["id"] == problem);
        }

        Assert.Contains("41,55", Good(await Text(browser, "/subscribe?place=braga&latitude=41,55&longitude=-8.42&step=2")).Text, StringComparison.Ordinal);
        Assert.Null(Good(await Text(browser, "/subscribe?place=braga&step=3&email=x@example.org&Problems[email]=x")).Tags.Single(tag => tag["id"] == "email")["aria-invalid"]);
        Assert.Null(Good(await Text(browser, "/subscribe?place=braga&step=3&email=x@example.org")).Tags.Single(tag => tag["id"] == "email")["value"]);
    }

    [Fact]
    public async Task Programs_and_forgers_get_nowhere()
    {
        using var browser = host.Browser();
        var how = Good(await Text(browser, "/subscribe?place=braga&step=3"));
        using var trapped = await PostAsync(browser, "/subscribe", how, [.. Fields("robot@example.org", "pt"), new("website", "http://spam.example")]);
        Assert.Equal("/subscribe?step=sent", trapped.Headers.Location?.OriginalString);
        using var forged = await browser.PostAsync("/subscribe", new FormUrlEncodedContent(Fields("forged@example.org", "pt")), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, forged.StatusCode);
        foreach (var path in new[] { "/subscribe/confirm", "/subscribe/confirm?t=nonsense", "/unsubscribe", "/unsubscribe?t=nonsense", "/subscriptions?t=nonsense" })
        {
            using var answer = await browser.GetAsync(path, Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Good(await answer.Content.ReadAsStringAsync(Cancel));
            Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
            Assert.True(answer.Headers.CacheControl?.NoStore);
        }

        for (var time = 0; time < 10; time++)
        {
            using var more = await PostAsync(browser, "/subscribe", how, Fields($"p{time}@example.org", "pt"));
            Assert.Equal(HttpStatusCode.Redirect, more.StatusCode);
        }

        using var busy = await PostAsync(browser, "/subscribe", how, Fields("q@example.org", "pt"));
        Assert.Equal(HttpStatusCode.TooManyRequests, busy.StatusCode);
        Good(await busy.Content.ReadAsStringAsync(Cancel));
        await Eventually.TrueAsync(() => Mails().Count == 10, "ten mails are out");
        Assert.DoesNotContain(Mails(), mail => mail.Contains("robot", StringComparison.Ordinal) || mail.Contains("forged", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_it_is_not_offered_the_pages_say_so_and_nothing_leads_there()
    {
        await using var bare = await PortalHost.StartAsync(new(Noon), clock);
        using var browser = bare.Browser();
        foreach (var path in new[] { "/subscribe", "/subscribe?place=braga&step=3", "/subscriptions" })
        {
            var page = Good(await Text(browser, path));
            Assert.Contains("não oferece alertas", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain(page.Tags, tag => tag.Name == "form");
        }

        Good(await Text(browser, "/unsubscribe?t=x"));
        Good(await Text(browser, "/subscribe/confirm?t=x"));
        foreach (var path in new[] { "/", "/m/braga", "/stations/braga/se" })
        {
            Assert.DoesNotContain("/subscribe", await Text(browser, path), StringComparison.Ordinal);
        }
    }

    private static KeyValuePair<string, string>[] Fields(string email, string language) =>
        [new("place", "braga/avenida-central"), new("radius", "2000"), new("what", "property:pm2_5"), new("level", "1"), new("email", email), new("language", language)];

    private static AlarmMessage Message() => new(
        "a:started:1", NotificationKind.Started, "a", "braga", "Braga", "avenida-central", "Avenida Central", "pm25-alto", "Partículas finas elevadas", "High fine particles", Severity.Warning, "pm2_5", "µg/m³",
        31, 25, Noon.AddMinutes(-10), Noon, null, 31, "Europe/Lisbon") { Latitude = 41.5518, Longitude = -8.4220, Public = true };

    private async Task<string> SignedUpAsync(HttpClient browser, string email)
    {
        using var sent = await PostAsync(browser, "/subscribe", Good(await Text(browser, "/subscribe?place=braga&step=3")), Fields(email, "pt"));
        var confirm = LinkOf(await MailAsync("/subscribe/confirm"), "/subscribe/confirm");
        using var confirmed = await PostAsync(browser, confirm, Good(await Text(browser, confirm)));
        return confirmed.Headers.Location!.OriginalString;
    }

    private List<string> Mails() => Directory.Exists(folder.File("mail")) ? [.. Directory.GetFiles(folder.File("mail"), "*.eml").Select(file => MimeKit.MimeMessage.Load(file).To + "\n" + MimeKit.MimeMessage.Load(file).TextBody)] : [];

    private async Task<string> MailAsync(string path)
    {
        await Eventually.TrueAsync(() => Mails().Any(mail => mail.Contains(path + "?t=", StringComparison.Ordinal)), $"a mail with a link to {path} is there");
        return Mails().First(mail => mail.Contains(path + "?t=", StringComparison.Ordinal));
    }

    private static string LinkOf(string mail, string path) => Link().Matches(mail).First(match => match.Groups["path"].Value == path).Groups["address"].Value;

    private static Html Good(string text)
    {
        var html = Html.Read(text);
        Assert.Empty(html.Faults);
        return html;
    }

    private static async Task<string> Text(HttpClient browser, string path)
    {
        using var answer = await browser.GetAsync(path, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Cancel);
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient browser, string path, Html page, params KeyValuePair<string, string>[] fields)
    {
        var token = page.Tags.First(tag => tag["name"] == "__RequestVerificationToken")["value"]!;
        using FormUrlEncodedContent content = new([.. fields, new("__RequestVerificationToken", token)]);
        return await browser.PostAsync(path, content, Cancel);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [GeneratedRegex(@"https://hub\.example\.org(?<address>(?<path>/[a-z/]+)\?t=[A-Za-z0-9_-]+)")]
    private static partial Regex Link();
}
