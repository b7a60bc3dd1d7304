using System.Text.Json;
using System.Text.RegularExpressions;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Tests.World;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Cloud.Portal.Tests;

/// <summary>What can be asked of a station's charts: from when to when, compared with what, which values.</summary>
public sealed partial class StationChartTests
{
    private static readonly DateTime Noon = new(2026, 11, 23, 12, 0, 0, DateTimeKind.Utc);
    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Theory]
    [InlineData(null, null, null, "2026-11-22T12:00:00 2026-11-23T12:00:00")]
    [InlineData(null, null, "7d", "2026-11-16T12:00:00 2026-11-23T12:00:00")]
    [InlineData("2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", "7d", "2026-11-20T10:00:00 2026-11-20T11:00:00")]
    [InlineData("2026-07-20T10:00", "2026-07-20T12:00+02:00", null, "2026-07-20T09:00:00 2026-07-20T10:00:00")]
    [InlineData("2026-07-20", null, null, "2026-07-19T23:00:00 2026-07-20T23:00:00")]
    [InlineData("2026-11-23T11:00", null, null, "2026-11-23T11:00:00 2026-11-23T12:00:00")]
    [InlineData(null, "2026-11-20T10:00", "7d", "2026-11-13T10:00:00 2026-11-20T10:00:00")]
    [InlineData("2026-11-23T11:00:00Z", "2027-01-01T00:00:00Z", null, "2026-11-23T11:00:00 2026-11-23T12:00:00")]
    [InlineData("2026-10-25T01:30", "2026-10-25T02:30", null, "2026-10-25T00:30:00 2026-10-25T02:30:00")]
    [InlineData("2026-03-29T01:30", "2026-03-29T03:00", null, "2026-03-29T01:30:00 2026-03-29T02:00:00")]
    public void The_time_shown_is_what_the_address_says(string? from, string? to, string? span, string expected)
    {
        var (window, problem) = StationWindow.Of(from, to, span, Day, Noon, Lisbon);
        Assert.Null(problem);
        Assert.Equal(expected, $"{window.From:s} {window.To:s}");
        Assert.Equal(from is not null || to is not null, window.Chosen);
    }

    [Theory]
    [InlineData("yesterday", null, "from", "station.window.bad")]
    [InlineData("2026-11-20", "2026-11-20 10:00", "to", "station.window.bad")]
    [InlineData("2026-13-20", null, "from", "station.window.bad")]
    [InlineData("2026-11-23T12:00:00Z", null, "from", "station.window.future")]
    [InlineData("2026-11-20T10:00", "2026-11-20T10:00:09", "to", "station.window.order")]
    [InlineData("2026-11-20T10:00", "2026-11-19", "to", "station.window.order")]
    [InlineData("2025-11-20", "2026-11-22", "from", "station.window.long")]
    public void What_is_no_time_is_said_and_the_usual_one_is_shown(string? from, string? to, string field, string text)
    {
        var (window, problem) = StationWindow.Of(from, to, null, Day, Noon, Lisbon);
        Assert.Equal(new WindowProblem(field, text), problem);
        Assert.Equal((Noon - Day, Noon, false), (window.From, window.To, window.Chosen));
    }

    [Fact]
    public async Task A_stretch_that_is_none_is_refused_with_what_is_expected_at_its_field()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        using var browser = host.Browser();
        using var answer = await browser.GetAsync("/stations/braga/rodovia?from=2026-11-20&to=soon&lang=en", TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, answer.StatusCode);
        var html = Html.Read(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Empty(html.Faults);
        Assert.Contains(html.Tags, tag => tag["id"] == "chart-to" && tag["aria-invalid"] == "true" && tag["aria-describedby"]!.EndsWith("chart-problem", StringComparison.Ordinal));
        Assert.Contains("Use YYYY-MM-DDTHH:MM", html.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_day_before_and_another_station_stand_beside_it_in_chart_and_table_and_a_hidden_one_does_not()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        var stop = TestContext.Current.CancellationToken;
        var pm25 = host.City.Datastream("braga", "avenida-central", City.Pm25);
        await host.City.Series.AppendAsync(Enumerable.Range(0, 60).Select(i => new Observation(pm25.Id, Noon.AddDays(-2).AddMinutes(i), 77, Quality.Good)).ToArray(), stop);
        using var browser = host.Browser();
        var page = await browser.GetStringAsync("/stations/braga/avenida-central?compare=yesterday&lang=en", stop);
        Assert.Empty(Html.Read(page).Faults);
        var compared = ChartOf(page, pm25.Id).GetProperty("compared");
        Assert.Equal((pm25.Id, 86_400.0, "the day before"), (compared.GetProperty("datastream").GetInt32(), compared.GetProperty("shift").GetDouble(), compared.GetProperty("label").GetString()));
        Assert.Equal((Noon.AddDays(-1) - DateTime.UnixEpoch).TotalSeconds, compared.GetProperty("t")[0].GetDouble());
        Assert.Contains("<td class=\"number\">77.0</td>", page, StringComparison.Ordinal);

        page = await browser.GetStringAsync("/stations/braga/avenida-central?compare=braga/ponte&lang=en", stop);
        var ponte = host.City.Datastream("braga", "ponte", City.Pm25);
        Assert.Equal(ponte.Id, ChartOf(page, pm25.Id).GetProperty("compared").GetProperty("datastream").GetInt32());
        Assert.True(page.IndexOf("value=\"braga/ponte\"", StringComparison.Ordinal) < page.IndexOf("value=\"aveiro/alboi\"", StringComparison.Ordinal), "the nearest is first");
        Assert.DoesNotContain("braga/rodovia\"", page, StringComparison.Ordinal);

        // A station that a stranger may not know of is none, and neither is a word.
        foreach (var name in new[] { "braga/oficina", "braga/nowhere", "ever" })
        {
            page = await browser.GetStringAsync("/stations/braga/avenida-central?compare=" + name, stop);
            Assert.Equal(JsonValueKind.Null, ChartOf(page, pm25.Id).GetProperty("compared").ValueKind);
            Assert.DoesNotContain("Oficina", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Values_before_calibration_are_shown_in_chart_and_table_as_long_as_they_come_one_by_one()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        var stop = TestContext.Current.CancellationToken;
        var pm10 = host.City.Datastream("braga", "avenida-central", City.Pm10);
        var first = Noon.AddDays(-3);
        await host.City.Series.AppendAsync(
            Enumerable.Range(0, 3 * 1_440).Select(i => new Observation(pm10.Id, first.AddMinutes(i), 40, Quality.Good) { Raw = 50 + (i % 2), Calibration = 3, Revision = 1 }).ToArray(), stop);
        using var browser = host.Browser();
        var page = await browser.GetStringAsync("/stations/braga/avenida-central?lang=en", stop);
        Assert.Contains("id=\"chart-values\"", page, StringComparison.Ordinal);
        Assert.Equal(("calibrated", 40.0), ShownOf(page));
        page = await browser.GetStringAsync("/stations/braga/avenida-central?values=raw&lang=en", stop);
        Assert.Empty(Html.Read(page).Faults);
        Assert.Equal(("raw", 50.0), ShownOf(page));
        Assert.Contains("<td class=\"number\">50.5</td>", page, StringComparison.Ordinal);
        page = await browser.GetStringAsync("/stations/braga/avenida-central?values=raw&span=7d&lang=en", stop);
        Assert.Equal(("many", 40.0), ShownOf(page));
        Assert.Contains("zoom in until there are at most 2000", page, StringComparison.Ordinal);

        (string?, double) ShownOf(string text) => (ChartOf(text, pm10.Id).GetProperty("values").GetString(), ChartOf(text, pm10.Id).GetProperty("v")[10].GetDouble());
    }

    [Fact]
    public void Figures_of_values_before_calibration_are_those_of_the_quantity()
    {
        Assert.Equal((30, 20, 10, 15), (RawFigures.Combined([10, 20], Statistic.Sum), RawFigures.Combined([10, 20], Statistic.Max), RawFigures.Combined([10, 20], Statistic.Min), RawFigures.Combined([10, 20], Statistic.Mean)));
        Assert.Equal(60 - (10 * Math.Log10(2)), RawFigures.Combined([60, double.NegativeInfinity], Statistic.EnergyMean), 9);
        Assert.Equal(0, RawFigures.Combined([350, 10], Statistic.CircularMean) % 360, 9);
        Assert.True(double.IsNaN(RawFigures.Combined([90, 270], Statistic.CircularMean)));
        Assert.Equal(7, RawFigures.Of(new Observation(1, Noon, 7, Quality.Good)));
    }

    [Fact]
    public async Task What_is_downloaded_is_what_the_chart_shows()
    {
        await using var host = await PortalHost.StartAsync(new(Noon), new FakeTimeProvider(new(Noon)));
        var stop = TestContext.Current.CancellationToken;
        var pm25 = host.City.Datastream("braga", "avenida-central", City.Pm25);
        using var browser = host.Browser();
        foreach (var query in new[] { "", "?from=2026-11-23T08:00Z&to=2026-11-23T11:30Z" })
        {
            var page = await browser.GetStringAsync("/stations/braga/avenida-central" + query, stop);
            var html = Html.Read(page[page.IndexOf($"<article class=\"chart card\" id=\"ds-{pm25.Id}\"", StringComparison.Ordinal)..]);
            var address = html.Tags.First(tag => tag["download"] is not null)["href"]!;
            var rows = (await browser.GetStringAsync(address, stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..];
            var json = JsonDocument.Parse(await browser.GetStringAsync(address.Replace("&format=csv", "", StringComparison.Ordinal), stop)).RootElement.GetProperty("observations");
            Assert.Equal(json.EnumerateArray().Select(one => $"{one.GetProperty("phenomenonTime")},{one.GetProperty("result")}"), rows.Select(row => string.Join(',', row.Trim().Split(',')[..2])));
            var chart = ChartOf(page, pm25.Id);
            Assert.Equal(
                chart.GetProperty("v").EnumerateArray().Where(one => one.ValueKind == JsonValueKind.Number).Select(one => Math.Round(one.GetDouble(), 3)),
                json.EnumerateArray().Select(one => Math.Round(one.GetProperty("result").GetDouble(), 3)));
        }
    }

    [Fact]
    public void Scripts_read_only_what_the_api_writes_of_observations()
    {
        var api = File.ReadAllText(Path.Combine(Source.Folder, "..", "Api", "ObservationWriter.cs"));
        var script = File.ReadAllText(Path.Combine(Source.Folder, "web", "src", "chart-data.ts"));
        var read = Interfaces().Matches(script).SelectMany(static one => Member().Matches(one.Groups[1].Value)).Select(static one => one.Groups[1].Value).ToArray();
        Assert.Contains("phenomenonTime", read);
        Assert.All(read, member => Assert.Contains($"\"{member}\"", api, StringComparison.Ordinal));
    }

    private static JsonElement ChartOf(string page, int datastream)
    {
        var at = page.IndexOf($"{{\"datastream\":{datastream},", StringComparison.Ordinal);
        return JsonDocument.Parse(page[at..page.IndexOf("</script>", at, StringComparison.Ordinal)]).RootElement;
    }

    [GeneratedRegex(@"interface Api\w+ \{(.*?)\n\}", RegexOptions.Singleline)]
    private static partial Regex Interfaces();

    [GeneratedRegex(@"^\s+(\w+)\??: ", RegexOptions.Multiline)]
    private static partial Regex Member();
}
