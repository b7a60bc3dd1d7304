using System.Net;
using System.Text;
using System.Text.Json;
using CsCheck;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Api.Tests;

public sealed class RecalibrationTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Values_of_a_wrong_calibration_are_computed_anew_from_the_raw_ones()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync(
            Made(host.Pm10, 0, raw: 10, result: 25, version: 3),
            Made(host.Pm10, 1, raw: 20, result: 50, version: 3) with { Revision = 4, Quality = Quality.CalibrationDue },
            Made(host.Pm10, 2, raw: 30, result: 33, version: 4),
            new Observation(host.Pm10, At(3), 40, Quality.Good),
            Made(host.Laeq, 0, raw: 10, result: 25, version: 3));

        var answer = await PostAsync(host, host.Pm10, """{"calibration":3,"gain":1.1,"offset":-2}""", "Operator@braga");
        Assert.Equal((2, 2), (answer.GetProperty("found").GetInt32(), answer.GetProperty("corrected").GetInt32()));
        var stored = await AllAsync(host, host.Pm10);
        Assert.Equal([9.0, 20.0, 33.0, 40.0], stored.Select(o => Math.Round(o.Result, 9)));
        Assert.Equal([(10.0, 3, 1), (20.0, 3, 5), (30.0, 4, 0)], stored[..3].Select(o => (o.Raw, o.Calibration, o.Revision)));
        Assert.Equal(Quality.CalibrationDue, stored[1].Quality);
        Assert.Equal(25, Assert.Single(await AllAsync(host, host.Laeq)).Result);

        // Again: nothing is left to do. And what the station sends once more loses against it.
        answer = await PostAsync(host, host.Pm10, """{"calibration":3,"gain":1.1,"offset":-2}""", "Operator@braga");
        Assert.Equal((2, 0), (answer.GetProperty("found").GetInt32(), answer.GetProperty("corrected").GetInt32()));
        await host.StoreAsync(Made(host.Pm10, 0, raw: 10, result: 25, version: 3));
        Assert.Equal(9, (await AllAsync(host, host.Pm10))[0].Result, 1e-9);
    }

    [Fact]
    public async Task Only_the_time_that_was_asked_for_is_touched_and_long_ones_go_in_parts()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync([.. Enumerable.Range(0, 25_000).Select(n => Made(host.Pm10, n, raw: n % 100, result: (n % 100) + 1, version: 1))]);
        var answer = await PostAsync(
            host, host.Pm10, $$"""{"calibration":1,"gain":2,"offset":0.5,"from":"{{At(100):O}}","to":"{{At(24_900):O}}"}""", "Operator@braga");
        Assert.Equal((24_800, 24_800), (answer.GetProperty("found").GetInt32(), answer.GetProperty("corrected").GetInt32()));
        var stored = await AllAsync(host, host.Pm10);
        Assert.Equal(25_000, stored.Count);
        Assert.All(stored.Select((o, n) => (o, n)), pair => Assert.Equal(pair.n is >= 100 and < 24_900 ? (2 * pair.o.Raw) + 0.5 : pair.o.Raw + 1, pair.o.Result));
    }

    [Fact]
    public async Task Only_operators_of_the_municipality_may()
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync(Made(host.Pm10, 0, raw: 10, result: 25, version: 3));
        const string Body = """{"calibration":3,"gain":1,"offset":0}""";
        await ProblemAsync(host, host.Pm10, Body, null, 401, "sign-in-needed");
        await ProblemAsync(host, host.Pm10, Body, "Viewer@braga", 403, "not-allowed");
        await ProblemAsync(host, host.Pm10, Body, "Operator@aveiro", 403, "not-allowed");
        await ProblemAsync(host, host.PrivateNo2, Body, "Operator@aveiro", 404, "unknown-datastream");
        await ProblemAsync(host, 4711, Body, "Operator@braga", 404, "unknown-datastream");
        Assert.Equal(25, Assert.Single(await AllAsync(host, host.Pm10)).Result);
    }

    [Theory]
    [InlineData("", "bad-body")]
    [InlineData("[]", "bad-body")]
    [InlineData("""{"calibration":3,"gain":1}""", "bad-body")]
    [InlineData("""{"calibration":0,"gain":1,"offset":0}""", "bad-body")]
    [InlineData("""{"calibration":3,"gain":0,"offset":0}""", "bad-body")]
    [InlineData("""{"calibration":3,"gain":1e300,"offset":0}""", "bad-body")]
    [InlineData("""{"calibration":3,"gain":1,"offset":1e999}""", "bad-body")]
    [InlineData("""{"calibration":3,"gain":"much","offset":0}""", "bad-body")]
    [InlineData("""{"calibration":3,"gain":1,"offset":0,"from":"2026-03-02T00:00:00Z","to":"2026-03-01T00:00:00Z"}""", "bad-time")]
    public async Task A_body_that_says_nothing_sensible_is_refused(string body, string code)
    {
        await using var host = await ApiHost.StartAsync();
        await ProblemAsync(host, host.Pm10, body, "Operator@braga", 400, code);
    }

    /// <summary>Whatever is corrected, in whatever order: the last correction decides, the version and raw value stay, and the range is said of the new value.</summary>
    [Fact]
    public void The_last_correction_decides() =>
        Gen.Select(Gen.Double[-100, 3000], Gen.Select(Gen.Double[0.1, 5], Gen.Double[-100, 100]).Array[1, 5], Gen.Bool).Sample((raw, corrections, flagged) =>
        {
            Assert.True(QuantityCatalogue.TryGet("pm10", out var pm10));

            // As it arrives: what is out of range says so. A correction that changes nothing leaves it as it is.
            var outside = flagged || raw < pm10.PlausibleMin || raw > pm10.PlausibleMax;
            var observation = new Observation(1, At(0), raw, (outside ? Quality.OutOfRange : Quality.Good) | (flagged ? Quality.Stuck : Quality.Good)) { Raw = raw, Calibration = 2 };
            foreach (var (gain, offset) in corrections)
            {
                var correction = new Recalibration(pm10, 2, gain, offset);
                observation = correction.Correct(observation) ?? observation;
                Assert.Null(correction.Correct(observation));
                Assert.Null(new Recalibration(pm10, 3, gain, offset).Correct(observation));
            }

            var (lastGain, lastOffset) = corrections[^1];
            Assert.Equal((raw * lastGain) + lastOffset, observation.Result);
            Assert.Equal((raw, 2), (observation.Raw, observation.Calibration));
            if (observation.Result < pm10.PlausibleMin || observation.Result > pm10.PlausibleMax)
            {
                Assert.True(observation.Quality.HasFlag(Quality.OutOfRange));
            }

            Assert.Equal(flagged, observation.Quality.HasFlag(Quality.Stuck));
        });

    private static DateTime At(int minute) => ApiHost.Now.AddMinutes(minute - 30_000);

    private static Observation Made(int datastream, int minute, double raw, double result, int version) => new(datastream, At(minute), result, Quality.Good) { Raw = raw, Calibration = version };

    private static async Task<List<Observation>> AllAsync(ApiHost host, int datastream)
    {
        var all = new List<Observation>();
        await foreach (var observation in host.Series.RangeAsync(datastream, At(-10), At(60_000), Cancel))
        {
            all.Add(observation);
        }

        return all;
    }

    private static async Task<JsonElement> PostAsync(ApiHost host, int datastream, string body, string rights)
    {
        using var client = host.Client(rights);
        using var answer = await client.PostAsync($"/api/v1/datastreams/{datastream}/recalibrations", new StringContent(body, Encoding.UTF8, "application/json"), Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private static async Task ProblemAsync(ApiHost host, int datastream, string body, string? rights, int status, string code)
    {
        using var client = host.Client(rights);
        await ApiHost.ProblemAsync(await client.PostAsync($"/api/v1/datastreams/{datastream}/recalibrations", new StringContent(body, Encoding.UTF8, "application/json"), Cancel), status, code);
    }
}
