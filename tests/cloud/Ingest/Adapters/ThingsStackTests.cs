using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hub.Cloud.Ingest.Adapters.ThingsStack;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Ingest.Tests.Adapters;

public sealed class ThingsStackTests
{
    private const string Name = StationAdapters.ThingsStack;

    /// <summary>Time of the recorded uplinks, whole microseconds of what the network wrote with nanoseconds.</summary>
    private static readonly DateTime At = new(2023, 5, 19, 5, 33, 35, 641, 841, DateTimeKind.Utc);

    private static readonly DateTime DecentlabAt = new(2020, 2, 6, 9, 46, 5, 234, 172, DateTimeKind.Utc);

    private static readonly string[] Editions = ["ThingsStackCommunity", "ThingsStackIndustries"];

    [Fact]
    public async Task Recorded_uplinks_become_their_readings()
    {
        await using var bench = await AdapterBench.StartAsync();
        await TakeAsync(bench, "Milesight_AM319", "payload.json", "milesight-iot/am319");
        await bench.AssertStoredAsync(
            new("eui-1000000000000001", "link_quality", 0, At, -35),
            new("eui-1000000000000001", "temperature", 0, At, 23.8),
            new("eui-1000000000000001", "relative_humidity", 0, At, 62),
            new("eui-1000000000000001", "co2", 0, At, 936),
            new("eui-1000000000000001", "pressure", 0, At, 1008.6),
            new("eui-1000000000000001", "pm2_5", 0, At, 32),
            new("eui-1000000000000001", "pm10", 0, At, 48),
            new("eui-1000000000000001", "battery_level", 0, At, 85));
        Assert.Empty(await bench.QuarantineAsync());
    }

    [Fact]
    public async Task A_sound_level_is_of_the_time_between_two_reports()
    {
        await using var bench = await AdapterBench.StartAsync();
        await TakeAsync(bench, "Milesight_WS302", "payload.json", "milesight-iot/ws302");
        await TakeAsync(bench, "Milesight_WS302", "payload.json", "milesight-iot/ws302&period=60");
        await bench.AssertStoredAsync(
            new("eui-1000000000000001", "link_quality", 0, At, -35),
            new("eui-1000000000000001", "laeq", 600, At.AddSeconds(-600), 47.4),
            new("eui-1000000000000001", "lafmax", 600, At.AddSeconds(-600), 61.8),
            new("eui-1000000000000001", "laeq", 60, At.AddSeconds(-60), 47.4),
            new("eui-1000000000000001", "lafmax", 60, At.AddSeconds(-60), 61.8),
            new("eui-1000000000000001", "battery_level", 0, At, 100));
    }

    [Fact]
    public async Task Totals_since_a_reset_are_no_counts_and_the_counts_of_a_period_are()
    {
        await using var bench = await AdapterBench.StartAsync();
        var totals = await TakeAsync(bench, "Milesight_VS133", "payload.json", "milesight-iot/vs133");
        Assert.Equal(8, totals.GetProperty("ignored").GetArrayLength());
        await bench.AssertStoredAsync(new StoredValue("eui-1000000000000001", "link_quality", 0, At, -35));

        var uplink = Recorded("Milesight_VS133", "payload.json");
        uplink["uplink_message"]!["frm_payload"] = Convert.ToBase64String(Convert.FromHexString("05cc07000300" + "03d248000000"));
        Assert.Equal(HttpStatusCode.Created, (await bench.PostAsync(Name, uplink.ToJsonString(), "?model=milesight-iot/vs133")).Status);
        await bench.AssertStoredAsync(
            new("eui-1000000000000001", "link_quality", 0, At, -35),
            new("eui-1000000000000001-line1-in", "pedestrian_count", 600, At.AddSeconds(-600), 7),
            new("eui-1000000000000001-line1-out", "pedestrian_count", 600, At.AddSeconds(-600), 3));
    }

    [Fact]
    public async Task Sound_without_weighting_and_time_is_no_LAeq()
    {
        await using var bench = await AdapterBench.StartAsync();
        var receipt = await TakeAsync(bench, "Elsys_ERS2_Sound", "payload.json", "elsys/ers2-sound");
        Assert.Equal(["light", "motion", "soundAvg", "soundPeak"], receipt.GetProperty("ignored").EnumerateArray().Select(i => i.GetString()));
        await bench.AssertStoredAsync(
            new("eui-1000000000000001", "link_quality", 0, At, -35),
            new("eui-1000000000000001", "temperature", 0, At, 22.6),
            new("eui-1000000000000001", "relative_humidity", 0, At, 41),
            new("eui-1000000000000001", "battery", 0, At, 3.426));
    }

