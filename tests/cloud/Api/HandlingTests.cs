using System.Net;
using System.Text;
using System.Text.Json;

namespace Hub.Cloud.Api.Tests;

/// <summary>What operators do with alarms over HTTP: who may, what is answered, what is put on record.</summary>
public sealed class HandlingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_acknowledges_assigns_comments_shelves_and_takes_back()
    {
        await using var host = await StartAsync();
        var (status, done) = await PostAsync(host, "/alarms/a/acknowledge", null);
        Assert.Equal((HttpStatusCode.OK, "active-acknowledged", "unnamed"), (status, State(done), done.GetProperty("alarm").GetProperty("acknowledgedBy").GetString()));
        (_, done) = await PostAsync(host, "/alarms/a/acknowledge", """{"comment":"again"}""");
        Assert.Single(Kinds(done), "acknowledged");
        (_, done) = await PostAsync(host, "/alarms/a/assign", """{"person":"rui","comment":"please"}""");
        Assert.Equal("rui", done.GetProperty("alarm").GetProperty("assignedTo").GetString());
        (_, done) = await PostAsync(host, "/alarms/a/assign", """{"person":null}""");
        Assert.Equal(JsonValueKind.Null, done.GetProperty("alarm").GetProperty("assignedTo").ValueKind);
        await PostAsync(host, "/alarms/a/comment", """{"comment":"road works"}""");
        (_, done) = await PostAsync(host, "/alarms/a/shelve", """{"for":"PT2H"}""");
        Assert.Equal("2026-03-01T14:00:00Z", done.GetProperty("alarm").GetProperty("shelvedUntil").GetString());
        (_, done) = await PostAsync(host, "/alarms/a/shelve", """{"until":"2026-03-01T13:00:00Z"}""");
        Assert.Equal("2026-03-01T13:00:00Z", done.GetProperty("alarm").GetProperty("shelvedUntil").GetString());
        Assert.Equal(["shelved"], ApiHost.Texts(await host.GetAsync("/api/v1/suppressions?municipality=braga", "Viewer@braga"), "kind"));
        (_, done) = await PostAsync(host, "/alarms/a/unshelve", null);
        Assert.Equal(JsonValueKind.Null, done.GetProperty("alarm").GetProperty("shelvedUntil").ValueKind);
        var (_, list) = await PostAsync(host, "/stations/braga/centro/out-of-service", """{"comment":"new filter"}""");
        Assert.Equal(["out-of-service"], ApiHost.Texts(list, "kind"));
        Assert.True((await host.GetAsync("/api/v1/alarms/a")).GetProperty("alarm").GetProperty("outOfService").GetBoolean());
        (_, list) = await PostAsync(host, "/stations/braga/centro/return-to-service", null);
        Assert.Empty(ApiHost.Texts(list, "kind"));

        // What changed nothing is not on record.
        Assert.Equal(
            ["alarm-acknowledged", "alarm-assigned", "alarm-assigned", "alarm-commented", "alarm-shelved", "alarm-shelved", "alarm-unshelved", "taken-out-of-service", "returned-to-service"],
            (await host.Audit.ListAsync("braga", null, null, 100, Cancel)).Reverse().Select(entry => entry.Note.Action));
    }

    [Fact]
    public async Task The_list_says_how_alarms_stand_and_is_chosen_by_it()
    {
        await using var host = await StartAsync();
        await PostAsync(host, "/alarms/a/acknowledge", null);
        await PostAsync(host, "/alarms/b/shelve", """{"for":"1h"}""");
        Assert.Equal(["b"], ApiHost.Texts(await host.GetAsync("/api/v1/alarms?active=true&state=active-unacknowledged"), "alarm"));
        Assert.Equal(["a"], ApiHost.Texts(await host.GetAsync("/api/v1/alarms?active=true&state=active-acknowledged"), "alarm"));
        Assert.Equal(["c"], ApiHost.Texts(await host.GetAsync("/api/v1/alarms?state=returned-unacknowledged"), "alarm"));
        Assert.Equal(["b", "c"], ApiHost.Texts(await host.GetAsync("/api/v1/alarms?silent=true"), "alarm").Order());
        Assert.Equal(["a"], ApiHost.Texts(await host.GetAsync("/api/v1/alarms?silent=false"), "alarm"));
        await host.ProblemAsync("/api/v1/alarms?state=quiet", 400, "bad-parameter");
    }

    [Fact]
    public async Task Strangers_see_how_it_stands_but_neither_names_nor_comments()
    {
        await using var host = await StartAsync();
        await PostAsync(host, "/alarms/a/acknowledge", """{"comment":"secret thing"}""");
        await PostAsync(host, "/alarms/a/comment", """{"comment":"secret thing"}""");
        await PostAsync(host, "/alarms/a/assign", """{"person":"rui"}""");
        foreach (var rights in new[] { null, "Operator@aveiro" })
        {
            var seen = await host.GetAsync("/api/v1/alarms/a", rights);
            Assert.Equal("active-acknowledged", State(seen));
            Assert.DoesNotContain("secret", seen.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("unnamed", seen.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("rui", seen.ToString(), StringComparison.Ordinal);
            Assert.Equal(["found", "told", "acknowledged"], Kinds(seen));
            Assert.DoesNotContain("unnamed", (await host.GetAsync("/api/v1/alarms", rights)).ToString(), StringComparison.Ordinal);
        }

        Assert.Contains("secret thing", (await host.GetAsync("/api/v1/alarms/a", "Viewer@braga")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_operators_of_the_municipality_may()
    {
        await using var host = await StartAsync();
        foreach (var (rights, status, code) in new (string?, int, string)[] { (null, 401, "sign-in-needed"), ("Viewer@braga", 403, "not-allowed"), ("Operator@aveiro", 403, "not-allowed") })
        {
            using var client = host.Client(rights);
            foreach (var act in new[] { "alarms/a/acknowledge", "alarms/a/comment", "alarms/a/assign", "alarms/a/shelve", "alarms/a/unshelve", "stations/braga/centro/out-of-service", "stations/braga/centro/return-to-service" })
            {
                await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/" + act, Json("{}"), Cancel), status, code);
            }

            if (rights != "Viewer@braga")
            {
                await host.ProblemAsync("/api/v1/suppressions?municipality=braga", status, code, rights);
            }
        }

        Assert.Equal("active-unacknowledged", State(await host.GetAsync("/api/v1/alarms/a")));
        await host.ProblemAsync("/api/v1/alarms/private", 404, "unknown-alarm", "Operator@aveiro");
        await host.ProblemAsync("/api/v1/alarms/none", 404, "unknown-alarm");
    }

    [Theory]
    [InlineData("alarms/a/shelve", "{}", 400, "bad-body")]
    [InlineData("alarms/a/shelve", """{"for":"PT2H","until":"2026-03-01T13:00:00Z"}""", 400, "bad-body")]
    [InlineData("alarms/a/shelve", """{"for":"long"}""", 400, "bad-body")]
    [InlineData("alarms/a/shelve", """{"until":"tomorrow"}""", 400, "bad-body")]
    [InlineData("alarms/a/shelve", """{"until":"2026-03-01T11:00:00Z"}""", 409, "handling-refused")]
    [InlineData("alarms/a/shelve", """{"for":"4d"}""", 409, "handling-refused")]
    [InlineData("alarms/withdrawn/acknowledge", "{}", 409, "handling-refused")]
    [InlineData("alarms/a/acknowledge", """{"coment":"x"}""", 400, "bad-body")]
    [InlineData("alarms/a/comment", "{}", 400, "bad-body")]
    [InlineData("alarms/a/comment", """{"comment":" "}""", 400, "bad-body")]
    [InlineData("alarms/a/assign", """{"person":"eva"}""", 400, "bad-body")]
    [InlineData("alarms/a/assign", """{"person":"ivo"}""", 400, "bad-body")]
    [InlineData("alarms/none/acknowledge", "{}", 404, "unknown-alarm")]
    [InlineData("stations/braga/nowhere/out-of-service", "{}", 404, "unknown-station")]
    [InlineData("stations/braga/centro/out-of-service", """{"rule":"unknown"}""", 404, "unknown-rule")]
    public async Task What_cannot_be_is_refused_and_not_on_record(string act, string body, int status, string code)
    {
        await using var host = await StartAsync();
        using var client = host.Client("Operator@braga");
        await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/" + act, Json(body), Cancel), status, code);
        Assert.Empty(await host.Audit.ListAsync("braga", null, null, 100, Cancel));
    }

    private static async Task<ApiHost> StartAsync()
    {
        var host = await ApiHost.StartAsync();
        host.Alerts.Alarms.AddRange([
            AlarmTests.Alarm(host, "a", "braga", "centro", host.Pm10, hours: 1),
            AlarmTests.Alarm(host, "b", "braga", "centro", host.Laeq, hours: 2) with { Rule = "noise" },
            AlarmTests.Alarm(host, "c", "braga", "centro", host.Laeq, hours: 3, ended: true) with { Rule = "noise" },
            AlarmTests.Alarm(host, "private", "braga", "escola", host.PrivateNo2, hours: 1),
            AlarmTests.Alarm(host, "withdrawn", "braga", "escola", host.PrivateNo2, hours: 1, ended: true) with { Withdrawn = true },
        ]);
        return host;
    }

    private static string? State(JsonElement details) => details.GetProperty("alarm").GetProperty("state").GetString();

    private static IEnumerable<string?> Kinds(JsonElement details) => details.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("kind").GetString());

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(ApiHost host, string address, string? body)
    {
        using var client = host.Client("Operator@braga");
        using var answer = await client.PostAsync("/api/v1" + address, body is null ? null : Json(body), Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, text);
        return (answer.StatusCode, JsonElement.Parse(text));
    }
}
