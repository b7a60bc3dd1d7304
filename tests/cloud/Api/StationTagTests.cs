using System.Net;
using System.Text;
using System.Text.Json;

namespace Hub.Cloud.Api.Tests;

public sealed class StationTagTests
{
    private const string Address = "/api/v1/stations/braga/centro/tags";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_changes_the_tags_of_a_station_and_everybody_finds_it_by_them()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client("Operator@braga");
        using var answer = await client.PutAsync(Address, Json("""{"tags":["zona-mista","escola","escola"]}"""), Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("""["escola","zona-mista"]""", JsonElement.Parse(await answer.Content.ReadAsStringAsync(Cancel)).GetProperty("tags").GetRawText());
        Assert.Equal(["centro"], ApiHost.Texts(await host.GetAsync("/api/v1/stations?tag=zona-mista"), "station"));
        Assert.Empty(ApiHost.Texts(await host.GetAsync("/api/v1/stations?tag=zona"), "station"));
        Assert.Empty(ApiHost.Texts(await host.GetAsync("/api/v1/stations?municipality=aveiro&tag=zona-mista"), "station"));
        Assert.All(ApiHost.Texts(await host.GetAsync("/api/v1/datastreams?tag=escola"), "station"), station => Assert.Equal("centro", station));
        Assert.NotEmpty(ApiHost.Texts(await host.GetAsync("/api/v1/datastreams?tag=escola"), "station"));
        Assert.Equal(2, (await host.GetAsync("/api/v1/stations/braga/centro")).GetProperty("tags").GetArrayLength());
        await ApiHost.ProblemAsync(await client.GetAsync("/api/v1/stations?tag=Zona%20Mista", Cancel), 400, "bad-parameter");

        // The same again is no change; none takes all away.
        using var same = await client.PutAsync(Address, Json("""{"tags":["escola","zona-mista"]}"""), Cancel);
        using var none = await client.PutAsync(Address, Json("""{"tags":[]}"""), Cancel);
        Assert.Equal(0, (await host.GetAsync("/api/v1/stations/braga/centro")).GetProperty("tags").GetArrayLength());
        var notes = (await host.Audit.ListAsync("braga", null, null, 100, Cancel)).Reverse().Select(entry => entry.Note).ToList();
        Assert.Equal([("station-tagged", "station centro"), ("station-tagged", "station centro")], notes.Select(note => (note.Action, note.Subject)));
        Assert.Equal("""{"tags":[],"before":["escola","zona-mista"]}""", notes[1].Details);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("{}", null)]
    [InlineData("""{"tags":"a"}""", null)]
    [InlineData("""{"tags":["Zona"]}""", "'Zona'")]
    [InlineData("""{"tags":["a",null]}""", "''")]
    [InlineData("""{"tags":["-a"]}""", "'-a'")]
    [InlineData("""{"tags":["a"],"tag":"b"}""", null)]
    [InlineData("""{"tags":["a1","a2","a3","a4","a5","a6","a7","a8","a9","b1","b2","b3","b4","b5","b6","b7","b8","b9","c1","c2","c3"]}""", "at most 20, but are 21")]
    public async Task What_are_no_tags_is_refused_and_changes_nothing(string body, string? said)
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client("Operator@braga");
        using var refused = await client.PutAsync(Address, Json(body), Cancel);
        var text = await refused.Content.ReadAsStringAsync(Cancel);
        Assert.Equal((HttpStatusCode.BadRequest, "bad-body"), (refused.StatusCode, JsonElement.Parse(text).GetProperty("code").GetString()));
        if (said is not null)
        {
            Assert.Contains(said, JsonElement.Parse(text).GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.Equal("tags", JsonElement.Parse(text).GetProperty("parameter").GetString());
        }

        Assert.Empty(host.Stations.All.Single(station => station is { Municipality: "braga", Slug: "centro" }).Tags);
        Assert.Empty(await host.Audit.ListAsync("braga", null, null, 100, Cancel));
    }

    [Fact]
    public async Task Only_operators_of_the_municipality_may()
    {
        await using var host = await ApiHost.StartAsync();
        foreach (var (rights, status, code) in new (string?, int, string)[] { (null, 401, "sign-in-needed"), ("Viewer@braga", 403, "not-allowed"), ("Operator@aveiro", 403, "not-allowed") })
        {
            using var client = host.Client(rights);
            await ApiHost.ProblemAsync(await client.PutAsync(Address, Json("""{"tags":[]}"""), Cancel), status, code);
        }

        using var administrator = host.Client("Operator@braga");
        await ApiHost.ProblemAsync(await administrator.PutAsync("/api/v1/stations/nowhere/centro/tags", Json("""{"tags":[]}"""), Cancel), 404, "unknown-municipality");
        await ApiHost.ProblemAsync(await administrator.PutAsync("/api/v1/stations/braga/nowhere/tags", Json("""{"tags":[]}"""), Cancel), 404, "unknown-station");
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");
}
