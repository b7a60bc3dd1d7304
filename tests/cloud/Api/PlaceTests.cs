namespace Hub.Cloud.Api.Tests;

public sealed class PlaceTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Municipalities_are_listed_with_all_that_is_known_of_them()
    {
        await using var host = await ApiHost.StartAsync();
        var page = await host.GetAsync("/api/v1/municipalities");
        Assert.Equal(["aveiro", "braga"], ApiHost.Texts(page, "municipality"));
        Assert.Equal("Europe/Lisbon", page.GetProperty("items")[1].GetProperty("zone").GetString());
    }

    [Theory]
    [InlineData(null, "porto escola", "ria centro")]
    [InlineData("Viewer@braga", "porto", "ria centro escola")]
    [InlineData("Viewer@aveiro", "escola", "porto ria centro")]
    [InlineData("Administrator@*", "", "porto ria centro escola")]
    public async Task Private_stations_are_seen_by_their_own_municipality_only(string? rights, string hidden, string seen)
    {
        await using var host = await ApiHost.StartAsync();
        var page = await host.GetAsync("/api/v1/stations", rights);
        Assert.Equal(seen.Split(' '), ApiHost.Texts(page, "station"));
        foreach (var slug in hidden.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var municipality = slug == "escola" ? "braga" : "aveiro";
            await host.ProblemAsync($"/api/v1/stations/{municipality}/{slug}", 404, "unknown-station", rights);
            await host.ProblemAsync($"/api/v1/datastreams?municipality={municipality}&station={slug}", 404, "unknown-station", rights);
            await host.ProblemAsync($"/api/v1/live?municipality={municipality}&station={slug}", 404, "unknown-station", rights);
        }
    }

    [Fact]
    public async Task What_is_private_answers_like_what_does_not_exist()
    {
        await using var host = await ApiHost.StartAsync();
        var hidden = await host.ProblemAsync("/api/v1/stations/braga/escola", 404, "unknown-station");
        var missing = await host.ProblemAsync("/api/v1/stations/braga/nenhuma", 404, "unknown-station");
        Assert.Equal(missing.GetProperty("detail").GetString()!.Replace("nenhuma", "escola", StringComparison.Ordinal), hidden.GetProperty("detail").GetString());
        var hiddenStream = await host.ProblemAsync($"/api/v1/datastreams/{host.PrivateNo2}", 404, "unknown-datastream");
        var missingStream = await host.ProblemAsync("/api/v1/datastreams/99", 404, "unknown-datastream");
        Assert.Equal(missingStream.GetProperty("detail").GetString()!.Replace("99", $"{host.PrivateNo2}", StringComparison.Ordinal), hiddenStream.GetProperty("detail").GetString());
        await host.ProblemAsync($"/api/v1/datastreams/{host.PrivateNo2}/observations", 404, "unknown-datastream", "Operator@aveiro");
        await host.GetAsync($"/api/v1/datastreams/{host.PrivateNo2}/observations", "Viewer@braga");
    }

    [Fact]
    public async Task A_station_comes_with_its_datastreams_and_they_say_what_they_are()
    {
        await using var host = await ApiHost.StartAsync();
        var station = await host.GetAsync("/api/v1/stations/braga/centro");
        Assert.Equal("Câmara de Braga", station.GetProperty("attribution").GetString());
        var datastream = station.GetProperty("datastreams")[1];
        Assert.Equal(
            "laeq dB PT1M energy-mean",
            string.Join(' ', new[] { "property", "unit", "period", "statistic" }.Select(p => datastream.GetProperty(p).GetString())));
        Assert.Equal(datastream.ToString(), (await host.GetAsync($"/api/v1/datastreams/{host.Laeq}")).ToString());
    }

    [Fact]
    public async Task Datastreams_are_filtered_and_given_in_parts()
    {
        await using var host = await ApiHost.StartAsync();
        Assert.Equal(["1", "2", "4"], ApiHost.Texts(await host.GetAsync("/api/v1/datastreams"), "datastream"));
        Assert.Equal(["4"], ApiHost.Texts(await host.GetAsync("/api/v1/datastreams?municipality=aveiro"), "datastream"));
        Assert.Equal(["2"], ApiHost.Texts(await host.GetAsync("/api/v1/datastreams?property=laeq"), "datastream"));
        Assert.Equal(["3", "5"], ApiHost.Texts(await host.GetAsync("/api/v1/datastreams?property=no2", "Viewer@*"), "datastream"));
        List<string?> all = [];
        for (string? address = "/api/v1/datastreams?limit=1"; address is not null;)
        {
            var page = await host.GetAsync(address);
            all.AddRange(ApiHost.Texts(page, "datastream"));
            address = page.GetProperty("next").GetString();
        }

        Assert.Equal(["1", "2", "4"], all);
    }

    [Fact]
    public async Task Quantities_and_problems_are_listed()
    {
        await using var host = await ApiHost.StartAsync();
        Assert.Contains("pm2_5", ApiHost.Texts(await host.GetAsync("/api/v1/quantities"), "property"));
        var codes = ApiHost.Texts(await host.GetAsync("/api/v1/problems"), "code").ToArray();
        Assert.Equal(Problems.All.Select(p => p.Code), codes);
        Assert.Equal(codes.Length, codes.Distinct().Count());
    }

    [Theory]
    [InlineData("/api/v1/datastreams?limit=0", "bad-parameter", "limit")]
    [InlineData("/api/v1/datastreams?limit=100001", "bad-parameter", "limit")]
    [InlineData("/api/v1/datastreams?limit=ten", "bad-parameter", "limit")]
    [InlineData("/api/v1/datastreams?limit=", "bad-parameter", "limit")]
    [InlineData("/api/v1/datastreams?after=-1", "bad-parameter", "after")]
    [InlineData("/api/v1/datastreams?property=pm3", "bad-parameter", "property")]
    [InlineData("/api/v1/datastreams?station=centro", "bad-parameter", "municipality")]
    [InlineData("/api/v1/datastreams?muncipality=braga", "unknown-parameter", "muncipality")]
    [InlineData("/api/v1/datastreams?limit=1&limit=2", "unknown-parameter", "limit")]
    [InlineData("/api/v1/municipalities?x=1", "unknown-parameter", "x")]
    [InlineData("/api/v1/alarms?active=yes", "bad-parameter", "active")]
    [InlineData("/api/v1/alarms?limit=10001", "bad-parameter", "limit")]
    public async Task Bad_input_is_named_with_what_is_expected(string path, string code, string parameter)
    {
        await using var host = await ApiHost.StartAsync();
        var problem = await host.ProblemAsync(path, 400, code);
        Assert.Equal(parameter, problem.GetProperty("parameter").GetString());
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task Unknown_things_and_addresses_answer_404()
    {
        await using var host = await ApiHost.StartAsync();
        await host.ProblemAsync("/api/v1/stations?municipality=porto", 404, "unknown-municipality");
        await host.ProblemAsync("/api/v1/datastreams/abc", 404, "unknown-datastream");
        await host.ProblemAsync("/api/v1/datastreams/99999999999999999999", 404, "unknown-datastream");
        await host.ProblemAsync("/api/v1/nothing/here", 404, "unknown-address");
    }

    [Fact]
    public async Task Any_page_may_read_and_none_elsewhere_may_change()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client("Operator@*");
        var read = await client.GetAsync("/api/v1/municipalities", Cancel);
        Assert.Equal("*", read.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.False(read.Headers.Contains("Access-Control-Allow-Credentials"));
        var asked = await client.SendAsync(new HttpRequestMessage(HttpMethod.Options, "/api/v1/datastreams/1"), Cancel);
        Assert.Equal(204, (int)asked.StatusCode);
        Assert.Equal("GET", asked.Headers.GetValues("Access-Control-Allow-Methods").Single());

        host.Quarantine.Add(1, "braga", "centro", Hub.Edge.Contract.Encoding.RefusalReason.Unit, [1]);
        var forged = new HttpRequestMessage(HttpMethod.Delete, "/api/v1/quarantine/1");
        forged.Headers.Add("Sec-Fetch-Site", "cross-site");
        await ApiHost.ProblemAsync(await client.SendAsync(forged, Cancel), 403, "not-allowed");
        Assert.Single(host.Quarantine.Records);
    }

    [Fact]
    public async Task A_token_that_has_ended_is_told_so_instead_of_showing_less()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client();
        client.DefaultRequestHeaders.Authorization = new("Bearer", "ended");
        await ApiHost.ProblemAsync(await client.GetAsync("/api/v1/stations", Cancel), 401, "sign-in-needed");
    }
}
