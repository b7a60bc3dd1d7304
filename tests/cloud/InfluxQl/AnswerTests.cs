using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Notifications;
using Hub.Cloud.Series;

namespace Hub.Cloud.InfluxQl.Tests;

/// <summary>How answers look, what only the hub has, and what is refused because it is too much.</summary>
public sealed class AnswerTests
{
    [Fact]
    public async Task Stations_are_points_at_the_end_of_what_is_asked_about()
    {
        await using var host = await FurnishedAsync();
        Assert.Equal(
            "station  [\"time\",\"latitude\",\"longitude\",\"name\",\"last_seen\",\"station\"]\n[1775131200000,41.5,-8.4,\"Estação centro\",1774570140000,\"centro\"]\n",
            await host.LinesAsync("SELECT latitude, longitude, name, last_seen, station FROM station WHERE time > now() - 5m"));
        Assert.Equal(
            "station station=centro [\"time\",\"last\",\"name\"]\n[1774656000000,41.5,\"Estação centro\"]\n",
            await host.LinesAsync("SELECT last(latitude), \"name\" FROM station WHERE time >= 1774569600000ms AND time <= 1774656000000ms GROUP BY station"));
    }

    [Fact]
    public async Task Alarms_are_points_where_they_start_and_end()
    {
        await using var host = await FurnishedAsync();
        var start = QlHost.Now.AddHours(-2);
        host.Alerts.RuleList.Add(new Rule("braga", "no2-alto", "NO2 alto", "High NO2", Severity.Warning, "no2", null, null, null, Crossing.Above, 100, 80, TimeSpan.Zero));
        host.Alerts.Alarms.Add(new Alarm("a", "braga", "no2-alto", "centro", 1, Severity.Warning, start, start, start.AddHours(1), 120, 150.5, 70, start, false, false));
        host.Alerts.Alarms.Add(new Alarm("b", "braga", "no2-alto", "centro", 1, Severity.Warning, start, start.AddMinutes(90), null, 120, 130, 120, start, false, false));
        host.Alerts.Alarms.Add(new Alarm("c", "braga", "no2-alto", "centro", 1, Severity.Warning, start, start, null, 120, 130, 120, start, false, Withdrawn: true));
        Assert.Equal(
            "alarm  [\"time\",\"kind\",\"title\",\"text\"]\n[1775124000000,\"start\",\"NO2 alto\",\"Estação centro: máximo 150,5 ug/m3\"]\n"
            + "[1775127600000,\"end\",\"NO2 alto\",\"Estação centro: máximo 150,5 ug/m3\"]\n[1775129400000,\"start\",\"NO2 alto\",\"Estação centro: máximo 130 ug/m3\"]\n",
            await host.LinesAsync("SELECT kind, title, text FROM alarm WHERE time > now() - 6h"));
        Assert.Equal(
            "alarm  [\"key\",\"value\"]\n[\"severity\",\"warning\"]\n", await host.LinesAsync("SHOW TAG VALUES FROM alarm WITH KEY = severity WHERE kind = 'start'"));
        Assert.Equal("alarm severity=warning [\"time\",\"count\"]\n[0,1]\n", await host.LinesAsync("SELECT count(title) FROM alarm WHERE kind = 'end' GROUP BY severity"));
    }

