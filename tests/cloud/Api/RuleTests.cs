using System.Net;
using System.Text;
using System.Text.Json;

namespace Hub.Cloud.Api.Tests;

public sealed class RuleTests
{
    private const string Rule =
        """{"namePt":"PM10 alto","nameEn":"High PM10","severity":"warning","property":"pm10","crossing":"above","setLevel":50,"clearLevel":45,"for":"PT10M","period":"PT1M","sensor":"air","edge":true}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_makes_changes_and_removes_a_rule()
    {
        await using var host = await ApiHost.StartAsync();
        var (status, made) = await PutAsync(host, "braga/pm10-high", Rule, "Operator@braga");
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal(("pm10-high", "PT10M", "PT1M", true, true), (made.GetProperty("rule").GetString(), made.GetProperty("for").GetString(), made.GetProperty("period").GetString(), made.GetProperty("edge").GetBoolean(), made.GetProperty("enabled").GetBoolean()));
        Assert.Equal("High PM10", (await host.GetAsync("/api/v1/rules/braga/pm10-high")).GetProperty("nameEn").GetString());

        (status, made) = await PutAsync(host, "braga/pm10-high", """{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":80,"enabled":false}""", "Operator@braga");
        Assert.Equal((HttpStatusCode.OK, 80.0, "PT0S", false), (status, made.GetProperty("clearLevel").GetDouble(), made.GetProperty("for").GetString(), made.GetProperty("enabled").GetBoolean()));

        using var client = host.Client("Operator@braga");
        for (var time = 0; time < 2; time++)
        {
            using var gone = await client.DeleteAsync("/api/v1/rules/braga/pm10-high", Cancel);
            Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        }

