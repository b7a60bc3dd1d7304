using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Cloud.Ingest.Tests.Adapters;

public sealed class TelraamTests
{
    private const string Name = StationAdapters.Telraam;
    private const string Sensor = "telraam-9000009794";
    private const int Quarter = 900;

    [Fact]
    public async Task Recorded_quarters_become_their_counts_unscaled_with_their_uptime_as_coverage()
    {
        await using var bench = await AdapterBench.StartAsync();
        var (status, body) = await bench.PostAsync(Name, new JsonObject { ["status_code"] = 200, ["message"] = "ok", ["report"] = Recorded() }.ToJsonString());
        Assert.Equal((HttpStatusCode.Created, 0), (status, body.GetProperty("quarantined").GetInt32()));
        var stored = await bench.StoredAsync();

        // 15 August 19:15 in Montréal.
        var first = new DateTime(2024, 8, 15, 23, 15, 0, DateTimeKind.Utc);
        Assert.Equal(
            [
                new(Sensor, "bicycle_count", Quarter, first, 13, Quality.Good, 1, 1000),
                new(Sensor, "pedestrian_count", Quarter, first, 14, Quality.Good, 1, 1000),
                new(Sensor, "v85", Quarter, first, 46.5, Quality.Good, 1, 1000),
                new(Sensor, "vehicle_count_car", Quarter, first, 11, Quality.Good, 1, 1000),
                new(Sensor, "vehicle_count_heavy", Quarter, first, 2, Quality.Good, 1, 1000),
            ],
            stored.Where(v => v.Time == first));

        // A poor quarter: what was counted stays what it is.
        var poor = new DateTime(2024, 8, 18, 15, 15, 0, DateTimeKind.Utc);
        Assert.All(stored.Where(v => v.Time == poor), v => Assert.Equal((0d, Quality.Incomplete, 0.15, 150), (v.Value, v.Quality, v.Coverage, v.Revision)));
        Assert.Equal(5, stored.Count(v => v.Time == poor));

        // More than the quarter is the whole quarter; with no car there is no speed.
        var more = new DateTime(2024, 8, 24, 21, 0, 0, DateTimeKind.Utc);
        Assert.Equal((14d, 1d, 1030), stored.Where(v => v.Time == more && v.Property == "vehicle_count_car").Select(v => (v.Value, v.Coverage, v.Revision)).Single());
        var night = new DateTime(2024, 9, 30, 4, 45, 0, DateTimeKind.Utc);
        Assert.Equal(1, stored.Single(v => v.Time == night && v.Property == "vehicle_count_unclassified").Value);
        Assert.DoesNotContain(stored, v => v.Time == night && v.Property == "v85");
    }

    [Fact]
    public async Task An_hour_that_went_on_corrects_what_was_told_of_it_in_whatever_order()
    {
        foreach (var order in (int[][])[[0, 1, 2], [2, 1, 0], [1, 2, 0]])
        {
            await using var bench = await AdapterBench.StartAsync();
            JsonObject[] told = [Row(0.2, 10), Row(0.5, 9), Row(0.78, 40)];
            foreach (var i in order)
            {
                Assert.Equal(HttpStatusCode.Created, (await bench.PostAsync(Name, new JsonArray(told[i].DeepClone()).ToJsonString())).Status);
            }

            var time = new DateTime(2026, 11, 26, 11, 0, 0, DateTimeKind.Utc);
            await bench.AssertStoredAsync(new StoredValue(Sensor, "vehicle_count_car", 3600, time, 40, Quality.Good, 0.78, 780));
            var (_, again) = await bench.PostAsync(Name, new JsonArray(told[2].DeepClone()).ToJsonString());
            Assert.Equal(1, again.GetProperty("duplicate").GetInt32());
        }
    }

    [Fact]
    public async Task A_counter_that_saw_nothing_counted_nothing_it_could_know()
    {
        await using var bench = await AdapterBench.StartAsync();
        var (status, body) = await bench.PostAsync(Name, new JsonArray(Row(0, 0)).ToJsonString());
        Assert.Equal((HttpStatusCode.OK, 0), (status, body.GetProperty("received").GetInt32()));
        Assert.Empty(await bench.StoredAsync());
    }

