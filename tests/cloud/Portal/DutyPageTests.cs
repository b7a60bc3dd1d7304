using System.Net;
using System.Text.Json;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal.Tests.World;
using Hub.Tests.Kit;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>The duty roster and the delivery log on pages, over the real book and outbox; by forms alone.</summary>
public sealed class DutyPageTests : IAsyncLifetime
{
    private const string Page = "/duty?municipality=braga";

    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);

    private readonly FakeTimeProvider clock = new(new(Noon));
    private readonly TempFolder folder = new();
    private PortalHost host = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IDuty Duty => host.App.Services.GetRequiredService<IDuty>();

    private INotifications Notifications => host.App.Services.GetRequiredService<INotifications>();

    public async ValueTask InitializeAsync() => host = await PortalHost.StartAsync(new(Noon), clock, signUpFolder: folder.Path);

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        SqliteConnection.ClearAllPools();
        folder.Dispose();
    }

    [Fact]
    public async Task An_operator_makes_a_roster_with_people_who_were_not_known_and_sees_who_is_called()
    {
        using var browser = await SignedInAsync();
        Assert.Contains("/duty?municipality=braga", await browser.GetStringAsync("/alarms?municipality=braga", Cancel), StringComparison.Ordinal);
        Assert.Contains("/duty?municipality=braga", await browser.GetStringAsync("/rules?municipality=braga", Cancel), StringComparison.Ordinal);
        var page = await GetAsync(browser, Page);
        Assert.Contains("Não há escala", page.Text, StringComparison.Ordinal);

        // Somebody is added; what is typed of the roster stays.
        page = await PostedAsync(browser, Page + "&handler=Person", page, HttpStatusCode.OK, ("severity", "2"), ("repeat", "3"), ("steps[0].minutes", "0"), ("channel", "Mail"), ("target", "ana@cm-braga.pt"));
        Assert.Contains(page.Tags, tag => tag.Name == "option" && tag["value"] == "3" && tag["selected"] is not null);
        page = await PostedAsync(browser, Page + "&handler=Person", page, HttpStatusCode.OK, ("severity", "2"), ("channel", "Mail"), ("target", "bruno@cm-braga.pt"));
        var known = await Notifications.SubscribersAsync("braga", Cancel);
        Assert.Equal(["ana@cm-braga.pt", "bruno@cm-braga.pt"], known.Select(one => one.Target));
        Assert.All(known, one => Assert.Equal(Severity.Warning, one.SeverityMin));

        // All operators at once: no address is needed, and the roster says how many they are now.
        page = await PostedAsync(browser, Page + "&handler=Person", page, HttpStatusCode.OK, ("severity", "2"), ("channel", "Operator"), ("target", "left@there.pt"));
        Assert.Contains(page.Tags, tag => tag.Name == "option" && tag["value"] == "3" && tag["selected"] is null);
        Assert.Contains((await PostedAsync(browser, Page + "&handler=Person", page, HttpStatusCode.BadRequest, ("channel", "Operator"))).Tags, tag => tag["id"] == "problem-target");
        var roles = Assert.Single(await Notifications.SubscribersAsync("braga", Cancel), one => one.Role == StaffRole.Operator);
        await Duty.SaveAsync(new DutyRoster("braga", Severity.Warning, [new DutyStep(TimeSpan.Zero, [new DutyEntry(roles.Id, "")])]), Cancel);
        var shown = (await GetAsync(browser, Page)).Text;
        Assert.Contains("E-mail a todos os operadores do município", shown, StringComparison.Ordinal);
        Assert.Contains("1 pessoa agora", shown, StringComparison.Ordinal);
        Assert.Contains("não avisados: braga.", shown, StringComparison.Ordinal);
        await Duty.RemoveAsync("braga", Cancel);
        await Notifications.RemoveAsync(roles.Id, Cancel);
        page = await GetAsync(browser, Page);

        // Another row, and another step, without losing anything.
        page = await PostedAsync(browser, Page + "&handler=Row", page, HttpStatusCode.OK, ("severity", "2"), ("repeat", "3"), ("steps[0].minutes", "0"), ("steps[0].people[0].subscriber", "1"), ("add", "0"));
        Assert.Contains(page.Tags, tag => tag["name"] == "steps[0].people[1].subscriber");
        page = await PostedAsync(browser, Page + "&handler=Row", page, HttpStatusCode.OK, ("severity", "2"), ("repeat", "3"), ("steps[0].minutes", "0"), ("steps[0].people[0].subscriber", "1"), ("add", "step"));
        Assert.Contains(page.Tags, tag => tag["name"] == "steps[1].minutes");
        Assert.Contains(page.Tags, tag => tag.Name == "option" && tag["value"] == "1" && tag["selected"] is not null);

        // Steps in the order of their minutes; empty rows are none. It is noon: the second is at work, the first is not.
        await SavedAsync(
            browser, page, ("severity", "2"), ("repeat", "3"), ("version", ""), ("steps[0].minutes", "15"), ("steps[0].people[0].subscriber", "2"), ("steps[0].people[0].schedule", "mo-fr 08:00-18:30"),
            ("steps[1].minutes", "0"), ("steps[1].people[0].subscriber", "1"), ("steps[1].people[0].schedule", "night"), ("steps[1].people[1].subscriber", ""), ("steps[2].minutes", ""));
        var roster = (await Duty.FindAsync("braga", Cancel))!;
        Assert.Equal((3, Severity.Warning), (roster.RepeatCount, roster.SeverityMin));
        Assert.Equal([(0.0, 1, "night"), (15.0, 2, "mo-fr 08:00-18:30")], roster.Steps.Select(step => (step.After.TotalMinutes, step.Entries[0].Subscriber, step.Entries[0].Schedule)));
        page = await GetAsync(browser, Page + "&done=saved");
        foreach (var text in new[] { "A escala ficou guardada", "Depois de 15 min sem ser reconhecido", "seg–sex 08:00–18:30", "é chamado primeiro agora", "agora não está de serviço", "Repete-se até 3", "Nenhuma chamada em curso" })
        {
            Assert.Contains(text, WebUtility.HtmlDecode(page.Text), StringComparison.OrdinalIgnoreCase);
        }

        var notes = host.Audit.Notes;
        Assert.Equal(["subscriber-added", "subscriber-added", "subscriber-added", "duty-saved"], notes.Select(note => note.Action));
        Assert.Equal("""{"severityMin":"warning","steps":[{"afterMinutes":0,"onDuty":[{"subscriber":1,"schedule":"night"}]},{"afterMinutes":15,"onDuty":[{"subscriber":2,"schedule":"mo-fr 08:00-18:30"}]}],"repeatCount":3}""", notes[3].Details);
        Assert.DoesNotContain("ana@cm-braga.pt", notes[0].Details, StringComparison.Ordinal);
        Assert.Equal(("braga", "braga", "a***@cm-braga.pt"), (notes[0].Municipality, notes[0].By, JsonElement.Parse(notes[0].Details).GetProperty("target").GetString()));

        // Nobody in the evening: that is said.
        clock.SetUtcNow(new(Noon.AddHours(8)));
        Assert.Contains("ninguém da escala está de serviço", (await GetAsync(browser, Page)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost()
    {
        await Notifications.SaveAsync(new Subscriber(0, "braga", ChannelKind.Mail, "ana@cm-braga.pt", "pt", null, Severity.Information, ""), Cancel);
        using var browser = await SignedInAsync("en");
        var page = await GetAsync(browser, Page);
        foreach (var (field, fields) in new (string, (string, string)[])[]
        {
            ("step-0-minutes", [("steps[0].minutes", "5"), ("steps[0].people[0].subscriber", "1")]),
            ("step-0-minutes", [("steps[0].minutes", "soon"), ("steps[0].people[0].subscriber", "1")]),
            ("step-1-minutes", [("steps[0].minutes", "0"), ("steps[0].people[0].subscriber", "1"), ("steps[1].minutes", "0"), ("steps[1].people[0].subscriber", "1")]),
            ("step-0-person-0", [("steps[0].minutes", "0")]),
            ("step-0-person-0", [("steps[0].minutes", "0"), ("steps[0].people[0].subscriber", "99")]),
            ("step-1-person-0", [("steps[0].minutes", "10"), ("steps[0].people[0].subscriber", "1"), ("steps[1].minutes", "0"), ("steps[1].people[0].subscriber", "99")]),
            ("step-0-schedule-1", [("steps[0].minutes", "0"), ("steps[0].people[0].subscriber", ""), ("steps[0].people[1].subscriber", "1"), ("steps[0].people[1].schedule", "when it suits")]),
            ("repeat", [("steps[0].minutes", "0"), ("steps[0].people[0].subscriber", "1"), ("repeat", "11")]),
            ("severity", [("steps[0].minutes", "0"), ("steps[0].people[0].subscriber", "1"), ("severity", "7")]),
            ("step-0-minutes", []),
        })
        {
            var sent = fields.Any(one => one.Item1 == "severity") ? fields : [.. fields, ("severity", "3")];
            var shown = await PostedAsync(browser, Page + "&handler=Save", page, HttpStatusCode.BadRequest, sent);
            Assert.Equal("true", shown.Tags.Single(tag => tag["id"] == field)["aria-invalid"]);
            Assert.Contains(shown.Tags, tag => tag["id"] == "problem-" + field);
            Assert.Contains(shown.Tags, tag => tag["href"] == "#" + field);
            foreach (var (name, value) in fields.Where(one => one.Item1.EndsWith("minutes", StringComparison.Ordinal)))
            {
                Assert.Equal(value, shown.Tags.Single(tag => tag["name"] == name)["value"]);
            }
        }

        foreach (var (target, field) in new[] { ("nobody", "target"), ("ana@cm-braga.pt", "target") })
        {
            Assert.Contains((await PostedAsync(browser, Page + "&handler=Person", page, HttpStatusCode.BadRequest, ("channel", "Mail"), ("target", target))).Tags, tag => tag["id"] == "problem-" + field);
        }

        Assert.Contains((await PostedAsync(browser, Page + "&handler=Person", page, HttpStatusCode.BadRequest, ("channel", "Sms"), ("target", "+351912345678"))).Tags, tag => tag["id"] == "problem-channel");
        Assert.Null(await Duty.FindAsync("braga", Cancel));
        Assert.Empty(host.Audit.Notes);
    }

    [Fact]
    public async Task What_somebody_else_saved_meanwhile_is_not_lost_and_a_roster_is_removed_when_that_is_sure()
    {
        var ana = await Notifications.SaveAsync(new Subscriber(0, "braga", ChannelKind.Mail, "ana@cm-braga.pt", "pt", null, Severity.Information, ""), Cancel);
        var roster = new DutyRoster("braga", Severity.Alert, [new DutyStep(TimeSpan.Zero, [new DutyEntry(ana.Id, "")])]);
        await Duty.SaveAsync(roster, Cancel);
        using var browser = await SignedInAsync();
        var page = await GetAsync(browser, Page);
        var version = page.Tags.Single(tag => tag["name"] == "version")["value"]!;
        await Duty.SaveAsync(roster with { RepeatCount = 4 }, Cancel);
        (string, string)[] mine = [("severity", "2"), ("repeat", "0"), ("steps[0].minutes", "0"), ("steps[0].people[0].subscriber", "1")];
        var shown = await PostedAsync(browser, Page + "&handler=Save", page, HttpStatusCode.OK, [.. mine, ("version", version)]);
        Assert.Contains("Outra pessoa mudou a escala entretanto", shown.Text, StringComparison.Ordinal);
        Assert.Contains("Repete-se até 4", shown.Text, StringComparison.Ordinal);
        Assert.Equal(4, (await Duty.FindAsync("braga", Cancel))!.RepeatCount);
        await SavedAsync(browser, shown, [.. mine, ("version", shown.Tags.Single(tag => tag["name"] == "version")["value"]!)]);
        Assert.Equal(0, (await Duty.FindAsync("braga", Cancel))!.RepeatCount);

        Assert.Contains((await PostedAsync(browser, Page + "&handler=Remove", page, HttpStatusCode.BadRequest)).Tags, tag => tag["id"] == "problem-sure");
        using (var removed = await browser.PostAsync(Page + "&handler=Remove", Form(page, ("sure", "on")), Cancel))
        {
            Assert.Equal(HttpStatusCode.Redirect, removed.StatusCode);
        }

        Assert.Null(await Duty.FindAsync("braga", Cancel));
        Assert.Equal(["duty-saved", "duty-removed"], host.Audit.Notes.Select(note => note.Action));
    }

    [Fact]
    public async Task Calls_that_run_and_those_that_are_over_are_shown_with_who_was_called()
    {
        var ana = await Notifications.SaveAsync(new Subscriber(0, "braga", ChannelKind.Mail, "ana@cm-braga.pt", "pt", null, Severity.Information, ""), Cancel);
        await Duty.SaveAsync(new DutyRoster("braga", Severity.Warning, [new(TimeSpan.Zero, [new(ana.Id, "")]), new(TimeSpan.FromMinutes(10), [new(ana.Id, "")])]), Cancel);
        await Notifications.EnqueueAsync(Message("a1:started:1"), Cancel);
        await Eventually.TrueAsync(async () => (await Notifications.LogAsync("braga", 10, Cancel)).All(one => one.State == "delivered"), "the mail is out");
        using var browser = await SignedInAsync();
        var page = await GetAsync(browser, Page);
        foreach (var text in new[] { "Partículas finas elevadas", "Passo 2 é chamado 23/11, 12:10", "12:00 · E-mail a***@cm-braga.pt · Entregue" })
        {
            Assert.Contains(text, page.Text, StringComparison.Ordinal);
        }

        Assert.Contains(page.Tags, tag => tag["href"] == "/alarms/a1");
        await Notifications.EnqueueAsync(Message("a1:acknowledged") with { Kind = NotificationKind.Acknowledged, By = "carla" }, Cancel);
        page = await GetAsync(browser, Page);
        Assert.Contains("Nenhuma chamada em curso", page.Text, StringComparison.Ordinal);
        Assert.Contains("Reconhecido por carla", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_delivery_log_is_seen_by_state_and_what_is_dead_is_sent_again()
    {
        await Notifications.SaveAsync(new Subscriber(0, "braga", ChannelKind.Mail, "ana@cm-braga.pt", "pt", null, Severity.Information, ""), Cancel);
        await Notifications.EnqueueAsync(Message("a1:started:1"), Cancel);
        await Eventually.TrueAsync(async () => (await Notifications.LogAsync("braga", 10, Cancel)).All(one => one.State == "delivered"), "the mail is out");
        await using (var db = Hub.Tests.Kit.PostgreSql.OnPostgreSql.Connection($"Data Source={folder.File("hub.db")}"))
        {
            await db.OpenAsync(Cancel);
            await using var command = db.CreateCommand();
            command.CommandText = "UPDATE notifications_deliveries SET \"State\" = 3, \"Answer\" = '550 <nobody>'";
            await command.ExecuteNonQueryAsync(Cancel);
        }

        using var browser = await SignedInAsync();
        Assert.Contains("Nenhuma mensagem neste estado", (await GetAsync(browser, "/deliveries?municipality=braga&state=waiting")).Text, StringComparison.Ordinal);
        var page = await GetAsync(browser, "/deliveries?municipality=braga&state=dead");
        foreach (var text in new[] { "a***@cm-braga.pt", "Perdida", "550 &lt;nobody&gt;", "a1:started:1" })
        {
            Assert.Contains(text, page.Text, StringComparison.Ordinal);
        }

        using (var sent = await browser.PostAsync("/deliveries?municipality=braga&state=dead&handler=Resend", Form(page, ("delivery", "1")), Cancel))
        {
            Assert.Equal("/deliveries?municipality=braga&state=dead&sent=1#done", sent.Headers.Location?.OriginalString);
        }

        await Eventually.TrueAsync(async () => (await Notifications.FindAsync(1, Cancel))!.State == "delivered", "it arrives");
        Assert.Contains("Vai de novo para a***@cm-braga.pt", (await GetAsync(browser, "/deliveries?municipality=braga&sent=1")).Text, StringComparison.Ordinal);
        var refused = await PostedAsync(browser, "/deliveries?municipality=braga&handler=Resend", page, HttpStatusCode.Conflict, ("delivery", "1"));
        Assert.Contains("only a dead one is sent again", refused.Text, StringComparison.Ordinal);
        Assert.Equal("notification-resend", host.Audit.Notes[0].Action);
    }

    [Fact]
    public async Task For_anybody_else_there_are_no_such_pages()
    {
        await Notifications.SaveAsync(new Subscriber(0, "evora", ChannelKind.Mail, "ivo@cm-evora.pt", "pt", null, Severity.Information, ""), Cancel);
        await Notifications.EnqueueAsync(Message("e1:started:1") with { Municipality = "evora", Alarm = "e1" }, Cancel);
        using var stranger = host.Browser();
        using var browser = await SignedInAsync();
        foreach (var (who, path) in new[] { (stranger, Page), (stranger, "/duty"), (stranger, "/deliveries"), (browser, "/duty?municipality=evora"), (browser, "/deliveries?municipality=evora"), (browser, "/duty?municipality=nowhere") })
        {
            using var answer = await who.GetAsync(path, Cancel);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }

        var mine = await GetAsync(browser, Page);
        foreach (var path in new[] { "/duty?municipality=evora&handler=Save", "/duty?municipality=evora&handler=Person", "/duty?municipality=evora&handler=Remove", "/deliveries?municipality=evora&handler=Resend", "/deliveries?municipality=braga&handler=Resend" })
        {
            using var answer = await browser.PostAsync(path, Form(mine, ("delivery", "1"), ("sure", "on"), ("target", "x@example.org")), Cancel);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }

        Assert.DoesNotContain("\"/duty", await stranger.GetStringAsync("/alarms", Cancel), StringComparison.Ordinal);
        Assert.Empty(host.Audit.Notes);
    }

    private static AlarmMessage Message(string key) => new(
        key, NotificationKind.Started, "a1", "braga", "Braga", "avenida-central", "Avenida Central", "pm25-alto", "Partículas finas elevadas", "High fine particles", Severity.Alert, "pm2_5", "µg/m³",
        31, 25, Noon.AddMinutes(-10), Noon, null, 31, "Europe/Lisbon");

    private async Task<HttpClient> SignedInAsync(string language = "pt-PT")
    {
        var browser = host.Browser(language);
        using var answer = await browser.PostAsync("/login", Form(Html.Read(await browser.GetStringAsync("/login", Cancel)), ("name", "braga"), ("password", "right"), ("back", "/")), Cancel);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return browser;
    }

    private static async Task<Html> GetAsync(HttpClient browser, string path)
    {
        var html = Html.Read(await browser.GetStringAsync(path, Cancel));
        Assert.Empty(html.Faults);
        return html;
    }

    private static async Task<Html> PostedAsync(HttpClient browser, string path, Html page, HttpStatusCode status, params (string, string)[] fields)
    {
        using var answer = await browser.PostAsync(path, Form(page, fields), Cancel);
        Assert.Equal(status, answer.StatusCode);
        var html = Html.Read(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Empty(html.Faults);
        return html;
    }

    private static async Task SavedAsync(HttpClient browser, Html page, params (string, string)[] fields)
    {
        using var answer = await browser.PostAsync(Page + "&handler=Save", Form(page, fields), Cancel);
        Assert.Equal((HttpStatusCode.Redirect, Page + "&done=saved#done"), (answer.StatusCode, answer.Headers.Location?.OriginalString));
    }

    private static FormUrlEncodedContent Form(Html page, params (string Name, string Value)[] fields) =>
        new([.. fields.Select(f => KeyValuePair.Create(f.Name, f.Value)), new("__RequestVerificationToken", page.Tags.First(tag => tag["name"] == "__RequestVerificationToken")["value"]!)]);
}
