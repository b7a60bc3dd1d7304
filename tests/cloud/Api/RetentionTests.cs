using System.Net;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Api.Tests;

/// <summary>Retention over HTTP: who may, what is said, what is refused.</summary>
public sealed class RetentionTests
{
    private const string Administrator = "Administrator@braga";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_administrator_tries_sets_holds_and_deletes()
    {
        await using var host = await ApiHost.StartAsync();
        await host.MigrateRetentionAsync();
        await host.StoreAsync([.. Enumerable.Range(0, 20).Select(day => new Observation(host.Pm10, ApiHost.Now.AddDays(-day), day, Quality.Good))]);
        var empty = await host.GetAsync("/api/v1/retention/braga", Administrator);
        Assert.Equal(0, empty.GetProperty("policies").GetArrayLength());

        var tried = await SendAsync(host, HttpMethod.Post, "forecast", """{"policies":[{"property":null,"days":7}]}""");
        Assert.Equal("pm10", tried.GetProperty("items")[0].GetProperty("property").GetString());
        Assert.Equal(12, tried.GetProperty("items")[0].GetProperty("observations").GetInt64());

        var saved = await SendAsync(host, HttpMethod.Put, "policies", """{"policies":[{"property":"pm10","days":7},{"property":null,"days":null}]}""");
        Assert.Equal([null, "pm10"], saved.GetProperty("policies").EnumerateArray().Select(p => p.GetProperty("property").GetString()));

        var hold = await SendAsync(host, HttpMethod.Post, "holds", """{"reason":"Processo 7/26","station":"centro","to":"2026-02-12T00:00:00+01:00"}""", HttpStatusCode.Created);
        Assert.Equal("2026-02-11T23:00:00Z", hold.GetProperty("to").GetString());
        var forecast = (await SendAsync(host, HttpMethod.Post, "forecast", "{}")).GetProperty("items")[0];
        Assert.Equal((10, 2), (forecast.GetProperty("observations").GetInt32(), forecast.GetProperty("held").GetInt32()));

        var run = (await SendAsync(host, HttpMethod.Post, "runs", null)).GetProperty("items")[0];
        Assert.Equal(10, run.GetProperty("observations").GetInt32());
        using (var client = host.Client(Administrator))
        {
            var address = $"/api/v1/retention/braga/holds/{hold.GetProperty("hold").GetInt64()}";
            Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync(address, Cancel)).StatusCode);
            await ApiHost.ProblemAsync(await client.DeleteAsync(address, Cancel), 404, "unknown-hold");
        }

        var all = await host.GetAsync("/api/v1/retention/braga", Administrator);
        Assert.Equal(10, all.GetProperty("runs")[0].GetProperty("observations").GetInt32());
        Assert.NotEqual(JsonValueKind.Null, all.GetProperty("holds")[0].GetProperty("releasedAt").ValueKind);
    }

    [Fact]
    public async Task It_is_for_administrators_of_the_municipality()
    {
        await using var host = await ApiHost.StartAsync();
        await host.MigrateRetentionAsync();
        await host.ProblemAsync("/api/v1/retention/braga", 401, "sign-in-needed");
        await host.ProblemAsync("/api/v1/retention/braga", 403, "not-allowed", "Operator@braga");
        await host.ProblemAsync("/api/v1/retention/braga", 403, "not-allowed", "Administrator@aveiro");
        await host.ProblemAsync("/api/v1/retention/porto", 404, "unknown-municipality", "Administrator@*");
        foreach (var (method, path) in new[] { (HttpMethod.Put, "policies"), (HttpMethod.Post, "forecast"), (HttpMethod.Post, "runs"), (HttpMethod.Post, "holds"), (HttpMethod.Delete, "holds/1") })
        {
            using var client = host.Client("Operator@braga");
            using var request = new HttpRequestMessage(method, $"/api/v1/retention/braga/{path}") { Content = method == HttpMethod.Delete ? null : new StringContent("{}", Encoding.UTF8, "application/json") };
            await ApiHost.ProblemAsync(await client.SendAsync(request, Cancel), 403, "not-allowed");
        }
    }

    [Theory]
    [InlineData("policies", "[]")]
    [InlineData("policies", "{}")]
    [InlineData("policies", """{"policies":[{"property":"pm11","days":7}]}""")]
    [InlineData("policies", """{"policies":[{"property":"pm10","days":0}]}""")]
    [InlineData("policies", """{"policies":[{"property":"pm10","days":"7"}]}""")]
    [InlineData("policies", """{"policies":[{"property":"pm10","days":7,"hours":1}]}""")]
    [InlineData("holds", "{}")]
    [InlineData("holds", """{"reason":""}""")]
    [InlineData("holds", """{"reason":"x","from":"2026-02-01T00:00:00Z","to":"2026-01-01T00:00:00Z"}""")]
    [InlineData("forecast", "")]
    public async Task What_cannot_be_meant_is_refused(string path, string body)
    {
        await using var host = await ApiHost.StartAsync();
        await host.MigrateRetentionAsync();
        using var client = host.Client(Administrator);
        using var request = new HttpRequestMessage(path == "policies" ? HttpMethod.Put : HttpMethod.Post, $"/api/v1/retention/braga/{path}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        var problem = await ApiHost.ProblemAsync(await client.SendAsync(request, Cancel), 400, "bad-body");
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
        Assert.Equal(0, (await host.GetAsync("/api/v1/retention/braga", Administrator)).GetProperty("policies").GetArrayLength());
    }

    [Fact]
    public async Task A_body_that_does_not_say_that_it_is_JSON_is_told_so()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client(Administrator);
        using var body = new StringContent("reason=x", Encoding.UTF8, "application/x-www-form-urlencoded");
        var problem = await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/retention/braga/holds", body, Cancel), 404, "unknown-address");
        Assert.Contains("Content-Type: application/json", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hold_for_a_station_that_is_not_there_is_refused()
    {
        await using var host = await ApiHost.StartAsync();
        await host.MigrateRetentionAsync();
        using var client = host.Client(Administrator);
        using var body = new StringContent("""{"reason":"x","station":"nowhere"}""", Encoding.UTF8, "application/json");
        await ApiHost.ProblemAsync(await client.PostAsync("/api/v1/retention/braga/holds", body, Cancel), 404, "unknown-station");
    }

    private static async Task<JsonElement> SendAsync(ApiHost host, HttpMethod method, string path, string? body, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var client = host.Client(Administrator);
        using var request = new HttpRequestMessage(method, $"/api/v1/retention/braga/{path}");
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        using var answer = await client.SendAsync(request, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.StatusCode == status, $"{path}: {(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }
}