        await ApiHost.ProblemAsync(await client.GetAsync("/api/v1/rules/braga/pm10-high", Cancel), 404, "unknown-rule");
    }

    [Fact]
    public async Task Figures_limits_and_tags_are_taken_and_given_back()
    {
        await using var host = await ApiHost.StartAsync();
        var (status, made) = await PutAsync(
            host, "braga/pm10-days", """{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":35,"measure":"exceedances","window":"P1D","onClock":true,"limit":50,"tag":"zona-mista"}""", "Operator@braga");
        Assert.Equal((HttpStatusCode.Created, "exceedances", 50.0, "zona-mista"), (status, made.GetProperty("measure").GetString(), made.GetProperty("limit").GetDouble(), made.GetProperty("tag").GetString()));
        (status, made) = await PutAsync(host, "braga/lden", """{"namePt":"P","nameEn":"P","severity":"alert","property":"laeq","crossing":"above","setLevel":65,"measure":"lden","window":"P1D","onClock":true}""", "Operator@braga");
        Assert.Equal((HttpStatusCode.Created, "lden", 0.75), (status, made.GetProperty("measure").GetString(), made.GetProperty("coverageMin").GetDouble()));
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (made.GetProperty("limit").ValueKind, made.GetProperty("tag").ValueKind));
        using var client = host.Client("Operator@braga");
        var yaml = await client.GetStringAsync("/api/v1/rule-files/braga", Cancel);
        Assert.Contains("  tag: zona-mista\n  measure: exceedances\n  window: P1D\n  onClock: true\n  limit: 50\n", yaml, StringComparison.Ordinal);
        await ApiHost.ProblemAsync(await client.PutAsync("/api/v1/rule-files/braga", Yaml(yaml.Replace("limit: 50", "limit: many", StringComparison.Ordinal)), Cancel), 400, "bad-body");
        await ApiHost.ProblemAsync(await client.PutAsync("/api/v1/rule-files/braga", Yaml(yaml.Replace("  limit: 50\n", "", StringComparison.Ordinal)), Cancel), 400, "bad-body");
        await ApiHost.ProblemAsync(await client.PutAsync("/api/v1/rule-files/braga", Yaml(yaml.Replace("property: laeq", "property: pm10", StringComparison.Ordinal)), Cancel), 400, "bad-body");
        using var preview = await client.PostAsync("/api/v1/rule-packs/noise-rgr/braga?preview=true", null, Cancel);
        Assert.Equal("[rgr-lden-mixed,rgr-lden-sensitive,rgr-lden-unclassified,rgr-ln-mixed,rgr-ln-sensitive,rgr-ln-unclassified] [] [] []", await OutcomeAsync(preview));
    }

    [Fact]
    public async Task Only_operators_of_the_municipality_may()
    {
        await using var host = await ApiHost.StartAsync();
        foreach (var (rights, status, code) in new (string?, int, string)[] { (null, 401, "sign-in-needed"), ("Viewer@braga", 403, "not-allowed"), ("Operator@aveiro", 403, "not-allowed") })
        {
            using var client = host.Client(rights);
            await ApiHost.ProblemAsync(await client.PutAsync("/api/v1/rules/braga/pm10-high", Json(Rule), Cancel), status, code);
            await ApiHost.ProblemAsync(await client.DeleteAsync("/api/v1/rules/braga/pm10-day", Cancel), status, code);
        }

        using var administrator = host.Client("Operator@braga");
        await ApiHost.ProblemAsync(await administrator.PutAsync("/api/v1/rules/nowhere/pm10-high", Json(Rule), Cancel), 404, "unknown-municipality");
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("[]", null)]
    [InlineData("""{"namePt":"P"}""", null)]
    [InlineData("""{"namePt":null,"nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":80}""", null)]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":"80"}""", null)]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":80,"egde":true}""", null)]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"dire","property":"pm10","crossing":"above","setLevel":80}""", "severity")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"over","setLevel":80}""", "crossing")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":80,"for":"soon"}""", "for")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":80,"clearLevel":90}""", "clearLevel")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":80,"measure":"average","window":"PT1H"}""", "measure")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":80,"measure":"mean","window":"an hour"}""", "window")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":80,"offFor":"10"}""", "offFor")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","setLevel":80}""", "crossing")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above"}""", "setLevel")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"warning","property":"pm10","crossing":"above","setLevel":80,"levels":[{"severity":"dire","setLevel":90}]}""", "levels[0].severity")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"warning","property":"pm10","crossing":"above","setLevel":80,"levels":[{"severity":"alert","setLevel":90,"for":"soon"}]}""", "levels[0].for")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"warning","property":"pm10","crossing":"above","setLevel":80,"levels":[{"severity":"alert","setLevel":90},{"severity":"alert","setLevel":90,"offFor":"soon"}]}""", "levels[1].offFor")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"warning","property":"pm10","crossing":"above","setLevel":80,"levels":[{"severity":"alert","setLevel":70}]}""", "levels[0].setLevel")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"warning","property":"pm10","crossing":"above","setLevel":80,"levels":[null]}""", "levels[0]")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"warning","property":"pm10","crossing":"above","setLevel":80,"levels":[{"severity":"alert"}]}""", null)]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"warning","property":"pm10","crossing":"above","setLevel":80,"area":{"type":"Point","coordinates":[[[0,0],[1,0],[1,1]]]}}""", "area.type")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"warning","property":"pm10","crossing":"above","setLevel":80,"area":{"type":"Polygon","coordinates":[]}}""", "area.coordinates")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"warning","property":"pm10","crossing":"above","setLevel":80,"area":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1]],[[0,0],[1,0],[1,1]]]}}""", "area.coordinates")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"warning","property":"pm10","crossing":"above","setLevel":80,"area":{"type":"Polygon","coordinates":[[[0,0],[1],[1,1]]]}}""", "area.coordinates[0][1]")]
    public async Task A_rule_that_cannot_be_is_refused_with_its_member(string body, string? member)
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client("Operator@braga");
        using var answer = await client.PutAsync("/api/v1/rules/braga/wrong", Json(body), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = JsonElement.Parse(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Equal("bad-body", problem.GetProperty("code").GetString());
        if (member is not null)
        {
            Assert.StartsWith(member, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        await ApiHost.ProblemAsync(await client.GetAsync("/api/v1/rules/braga/wrong", Cancel), 404, "unknown-rule");
    }

    [Theory]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":90}""")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"warning","property":"pm10","crossing":"above","setLevel":90,"measure":"percentile","percent":95,"window":"P1D","onClock":true,"coverageMin":0.5,"offFor":"PT1H","schedule":"night","source":"Law","suppressedBy":["other"],"levels":[{"severity":"alert","setLevel":95,"for":"PT5M"}],"area":{"type":"Polygon","coordinates":[[[-8.5,41.5],[-8.4,41.5],[-8.4,41.6],[-8.5,41.5]]]}}""")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","measure":"no-data","window":"PT2H"}""")]
    [InlineData("""{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"below","setLevel":90,"measure":"good-share","window":"PT2H"}""")]
    public async Task What_is_on_record_of_a_rule_is_what_is_answered(string body)
    {
        await using var host = await ApiHost.StartAsync();
        var (_, made) = await PutAsync(host, "braga/pm10-day", body, "Operator@braga");
        Assert.Equal(made.GetRawText(), JsonElement.Parse(Assert.Single(host.Audit.Entries).Note.Details).GetRawText(), ignoreWhiteSpaceDifferences: true);
    }

    [Fact]
    public async Task A_measure_over_a_window_comes_back_as_it_was_given()
    {
        await using var host = await ApiHost.StartAsync();
        var (_, made) = await PutAsync(
            host, "braga/pm10-day",
            """{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","crossing":"above","setLevel":90,"measure":"mean","window":"P1D","onClock":true,"coverageMin":0.5,"offFor":"PT1H"}""", "Operator@braga");
        Assert.Equal(("mean", "P1D", true, 0.5, "PT1H"), (Text("measure"), Text("window"), made.GetProperty("onClock").GetBoolean(), made.GetProperty("coverageMin").GetDouble(), Text("offFor")));
        Assert.Equal(JsonValueKind.Null, made.GetProperty("percent").ValueKind);

        (_, made) = await PutAsync(
            host, "braga/o3",
            """{"namePt":"P","nameEn":"P","severity":"information","property":"o3","crossing":"above","setLevel":180,"levels":[{"severity":"warning","setLevel":200},{"severity":"alert","setLevel":240,"clearLevel":220,"for":"PT2H","offFor":"PT1H"}]}""", "Operator@braga");
        Assert.Equal(
            """[{"severity":"warning","setLevel":200,"clearLevel":200,"for":"PT0S","offFor":"PT0S"},{"severity":"alert","setLevel":240,"clearLevel":220,"for":"PT2H","offFor":"PT1H"}]""",
            made.GetProperty("levels").GetRawText());

        (_, made) = await PutAsync(
            host, "braga/centre",
            """{"namePt":"P","nameEn":"P","severity":"alert","property":"o3","crossing":"above","setLevel":180,"area":{"type":"Polygon","coordinates":[[[-8.5,41.5],[-8.4,41.5],[-8.4,41.6]]]},"suppressedBy":["silent"]}""", "Operator@braga");
        Assert.Equal("""["silent"]""", made.GetProperty("suppressedBy").GetRawText());
        Assert.Equal("""{"type":"Polygon","coordinates":[[[-8.5,41.5],[-8.4,41.5],[-8.4,41.6],[-8.5,41.5]]]}""", made.GetProperty("area").GetRawText());
        Assert.Equal("[]", made.GetProperty("levels").GetRawText());

        (_, made) = await PutAsync(host, "braga/silent", """{"namePt":"P","nameEn":"P","severity":"alert","property":"pm10","measure":"no-data","window":"PT30M"}""", "Operator@braga");
        Assert.Equal(("no-data", "PT30M"), (Text("measure"), Text("window")));

        string? Text(string member) => made.GetProperty(member).GetString();
    }

    [Fact]
    public async Task A_rule_can_be_tried_before_it_is_made()
    {
        await using var host = await ApiHost.StartAsync();
        host.Alerts.Alarms.Add(AlarmTests.Alarm(host, "a", "braga", "centro", 1, hours: 5, ended: true));
        using var client = host.Client("Operator@braga");
        using var answer = await client.PostAsync("/api/v1/rules/braga/new/rehearsal?days=7&limit=1", Json(Rule), Cancel);
        var found = JsonElement.Parse(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal((1, 3, 1234, 0.25), (found.GetProperty("count").GetInt32(), found.GetProperty("datastreams").GetInt32(), found.GetProperty("observations").GetInt32(), found.GetProperty("activeShare").GetDouble()));
        var alarm = Assert.Single(found.GetProperty("alarms").EnumerateArray());
        Assert.Equal(("centro", "warning"), (alarm.GetProperty("station").GetString(), alarm.GetProperty("severity").GetString()));
        Assert.Equal(TimeSpan.FromDays(7), found.GetProperty("to").GetDateTime() - found.GetProperty("from").GetDateTime());
        Assert.Empty(host.Alerts.RuleList);

        await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/rules/braga/new/rehearsal?days=0", Json(Rule), Cancel), 400, "bad-parameter");
        await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/rules/braga/new/rehearsal", Json("{}"), Cancel), 400, "bad-body");
        await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/rules/braga/new/rehearsal?days=400", Json(Rule), Cancel), 400, "range-too-large");
        using var viewer = host.Client("Viewer@braga");
        await ApiHost.ProblemAsync(await viewer.PostAsync("/api/v1/rules/braga/new/rehearsal", Json(Rule), Cancel), 403, "not-allowed");
    }

    [Fact]
    public async Task A_rule_for_a_station_that_is_not_there_is_refused()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client("Operator@braga");
        await ApiHost.ProblemAsync(await client.PutAsync("/api/v1/rules/braga/pm10-high", Json(Rule.Replace("\"edge\":true", "\"station\":\"nowhere\"", StringComparison.Ordinal)), Cancel), 404, "unknown-station");
    }

    [Fact]
    public async Task A_municipalitys_rules_go_out_and_in_as_a_file()
    {
        await using var host = await ApiHost.StartAsync();
        await PutAsync(host, "braga/pm10-high", Rule, "Operator@braga");
        using var client = host.Client("Operator@braga");
        using var file = await client.GetAsync("/api/v1/rule-files/braga", Cancel);
        Assert.Equal("application/yaml", file.Content.Headers.ContentType!.MediaType);
        var yaml = await file.Content.ReadAsStringAsync(Cancel);
        Assert.StartsWith("rules:\n- rule: pm10-high\n  namePt: PM10 alto\n", yaml, StringComparison.Ordinal);

        var more = yaml.Replace("setLevel: 50", "setLevel: 60", StringComparison.Ordinal) + yaml["rules:\n".Length..].Replace("pm10-high", "another", StringComparison.Ordinal);
        Assert.Equal("[another] [pm10-high] [] []", await TakeAsync(client, "rule-files/braga?preview=true", more));
        Assert.Equal(["pm10-high 50"], host.Alerts.RuleList.Select(rule => $"{rule.Slug} {rule.SetLevel}"));
        Assert.Equal("[another] [pm10-high] [] []", await TakeAsync(client, "rule-files/braga", more));
        Assert.Equal(["another 50", "pm10-high 60"], host.Alerts.RuleList.Select(rule => $"{rule.Slug} {rule.SetLevel}").Order());
        Assert.Equal("[] [] [another,pm10-high] []", await TakeAsync(client, "rule-files/braga", more));
        Assert.Equal("[] [pm10-high] [] [another]", await TakeAsync(client, "rule-files/braga?removeOthers=true", yaml));
        Assert.Equal(["pm10-high 50"], host.Alerts.RuleList.Select(rule => $"{rule.Slug} {rule.SetLevel}"));

        // All of it or nothing: the first rule of the file is right.
        await ApiHost.ProblemAsync(await client.PutAsync("/api/v1/rule-files/braga", Yaml(more.Replace("rule: another", "rule: An Other", StringComparison.Ordinal)), Cancel), 400, "bad-body");
        await ApiHost.ProblemAsync(await client.PutAsync("/api/v1/rule-files/braga", Yaml(yaml + "  station: nowhere\n"), Cancel), 404, "unknown-station");
        await ApiHost.ProblemAsync(await client.PutAsync("/api/v1/rule-files/braga", new ByteArrayContent([0x72, 0xFF, 0xFE]) { Headers = { ContentType = new("application/yaml") } }, Cancel), 400, "bad-body");
        Assert.Equal(["pm10-high 50"], host.Alerts.RuleList.Select(rule => $"{rule.Slug} {rule.SetLevel}"));
        using var viewer = host.Client("Viewer@braga");
        await ApiHost.ProblemAsync(await viewer.GetAsync("/api/v1/rule-files/braga", Cancel), 403, "not-allowed");
        await ApiHost.ProblemAsync(await viewer.PutAsync("/api/v1/rule-files/braga", Yaml(yaml), Cancel), 403, "not-allowed");
    }

    [Fact]
    public async Task Packs_are_there_for_everybody_and_taken_over_by_operators()
    {
        await using var host = await ApiHost.StartAsync();
        Assert.Contains("air-2024-2881", ApiHost.Texts(await host.GetAsync("/api/v1/rule-packs"), "pack"));
        using var client = host.Client("Operator@braga");
        Assert.Contains("DL 9/2007", await client.GetStringAsync("/api/v1/rule-packs/noise-night", Cancel), StringComparison.Ordinal);
        using var taken = await client.PostAsync("/api/v1/rule-packs/air-2008-50/braga", null, Cancel);
        Assert.Equal("[no2-alert,o3,so2-alert] [] [] []", await OutcomeAsync(taken));
        Assert.All(host.Alerts.RuleList, rule => Assert.Contains("2008/50", rule.Source, StringComparison.Ordinal));
        await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/rule-packs/none/braga", null, Cancel), 404, "unknown-rule");
        using var other = host.Client("Operator@aveiro");
        await ApiHost.ProblemAsync(await other.PostAsync("/api/v1/rule-packs/air-2008-50/braga", null, Cancel), 403, "not-allowed");
    }

    private static StringContent Yaml(string body) => new(body, Encoding.UTF8, "application/yaml");

    private static async Task<string> TakeAsync(HttpClient client, string address, string yaml)
    {
        using var answer = await client.PutAsync($"/api/v1/{address}", Yaml(yaml), Cancel);
        return await OutcomeAsync(answer);
    }

    private static async Task<string> OutcomeAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, text);
        var outcome = JsonElement.Parse(text);
        return string.Join(' ', new[] { "added", "changed", "unchanged", "removed" }.Select(
            part => $"[{string.Join(',', outcome.GetProperty(part).EnumerateArray().Select(rule => rule.GetString()).Order(StringComparer.Ordinal))}]"));
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static async Task<(HttpStatusCode Status, JsonElement Rule)> PutAsync(ApiHost host, string rule, string body, string rights)
    {
        using var client = host.Client(rights);
        using var answer = await client.PutAsync($"/api/v1/rules/{rule}", Json(body), Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, text);
        return (answer.StatusCode, JsonElement.Parse(text));
    }
}
