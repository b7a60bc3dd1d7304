using System.Text.Json;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Api.Tests;

/// <summary>How finely a question is answered, what a bucket says of itself, and that the answer says which it was.</summary>
public sealed class PointsTests
{
    private static readonly DateTime Noon = ApiHost.Now;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Few_observations_come_as_they_are_stored()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync([.. Minutes(host.Pm10, 100)]);
        var answer = await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?from=2026-03-01T10:00:00Z&points=120");
        Assert.Equal("raw 120 100", $"{Text(answer, "resolution")} {Text(answer, "points")} {Text(answer, "count")}");
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null, JsonValueKind.Null), (Kind(answer, "every"), Kind(answer, "statistic"), Kind(answer, "next")));

        // One point less and they do not fit.
        answer = await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?from=2026-03-01T10:00:00Z&points=119");
        Assert.Equal("PT2M mean 119 50", $"{Text(answer, "resolution")} {Text(answer, "statistic")} {Text(answer, "points")} {Text(answer, "count")}");
        Assert.Equal("PT2M", Text(answer, "every"));
    }

    [Fact]
    public async Task A_year_of_minutes_travels_as_few_points_with_its_envelope()
    {
        await using var host = await ApiHost.StartAsync();
        const int minutes = 365 * 24 * 60;
        await host.StoreAsync([.. Minutes(host.Laeq, minutes)]);
        using var client = host.Client();
        var text = await client.GetStringAsync($"/api/v1/datastreams/{host.Laeq}/observations?from=2025-03-01T12:00:00Z&points=2000", Cancel);
        var answer = JsonDocument.Parse(text).RootElement;
        var points = answer.GetProperty("observations").EnumerateArray().ToArray();
        Assert.Equal("PT6H energy-mean", $"{Text(answer, "resolution")} {Text(answer, "statistic")}");
        Assert.InRange(points.Length, 1_000, 2_000);
        Assert.Equal(minutes, points.Sum(p => p.GetProperty("count").GetInt64()));
        Assert.All(points, p => Assert.True(p.GetProperty("min").GetDouble() <= p.GetProperty("result").GetDouble() && p.GetProperty("result").GetDouble() <= p.GetProperty("max").GetDouble()));
        Assert.Equal((45, 74), (points.Min(p => p.GetProperty("min").GetDouble()), points.Max(p => p.GetProperty("max").GetDouble())));
        Assert.InRange(text.Length, 0, 400_000);

        // The store reads 525,600 rows and the limit is on what is sent; a thinner chart is made of days.
        answer = await host.GetAsync($"/api/v1/datastreams/{host.Laeq}/observations?from=2025-03-01T12:00:00Z&points=400");
        Assert.Equal("P1D", Text(answer, "resolution"));
        Assert.InRange(answer.GetProperty("count").GetInt32(), 365, 400);
        Assert.Equal("2025-07-01T23:00:00Z", answer.GetProperty("observations")[123].GetProperty("phenomenonTime").GetString());
    }

    [Fact]
    public async Task A_station_that_sends_more_often_than_it_says_still_gets_no_more_points()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync([.. Enumerable.Range(1, 600).Select(i => new Observation(host.Pm10, Noon.AddSeconds(-i), i, Quality.Good))]);
        var answer = await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?from=2026-03-01T11:50:00Z&points=30");
        Assert.Equal("PT1M 10", $"{Text(answer, "resolution")} {Text(answer, "count")}");
    }

    [Fact]
    public async Task All_of_time_fits_into_two_points()
    {
        await using var host = await ApiHost.StartAsync(("Hub:Api:QueryRowsMax", "1000000000000"));
        await host.StoreAsync([.. Minutes(host.Pm10, 100)]);
        var answer = await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?from=0001-01-01T00:00:00Z&to=9999-12-31T00:00:00Z&points=2");
        Assert.Equal(100, answer.GetProperty("observations").EnumerateArray().Sum(p => p.GetProperty("count").GetInt64()));
        Assert.InRange(answer.GetProperty("count").GetInt32(), 1, 2);
    }

    [Fact]
    public async Task A_width_or_a_figure_that_is_asked_for_is_what_comes()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync([.. Minutes(host.Pm10, 100)]);
        var answer = await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?every=10m&points=2&limit=4");
        Assert.Equal("PT10M 4", $"{Text(answer, "resolution")} {Text(answer, "count")}");
        Assert.Equal(JsonValueKind.Null, Kind(answer, "points"));
        Assert.Contains("limit=4", Text(answer, "next"), StringComparison.Ordinal);
        answer = await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?from=2026-03-01T10:00:00Z&points=1000&stat=max");
        Assert.Equal("PT1M max 100", $"{Text(answer, "resolution")} {Text(answer, "statistic")} {Text(answer, "count")}");
    }

    [Fact]
    public async Task Csv_says_in_its_headers_what_it_is_made_of()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync([.. Minutes(host.Laeq, 100)]);
        using var client = host.Client();
        using var raw = await client.GetAsync($"/api/v1/datastreams/{host.Laeq}/observations?points=2000&format=csv", Cancel);
        Assert.Equal("raw", Assert.Single(raw.Headers.GetValues("Hub-Resolution")));
        Assert.False(raw.Headers.Contains("Hub-Statistic"));
        Assert.Contains("Hub-Resolution", Assert.Single(raw.Headers.GetValues("Access-Control-Expose-Headers")), StringComparison.Ordinal);
        Assert.Equal(101, (await raw.Content.ReadAsStringAsync(Cancel)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
        using var buckets = await client.GetAsync($"/api/v1/datastreams/{host.Laeq}/observations?points=50&format=csv", Cancel);
        Assert.Equal("PT30M energy-mean", $"{Assert.Single(buckets.Headers.GetValues("Hub-Resolution"))} {Assert.Single(buckets.Headers.GetValues("Hub-Statistic"))}");

        // Sound levels have no least coverage in law: the column is there and empty.
        var line = (await buckets.Content.ReadAsStringAsync(Cancel)).Split("\r\n")[2].Split(',');
        Assert.Equal(("30", "1", "", "45", "74"), (line[5], line[6], line[7], line[8], line[9]));
    }

    [Theory]
    [InlineData("every=PT5M&limit=100000", "points=500")]
    [InlineData("limit=100000", "points=2000")]
    public async Task What_a_chart_offers_as_csv_has_the_rows_that_it_was_given_as_json(string file, string chart)
    {
        // As the pages ask: a script for the points of a chart, its link for the same as a file (cloud/Portal/Serving/ChartFacts.cs).
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync([.. Minutes(host.Laeq, 1_400)]);
        const string Stretch = "from=2026-02-28T12:03:00Z&to=2026-03-01T11:31:00Z&";
        using var client = host.Client();
        var rows = (await client.GetStringAsync($"/api/v1/datastreams/{host.Laeq}/observations?{Stretch}{file}&format=csv", Cancel)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(static row => row.Split(',')).ToArray();
        var (time, result) = (Array.IndexOf(rows[0], "phenomenonTime"), Array.IndexOf(rows[0], "result"));
        var points = (await host.GetAsync($"/api/v1/datastreams/{host.Laeq}/observations?{Stretch}{chart}")).GetProperty("observations").EnumerateArray().ToArray();
        Assert.InRange(points.Length, 200, 2_000);
        Assert.Equal(points.Select(static point => $"{Text(point, "phenomenonTime")} {point.GetProperty("result").GetRawText()}"), rows[1..].Select(row => $"{row[time]} {row[result]}"));
    }

    [Fact]
    public async Task Levels_exceeded_a_tenth_and_nine_tenths_of_the_time()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync([.. Enumerable.Range(0, 41).Select(i => new Observation(host.Laeq, Noon.AddHours(-1).AddMinutes(i), 50 + (i * 17 % 41), Quality.Good))]);
        Assert.Equal("percentile 90 86", await LevelAsync("90"));
        Assert.Equal("percentile 10 54", await LevelAsync("10"));
        Assert.Equal("percentile 99.5 89.8", await LevelAsync("99.5"));

        async Task<string> LevelAsync(string percent)
        {
            var answer = await host.GetAsync($"/api/v1/datastreams/{host.Laeq}/observations?every=1h&stat=percentile&percent={percent}");
            return $"{Text(answer, "statistic")} {Text(answer, "percent")} {Math.Round(answer.GetProperty("observations")[0].GetProperty("result").GetDouble(), 9).ToString(System.Globalization.CultureInfo.InvariantCulture)}";
        }
    }

    [Theory]
    [InlineData(45, 1.0, true)]
    [InlineData(44, 1.0, false)]
    [InlineData(60, 0.75, true)]
    [InlineData(60, 0.7, false)]
    public async Task An_hour_of_air_with_less_than_three_quarters_is_given_as_not_valid_with_its_coverage(int minutes, double each, bool valid)
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync([.. Enumerable.Range(0, minutes).Select(i => new Observation(host.Pm10, Noon.AddHours(-1).AddMinutes(i), 20, Quality.Good) { Coverage = each })]);
        var hour = (await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?every=1h")).GetProperty("observations")[0];
        Assert.Equal(valid, hour.GetProperty("valid").GetBoolean());
        Assert.Equal(minutes * each / 60, hour.GetProperty("coverage").GetDouble(), 12);
        Assert.Equal(20, hour.GetProperty("result").GetDouble());

        // The law speaks of hours and more.
        var quarter = (await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?every=15m")).GetProperty("observations")[0];
        Assert.Equal(JsonValueKind.Null, quarter.GetProperty("valid").ValueKind);
    }

    private static IEnumerable<Observation> Minutes(int datastream, int count) =>
        Enumerable.Range(1, count).Select(i => new Observation(datastream, Noon.AddMinutes(-i), 45 + (i % 30), Quality.Good));

    private static string Text(JsonElement answer, string name) => answer.GetProperty(name).ToString();

    private static JsonValueKind Kind(JsonElement answer, string name) => answer.GetProperty(name).ValueKind;
}