    [Fact]
    public async Task Lists_say_what_there_is()
    {
        await using var host = await FurnishedAsync();
        Assert.Equal("databases  [\"name\"]\n[\"hub\"]\n", await host.LinesAsync("SHOW DATABASES"));
        Assert.Equal("measurements  [\"name\"]\n[\"alarm\"]\n[\"observation\"]\n[\"station\"]\n", await host.LinesAsync("show measurements"));
        Assert.Equal("  [\"name\",\"duration\",\"shardGroupDuration\",\"replicaN\",\"default\"]\n[\"autogen\",\"0s\",\"168h0m0s\",1,true]\n", await host.LinesAsync("SHOW RETENTION POLICIES ON \"hub\""));
        Assert.Equal(
            "observation  [\"fieldKey\",\"fieldType\"]\n[\"calibration\",\"integer\"]\n[\"coverage\",\"float\"]\n[\"quality\",\"integer\"]\n[\"raw\",\"float\"]\n[\"result\",\"float\"]\n[\"revision\",\"integer\"]\n",
            await host.LinesAsync("SHOW FIELD KEYS FROM observation"));
        Assert.Equal("  [\"key\"]\n[\"observation,datastream=1,municipality=braga,period=60,property=no2,sensor=ops,station=centro\"]\n", await host.LinesAsync("SHOW SERIES FROM /^obs/ LIMIT 1"));
    }

