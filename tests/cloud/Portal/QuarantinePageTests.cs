using System.Net;
using System.Text;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The page of the quarantine: for operators, by forms alone; and how bytes from outside are shown.</summary>
public sealed class QuarantinePageTests
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_refused_is_shown_by_station_and_reason_and_obeyed_nowhere()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var all = await ReadAsync(browser, "/quarantine?municipality=braga");
        Assert.Contains("Avenida Central: Unidade errada", all.Text, StringComparison.Ordinal);
        Assert.Contains("24 (chegaram 26 vezes)", all.Text, StringComparison.Ordinal);
        Assert.Contains("Esta estação não está registada", all.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("ppb", all.Text, StringComparison.Ordinal);
        Assert.Contains("href=\"/quarantine?municipality=braga\"", await browser.GetStringAsync("/fleet?municipality=braga", Cancel), StringComparison.Ordinal);

        using var english = await SignedInAsync(host, "en");
        var one = await ReadAsync(english, "/quarantine?municipality=braga&station=avenida-central&reason=malformed");
        Assert.Contains("[{&quot;n&quot;: \\u{202e}evil&lt;/code&gt;&lt;script&gt;", one.Text, StringComparison.Ordinal);
        var bytes = await ReadAsync(english, "/quarantine?municipality=braga&station=nobody");
        Assert.Contains("0000  01 00 ff 3c 73 63", bytes.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>alert", one.Text + bytes.Text, StringComparison.Ordinal);

        // Page after page.
        var first = await ReadAsync(english, "/quarantine?municipality=braga&reason=unit");
        Assert.Contains("before=5\"", first.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(">Older<", (await ReadAsync(english, "/quarantine?municipality=braga&reason=unit&before=5")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Releasing_says_what_was_taken_and_what_was_not_and_goes_on_where_it_stopped()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host, "en");
        const string address = "/quarantine?municipality=braga&station=avenida-central&reason=unit";
        var page = await browser.GetStringAsync(address, Cancel);
        using var answer = await browser.PostAsync(address, Form(page, ("act", "release"), ("upTo", "24")), Cancel);
        var html = Html.Read(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Empty(html.Faults);
        foreach (var text in new[] { "7 of 10 records released", "Values stored: 7; there already: 0; refused again: 3.", "Wrong unit: 3", "Go on with the 14 that are left" })
        {
            Assert.Contains(text, html.Text, StringComparison.Ordinal);
        }

        Assert.Contains(html.Tags, tag => tag["name"] == "after" && tag["value"] == "10");
        Assert.Equal(["release braga avenida-central Unit 0 24"], host.Quarantine.Asked);
        Assert.Equal(("quarantine-released", "station avenida-central", "braga"), host.Audit.Notes.Select(note => (note.Action, note.Subject, note.By)).Single());

        host.Quarantine.AwayAfter = 2;
        using var stopped = await browser.PostAsync(address, Form(page, ("act", "release"), ("upTo", "24"), ("after", "10")), Cancel);
        Assert.Contains("The release stopped half-way; nothing is lost.", await stopped.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Discarding_asks_first_and_takes_only_what_was_there_when_it_asked()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host, "en");
        const string address = "/quarantine?municipality=braga&reason=unit";
        var asks = await ReadAsync(browser, address + "&ask=discard");
        Assert.Contains("Discard 24 records?", asks.Text, StringComparison.Ordinal);
        Assert.Contains(asks.Tags, tag => tag["name"] == "upTo" && tag["value"] == "24");
        host.Quarantine.Away = true;
        using var away = await browser.PostAsync(address, Form(asks.Text, ("act", "discard"), ("upTo", "24")), Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
        Assert.Contains("Everything is still in quarantine", await away.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        host.Quarantine.Away = false;
        using var single = await browser.PostAsync(address, Form(asks.Text, ("act", "discard"), ("entry", "7")), Cancel);
        Assert.Contains("1 record discarded.", await single.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        using var rest = await browser.PostAsync(address, Form(asks.Text, ("act", "discard"), ("upTo", "20")), Cancel);
        Assert.Contains("19 records discarded.", await rest.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal([21, 22, 23, 24, 30, 31, 40], host.Quarantine.Ids);
        Assert.Equal(["discard braga   6 7", "discard braga  Unit 0 20"], host.Quarantine.Asked);

        // What is gone already is said; nothing else is taken in its place.
        using var again = await browser.PostAsync(address, Form(asks.Text, ("act", "discard"), ("entry", "7")), Cancel);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        using var nothing = await browser.PostAsync(address, Form(asks.Text, ("act", "burn"), ("upTo", "24")), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, nothing.StatusCode);
        Assert.Equal(2, host.Quarantine.Asked.Count);
    }

    [Fact]
    public async Task For_anybody_else_there_is_no_such_page_and_nothing_of_another_municipality_is_touched()
    {
        await using var host = await StartAsync();
        using var stranger = host.Browser();
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync("/quarantine?municipality=braga", Cancel)).StatusCode);
        using var browser = await SignedInAsync(host);
        var page = await browser.GetStringAsync("/quarantine", Cancel);
        Assert.DoesNotContain("giraldo", page, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/quarantine?municipality=evora", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.GetAsync("/quarantine?municipality=braga&ask=discard&entry=40", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync("/quarantine?municipality=braga&reason=mood", Cancel)).StatusCode);
        using var theirs = await browser.PostAsync("/quarantine?municipality=braga", Form(page, ("act", "discard"), ("entry", "40")), Cancel);
        Assert.Equal(HttpStatusCode.Conflict, theirs.StatusCode);
        using var other = await browser.PostAsync("/quarantine?municipality=evora", Form(page, ("act", "discard"), ("upTo", "99")), Cancel);
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
        Assert.Empty(host.Quarantine.Asked);
    }

    [Theory]
    [InlineData("a\tb\n", "a\tb\n", false)]
    [InlineData("é\u202E\u200B\u0007\r", "é\\u{202e}\\u{200b}\\u{7}\\u{d}", false)]
    [InlineData("a\0b", "0000  61 00 62                                         a.b\n", true)]
    [InlineData("", "", false)]
    public void Bytes_are_shown_as_text_where_they_are_and_nothing_is_invisible(string bytes, string text, bool isHex)
    {
        var shown = PayloadText.Of(Encoding.UTF8.GetBytes(bytes));
        Assert.Equal((text, isHex), (shown.Text, shown.IsHex));
    }

    [Fact]
    public void What_is_shown_is_bounded_and_a_cut_character_is_no_reason_for_a_dump()
    {
        var text = PayloadText.Of(Encoding.UTF8.GetBytes(new string('x', PayloadText.TextBytesMax - 1) + "éé"));
        Assert.Equal((false, PayloadText.TextBytesMax - 1, PayloadText.TextBytesMax - 1), (text.IsHex, text.Shown, text.Text.Length));
        var dump = PayloadText.Of(new byte[100_000]);
        Assert.Equal((true, PayloadText.HexBytesMax), (dump.IsHex, dump.Shown));
    }

    private static async Task<Html> ReadAsync(HttpClient browser, string address)
    {
        var html = Html.Read(await browser.GetStringAsync(address, Cancel));
        Assert.Empty(html.Faults);
        return html;
    }

    private static Task<PortalHost> StartAsync() => PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));

    private static async Task<HttpClient> SignedInAsync(PortalHost host, string language = "pt-PT")
    {
        var browser = host.Browser(language);
        using var answer = await browser.PostAsync("/login", Form(await browser.GetStringAsync("/login", Cancel), ("name", "braga"), ("password", "right"), ("back", "/")), Cancel);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return browser;
    }

    private static FormUrlEncodedContent Form(string page, params (string Name, string Value)[] fields) =>
        new([.. fields.Select(f => KeyValuePair.Create(f.Name, f.Value)), new("__RequestVerificationToken", Html.Read(page).Tags.First(tag => tag["name"] == "__RequestVerificationToken")["value"]!)]);
}
