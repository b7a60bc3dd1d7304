using System.Net;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Fleet;
using Hub.Edge.Contract.Twin;

namespace Hub.Cloud.Api.Tests;

/// <summary>The agents at the stations, for those who may.</summary>
public sealed class AgentTests
{
    private const string Operator = "Operator@braga";
    private const string Settings = "/api/v1/stations/braga/centro/agent/settings";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Settings_are_read_and_set_with_the_version_that_was_seen()
    {
        await using var host = await StartAsync();
        using var client = host.Client(Operator);
        using var nothing = await client.GetAsync(Settings, Cancel);
        Assert.Equal("\"0\"", nothing.Headers.ETag!.Tag);
        Assert.Equal(JsonValueKind.Null, (await JsonAsync(nothing)).GetProperty("settings").ValueKind);
        using var first = await PutAsync(client, """{"settings":{"report":{"interval":"00:05:00"}},"trial":"PT2M"}""", "\"0\"");
        Assert.Equal((HttpStatusCode.OK, "\"1\""), (first.StatusCode, first.Headers.ETag!.Tag));
        var document = await JsonAsync(first);
        Assert.Equal((1, "PT2M", "settings"), (document.GetProperty("version").GetInt64(), document.GetProperty("trial").GetString(), document.GetProperty("change").GetString()));
        await ApiHost.ProblemAsync(await PutAsync(client, """{"settings":{}}""", "\"0\""), 412, "changed-meanwhile");
        await ApiHost.ProblemAsync(await PutAsync(client, """{"settings":{}}""", null), 428, "precondition-needed");
        await ApiHost.ProblemAsync(await PutAsync(client, """{"settings":{}}""", "1"), 428, "precondition-needed");
        Assert.Equal("\"2\"", (await PutAsync(client, """{"settings":{"a":1}}""", "*")).Headers.ETag!.Tag);
        using var request = new HttpRequestMessage(HttpMethod.Delete, Settings);
        request.Headers.TryAddWithoutValidation("If-Match", "\"2\"");
        Assert.Equal("\"3\"", (await client.SendAsync(request, Cancel)).Headers.ETag!.Tag);
        using var restore = new HttpRequestMessage(HttpMethod.Post, Settings + "/versions/1/restore");
        restore.Headers.TryAddWithoutValidation("If-Match", "\"3\"");
        var restored = await JsonAsync(await client.SendAsync(restore, Cancel));
        Assert.Equal((4, "undo", 1), (restored.GetProperty("version").GetInt64(), restored.GetProperty("change").GetString(), restored.GetProperty("undoneTo").GetInt64()));
        Assert.Equal(["4", "3", "2", "1"], ApiHost.Texts(await host.GetAsync(Settings + "/versions", Operator), "version"));
        using var unknown = new HttpRequestMessage(HttpMethod.Post, Settings + "/versions/99/restore");
        unknown.Headers.TryAddWithoutValidation("If-Match", "*");
        await ApiHost.ProblemAsync(await client.SendAsync(unknown, Cancel), 404, "unknown-version");
    }