    [Fact]
    public async Task Answers_look_as_InfluxDBs()
    {
        await using var host = await FurnishedAsync();
        using var answer = await host.Client().GetAsync(new Uri("/query?db=hub&q=" + Uri.EscapeDataString("SELECT last(result) FROM observation GROUP BY station; SELECT x FROM nowhere"), UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal("1.6.7", answer.Headers.GetValues("X-Influxdb-Version").Single());
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(
            """{"results":[{"statement_id":0,"series":[{"name":"observation","tags":{"station":"centro"},"columns":["time","last"],"values":[["2026-03-27T00:09:00Z",9]]}]},{"statement_id":1}]}""" + "\n",
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Contains("[\"2026-03-27T00:09:00Z\",9]", await host.LinesAsync("SELECT last(result) FROM observation tz('Europe/Lisbon')", ""), StringComparison.Ordinal);
        Assert.Contains("[1774570140,9]", await host.LinesAsync("SELECT last(result) FROM observation", "epoch=s"), StringComparison.Ordinal);
        Assert.Contains("\n", (await host.Client().GetStringAsync(new Uri("/query?pretty=true&q=SHOW+DATABASES", UriKind.Relative), TestContext.Current.CancellationToken)).TrimEnd(), StringComparison.Ordinal);

        using var ping = await host.Client().GetAsync(new Uri("/ping", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(204, (int)ping.StatusCode);
        Assert.Equal("1.6.7", ping.Headers.GetValues("X-Influxdb-Version").Single());
    }

    [Fact]
    public async Task Chunks_are_documents_of_so_many_rows()
    {
        await using var host = await FurnishedAsync();
        var text = await host.Client().GetStringAsync(new Uri("/query?chunked=true&chunk_size=4&epoch=s&q=SELECT+result+FROM+observation", UriKind.Relative), TestContext.Current.CancellationToken);
        var documents = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("results")[0]).ToArray();
        Assert.Equal([4, 4, 2], documents.Select(document => document.GetProperty("series")[0].GetProperty("values").GetArrayLength()));
        Assert.Equal([true, true, false], documents.Select(document => document.TryGetProperty("partial", out _)));
    }

    [Theory]
    [InlineData("PointsMax", "100", "SELECT mean(result) FROM observation WHERE time >= '2026-03-27' AND time < '2026-03-28' GROUP BY time(1m)", "the answer would have more than 100 rows (Hub:InfluxQl:PointsMax)")]
    [InlineData("PointsHeldMax", "1000", "SELECT mean(result) FROM observation WHERE time >= '2026-03-27' AND time < '2026-03-28' GROUP BY time(1s)", "(Hub:InfluxQl:PointsHeldMax)")]
    [InlineData("RowsReadMax", "1000", "SELECT median(result) FROM observation", "(Hub:InfluxQl:RowsReadMax)")]
    public async Task Too_much_is_refused_with_the_limit_and_what_to_do(string limit, string value, string question, string error)
    {
        await using var host = await FurnishedAsync(($"Hub:InfluxQl:{limit}", value));
        await host.AppendAsync([.. Enumerable.Range(0, 2_000).Select(i => new Observation(1, TwoStores.Begin.AddHours(1).AddMinutes(i), i, default))]);
        Assert.Contains(error, await host.LinesAsync(question), StringComparison.Ordinal);

        // What follows a statement that failed is not answered, and says so.
        var (_, document) = await host.AskAsync(question + "; SHOW DATABASES");
        Assert.Equal("not executed", document.GetProperty("results")[1].GetProperty("error").GetString());
    }

    [Fact]
    public async Task Where_InfluxDB_1_6_errs_the_hub_does_not()
    {
        await using var host = await FurnishedAsync();

        // A percentage too low for a bucket gives nothing for that bucket; InfluxDB ends the whole answer there.
        Assert.Equal("observation  [\"time\",\"percentile\"]\n[1774569600000,0]\n", await host.LinesAsync("SELECT percentile(result, 10) FROM observation WHERE time >= '2026-03-27' AND time < '2026-03-28' GROUP BY time(1d) fill(none)"));

        // In a question within a question InfluxDB cuts pow(10, x) to a whole number.
        Assert.Equal("observation  [\"time\",\"max\"]\n[1774570140000,7.943282347242816]\n", await host.LinesAsync("SELECT max(e) FROM (SELECT pow(10, result / 10) AS e FROM observation) WHERE time >= '2026-03-27'"));

        // Functions in a condition choose rows; InfluxDB's index in memory finds none.
        Assert.Equal("observation  [\"time\",\"count\"]\n[1774569600000,3]\n", await host.LinesAsync("SELECT count(result) FROM observation WHERE abs(result - 5) < 2 AND time >= '2026-03-27'"));
    }

    [Fact]
    public async Task Whole_numbers_stay_whole_and_the_earlier_of_two_modes_wins()
    {
        await using var host = await FurnishedAsync();
        Assert.Equal("observation  [\"time\",\"sum\",\"mean\",\"mode\"]\n[1774569600000,0,0,0]\n", await host.LinesAsync("SELECT sum(quality), mean(quality), mode(quality) FROM observation WHERE time >= '2026-03-27'"));
        Assert.Equal("observation  [\"time\",\"half\",\"rest\"]\n[1774569600000,0,0]\n", await host.LinesAsync("SELECT quality / 2 AS half, quality % 2 AS rest FROM observation LIMIT 1"));
    }

    [Fact]
    public async Task What_is_not_enabled_is_not_there()
    {
        await using var host = await FurnishedAsync(("Hub:InfluxQl:Enabled", "false"));
        using var answer = await host.Client().GetAsync(new Uri("/query?q=SHOW+DATABASES", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(404, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("Timeout", "00:00:00.1", "Hub:InfluxQl:Timeout is 00:00:00.1000000; it must be 00:00:01 to 00:10:00.")]
    [InlineData("QueriesMax", "0", "Hub:InfluxQl:QueriesMax is 0; it must be 1 to 64.")]
    [InlineData("Database", "a b", "Hub:InfluxQl:Database is 'a b'; it must be 1 to 64 letters, digits, _ and -.")]
    [InlineData("CredentialsKept", "01:00:00", "Hub:InfluxQl:CredentialsKept is 01:00:00; it must be 00:00:00 to 00:15:00.")]
    public async Task Settings_out_of_range_are_refused_at_start(string key, string value, string error)
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => QlHost.StartAsync(null, ($"Hub:InfluxQl:{key}", value)));
        Assert.Contains(error, refused.ToString(), StringComparison.Ordinal);
    }

    /// <summary>One station with ten observations of a minute: 0 to 9.</summary>
    private static async Task<QlHost> FurnishedAsync(params (string, string)[] settings)
    {
        var host = await QlHost.StartAsync(null, settings);
        var no2 = await host.AddAsync(await host.AddAsync("braga", "centro"), "ops", "no2", 60);
        await host.AppendAsync([.. Enumerable.Range(0, 10).Select(i => new Observation(no2, TwoStores.Begin.AddMinutes(i), i, default))]);
        return host;
    }
}
