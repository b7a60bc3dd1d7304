using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Notifications;

namespace Hub.Cloud.Api.Tests;

/// <summary>Operators' subscribers, over the real outbox.</summary>
public sealed class SubscriberTests
{
    private const string Address = "/api/v1/subscribers?municipality=braga";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_subscriber_is_made_changed_and_removed_and_that_is_on_record_masked()
    {
        await using var host = await StartAsync();
        using var client = host.Client("Operator@braga");
        var made = await SendAsync(client, HttpMethod.Post, Address, """{"channel":"mail","target":"ana@example.org","severityMin":"alert"}""", 201);
        var id = made.GetProperty("subscriber").GetInt32();
        Assert.Equal(
            "mail ana@example.org pt  alert False  ",
            string.Join(' ', new[] { "channel", "target", "language", "rule", "severityMin", "digest", "disabledBecause", "secret" }.Select(member => made.GetProperty(member).ToString())));
        var changed = await SendAsync(client, HttpMethod.Put, $"/api/v1/subscribers/{id}", """{"channel":"mail","target":"ana@example.org","language":"en","rule":"night-noise","digest":true}""", 200);
        Assert.Equal(("en", "night-noise", "information", true), (Text(changed, "language"), Text(changed, "rule"), Text(changed, "severityMin"), changed.GetProperty("digest").GetBoolean()));
        Assert.Equal(["ana@example.org"], ApiHost.Texts(await host.GetAsync(Address, "Operator@braga"), "target"));
        using (var gone = await client.DeleteAsync($"/api/v1/subscribers/{id}", Cancel))
        {
            Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        }

        Assert.Empty(ApiHost.Texts(await host.GetAsync(Address, "Operator@braga"), "target"));
        await ApiHost.ProblemAsync(await client.DeleteAsync($"/api/v1/subscribers/{id}", Cancel), 404, "unknown-subscriber");
        Assert.Equal(["subscriber-added", "subscriber-changed", "subscriber-removed"], host.Audit.Entries.Select(entry => entry.Note.Action));
        Assert.All(host.Audit.Entries, entry => Assert.Contains("a***@example.org", entry.Note.Details, StringComparison.Ordinal));
        Assert.All(host.Audit.Entries, entry => Assert.DoesNotContain("ana@", entry.Note.Details, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_secret_is_in_the_answer_that_makes_it_and_nowhere_else()
    {
        await using var host = await StartAsync();
        using var client = host.Client("Operator@braga");
        const string Body = """{"channel":"webhook","target":"https://hooks.example.org/a"}""";
        var made = await SendAsync(client, HttpMethod.Post, Address, Body, 201);
        var (id, first) = (made.GetProperty("subscriber").GetInt32(), Text(made, "secret")!);
        Assert.StartsWith("whsec_", first, StringComparison.Ordinal);
        Assert.Null(Text(await SendAsync(client, HttpMethod.Put, $"/api/v1/subscribers/{id}", Body, 200), "secret"));
        Assert.Equal(JsonValueKind.Null, (await host.GetAsync(Address, "Operator@braga")).GetProperty("items")[0].GetProperty("secret").ValueKind);

        var rotated = await SendAsync(client, HttpMethod.Post, $"/api/v1/subscribers/{id}/secret", """{"overlapSeconds":3600}""", 200);
        var second = Text(rotated, "secret")!;
        Assert.NotEqual(first, second);
        Assert.Equal(host.Time.GetUtcNow().UtcDateTime.AddHours(1), rotated.GetProperty("secretPreviousUntil").GetDateTime());
        var stored = (await host.Notifications.FindSubscriberAsync(id, Cancel))!;
        Assert.Equal((second, first), (stored.Secret, stored.SecretPrevious));
        var leaked = await SendAsync(client, HttpMethod.Post, $"/api/v1/subscribers/{id}/secret", """{"overlapSeconds":0}""", 200);
        Assert.Equal(JsonValueKind.Null, leaked.GetProperty("secretPreviousUntil").ValueKind);
        Assert.All(host.Audit.Entries, entry => Assert.DoesNotContain("whsec_", entry.Note.Details, StringComparison.Ordinal));
        Assert.Equal("subscriber-secret", host.Audit.Entries[^1].Note.Action);
    }

    [Fact]
    public async Task One_by_role_says_how_many_it_reaches_and_whom_it_cannot()
    {
        await using var host = await StartAsync();
        using var client = host.Client("Operator@braga");
        var made = await SendAsync(client, HttpMethod.Post, Address, """{"channel":"mail","role":"viewer","severityMin":"alert"}""", 201);
        foreach (var one in new[] { made, (await host.GetAsync(Address, "Operator@braga")).GetProperty("items")[0] })
        {
            Assert.Equal(("viewer", "", 0), (Text(one, "role"), Text(one, "target"), one.GetProperty("reached").GetInt32()));
            Assert.Equal(["rui", "eva"], one.GetProperty("unreachable").EnumerateArray().Select(name => name.GetString()).OrderDescending());
        }

        var changed = await SendAsync(client, HttpMethod.Put, $"/api/v1/subscribers/{made.GetProperty("subscriber").GetInt32()}", """{"channel":"mail","target":"ana@example.org"}""", 200);
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null, JsonValueKind.Null), (changed.GetProperty("role").ValueKind, changed.GetProperty("reached").ValueKind, changed.GetProperty("unreachable").ValueKind));
    }

    [Fact]
    public async Task Nobody_else_sees_or_changes_them()
    {
        await using var host = await StartAsync();
        var known = await host.Notifications.SaveAsync(new Subscriber(0, "braga", ChannelKind.Mail, "ana@example.org", "pt", null, Severity.Information, ""), Cancel);
        await host.ProblemAsync(Address, 401, "sign-in-needed");
        await host.ProblemAsync(Address, 403, "not-allowed", "Viewer@braga Operator@aveiro");
        await host.ProblemAsync("/api/v1/subscribers", 400, "bad-parameter", "Operator@braga");
        using var stranger = host.Client("Operator@aveiro");
        using var nobody = host.Client();
        var body = new { channel = "off" };
        await ApiHost.ProblemAsync(await stranger.PostAsJsonAsync(Address, body, Cancel), 403, "not-allowed");
        await ApiHost.ProblemAsync(await stranger.PutAsJsonAsync($"/api/v1/subscribers/{known.Id}", body, Cancel), 404, "unknown-subscriber");
        await ApiHost.ProblemAsync(await stranger.DeleteAsync($"/api/v1/subscribers/{known.Id}", Cancel), 404, "unknown-subscriber");
        await ApiHost.ProblemAsync(await stranger.PostAsJsonAsync($"/api/v1/subscribers/{known.Id}/secret", new { }, Cancel), 404, "unknown-subscriber");
        await ApiHost.ProblemAsync(await nobody.DeleteAsync($"/api/v1/subscribers/{known.Id}", Cancel), 401, "sign-in-needed");
        Assert.NotNull(await host.Notifications.FindSubscriberAsync(known.Id, Cancel));
        Assert.Empty(host.Audit.Entries);
    }

    [Theory]
    [InlineData("""{"channel":"pigeon"}""", "channel", "mail, webhook")]
    [InlineData("""{"target":"a@b.pt"}""", "channel", "missing")]
    [InlineData("""{"channel":"mail","target":"no address"}""", "target", "one mail address")]
    [InlineData("""{"channel":"mail"}""", "target", "one mail address")]
    [InlineData("""{"channel":"webhook","target":"http://127.0.0.1/a"}""", "target", "https")]
    [InlineData("""{"channel":"webhook","target":"https://hooks.example.org","secret":"short"}""", "secret", "whsec_")]
    [InlineData("""{"channel":"mail","target":"a@b.pt","severityMin":"dire"}""", "severityMin", "information, warning, alert")]
    [InlineData("""{"channel":"mail","target":"a@b.pt","language":"fr"}""", "language", "'pt' or 'en'")]
    [InlineData("""{"channel":"mail","target":"a@b.pt","rule":"Not A Slug"}""", "rule", "slug of a rule")]
    [InlineData("""{"channel":"off","digest":true}""", "digest", "other than Mail, Sms and Telegram")]
    [InlineData("""{"channel":"sms","target":"+351912345678"}""", "channel", "Sms:Url")]
    [InlineData("""{"channel":"mail","role":"mayor"}""", "role", "viewer, operator, administrator")]
    [InlineData("""{"channel":"mail","role":"operator","target":"a@b.pt"}""", "target", "whoever holds it")]
    [InlineData("""{"channel":"webhook","role":"operator"}""", "channel", "must be Mail")]
    public async Task What_is_wrong_is_refused_with_its_member_and_nothing_is_stored(string body, string member, string reason)
    {
        await using var host = await StartAsync();
        using var client = host.Client("Operator@braga");
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        var problem = await ApiHost.ProblemAsync(await client.PostAsync(Address, content, Cancel), 400, "bad-body");
        Assert.Contains(reason, Text(problem, "detail"), StringComparison.Ordinal);
        Assert.Contains(member, problem.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Empty(await host.Notifications.SubscribersAsync("braga", Cancel));
    }

    [Theory]
    [InlineData("""{"overlapSeconds":-1}""")]
    [InlineData("""{"overlapSeconds":2678400}""")]
    [InlineData("""{"overlapSeconds":1.5}""")]
    [InlineData("""{"overlap":1}""")]
    [InlineData("[]")]
    public async Task A_wrong_overlap_changes_no_secret(string body)
    {
        await using var host = await StartAsync();
        var known = await host.Notifications.SaveAsync(new Subscriber(0, "braga", ChannelKind.Webhook, "https://hooks.example.org/a", "pt", null, Severity.Information, ""), Cancel);
        using var client = host.Client("Operator@braga");
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        await ApiHost.ProblemAsync(await client.PostAsync($"/api/v1/subscribers/{known.Id}/secret", content, Cancel), 400, "bad-body");
        Assert.Equal(known.Secret, (await host.Notifications.FindSubscriberAsync(known.Id, Cancel))!.Secret);
    }

    private static async Task<ApiHost> StartAsync()
    {
        var host = await ApiHost.StartAsync();
        await host.MigrateNotificationsAsync();
        return host;
    }

    private static string? Text(JsonElement element, string member) => element.GetProperty(member).GetString();

    private static async Task<JsonElement> SendAsync(HttpClient client, HttpMethod method, string address, string body, int status)
    {
        using var request = new HttpRequestMessage(method, address) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        using var answer = await client.SendAsync(request, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True((int)answer.StatusCode == status, text);
        return JsonDocument.Parse(text).RootElement;
    }
}