    [Theory]
    [InlineData("""{"settings":{"hub":{"secret":"s3cret"}}}""", 422, "settings-refused", "settings.hub.secret")]
    [InlineData("""{"settings":[]}""", 422, "settings-refused", "object")]
    [InlineData("""{"settings":{"a":1,"a":2}}""", 400, "bad-body", "")]
    [InlineData("""{"setings":{}}""", 400, "bad-body", "setings")]
    [InlineData("""{"settings":{},"trial":"soon"}""", 400, "bad-body", "trial")]
    [InlineData("""{"settings":{},"trial":"5s"}""", 422, "settings-refused", "trial")]
    [InlineData("[]", 400, "bad-body", "object")]
    [InlineData("{", 400, "bad-body", "JSON")]
    [InlineData("", 400, "bad-body", "settings")]
    public async Task Settings_that_cannot_be_are_refused_in_words(string body, int status, string code, string says)
    {
        await using var host = await StartAsync();
        using var client = host.Client(Operator);
        var problem = await ApiHost.ProblemAsync(await PutAsync(client, body, "*"), status, code);
        Assert.Contains(says, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", problem.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(0, (await host.GetAsync(Settings, Operator)).GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task A_body_too_large_is_refused()
    {
        await using var host = await StartAsync();
        using var client = host.Client(Operator);
        await ApiHost.ProblemAsync(await PutAsync(client, "{\"settings\":{\"a\":\"" + new string('x', 200_000) + "\"}}", "*"), 400, "bad-body");
        await ApiHost.ProblemAsync(await PutAsync(client, "{\"settings\":{\"a\":\"" + new string('x', 70_000) + "\"}}", "*"), 422, "settings-refused");
    }

    public static TheoryData<string, string> Addresses => new()
    {
        { "GET", "agent" }, { "GET", "agent/settings" }, { "PUT", "agent/settings" }, { "DELETE", "agent/settings" }, { "GET", "agent/settings/versions" }, { "POST", "agent/settings/versions/1/restore" },
        { "POST", "agent/commands/identify" }, { "GET", "agent/commands/1" }, { "POST", "claim-code" }, { "DELETE", "claim-code" },
    };

    [Theory]
    [MemberData(nameof(Addresses))]
    public async Task Only_operators_of_the_municipality_may_and_what_others_may_not_see_does_not_exist(string method, string path)
    {
        await using var host = await StartAsync();
        host.Fleet.OnCommand = (_, _, _, _) => throw new InvalidOperationException("must not be reached");
        foreach (var (rights, station, status, code) in ((string?, string, int, string)[])[
            (null, "braga/centro", 401, "sign-in-needed"),
            (null, "braga/escola", 404, "unknown-station"),
            ("Viewer@braga", "braga/escola", 403, "not-allowed"),
            ("Operator@aveiro", "braga/centro", 403, "not-allowed"),
            ("Operator@aveiro", "braga/escola", 404, "unknown-station"),
            ("Operator@braga", "braga/nowhere", 404, "unknown-station"),
            ("Operator@braga", "aveiro/porto", 404, "unknown-station")])
        {
            using var client = host.Client(rights);
            using var request = new HttpRequestMessage(new HttpMethod(method), $"/api/v1/stations/{station}/{path}");
            request.Headers.TryAddWithoutValidation("If-Match", "*");
            if (method == "PUT")
            {
                request.Content = new StringContent("""{"settings":{}}""", Encoding.UTF8, "application/json");
            }

            await ApiHost.ProblemAsync(await client.SendAsync(request, Cancel), status, code);
        }
    }

    [Fact]
    public async Task What_is_known_of_an_agent()
    {
        await using var host = await StartAsync();
        host.Fleet.Agents[host.Centro.Id] = new AgentView(
            Presence.Online, new StationStatus(true, null, "hub-agent 0.1.0", ApiHost.Now, [new StatusSensor("air", "sps30", "dead", ["pm10"])]), ApiHost.Now,
            new ReportedState(7, TwinOutcome.RolledBack, 6, ApiHost.Now, ["no hub"], new ReportedAgent("0.1.0", "linux-arm64")), ApiHost.Now);
        var agent = await host.GetAsync("/api/v1/stations/braga/centro/agent", Operator);
        Assert.Equal(("online", "hub-agent 0.1.0"), (agent.GetProperty("presence").GetString(), agent.GetProperty("agent").GetString()));
        Assert.Equal("dead", agent.GetProperty("sensors")[0].GetProperty("condition").GetString());
        Assert.Equal(("rolled-back", 6), (agent.GetProperty("reported").GetProperty("outcome").GetString(), agent.GetProperty("reported").GetProperty("inForce").GetInt64()));
        Assert.Equal("unknown", (await host.GetAsync("/api/v1/stations/braga/escola/agent", Operator)).GetProperty("presence").GetString());
    }

    [Theory]
    [InlineData(CommandStep.Done, 200, "done")]
    [InlineData(CommandStep.Refused, 200, "refused")]
    [InlineData(CommandStep.Failed, 200, "failed")]
    [InlineData(CommandStep.Sent, 202, "sent")]
    public async Task A_command_answers_with_what_became_of_it_or_where_to_look(CommandStep step, int status, string outcome)
    {
        await using var host = await StartAsync();
        (string Name, string? Arguments, TimeSpan Wait)? asked = null;
        host.Fleet.OnCommand = (_, name, arguments, wait) =>
        {
            asked = (name, arguments?.GetRawText(), wait);
            return new AgentCommand(7, name, "ana", ApiHost.Now, ApiHost.Now.AddMinutes(1), step, null, null, JsonElement.Parse("""{"readings":[]}"""));
        };
        using var client = host.Client(Operator);
        using var answer = await client.PostAsync("/api/v1/stations/braga/centro/agent/commands/read-now?wait=3", new StringContent("""{"sensor":"air"}""", Encoding.UTF8, "application/json"), Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(("read-now", """{"sensor":"air"}""", TimeSpan.FromSeconds(3)), asked);
        var document = await JsonAsync(answer);
        Assert.Equal((outcome, 7), (document.GetProperty("outcome").GetString(), document.GetProperty("command").GetInt64()));
        Assert.Equal(status == 202 ? "/api/v1/stations/braga/centro/agent/commands/7" : null, answer.Headers.Location?.ToString());
        Assert.Equal(outcome, (await host.GetAsync("/api/v1/stations/braga/centro/agent/commands/7", Operator)).GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task A_command_that_cannot_go_out_says_why()
    {
        await using var host = await StartAsync();
        using var client = host.Client(Operator);
        await ApiHost.ProblemAsync(await CommandAsync("identify"), 409, "station-away");
        await ApiHost.ProblemAsync(await CommandAsync("reboot"), 404, "unknown-command");
        await ApiHost.ProblemAsync(await CommandAsync("identify?wait=61"), 400, "bad-parameter");
        await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/stations/braga/centro/agent/commands/identify", new StringContent("[1]", Encoding.UTF8, "application/json"), Cancel), 400, "bad-body");
        host.Fleet.OnCommand = (_, _, _, _) => throw new FleetBusyException("four");
        await ApiHost.ProblemAsync(await CommandAsync("identify"), 429, "too-many-commands");
        host.Fleet.OnCommand = (_, name, _, _) => new AgentCommand(8, name, "ana", ApiHost.Now, ApiHost.Now, CommandStep.Expired, null, "no answer", null);
        await ApiHost.ProblemAsync(await CommandAsync("identify"), 504, "no-answer");
        await host.ProblemAsync("/api/v1/stations/braga/centro/agent/commands/99", 404, "unknown-command", Operator);

        Task<HttpResponseMessage> CommandAsync(string name) => client.PostAsync($"/api/v1/stations/braga/centro/agent/commands/{name}", null, Cancel);
    }

    [Fact]
    public async Task A_claim_code_is_shown_once()
    {
        await using var host = await StartAsync();
        using var client = host.Client(Operator);
        const string Address = "/api/v1/stations/braga/centro/claim-code";
        using var answer = await client.PostAsync(Address, new StringContent("""{"profile":"air-basic"}""", Encoding.UTF8, "application/json"), Cancel);
        Assert.Equal((HttpStatusCode.Created, "no-store"), (answer.StatusCode, answer.Headers.CacheControl!.ToString()));
        var code = (await JsonAsync(answer)).GetProperty("code").GetString()!;
        Assert.Matches("^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$", code);
        var agent = await host.GetAsync("/api/v1/stations/braga/centro/agent", Operator);
        Assert.DoesNotContain(code, agent.GetRawText(), StringComparison.Ordinal);
        Assert.Equal("air-basic", agent.GetProperty("claimCode").GetProperty("profile").GetString());
        Assert.Equal(HttpStatusCode.Created, (await client.PostAsync(Address, null, Cancel)).StatusCode);
        await ApiHost.ProblemAsync(await client.PostAsync(Address, new StringContent("""{"profile":"Air Basic"}""", Encoding.UTF8, "application/json"), Cancel), 400, "bad-body");
        await ApiHost.ProblemAsync(await client.PostAsync(Address, new StringContent("""{"days":7}""", Encoding.UTF8, "application/json"), Cancel), 400, "bad-body");
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync(Address, Cancel)).StatusCode);
        Assert.Equal(JsonValueKind.Null, (await host.GetAsync("/api/v1/stations/braga/centro/agent", Operator)).GetProperty("claimCode").ValueKind);
    }

    [Fact]
    public async Task A_page_of_another_site_cannot_command_with_a_browsers_session()
    {
        await using var host = await StartAsync();
        using var client = host.Client(Operator);
        client.DefaultRequestHeaders.Add("Sec-Fetch-Site", "cross-site");
        await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/stations/braga/centro/agent/commands/restart", null, Cancel), 403, "not-allowed");
    }

    private static async Task<ApiHost> StartAsync()
    {
        var host = await ApiHost.StartAsync();
        await host.MigrateFleetAsync();
        using var client = host.Client(Operator);

        // Made at its first use.
        (await client.GetAsync("/api/v1/stations/braga/centro/agent", Cancel)).EnsureSuccessStatusCode();
        return host;
    }

    private static async Task<HttpResponseMessage> PutAsync(HttpClient client, string body, string? match)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, Settings) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (match is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", match);
        }

        return await client.SendAsync(request, Cancel);
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage answer) => JsonElement.Parse(await answer.Content.ReadAsStringAsync(Cancel));
}
