using System.Net;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Api.Tests;

/// <summary>Quality control over HTTP: who may, what is said, what is refused; and observations without what is flagged.</summary>
public sealed class QualityTests
{
    private const string Administrator = "Administrator@braga";
    private const string Checks = "/api/v1/quality/checks/braga";

    private static readonly string Body = "{\"from\":\"" + ApiHost.Now.AddDays(-1).ToString("O") + "\",\"to\":\"" + ApiHost.Now.ToString("O") + "\",\"station\":\"centro\",\"parameters\":{\"range\":{\"min\":0,\"max\":90}}}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_administrator_tries_declares_and_takes_back()
    {
        await using var host = await ApiHost.StartAsync();
        var runner = await host.StartQualityControlAsync();
        await host.StoreAsync([.. Enumerable.Range(1, 100).Select(minute => new Observation(host.Pm10, ApiHost.Now.AddMinutes(-minute), minute, Quality.Good))]);
        var before = await host.GetAsync(Checks, "Viewer@braga");
        var own = before.GetProperty("inForce").EnumerateArray().Single(one => one.GetProperty("property").GetString() == "pm10");
        Assert.Equal(0, own.GetProperty("version").GetInt32());
        Assert.Equal(85, own.GetProperty("parameters").GetProperty("humidity").GetProperty("above").GetDouble());

        var trial = (await SendAsync(host, HttpMethod.Post, "pm10/trials", """{"from":"2020-01-01T00:00:00Z","to":"2020-06-01T00:00:00Z","parameters":{"range":{"min":0,"max":90}}}""")).GetProperty("items")[0];
        Assert.Equal(0, trial.GetProperty("observations").GetInt64());
        trial = (await SendAsync(host, HttpMethod.Post, "pm10/trials", Body)).GetProperty("items")[0];
        Assert.Equal(10, trial.GetProperty("flagged").GetProperty("range").GetInt64());
        Assert.Equal(("centro", "air"), (trial.GetProperty("station").GetString(), trial.GetProperty("sensor").GetString()));
        Assert.Equal(10, trial.GetProperty("findings")[0].GetProperty("observations").GetInt32());

        var declared = await SendAsync(host, HttpMethod.Put, "pm10", """{"parameters":{"range":{"min":0,"max":95}}}""");
        Assert.Equal(1, declared.GetProperty("version").GetInt32());
        Assert.Equal(JsonValueKind.Null, declared.GetProperty("parameters").GetProperty("step").ValueKind);
        await host.Quality.CaughtUpAsync(Cancel);
        var finding = Assert.Single((await host.GetAsync("/api/v1/quality/findings?municipality=braga&property=pm10&check=range")).GetProperty("items").EnumerateArray());
        Assert.Equal((5, 100.0, 95.0), (finding.GetProperty("observations").GetInt32(), finding.GetProperty("value").GetDouble(), finding.GetProperty("limit").GetDouble()));
        Assert.Equal(("range", "out-of-range"), (finding.GetProperty("check").GetString(), finding.GetProperty("flag").GetString()));
        Assert.Empty((await host.GetAsync("/api/v1/quality/findings?municipality=braga&check=drift")).GetProperty("items").EnumerateArray());

        var taken = await SendAsync(host, HttpMethod.Delete, "pm10?from=2020-01-01T00:00:00Z", null);
        Assert.Equal((2, JsonValueKind.Null), (taken.GetProperty("version").GetInt32(), taken.GetProperty("parameters").ValueKind));
        await host.Quality.CaughtUpAsync(Cancel);
        Assert.Empty((await host.GetAsync("/api/v1/quality/findings?municipality=braga")).GetProperty("items").EnumerateArray());
        Assert.Equal(["quality-checks-declared", "quality-checks-declared"], host.Audit.Entries.Select(entry => entry.Note.Action));
        Assert.Equal(2, (await host.GetAsync(Checks, Administrator)).GetProperty("declarations").GetArrayLength());
        await runner.StopAsync(Cancel);
    }

