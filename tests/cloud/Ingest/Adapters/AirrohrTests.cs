using System.Net;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Cloud.Ingest.Tests.Adapters;

public sealed class AirrohrTests
{
    private const string Name = StationAdapters.Airrohr;

    private static DateTime Now => AdapterBench.Now;

    [Fact]
    public async Task A_recorded_push_becomes_its_readings()
    {
        await using var bench = await AdapterBench.StartAsync();
        var headers = AdapterBench.Sample("airrohr/push-sds011-bme280.headers.txt").Split('\n', StringSplitOptions.TrimEntries)
            .Where(l => l.StartsWith("X-", StringComparison.Ordinal)).Select(l => l.Split(": ")).Select(p => (p[0], p[1])).ToArray();
        Assert.Single(headers);
        var (status, body) = await bench.PostAsync(Name, AdapterBench.Sample("airrohr/push-sds011-bme280.json"), headers: headers);
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal((6, 6, 0), (body.GetProperty("received").GetInt32(), body.GetProperty("stored").GetInt32(), body.GetProperty("quarantined").GetInt32()));
        Assert.Equal(["max_micro", "min_micro", "samples"], body.GetProperty("ignored").EnumerateArray().Select(i => i.GetString()));
        await bench.AssertStoredAsync(
            new("sds011", "pm10", 0, Now, 0.40),
            new("sds011", "pm2_5", 0, Now, 0.20),
            new("bme280", "temperature", 0, Now, 20.47),
            new("bme280", "pressure", 0, Now, 1006.1325),
            new("bme280", "relative_humidity", 0, Now, 69.02),
            new("station", "link_quality", 0, Now, -94));
        Assert.Empty(await bench.QuarantineAsync());
    }

    [Fact]
    public async Task A_sensor_that_failed_is_absent_and_the_others_go_on()
    {
        await using var bench = await AdapterBench.StartAsync();
        Assert.Equal(HttpStatusCode.Created, (await bench.PostAsync(Name, AdapterBench.Sample("airrohr/push-bme280-only.json"))).Status);
        await bench.AssertStoredAsync(
            new("bme280", "temperature", 0, Now, 22.17),
            new("bme280", "pressure", 0, Now, 1006.0725),
            new("bme280", "relative_humidity", 0, Now, 65.46),
            new("station", "link_quality", 0, Now, -94));
    }

    [Fact]
    public async Task Types_without_a_sensor_are_of_the_DHT22()
    {
        await using var bench = await AdapterBench.StartAsync();
        Assert.Equal(HttpStatusCode.Created, (await bench.PostAsync(Name, AdapterBench.Sample("airrohr/debug-log-dht22-nrz-2024.json"))).Status);
        await bench.AssertStoredAsync(
            new("dht22", "temperature", 0, Now, 35.2),
            new("dht22", "relative_humidity", 0, Now, 45.3),
            new("station", "link_quality", 0, Now, -65));
    }

    [Theory]
    [InlineData("1", "P1", "12.5", "pm", "pm10", 12.5)]
    [InlineData("1", "P2", "7", "pm", "pm2_5", 7)]
    [InlineData("1", "P0", "3.1", "pm", "pm1", 3.1)]
    [InlineData("3", "pressure", "98000", "bmp", "pressure", 980)]
    [InlineData("7", "humidity", "45.30", "dht22", "relative_humidity", 45.3)]
    [InlineData("11", "pressure", "100607.25", "bme280", "pressure", 1006.0725)]
    [InlineData("13", "temperature", "-3.25", "ds18b20", "temperature", -3.25)]
    [InlineData(null, "SPS30_P4", "4.4", "sps30", "pm4", 4.4)]
    [InlineData(null, "PMS_P0", "2", "pms", "pm1", 2)]
    [InlineData(null, "NPM_P1", "9", "npm", "pm10", 9)]
    [InlineData(null, "SCD30_co2_ppm", "612", "scd30", "co2", 612)]
    [InlineData(null, "BMP280_pressure", "99512", "bmp280", "pressure", 995.12)]
    public async Task The_form_with_X_PIN_and_the_form_with_the_sensor_in_front_are_understood(string? pin, string type, string value, string sensor, string property, double expected)
    {
        await using var bench = await AdapterBench.StartAsync();
        var (status, _) = await bench.PostAsync(Name, Values((type, value)), headers: pin is null ? [] : [("X-Sensor", "esp8266-1"), ("X-PIN", pin)]);
        Assert.Equal(HttpStatusCode.Created, status);
        await bench.AssertStoredAsync(new StoredValue(sensor, property, 0, Now, expected));
    }