    [Theory]
    [InlineData("payload.json", true, true)]
    [InlineData("payload_01.json", false, true)]
    [InlineData("payload_02.json", false, false)]
    public async Task An_absent_sensor_is_told_by_the_mask(string file, bool particles, bool weather)
    {
        await using var bench = await AdapterBench.StartAsync();
        await TakeAsync(bench, "Decentlab_DL-PM", file, "decentlab/dl-pm");
        var expected = new List<StoredValue> { new("03022", "link_quality", 0, DecentlabAt, -16), new("03022", "battery", 0, DecentlabAt, 3.109) };
        if (particles)
        {
            expected.AddRange(
            [
                new("03022", "pm1", 0, DecentlabAt, 3.7), new("03022", "pm2_5", 0, DecentlabAt, 3.9), new("03022", "pm4", 0, DecentlabAt, 3.9), new("03022", "pm10", 0, DecentlabAt, 3.9),
                new("03022", "particle_number", 0, DecentlabAt, 30.1),
            ]);
        }

        if (weather)
        {
            expected.AddRange(
            [
                new("03022", "temperature", 0, DecentlabAt, 24.35660461425781), new("03022", "relative_humidity", 0, DecentlabAt, 41.63221740722656), new("03022", "pressure", 0, DecentlabAt, 968),
            ]);
        }

        await bench.AssertStoredAsync([.. expected]);
    }

    /// <summary>Another decoder's results for the same bytes, field by field: everything we read must say the same.</summary>
    [Theory]
    [InlineData("Milesight_AM319", "milesight-iot/am319", 12)]
    [InlineData("Milesight_WS302", "milesight-iot/ws302", 4)]
    [InlineData("Milesight_VS133", "milesight-iot/vs133", 8)]
    [InlineData("Elsys_ERS2_Sound", "elsys/ers2-sound", 7)]
    [InlineData("Decentlab_DL-PM", "decentlab/dl-pm", 14)]
    public void Bytes_are_read_as_the_makers_decoders_read_them(string device, string model, int fieldsExpected)
    {
        var codec = DeviceTable.Load(null).Find(model)!.Codec!;
        foreach (var edition in Editions)
        {
            var fields = new List<(string Name, double Value)>();
            var payload = JsonNode.Parse(AdapterBench.Sample($"things-stack/{device}/{edition}-payload.json"))!["uplink_message"]!["frm_payload"]!.GetValue<string>();
            Assert.Null(codec.Decode(Convert.FromBase64String(payload), fields));
            Assert.Equal(fieldsExpected, fields.Count(f => f.Name != "weighting"));
            var result = JsonNode.Parse(AdapterBench.Sample($"things-stack/{device}/{edition}-result.json"))!["telemetry"]![0]!["values"]!.AsObject();
            var compared = 0;
            foreach (var (name, value) in fields)
            {
                // That decoder calls lines 1.0, motion pir, and puts words in place of some numbers.
                var theirs = name == "motion" ? "pir" : name.StartsWith("line_", StringComparison.Ordinal) ? name.Insert("line_1".Length, ".0") : name;
                if (result[theirs] is JsonValue expected && expected.GetValueKind() == JsonValueKind.Number)
                {
                    Assert.Equal(expected.GetValue<double>(), value);
                    compared++;
                }
            }

            Assert.InRange(compared, fieldsExpected - 2, fieldsExpected);
        }
    }