    [Fact]
    public async Task Parts_and_histograms_are_left_out_and_unknown_fields_are_named()
    {
        await using var bench = await AdapterBench.StartAsync();
        var row = Row(1, 3);
        row["car_lft"] = 1;
        row["mode_truck_rgt"] = 0;
        row["car_speed_hist_0to70plus"] = new JsonArray(0, 50, 50, 0, 0, 0, 0, 0);
        row["v85"] = 44.5;
        row["scooter"] = 2;
        var (status, body) = await bench.PostAsync(Name, new JsonArray(row).ToJsonString());
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal(["car_lft", "car_speed_hist_0to70plus", "mode_truck_rgt"], body.GetProperty("ignored").EnumerateArray().Select(i => i.GetString()));
        Assert.StartsWith("Not known: 'scooter'.", Assert.Single(body.GetProperty("refusals").EnumerateArray()).GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(["v85", "vehicle_count_car"], (await bench.StoredAsync()).Select(v => v.Property));
    }

    [Theory]
    [InlineData("{}", "report must")]
    [InlineData("""{"report":{}}""", "report must")]
    [InlineData("[3]", "report[0] must be a row")]
    [InlineData("""[{"interval":"hourly","uptime":1,"car":1}]""", "report[0].date is missing")]
    [InlineData("""[{"date":"yesterday","interval":"hourly","uptime":1,"car":1}]""", "report[0].date is 'yesterday'")]
    [InlineData("""[{"date":"2026-11-26T10:00:00.000Z","interval":"daily","uptime":1,"car":1}]""", "report[0].interval is 'daily'")]
    [InlineData("""[{"date":"2026-11-26T10:00:00.000Z","interval":"hourly","car":1}]""", "report[0].uptime is missing")]
    [InlineData("""[{"date":"2026-11-26T10:00:00.000Z","interval":"hourly","uptime":-0.1,"car":1}]""", "report[0].uptime is '-0.1'")]
    [InlineData("""[{"date":"2026-11-26T10:00:00.000Z","interval":"hourly","uptime":1,"car":-1}]""", "report[0].car is '-1'")]
    [InlineData("""[{"date":"2026-11-26T10:00:00.000Z","interval":"hourly","uptime":1,"car":"many"}]""", "report[0].car is 'many'")]
    [InlineData("""[{"date":"2027-11-26T10:00:00.000Z","interval":"hourly","uptime":1,"car":1}]""", "report[0].car is of 2027-11-26T10:00:00Z")]
    public async Task A_malformed_report_is_told_what_is_wrong_and_kept(string report, string detail)
    {
        await using var bench = await AdapterBench.StartAsync();
        var (status, body) = await bench.PostAsync(Name, report);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "ingest.refused"), (status, body.GetProperty("code").GetString()));
        Assert.Contains(detail, body.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Single(await bench.QuarantineAsync());
    }

    /// <summary>The rows of the owner's download in the form of the API.</summary>
    internal static JsonArray Recorded()
    {
        var lines = AdapterBench.Sample("telraam/montreal-west-9794.csv").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var headings = lines[0].Split(',');
        var rows = new JsonArray();
        var isSecondHour = false;
        foreach (var cells in lines.Skip(1).Select(l => l.Split(',')))
        {
            var local = DateTime.ParseExact(Cell("Date and Time (Local)"), "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
            var uptime = double.Parse(Cell("Uptime").Split(" - ")[1], CultureInfo.InvariantCulture);

            // Montréal is UTC-4 in summer; on 3 November the hour from 01:00 comes twice, first in summer time.
            var offset = local.Month == 11 && isSecondHour ? 5 : 4;
            isSecondHour = local.Month == 11;
            var row = new JsonObject
            {
                ["instance_id"] = -1,
                ["segment_id"] = 9_000_009_794,
                ["date"] = local.AddHours(offset).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
                ["interval"] = "quarterly",
                ["uptime"] = uptime,
                ["timezone"] = "America/Toronto",
                ["direction"] = 1,
            };
            foreach (var (heading, field) in ((string, string)[])[("Pedestrian Total", "pedestrian"), ("Bike Total", "bike"), ("Car Total", "car"), ("Large vehicle Total", "heavy"), ("Night Total", "night"), ("Speed V85 km/h", "v85"), ("Car (A > B)", "car_lft"), ("Car (B > A)", "car_rgt")])
            {
                row[field] = Cell(heading) is { Length: > 0 } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;
            }

            rows.Add(row);

            string Cell(string heading) => cells[Array.IndexOf(headings, heading)];
        }

        return rows;
    }

    private static JsonObject Row(double uptime, int cars) => new()
    {
        ["segment_id"] = 9_000_009_794,
        ["date"] = "2026-11-26T11:00:00.000Z",
        ["interval"] = "hourly",
        ["uptime"] = uptime,
        ["car"] = cars,
    };
}
