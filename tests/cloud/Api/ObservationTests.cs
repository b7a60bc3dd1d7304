using System.Globalization;
using System.Net;
using System.Text.Json;
using CsCheck;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Api.Tests;

public sealed class ObservationTests
{
    private static readonly DateTime Noon = ApiHost.Now;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_last_day_as_it_is_stored()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync(
            new Observation(host.Pm10, Noon.AddHours(-25), 1, Quality.Good),
            new Observation(host.Pm10, Noon.AddHours(-24), 0.1 + 0.2, Quality.Good),
            new Observation(host.Pm10, Noon.AddMinutes(-1), 12.5, Quality.OutOfRange | Quality.SuspectHumidity) { Raw = 11, Calibration = 3, Coverage = 0.5, Revision = 2 },
            new Observation(host.Pm10, Noon, 9, Quality.Good));
        var answer = await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations");
        Assert.Equal("pm10", answer.GetProperty("datastream").GetProperty("property").GetString());
        Assert.Equal("2026-02-28T12:00:00Z", answer.GetProperty("from").GetString());
        Assert.Equal("2026-03-01T12:00:00Z", answer.GetProperty("to").GetString());
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("next").ValueKind);
        Assert.Equal(2, answer.GetProperty("count").GetInt32());
        Assert.Equal(
            """{"phenomenonTime":"2026-02-28T12:00:00Z","result":0.30000000000000004,"quality":[],"calibration":0,"raw":null,"coverage":null,"revision":0}""",
            answer.GetProperty("observations")[0].GetRawText());
        Assert.Equal(
            """{"phenomenonTime":"2026-03-01T11:59:00Z","result":12.5,"quality":["out-of-range","suspect-humidity"],"calibration":3,"raw":11,"coverage":0.5,"revision":2}""",
            answer.GetProperty("observations")[1].GetRawText());
    }

    [Fact]
    public async Task Any_number_and_instant_reads_back_as_it_was_stored()
    {
        await using var host = await ApiHost.StartAsync();
        var sample = Gen.Select(Gen.Double.Where(double.IsFinite), Gen.Long[0, 86_399_999_999]).Array[50].Single();
        var stored = sample.DistinctBy(s => s.Item2).Select(s => new Observation(host.Pm10, Noon.AddDays(-1).AddMicroseconds(s.Item2), s.Item1, Quality.Good)).ToArray();
        await host.StoreAsync(stored);
        var expected = stored.OrderBy(o => o.PhenomenonTime).Select(o => (o.PhenomenonTime, BitConverter.DoubleToInt64Bits(o.Result))).ToArray();

        var json = await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations");
        Assert.Equal(expected, json.GetProperty("observations").EnumerateArray()
            .Select(o => (o.GetProperty("phenomenonTime").GetDateTime(), BitConverter.DoubleToInt64Bits(o.GetProperty("result").GetDouble()))));

        using var client = host.Client();
        var csv = await client.GetStringAsync($"/api/v1/datastreams/{host.Pm10}/observations?format=csv", Cancel);
        Assert.Equal(expected, csv.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(',')).Select(f => (
            DateTime.Parse(f[0], CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind),
            BitConverter.DoubleToInt64Bits(double.Parse(f[1], CultureInfo.InvariantCulture)))));
    }

    [Theory]
    [InlineData("json")]
    [InlineData("csv")]
    public async Task Parts_put_together_are_the_whole_once(string format)
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync([.. Enumerable.Range(0, 25).Select(i => new Observation(host.Pm10, Noon.AddMinutes(i - 60).AddMicroseconds(i), i, Quality.Good))]);
        List<double> read = [];
        var parts = 0;
        using var client = host.Client();
        for (string? address = $"/api/v1/datastreams/{host.Pm10}/observations?limit=10&format={format}"; address is not null; parts++)
        {
            var answer = await client.GetAsync(address, Cancel);
            var text = await answer.Content.ReadAsStringAsync(Cancel);
            if (format == "csv")
            {
                read.AddRange(text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(l => double.Parse(l.Split(',')[1], CultureInfo.InvariantCulture)));
                address = answer.Headers.TryGetValues("Link", out var links) ? links.Single().Split('<', '>')[1] : null;
            }
            else
            {
                var page = JsonDocument.Parse(text).RootElement;
                read.AddRange(page.GetProperty("observations").EnumerateArray().Select(o => o.GetProperty("result").GetDouble()));
                address = page.GetProperty("next").GetString();
            }
        }

        Assert.Equal(3, parts);
        Assert.Equal(Enumerable.Range(0, 25).Select(i => (double)i), read);
    }

    [Fact]
    public async Task Csv_comes_when_accepted_and_has_the_documented_columns()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync(
            new Observation(host.Pm10, Noon.AddMinutes(-2), 8, Quality.Good),
            new Observation(host.Pm10, Noon.AddMinutes(-1), 12.5, Quality.OutOfRange | Quality.Stuck) { Raw = 11, Calibration = 3, Coverage = 0.5, Revision = 2 });
        using var client = host.Client();
        client.DefaultRequestHeaders.Add("Accept", "text/csv, application/json;q=0.5");
        var answer = await client.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations", Cancel);
        Assert.Equal("text/csv", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(
            "phenomenonTime,result,unit,quality,calibration,raw,coverage,revision\r\n"
            + "2026-03-01T11:58:00Z,8,ug/m3,,0,,,0\r\n"
            + "2026-03-01T11:59:00Z,12.5,ug/m3,out-of-range stuck,3,11,0.5,2\r\n",
            await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(
            "phenomenonTime,phenomenonTimeEnd,result,unit,quality,count,coverage,valid,min,max\r\n2026-03-01T11:00:00Z,2026-03-01T12:00:00Z,10.25,ug/m3,out-of-range stuck,2,0.025,false,8,12.5\r\n",
            await client.GetStringAsync($"/api/v1/datastreams/{host.Pm10}/observations?every=1h", Cancel));
        Assert.StartsWith("{", await client.GetStringAsync($"/api/v1/datastreams/{host.Pm10}/observations?format=json", Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Buckets_use_the_figure_that_is_right_for_the_quantity()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync(
            new Observation(host.Laeq, Noon.AddMinutes(-2), 60, Quality.Good),
            new Observation(host.Laeq, Noon.AddMinutes(-1), 70, Quality.Incomplete),
            new Observation(host.Vehicles, Noon.AddMinutes(-30), 10, Quality.Good),
            new Observation(host.Vehicles, Noon.AddMinutes(-15), 32, Quality.Good));
        var noise = await host.GetAsync($"/api/v1/datastreams/{host.Laeq}/observations?every=PT1H");
        Assert.Equal("energy-mean PT1H", $"{noise.GetProperty("statistic").GetString()} {noise.GetProperty("every").GetString()}");
        var bucket = noise.GetProperty("observations")[0];
        Assert.Equal(67.4036, bucket.GetProperty("result").GetDouble(), 4);
        Assert.Equal("incomplete", bucket.GetProperty("quality")[0].GetString());
        Assert.Equal(2, bucket.GetProperty("count").GetInt64());
        Assert.Equal(2 / 60.0, bucket.GetProperty("coverage").GetDouble(), 12);

        Assert.Equal(42, (await host.GetAsync($"/api/v1/datastreams/{host.Vehicles}/observations?every=1h")).GetProperty("observations")[0].GetProperty("result").GetDouble());
        Assert.Equal(70, (await host.GetAsync($"/api/v1/datastreams/{host.Laeq}/observations?every=1h&stat=max")).GetProperty("observations")[0].GetProperty("result").GetDouble());
    }

    [Fact]
    public async Task A_day_is_the_legal_day_of_the_municipality()
    {
        await using var host = await ApiHost.StartAsync();

        // Summer time began in Lisbon on 2026-03-29 at 01:00 UTC: that legal day has 23 hours and the next one begins at 23:00 UTC.
        await host.StoreAsync(
            new Observation(host.Vehicles, new DateTime(2026, 3, 28, 23, 45, 0, DateTimeKind.Utc), 1, Quality.Good),
            new Observation(host.Vehicles, new DateTime(2026, 3, 29, 22, 45, 0, DateTimeKind.Utc), 2, Quality.Good),
            new Observation(host.Vehicles, new DateTime(2026, 3, 29, 23, 0, 0, DateTimeKind.Utc), 4, Quality.Good));
        var days = await host.GetAsync($"/api/v1/datastreams/{host.Vehicles}/observations?every=1d&from=2026-03-27T00:00:00Z&to=2026-04-02T00:00:00Z");
        Assert.Equal(
            ["2026-03-28T00:00:00Z 2026-03-29T00:00:00Z 1", "2026-03-29T00:00:00Z 2026-03-29T23:00:00Z 2", "2026-03-29T23:00:00Z 2026-03-30T23:00:00Z 4"],
            days.GetProperty("observations").EnumerateArray().Select(b => $"{b.GetProperty("phenomenonTime")} {b.GetProperty("phenomenonTimeEnd")} {b.GetProperty("result")}"));
    }

    [Fact]
    public async Task Buckets_in_parts_are_the_whole_once()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync([.. Enumerable.Range(0, 50).Select(i => new Observation(host.Vehicles, Noon.AddMinutes(-15 * (i + 1)), 1, Quality.Good))]);
        List<string> starts = [];
        var count = 0L;
        for (string? address = $"/api/v1/datastreams/{host.Vehicles}/observations?every=1h&limit=5"; address is not null;)
        {
            var page = await host.GetAsync(address);
            starts.AddRange(page.GetProperty("observations").EnumerateArray().Select(b => b.GetProperty("phenomenonTime").GetString()!));
            count += page.GetProperty("observations").EnumerateArray().Sum(b => b.GetProperty("count").GetInt64());
            address = page.GetProperty("next").GetString();
        }

        Assert.Equal(50, count);
        Assert.Equal(13, starts.Count);
        Assert.Equal(starts.Distinct().Order(StringComparer.Ordinal), starts);
    }

    [Theory]
    [InlineData("from=yesterday", "bad-time", "from")]
    [InlineData("to=2026-03-01", "bad-time", "to")]
    [InlineData("to=2026-03-01T12:00:00", "bad-time", "to")]
    [InlineData("from=2026-13-01T00:00:00Z", "bad-time", "from")]
    [InlineData("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "bad-time", "from")]
    [InlineData("every=0s", "bad-parameter", "every")]
    [InlineData("every=1w", "bad-parameter", "every")]
    [InlineData("every=P1M", "bad-parameter", "every")]
    [InlineData("every=PT", "bad-parameter", "every")]
    [InlineData("every=P", "bad-parameter", "every")]
    [InlineData("every=999999999d", "bad-parameter", "every")]
    [InlineData("stat=mean", "bad-parameter", "every")]
    [InlineData("every=1h&stat=average", "bad-parameter", "stat")]
    [InlineData("every=1h&stat=4", "bad-parameter", "stat")]
    [InlineData("every=1h&stat=percentile", "bad-parameter", "percent")]
    [InlineData("every=1h&percent=90", "bad-parameter", "stat")]
    [InlineData("every=1h&stat=mean&percent=90", "bad-parameter", "stat")]
    [InlineData("every=1h&stat=percentile&percent=100.1", "bad-parameter", "percent")]
    [InlineData("every=1h&stat=percentile&percent=-1", "bad-parameter", "percent")]
    [InlineData("every=1h&stat=percentile&percent=1e1", "bad-parameter", "percent")]
    [InlineData("points=1", "bad-parameter", "points")]
    [InlineData("points=20001", "bad-parameter", "points")]
    [InlineData("points=100&limit=10", "bad-parameter", "limit")]
    [InlineData("format=xml", "bad-parameter", "format")]
    [InlineData("limit=100001", "bad-parameter", "limit")]
    [InlineData("every=1s&from=2000-01-01T00:00:00Z", "range-too-large", "every")]
    public async Task Bad_input_is_named_with_what_is_expected(string query, string code, string parameter)
    {
        await using var host = await ApiHost.StartAsync();
        var problem = await host.ProblemAsync($"/api/v1/datastreams/{host.Pm10}/observations?{query}", 400, code);
        Assert.Equal(parameter, problem.GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task Hostile_parameters_never_end_in_anything_but_an_answer()
    {
        await using var host = await ApiHost.StartAsync();
        using var client = host.Client();
        string[] names = ["from", "to", "every", "stat", "limit", "format", "points", "percent"];
        await Gen.Select(Gen.Int[0, names.Length - 1], Gen.OneOf(Gen.String[Gen.Char[' ', '\u0200'], 0, 30], Gen.String[Gen.Char["0123456789PTDHMSZ:+-. dhms"], 1, 25])).SampleAsync(
            async (name, value) =>
            {
                using var answer = await client.GetAsync($"/api/v1/datastreams/1/observations?{names[name]}={Uri.EscapeDataString(value)}", Cancel);
                return answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.BadRequest;
            },
            iter: 500,
            threads: 1);
    }

    [Theory]
    [InlineData("2026-03-01T11:00:00%2B00:00")]
    [InlineData("2026-03-01T12:00:00+01:00")]
    [InlineData("2026-03-01T11:00Z")]
    [InlineData("2026-03-01T11:00:00.0000000Z")]
    public async Task An_instant_may_come_with_an_offset_also_one_whose_plus_became_a_space(string from)
    {
        await using var host = await ApiHost.StartAsync();
        Assert.Equal("2026-03-01T11:00:00Z", (await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?from={from}")).GetProperty("from").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("?format=csv")]
    [InlineData("?every=1h")]
    [InlineData("?every=1h&format=csv")]
    public async Task A_store_that_is_away_is_told_as_such(string query)
    {
        await using var host = await ApiHost.StartAsync();
        host.InPlaceOfSeries = new AwaySeries();
        await host.ProblemAsync($"/api/v1/datastreams/{host.Pm10}/observations{query}", 503, "series-unavailable");
    }

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("15m", 900)]
    [InlineData("1h", 3_600)]
    [InlineData("7d", 604_800)]
    [InlineData("PT15M", 900)]
    [InlineData("P1DT12H30M5S", 131_405)]
    public void Durations_are_read_in_both_forms(string text, int seconds)
    {
        Assert.True(Words.TryDuration(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds);
        Assert.True(Words.TryDuration(Words.Of(duration), out var again));
        Assert.Equal(duration, again);
    }

    [Fact]
    public async Task Latest_shows_the_newest_of_what_the_caller_may_see_and_knows_what_they_have()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync(
            new Observation(host.Pm10, Noon.AddMinutes(-2), 8, Quality.Good),
            new Observation(host.Pm10, Noon.AddMinutes(-1), 9, Quality.Saturated) { Calibration = 2 },
            new Observation(host.PrivateNo2, Noon.AddMinutes(-1), 30, Quality.Good));
        var page = await host.GetAsync("/api/v1/observations/latest");
        Assert.Equal(
            "pm10 ug/m3 PT1M 2026-03-01T11:59:00Z 9 2 [\"saturated\"]",
            string.Join(' ', new[] { "property", "unit", "period", "phenomenonTime", "result", "calibration", "quality" }.Select(p => page.GetProperty("items")[0].GetProperty(p).ToString())));
        Assert.Equal(1, page.GetProperty("items").GetArrayLength());
        Assert.Equal(["1", "3"], ApiHost.Texts(await host.GetAsync("/api/v1/observations/latest?municipality=braga", "Viewer@braga"), "datastream"));
        Assert.Equal(["3"], ApiHost.Texts(await host.GetAsync("/api/v1/observations/latest?property=no2", "Viewer@braga"), "datastream"));
        Assert.Empty(ApiHost.Texts(await host.GetAsync("/api/v1/observations/latest?municipality=aveiro", "Viewer@braga"), "datastream"));

        using var client = host.Client();
        var first = await client.GetAsync("/api/v1/observations/latest", Cancel);
        Assert.Contains("public", first.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        client.DefaultRequestHeaders.IfNoneMatch.Add(first.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await client.GetAsync("/api/v1/observations/latest", Cancel)).StatusCode);
        await host.StoreAsync(new Observation(host.Pm10, Noon, 10, Quality.Good));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/observations/latest", Cancel)).StatusCode);
    }
}