    /// <summary>The values of the device repository's own examples, as the network's formatters put them into decoded_payload.</summary>
    [Fact]
    public async Task Decoded_fields_of_the_device_repository_are_mapped_and_a_configuration_is_no_count()
    {
        await using var bench = await AdapterBench.StartAsync();
        var examples = JsonNode.Parse(AdapterBench.Sample("things-stack/ttn-device-examples.json"))!.AsArray();
        Assert.Equal(7, examples.Count);
        for (var i = 0; i < examples.Count; i++)
        {
            var example = examples[i]!;
            var uplink = Uplink($"device-{i}", (int)example["f_port"]!, (string)example["frm_payload"]!, example["expected"]!.DeepClone());
            uplink["uplink_message"]!["version_ids"] = new JsonObject { ["brand_id"] = (string)example["manufacturer"]!, ["model_id"] = (string)example["device"]!, ["firmware_version"] = "1.0" };
            var (status, body) = await bench.PostAsync(Name, uplink.ToJsonString());
            Assert.True(status is HttpStatusCode.Created or HttpStatusCode.OK, body.ToString());
            Assert.Equal(0, body.GetProperty("quarantined").GetInt32());
        }

        var stored = await bench.StoredAsync();
        Assert.Equal(["battery", "temperature", "relative_humidity", "pressure", "pm1", "pm2_5", "pm4", "pm10", "particle_number"], stored.Where(v => v.Sensor == "device-1" && v.Property != "link_quality").Select(v => v.Property).OrderBy(Rank));
        Assert.Equal(968, stored.Single(v => v is { Sensor: "device-1", Property: "pressure" }).Value);
        Assert.Equal([("battery", 3.109)], stored.Where(v => v.Sensor == "device-3" && v.Property != "link_quality").Select(v => (v.Property, v.Value)));
        Assert.Equal(1, stored.Single(v => v is { Sensor: "device-4-ltr", Property: "pedestrian_count", Period: 600 }).Value);
        Assert.Equal(2, stored.Single(v => v is { Sensor: "device-4-rtl", Property: "pedestrian_count", Period: 600 }).Value);
        Assert.Equal(7.2, stored.Single(v => v is { Sensor: "device-4", Property: "battery" }).Value);
        Assert.Equal(["link_quality"], stored.Where(v => v.Sensor.StartsWith("device-5", StringComparison.Ordinal)).Select(v => v.Property));
        Assert.Equal(32, stored.Single(v => v is { Sensor: "device-6", Property: "pm2_5" }).Value);

        static int Rank(string property) => Array.IndexOf(["battery", "temperature", "relative_humidity", "pressure", "pm1", "pm2_5", "pm4", "pm10", "particle_number"], property);
    }

    [Fact]
    public async Task An_uplink_told_twice_is_one_and_the_best_gateway_is_the_links_level()
    {
        await using var bench = await AdapterBench.StartAsync();
        var uplink = Uplink("counter", 1, "", new JsonObject { ["temperature"] = 20.5 });
        uplink["uplink_message"]!["rx_metadata"] = JsonNode.Parse("""[{"rssi":-109,"snr":2},{"rssi":-87.5},{"snr":1},7,{"rssi":"-1"}]""");
        await bench.PostAsync(Name, uplink.ToJsonString(), "?model=elsys/ers-sound");
        bench.Time.Advance(TimeSpan.FromHours(5));
        uplink["correlation_ids"] = new JsonArray("as:up:other");
        var (_, again) = await bench.PostAsync(Name, uplink.ToJsonString(), "?model=elsys/ers-sound");
        Assert.Equal((2, 2, 0), (again.GetProperty("received").GetInt32(), again.GetProperty("duplicate").GetInt32(), again.GetProperty("stored").GetInt32()));
        await bench.AssertStoredAsync(new("counter", "temperature", 0, At, 20.5), new("counter", "link_quality", 0, At, -87.5));
    }

    [Fact]
    public async Task A_model_nobody_declared_is_kept_until_somebody_does()
    {
        using var folder = new TempFolder();
        var series = new MemorySeries();
        long id;
        await using (var bench = await AdapterBench.StartAsync(folder: folder, series: series))
        {
            var uplink = Uplink("bench-7", 2, "", new JsonObject { ["temp_c"] = 17.25, ["noise"] = 51.5, ["blink"] = true });
            uplink["uplink_message"]!["version_ids"] = new JsonObject { ["brand_id"] = "acme", ["model_id"] = "ear" };

            uplink["uplink_message"]!.AsObject().Remove("rx_metadata");

            // Not a failure: a network that hears several of them stops sending, good uplinks too.
            var (status, body) = await bench.PostAsync(Name, uplink.ToJsonString());
            Assert.Equal(HttpStatusCode.Accepted, status);
            Assert.Contains("'acme/ear' is not declared", Assert.Single(body.GetProperty("refusals").EnumerateArray()).GetProperty("detail").GetString(), StringComparison.Ordinal);
            id = Assert.Single(await bench.QuarantineAsync()).Id;

            // Told again, it is the same entry.
            await bench.PostAsync(Name, uplink.ToJsonString());
            Assert.Single(await bench.QuarantineAsync());
        }

        var devices = folder.File("devices.json");
        await File.WriteAllTextAsync(
            devices,
            """
            { "devices": [ // of our own
              { "model": "acme/ear", "reportSeconds": 300, "fields": {
                "temp_c": { "property": "temperature", "unit": "Cel" }, "noise": { "property": "laeq", "unit": "dB", "overReport": true }, "blink": null } } ] }
            """,
            AdapterBench.Cancel);
        await using var later = await AdapterBench.StartAsync(new() { ["Hub:Ingest:ThingsStackDevices"] = devices }, folder, series);
        var receipt = await later.Host.Quarantine.ReleaseAsync(id, AdapterBench.Cancel);
        Assert.Equal((0, 2), (receipt.Quarantined, receipt.Stored));
        Assert.Empty(await later.QuarantineAsync());
        await later.AssertStoredAsync(
            new("bench-7", "temperature", 0, At, 17.25),
            new("bench-7", "laeq", 300, At.AddSeconds(-300), 51.5));
    }

