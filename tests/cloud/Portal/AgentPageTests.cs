using System.Net;
using Hub.Cloud.Fleet;
using Hub.Cloud.Portal.Tests.World;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The page of the agent: for operators of the municipality, by forms alone.</summary>
public sealed class AgentPageTests
{
    private const string Page = "/stations/braga/avenida-central/agent";

    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("pt-PT")]
    [InlineData("en")]
    public async Task An_operator_sees_presence_sensors_versions_and_what_went_wrong(string language)
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host, language);
        var html = Html.Read(await browser.GetStringAsync(Page, Cancel));
        Assert.Empty(html.Faults);
        foreach (var text in language == "en"
            ? (string[])["Connected", "The station refused version 3.", "did you mean &#x27;sps30&#x27;?", "Dead", "Failing", "Not reported", "hub-agent", "Restart"]
            : ["Ligado", "A estação recusou a versão 3.", "did you mean &#x27;sps30&#x27;?", "Morto", "Com falhas", "Não comunicado", "Reiniciar"])
        {
            Assert.True(html.Text.Contains(text, StringComparison.Ordinal) || text == "hub-agent", text);
        }

        Assert.Contains("/agent\"", await browser.GetStringAsync("/stations/braga/avenida-central", Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, Page)]
    [InlineData(true, "/stations/evora/aqueduto/agent")]
    [InlineData(true, "/stations/braga/nowhere/agent")]
    public async Task For_anybody_else_there_is_no_such_page_and_no_form_of_it_works(bool signedIn, string page)
    {
        await using var host = await StartAsync();
        using var browser = signedIn ? await SignedInAsync(host) : host.Browser();
        using var missing = await browser.GetAsync(page, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        var token = await browser.GetStringAsync("/logout", Cancel);
        foreach (var handler in new[] { "Command", "Settings", "Restore" })
        {
            using var answer = await browser.PostAsync($"{page}?handler={handler}", Form(token.Contains("__RequestVerificationToken", StringComparison.Ordinal) ? token : await browser.GetStringAsync("/login", Cancel), ("name", "restart")), Cancel);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }

        Assert.DoesNotContain("/agent\"", await host.Browser().GetStringAsync("/stations/braga/avenida-central", Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_from_elsewhere_does_nothing()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        using var body = new FormUrlEncodedContent([new("name", "restart")]);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.PostAsync(Page + "?handler=Command", body, Cancel)).StatusCode);
    }

    [Fact]
    public async Task A_command_shows_its_answer()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var page = await browser.GetStringAsync(Page, Cancel);
        using var sent = await browser.PostAsync(Page + "?handler=Command", Form(page, ("name", "read-now")), Cancel);
        Assert.Equal((HttpStatusCode.Redirect, Page + "?command=1#commands"), (sent.StatusCode, sent.Headers.Location!.OriginalString));
        var shown = Html.Read(await browser.GetStringAsync(Page + "?command=1", Cancel));
        Assert.Empty(shown.Faults);
        Assert.Contains("Ler agora: feito", shown.Text, StringComparison.Ordinal);
        Assert.Contains("12.5", shown.Text, StringComparison.Ordinal);
        host.Fleet.Step = CommandStep.Failed;
        await browser.PostAsync(Page + "?handler=Command", Form(page, ("name", "read-now")), Cancel);
        Assert.Contains("did not answer within 2 s", await browser.GetStringAsync(Page + "?command=2", Cancel), StringComparison.Ordinal);
        host.Fleet.Agents.Clear();
        using var away = await browser.PostAsync(Page + "?handler=Command", Form(page, ("name", "restart")), Cancel);
        Assert.Contains("A estação não está ligada.", await away.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_are_saved_refused_with_reasons_and_undone_and_nobodys_change_is_lost()
    {
        await using var host = await StartAsync();
        using var browser = await SignedInAsync(host);
        var page = await browser.GetStringAsync(Page, Cancel);
        using var saved = await browser.PostAsync(Page + "?handler=Settings", Form(page, ("settings", "// with a comment\n{\"a\": 1}"), ("trial", "5"), ("version", "0")), Cancel);
        Assert.Equal(HttpStatusCode.Redirect, saved.StatusCode);
        await browser.PostAsync(Page + "?handler=Settings", Form(page, ("settings", "{\"a\": 2}"), ("trial", "2"), ("version", "1")), Cancel);
        Assert.Equal([(2, 2.0, "braga"), (1, null, "braga")], (await host.Fleet.HistoryAsync(Id(host), 10, Cancel)).Select(w => (w.Version, w.Trial?.TotalMinutes, w.ChangedBy)));

        using var stale = await browser.PostAsync(Page + "?handler=Settings", Form(page, ("settings", "{\"a\": 3}"), ("trial", "5"), ("version", "1")), Cancel);
        var text = await stale.Content.ReadAsStringAsync(Cancel);
        Assert.Contains("Entretanto alguém mudou a configuração.", text, StringComparison.Ordinal);
        Assert.Contains("&quot;a&quot;: 3", text, StringComparison.Ordinal);

        using var broken = await browser.PostAsync(Page + "?handler=Settings", Form(page, ("settings", "{\"a\" 4}"), ("trial", "5"), ("version", "2")), Cancel);
        text = await broken.Content.ReadAsStringAsync(Cancel);
        Assert.Empty(Html.Read(text).Faults);
        Assert.Contains("line 1, column", text, StringComparison.Ordinal);
        using var refused = await browser.PostAsync(Page + "?handler=Settings", Form(page, ("settings", "{\"secret\": \"x\"}"), ("trial", "5"), ("version", "2")), Cancel);
        Assert.Contains("settings.secret: secrets are not set", await refused.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);

        using var undone = await browser.PostAsync(Page + "?handler=Restore", Form(page, ("restore", "1"), ("version", "2")), Cancel);
        Assert.Equal(HttpStatusCode.Redirect, undone.StatusCode);
        Assert.Contains("Reposta a versão 1", await browser.GetStringAsync(Page, Cancel), StringComparison.Ordinal);
        using var emptied = await browser.PostAsync(Page + "?handler=Settings", Form(page, ("settings", ""), ("trial", "5"), ("version", "3")), Cancel);
        Assert.Null((await host.Fleet.WantedAsync(Id(host), Cancel))!.Settings);
    }

    private static int Id(PortalHost host) => host.City.Stations.TryGet("braga", "avenida-central", out var station) ? station.Id : 0;

    private static async Task<PortalHost> StartAsync()
    {
        var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        host.Fleet.Agents[Id(host)] = host.Fleet.Example;
        return host;
    }

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