    [Fact]
    public async Task A_sound_level_is_of_the_time_since_the_last_push()
    {
        await using var bench = await AdapterBench.StartAsync();
        await bench.PostAsync(Name, Values(("DNMS_noise_LAeq", "61.48"), ("DNMS_noise_LA_min", "48.2"), ("DNMS_noise_LA_max", "79.9")));
        await bench.PostAsync(Name, Values(("DNMS_noise_LAeq", "58.1"), ("interval", "60000")));
        await bench.AssertStoredAsync(new("dnms", "laeq", 145, Now.AddSeconds(-145), 61.48), new("dnms", "laeq", 60, Now.AddSeconds(-60), 58.1));
    }

    [Fact]
    public async Task One_bad_value_among_good_ones_is_kept_with_its_name_and_can_be_released()
    {
        await using var bench = await AdapterBench.StartAsync();
        var (status, body) = await bench.PostAsync(Name, Values(("SDS_P1", "4.0"), ("SDS_P2", "nan"), ("BME280_temperature", "20,5"), ("BME280_humidity", "60")));
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal((4, 2, 2), (body.GetProperty("received").GetInt32(), body.GetProperty("stored").GetInt32(), body.GetProperty("quarantined").GetInt32()));
        var refusals = body.GetProperty("refusals").EnumerateArray().ToArray();
        Assert.Equal([1, 2], refusals.Select(r => r.GetProperty("record").GetInt32()));
        Assert.Equal("sensordatavalues[1].value of 'SDS_P2' is 'nan': it must be a number.", refusals[0].GetProperty("detail").GetString());
        await bench.AssertStoredAsync(new("sds011", "pm10", 0, Now, 4), new("bme280", "relative_humidity", 0, Now, 60));

        var entries = await bench.QuarantineAsync();
        Assert.All(entries, e => Assert.Equal((Name, RefusalReason.Value, (PackFormat?)null), (e.Transport, e.Refusal.Reason, e.Format)));
        Assert.True((await bench.Host.Quarantine.ReleaseAsync(entries[0].Id, AdapterBench.Cancel)).AllRefused);
        Assert.Equal(2, (await bench.QuarantineAsync()).Count);
    }