    [Fact]
    public async Task One_bad_field_and_an_unknown_one_hurt_only_themselves()
    {
        await using var bench = await AdapterBench.StartAsync();
        var uplink = Uplink("am", 85, "", JsonNode.Parse("""{"temperature":"21","humidity":40,"pressure":{"value":1001.5,"unit":"hPa"},"co2":null,"radon":12,"tvoc":3}""")!);
        var (status, body) = await bench.PostAsync(Name, uplink.ToJsonString(), "?model=milesight-iot/am319");
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal(
            ["decoded_payload.temperature is '21': it must be a number.", "decoded_payload.co2 is 'null': it must be a number.", "Not known: 'radon'. milesight-iot/am319 is not declared to say this in decoded_payload."],
            body.GetProperty("refusals").EnumerateArray().Select(r => r.GetProperty("detail").GetString()));
        Assert.Equal(["tvoc"], body.GetProperty("ignored").EnumerateArray().Select(i => i.GetString()));
        await bench.AssertStoredAsync(new("am", "relative_humidity", 0, At, 40), new("am", "pressure", 0, At, 1001.5), new("am", "link_quality", 0, At, -35));
        foreach (var entry in await bench.QuarantineAsync())
        {
            using var kept = JsonDocument.Parse(entry.Payload);
            Assert.Equal("am", kept.RootElement.GetProperty("body").GetProperty("end_device_ids").GetProperty("device_id").GetString());
            Assert.Single(kept.RootElement.GetProperty("body").GetProperty("uplink_message").GetProperty("decoded_payload").EnumerateObject());
        }
    }