    [Fact]
    public async Task Findings_come_in_pages_and_only_of_what_may_be_seen()
    {
        await using var host = await ApiHost.StartAsync();
        var runner = await host.StartQualityControlAsync();
        foreach (var property in new[] { "pm10", "no2" })
        {
            await SendAsync(host, HttpMethod.Put, property, """{"parameters":{"range":{"min":0,"max":50}}}""");
        }

        await host.StoreAsync(
            [.. new[] { host.Pm10, host.PrivateNo2 }.SelectMany(id => Enumerable.Range(1, 10).Select(minute => new Observation(id, ApiHost.Now.AddMinutes(-minute), minute % 2 * 100, Quality.Good)))]);
        await host.Quality.CaughtUpAsync(Cancel);
        var found = new List<DateTime>();
        var address = "/api/v1/quality/findings?municipality=braga&limit=2";
        for (var pages = 0; address is not null; pages++)
        {
            Assert.True(pages < 4);
            var page = await host.GetAsync(address);
            found.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("from").GetDateTime()));
            address = page.GetProperty("next").GetString();
        }

        Assert.Equal([9, 7, 5, 3, 1], found.Order().Select(from => (int)(ApiHost.Now - from).TotalMinutes));
        Assert.Equal(10, (await host.GetAsync("/api/v1/quality/findings?municipality=braga", "Viewer@braga")).GetProperty("items").GetArrayLength());
        Assert.Equal(5, (await host.GetAsync($"/api/v1/quality/findings?datastream={host.PrivateNo2}", "Viewer@braga")).GetProperty("items").GetArrayLength());
        await host.ProblemAsync($"/api/v1/quality/findings?datastream={host.PrivateNo2}", 404, "unknown-datastream");
        await host.ProblemAsync($"/api/v1/quality/findings?datastream={host.Pm10}&property=pm10", 400, "bad-parameter");
        await host.ProblemAsync("/api/v1/quality/findings?check=gross", 400, "bad-parameter");
        await runner.StopAsync(Cancel);
    }

    [Fact]
    public async Task Declaring_is_for_administrators_and_seeing_for_people_of_the_municipality()
    {
        await using var host = await ApiHost.StartAsync();
        await host.ProblemAsync(Checks, 401, "sign-in-needed");
        await host.ProblemAsync(Checks, 403, "not-allowed", "Viewer@aveiro");
        await host.ProblemAsync("/api/v1/quality/checks/porto", 404, "unknown-municipality", "Administrator@*");
        foreach (var (method, path) in new[] { (HttpMethod.Put, "pm10"), (HttpMethod.Delete, "pm10"), (HttpMethod.Post, "pm10/trials") })
        {
            using var client = host.Client("Operator@braga");
            using var request = new HttpRequestMessage(method, $"{Checks}/{path}") { Content = method == HttpMethod.Delete ? null : new StringContent("{}", Encoding.UTF8, "application/json") };
            await ApiHost.ProblemAsync(await client.SendAsync(request, Cancel), 403, "not-allowed");
        }
    }

    [Theory]
    [InlineData("pm10", "[]", "parameters")]
    [InlineData("pm10", "{}", "parameters")]
    [InlineData("pm10", """{"parameters":{"range":{"max":5}}}""", "parameters.range")]
    [InlineData("pm10", """{"parameters":{"ranges":{"min":0,"max":5}}}""", "parameters")]
    [InlineData("pm10", """{"parameters":{"range":{"min":7,"max":5}}}""", "range.min must be below range.max")]
    [InlineData("pm10", """{"parameters":{"drift":{"reference":"nowhere","difference":5}}}""", "nowhere")]
    [InlineData("pm10", """{"parameters":{"flatLine":{"forSeconds":1}}}""", "60 to 604800")]
    [InlineData("pm11", """{"parameters":{}}""", "pm11")]
    public async Task What_is_wrong_with_a_declaration_is_said(string property, string body, string said)
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client(Administrator);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        var problem = await ApiHost.ProblemAsync(await client.PutAsync($"{Checks}/{property}", content, Cancel), 400, "bad-body");
        Assert.Contains(said, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(host.Audit.Entries);
    }

    [Theory]
    [InlineData("", 3, 20)]
    [InlineData("&quality=any", 3, 20)]
    [InlineData("&quality=good", 1, 10)]
    [InlineData("&without=spike", 2, 15)]
    [InlineData("&without=spike,incomplete", 1, 10)]
    [InlineData("&without=drift", 3, 20)]
    public async Task Observations_come_without_what_is_not_wanted(string parameter, int count, double mean)
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync(
            new Observation(host.Pm10, ApiHost.Now.AddMinutes(-3), 10, Quality.Good),
            new Observation(host.Pm10, ApiHost.Now.AddMinutes(-2), 20, Quality.Incomplete),
            new Observation(host.Pm10, ApiHost.Now.AddMinutes(-1), 30, Quality.Spike));
        var path = $"/api/v1/datastreams/{host.Pm10}/observations";
        Assert.Equal(count, (await host.GetAsync($"{path}?limit=100{parameter}")).GetProperty("observations").GetArrayLength());
        Assert.Equal(count, (await host.GetAsync($"{path}?points=2000{parameter}")).GetProperty("observations").GetArrayLength());
        var bucket = Assert.Single((await host.GetAsync($"{path}?every=1d{parameter}")).GetProperty("observations").EnumerateArray());
        Assert.Equal((count, mean), (bucket.GetProperty("count").GetInt32(), bucket.GetProperty("result").GetDouble()));
    }

    [Theory]
    [InlineData("quality=bad")]
    [InlineData("without=good")]
    [InlineData("without=gross")]
    [InlineData("without=")]
    public async Task Words_that_are_no_flags_are_refused(string parameter)
    {
        await using var host = await ApiHost.StartAsync();
        await host.ProblemAsync($"/api/v1/datastreams/{host.Pm10}/observations?{parameter}", 400, "bad-parameter");
    }

    private static async Task<JsonElement> SendAsync(ApiHost host, HttpMethod method, string path, string? body)
    {
        using var client = host.Client(Administrator);
        using var request = new HttpRequestMessage(method, $"{Checks}/{path}") { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        using var answer = await client.SendAsync(request, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }
}