    [Fact]
    public async Task What_nobody_knows_is_named_and_kept_and_never_guessed()
    {
        await using var bench = await AdapterBench.StartAsync();

        // A bare P1 may be micrograms or, of a PPD42NS, particles in a litre: it stays out of pm10.
        var (status, body) = await bench.PostAsync(Name, Values(("SDS_P1", "4.0"), ("P1", "5"), ("XYZ_temperature", "7"), ("flux_capacitor", "1.21")));
        Assert.Equal(HttpStatusCode.Created, status);
        var refusal = Assert.Single(body.GetProperty("refusals").EnumerateArray());
        Assert.Equal("UnknownQuantity", refusal.GetProperty("reason").GetString());
        Assert.StartsWith("Not known: 'P1', 'XYZ_temperature', 'flux_capacitor'.", refusal.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await bench.AssertStoredAsync(new StoredValue("sds011", "pm10", 0, Now, 4));
        Assert.Equal(3, bench.Host.Metrics["hub.ingest.adapter.fields adapter=airrohr outcome=unknown"]);

        // The PPD42NS says so itself.
        var (ppd, left) = await bench.PostAsync(Name, Values(("P1", "1234"), ("durP1", "5")), headers: [("X-PIN", "5")]);
        Assert.Equal((HttpStatusCode.OK, 0), (ppd, left.GetProperty("received").GetInt32()));
        Assert.Single(await bench.StoredAsync());
    }

    [Fact]
    public async Task A_value_that_is_not_plausible_is_kept_and_flagged()
    {
        await using var bench = await AdapterBench.StartAsync();
        await bench.PostAsync(Name, Values(("BME280_pressure", "1"), ("SDS_P1", "1999.9")));
        await bench.AssertStoredAsync(new("bme280", "pressure", 0, Now, 0.01, Quality.OutOfRange), new("sds011", "pm10", 0, Now, 1999.9));
    }

    [Fact]
    public async Task The_same_push_again_within_a_minute_is_one_push_and_later_another()
    {
        await using var bench = await AdapterBench.StartAsync();
        var push = AdapterBench.Sample("airrohr/push-sds011-bme280.json");
        await bench.PostAsync(Name, push);
        bench.Time.Advance(TimeSpan.FromSeconds(45));
        var (_, again) = await bench.PostAsync(Name, push);
        Assert.Equal((6, 6), (again.GetProperty("received").GetInt32(), again.GetProperty("duplicate").GetInt32()));
        bench.Time.Advance(TimeSpan.FromSeconds(100));
        var (_, next) = await bench.PostAsync(Name, push);
        Assert.Equal(6, next.GetProperty("stored").GetInt32());
        Assert.Equal([Now, Now.AddSeconds(145)], (await bench.StoredAsync()).Where(v => v.Property == "pm10").Select(v => v.Time));
    }

    [Fact]
    public async Task A_push_sent_again_because_the_store_was_away_keeps_its_first_arrival()
    {
        await using var bench = await AdapterBench.StartAsync();
        bench.Host.Series.UnavailableBecause = "the disk is full";
        var push = Values(("SDS_P1", "4.0"), ("SDS_P2", "x"));
        var (away, problem) = await bench.PostAsync(Name, push);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "ingest.unavailable"), (away, problem.GetProperty("code").GetString()));
        Assert.Empty(await bench.QuarantineAsync());
        bench.Host.Series.UnavailableBecause = null;
        bench.Time.Advance(TimeSpan.FromSeconds(10));
        await bench.PostAsync(Name, push);
        await bench.AssertStoredAsync(new StoredValue("sds011", "pm10", 0, Now, 4));
        Assert.Single(await bench.QuarantineAsync());
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("SDS_P1=4", "not JSON")]
    [InlineData("""{"sensordatavalues":[{"value_type":"SDS_P1","value":"4"}""", "not JSON")]
    [InlineData("""{"sensordatavalues":[{"value_type":"\ud800","value":"4"}]}""", "not JSON")]
    [InlineData("[]", "sensordatavalues must")]
    [InlineData("{}", "sensordatavalues must")]
    [InlineData("""{"sensordatavalues":{"SDS_P1":4}}""", "sensordatavalues must")]
    [InlineData("""{"sensordatavalues":[4]}""", "sensordatavalues[0].value_type must")]
    [InlineData("""{"sensordatavalues":[{"value":"4"}]}""", "sensordatavalues[0].value_type must")]
    [InlineData("""{"sensordatavalues":[{"value_type":"SDS_P1"}]}""", "sensordatavalues[0].value of 'SDS_P1' is missing")]
    [InlineData("""{"sensordatavalues":[{"value_type":"SDS_P1","value":null}]}""", "sensordatavalues[0].value of 'SDS_P1' is 'null'")]
    [InlineData("""{"sensordatavalues":[{"value_type":"SDS_P1","value":1e999}]}""", "sensordatavalues[0].value of 'SDS_P1' is '1e999'")]
    public async Task A_malformed_push_is_told_what_is_wrong_and_kept(string push, string detail)
    {
        await using var bench = await AdapterBench.StartAsync();
        var (status, body) = await bench.PostAsync(Name, push);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "ingest.refused"), (status, body.GetProperty("code").GetString()));
        Assert.Contains(detail, body.GetProperty("detail").GetString(), StringComparison.Ordinal);
        var entry = Assert.Single(await bench.QuarantineAsync());
        Assert.Contains(detail, entry.Refusal.Detail, StringComparison.Ordinal);
        Assert.Empty(await bench.StoredAsync());
    }

    [Fact]
    public async Task Too_many_values_are_refused_as_one()
    {
        await using var bench = await AdapterBench.StartAsync();
        var (status, body) = await bench.PostAsync(Name, Values([.. Enumerable.Repeat(("SDS_P1", "4.0"), 1_001)]));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "ingest.too-large"), (status, body.GetProperty("code").GetString()));
        Assert.Single(await bench.QuarantineAsync());
    }

    private static string Values(params (string Type, string Value)[] values) =>
        $$"""{"esp8266id":"1","software_version":"NRZ-2024-136-B1","sensordatavalues":[{{string.Join(',', values.Select(v => $$"""{"value_type":"{{v.Type}}","value":"{{v.Value}}"}"""))}}]}""";
}