    [Fact]
    public async Task Bytes_after_an_unknown_item_are_kept_and_those_before_it_are_read()
    {
        await using var bench = await AdapterBench.StartAsync();
        var (status, body) = await PostRecordedAsync(bench, "Milesight_AM319", "payload_1.json", "milesight-iot/am319");
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Contains("The bytes from 43 on (20ce", Assert.Single(body.GetProperty("refusals").EnumerateArray()).GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(936, (await bench.StoredAsync()).Single(v => v.Property == "co2").Value);
    }

    [Fact]
    public async Task What_is_no_measurement_is_taken_note_of_and_nothing_else()
    {
        await using var bench = await AdapterBench.StartAsync();
        var simulated = Uplink("am", 85, "", new JsonObject { ["temperature"] = 99 });
        simulated["simulated"] = true;
        string[] messages =
        [
            """{"end_device_ids":{"device_id":"am"},"join_accept":{"session_key_id":"x"}}""",
            """{"end_device_ids":{"device_id":"am"},"downlink_sent":{}}""",
            simulated.ToJsonString(),
        ];
        foreach (var message in messages)
        {
            var (status, body) = await bench.PostAsync(Name, message, "?model=milesight-iot/am319");
            Assert.Equal((HttpStatusCode.OK, 0, 1), (status, body.GetProperty("received").GetInt32(), body.GetProperty("ignored").GetArrayLength()));
        }

        Assert.Empty(await bench.StoredAsync());
        Assert.Empty(await bench.QuarantineAsync());
        Assert.Equal(0, bench.Host.Counters.Received);
    }

    [Theory]
    [InlineData("[]", "uplink_message must")]
    [InlineData("""{"uplink_message":7}""", "uplink_message must")]
    [InlineData("""{"uplink_message":{"received_at":"2023-05-19T05:33:35Z"}}""", "end_device_ids.device_id must")]
    [InlineData("""{"end_device_ids":{"device_id":"No Name"},"uplink_message":{"received_at":"2023-05-19T05:33:35Z"}}""", "end_device_ids.device_id must")]
    [InlineData("""{"end_device_ids":{"device_id":"a"},"uplink_message":{}}""", "uplink_message.received_at must")]
    [InlineData("""{"end_device_ids":{"device_id":"a"},"uplink_message":{"received_at":"2020-0327T12:39:05.547336Z"}}""", "uplink_message.received_at must")]
    [InlineData("""{"end_device_ids":{"device_id":"a"},"uplink_message":{"received_at":"2031-05-19T05:33:35Z"}}""", "uplink_message.received_at must")]
    [InlineData("""{"end_device_ids":{"device_id":"a"},"uplink_message":{"received_at":"2023-05-19T05:33:35Z","f_port":85,"frm_payload":"%%%"}}""", "frm_payload is '%%%'")]
    [InlineData("""{"end_device_ids":{"device_id":"a"},"uplink_message":{"received_at":"2023-05-19T05:33:35Z","f_port":85,"frm_payload":"AXU="}}""", "The bytes from 0 on")]
    [InlineData("""{"end_device_ids":{"device_id":"a"},"uplink_message":{"received_at":"2023-05-19T05:33:35Z","f_port":85}}""", "decoded_payload is missing, and so is frm_payload")]
    public async Task A_malformed_uplink_is_told_what_is_wrong_and_kept(string uplink, string detail)
    {
        await using var bench = await AdapterBench.StartAsync();
        var (status, body) = await bench.PostAsync(Name, uplink, "?model=milesight-iot/am319");
        var later = status == HttpStatusCode.Accepted;
        Assert.True(later || status == HttpStatusCode.UnprocessableEntity);
        Assert.Contains(detail, later ? body.GetProperty("refusals")[0].GetProperty("detail").GetString() : body.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Single(await bench.QuarantineAsync());
    }

    [Fact]
    public async Task A_wrong_period_in_the_address_is_told()
    {
        await using var bench = await AdapterBench.StartAsync();
        var (status, body) = await PostRecordedAsync(bench, "Milesight_WS302", "payload.json", "milesight-iot/ws302&period=ten");
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Contains("period='ten'", body.GetProperty("refusals")[0].GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(["link_quality"], (await bench.StoredAsync()).Select(v => v.Property));
    }

    [Theory]
    [InlineData("""{"devices":[{"model":"acme"}]}""", "each device needs a model")]
    [InlineData("""{"devices":[{"model":"acme/ear","fields":{"a":{"property":"loudness","unit":"dB"}}}]}""", "acme/ear, a: loudness is not in the quantity catalogue")]
    [InlineData("""{"devices":[{"model":"acme/ear","fields":{"a":{"property":"temperature","unit":"ug/m3"}}}]}""", "acme/ear, a: ug/m3 is not a unit of temperature")]
    [InlineData("""{"devices":[{"model":"acme/ear","fields":{"a":{"property":"laeq","unit":"dB","overReport":true}}}]}""", "reportSeconds must say")]
    [InlineData("""{"devices":[{"model":"acme/ear","fields":{},"codec":{"tlv":{"keyBytes":1,"bigEndian":true},"items":{"01":"a:u3"}}}]}""", "the codec cannot be understood")]
    [InlineData("""{"devices":""", "cannot be read")]
    public async Task A_wrong_device_file_is_told_before_the_hub_starts(string text, string detail)
    {
        using var folder = new TempFolder();
        var file = folder.File("devices.json");
        await File.WriteAllTextAsync(file, text, AdapterBench.Cancel);
        var fault = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => IngestHost.StartAsync(new() { ["Hub:Ingest:ThingsStackDevices"] = file }));
        Assert.Contains(detail, fault.Message, StringComparison.Ordinal);
        Assert.Contains(file, fault.Message, StringComparison.Ordinal);
    }

    private static async Task<JsonElement> TakeAsync(AdapterBench bench, string device, string file, string model)
    {
        var (status, body) = await PostRecordedAsync(bench, device, file, model);
        Assert.True(status is HttpStatusCode.Created or HttpStatusCode.OK, body.ToString());
        return body;
    }

    private static Task<(HttpStatusCode Status, JsonElement Body)> PostRecordedAsync(AdapterBench bench, string device, string file, string model) =>
        bench.PostAsync(Name, Recorded(device, file).ToJsonString(), $"?model={model}");

    private static JsonNode Recorded(string device, string file) => JsonNode.Parse(AdapterBench.Sample($"things-stack/{device}/ThingsStackCommunity-{file}"))!;

    private static JsonNode Uplink(string device, int port, string payload, JsonNode decoded)
    {
        var uplink = Recorded("Milesight_AM319", "payload.json");
        uplink["end_device_ids"]!["device_id"] = device;
        uplink["uplink_message"]!["f_port"] = port;
        uplink["uplink_message"]!["frm_payload"] = payload;
        uplink["uplink_message"]!["decoded_payload"] = decoded;
        return uplink;
    }
}
