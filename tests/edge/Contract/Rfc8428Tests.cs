using System.Buffers;
using Hub.Edge.Contract.Encoding;

namespace Hub.Edge.Contract.Tests;

/// <summary>The example packs of RFC 8428, sections 5.1.1 to 5.1.8 and 6, through the general reader.</summary>
public sealed class Rfc8428Tests
{
    private const string Device = "urn:dev:ow:10e2073a01080063";

    private const string MultipleMeasurements = """
        [{"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},
         {"u":"lon","v":24.30621},{"u":"lat","v":60.07965},
         {"t":60,"v":20.3},{"u":"lon","t":60,"v":24.30622},{"u":"lat","t":60,"v":60.07965},
         {"t":120,"v":20.7},{"u":"lon","t":120,"v":24.30623},{"u":"lat","t":120,"v":60.07966},
         {"u":"%EL","t":150,"v":98},
         {"t":180,"v":21.2},{"u":"lon","t":180,"v":24.30628},{"u":"lat","t":180,"v":60.07967}]
        """;

    private const string VoltageAndCurrent = """
        [{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},
         {"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},{"n":"current","t":-3,"v":1.4},
         {"n":"current","t":-2,"v":1.5},{"n":"current","t":-1,"v":1.6},{"n":"current","v":1.7}]
        """;

    /// <summary>Section 6: the second example of 5.1.2 in CBOR.</summary>
    private const string VoltageAndCurrentCbor =
        "87a721781b75726e3a6465763a6f773a3130653230373361303130383030363a22fb41d303a15b00106223614120050067766f6c74616765016156" +
        "02fb405e066666666666a3006763757272656e74062402fb3ff3333333333333a3006763757272656e74062302fb3ff4cccccccccccd" +
        "a3006763757272656e74062202fb3ff6666666666666a3006763757272656e74062102f93e00a3006763757272656e74062002fb3ff999999999999a" +
        "a3006763757272656e74060002fb3ffb333333333333";

    [Fact]
    public void Single_datapoint_5_1_1() =>
        AssertRecords($$"""[{"n":"{{Device}}","u":"Cel","v":23.1}]""", $"{Device} Cel @0 v=23.1");

    [Fact]
    public void Multiple_datapoints_5_1_2()
    {
        AssertRecords(
            $$"""[{"bn":"{{Device}}:","n":"voltage","u":"V","v":120.1},{"n":"current","u":"A","v":1.2}]""",
            $"{Device}:voltage V @0 v=120.1",
            $"{Device}:current A @0 v=1.2");
        string[] expected =
        [
            "urn:dev:ow:10e2073a0108006:voltage V @1276020076.001 v=120.1",
            "urn:dev:ow:10e2073a0108006:current A @1276020071.001 v=1.2",
            "urn:dev:ow:10e2073a0108006:current A @1276020072.001 v=1.3",
            "urn:dev:ow:10e2073a0108006:current A @1276020073.001 v=1.4",
            "urn:dev:ow:10e2073a0108006:current A @1276020074.001 v=1.5",
            "urn:dev:ow:10e2073a0108006:current A @1276020075.001 v=1.6",
            "urn:dev:ow:10e2073a0108006:current A @1276020076.001 v=1.7",
        ];
        AssertRecords(VoltageAndCurrent, expected);
        Assert.Equal(expected, Records(Convert.FromHexString(VoltageAndCurrentCbor), PackFormat.Cbor));
    }

    [Fact]
    public void A_stream_that_is_not_closed_keeps_its_records_5_1_2()
    {
        List<string> records = Records(
            """[{"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":21.2},{"t":10,"v":21.3},{"t":20,"v":21.4},"""u8, PackFormat.Json);
        Assert.Equal(
            [$"{Device} %RH @1320067464 v=21.2", $"{Device} %RH @1320067474 v=21.3", $"{Device} %RH @1320067484 v=21.4", "3 Malformed"],
            records);
    }

    [Fact]
    public void Multiple_measurements_and_their_resolved_form_5_1_3_and_5_1_4()
    {
        const string resolved = """
            [{"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067464,"v":20},
            {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1320067464,"v":24.30621},
            {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1320067464,"v":60.07965},
            {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067524,"v":20.3},
            {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1320067524,"v":24.30622},
            {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1320067524,"v":60.07965},
            {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067584,"v":20.7},
            {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1320067584,"v":24.30623},
            {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1320067584,"v":60.07966},
            {"n":"urn:dev:ow:10e2073a01080063","u":"%EL","t":1320067614,"v":98},
            {"n":"urn:dev:ow:10e2073a01080063","u":"%RH","t":1320067644,"v":21.2},
            {"n":"urn:dev:ow:10e2073a01080063","u":"lon","t":1320067644,"v":24.30628},
            {"n":"urn:dev:ow:10e2073a01080063","u":"lat","t":1320067644,"v":60.07967}]
            """;
        Assert.Equal(resolved.ReplaceLineEndings(""), Resolve(MultipleMeasurements));
        Assert.Equal(resolved.ReplaceLineEndings(""), Resolve(resolved));
    }

    [Fact]
    public void Multiple_data_types_5_1_5() =>
        AssertRecords(
            $$"""[{"bn":"{{Device}}:","n":"temp","u":"Cel","v":23.1},{"n":"label","vs":"Machine Room"},{"n":"open","vb":false},{"n":"nfv-reader","vd":"aGkgCg"}]""",
            $"{Device}:temp Cel @0 v=23.1",
            $"{Device}:label  @0 vs=Machine Room",
            $"{Device}:open  @0 vb=False",
            $"{Device}:nfv-reader  @0 vd=6869200A");

    [Fact]
    public void Collection_of_resources_5_1_6() =>
        AssertRecords(
            """
            [{"bn":"2001:db8::2/","bt":1.320078429e+09,"n":"temperature","u":"Cel","v":25.2},{"n":"humidity","u":"%RH","v":30},
             {"bn":"2001:db8::1/","n":"temperature","u":"Cel","v":12.3},{"n":"humidity","u":"%RH","v":67}]
            """,
            "2001:db8::2/temperature Cel @1320078429 v=25.2",
            "2001:db8::2/humidity %RH @1320078429 v=30",
            "2001:db8::1/temperature Cel @1320078429 v=12.3",
            "2001:db8::1/humidity %RH @1320078429 v=67");

    [Fact]
    public void Setting_an_actuator_5_1_7() =>
        AssertRecords(
            $$"""[{"bn":"{{Device}}:"},{"n":"temp","u":"Cel","v":23.1},{"n":"heat","u":"/","v":1},{"n":"fan","u":"/","v":0}]""",
            $"{Device}:temp Cel @0 v=23.1",
            $"{Device}:heat / @0 v=1",
            $"{Device}:fan / @0 v=0");

    [Fact]
    public void Lights_in_step_5_1_8()
    {
        AssertRecords(
            """[{"bt":1.320078429e+09,"bu":"/","n":"2001:db8::3","v":1},{"n":"2001:db8::4","v":1}]""",
            "2001:db8::3 / @1320078429 v=1",
            "2001:db8::4 / @1320078429 v=1");
        AssertRecords(
            """[{"bt":1.320078429e+09,"bu":"/","n":"2001:db8::3","v":0.5},{"n":"2001:db8::4","v":0.5},{"n":"2001:db8::3","t":0.1,"v":0},{"n":"2001:db8::4","t":0.1,"v":0}]""",
            "2001:db8::3 / @1320078429 v=0.5",
            "2001:db8::4 / @1320078429 v=0.5",
            "2001:db8::3 / @1320078429.1 v=0",
            "2001:db8::4 / @1320078429.1 v=0");
    }

    [Fact]
    public void Base_value_and_sum_are_added_and_a_sum_needs_no_value() =>
        AssertRecords(
            """[{"bn":"meter","bu":"W","bv":100,"bs":1000,"v":5},{"v":-3,"s":10},{"s":20,"ut":60},{"bv":0,"bs":0,"v":5}]""",
            "meter W @0 v=105 s=1000",
            "meter W @0 v=97 s=1010",
            "meter W @0 s=1020 ut=60",
            "meter W @0 v=5 s=0");

    [Fact]
    public void Unknown_fields_are_passed_over_whatever_they_hold() =>
        AssertRecords(
            """[{"n":"a","x":{"v":2,"n":[1,{"x_":1}]},"v":1,"bx":null,"ct":"text/plain","vx":"\ud800"}]""",
            "a  @0 v=1");

    [Fact]
    public void Resolved_form_makes_relative_times_absolute_sorts_and_keeps_the_version()
    {
        Assert.Equal(
            """[{"bver":26,"n":"b","u":"km/h","t":1795175999.5,"v":2},{"bver":26,"n":"a","t":1795176000,"vs":"é\"","s":2,"ut":5,"hp":60}]""",
            Resolve("""[{"bver":26,"n":"a","vs":"\u00e9\"","s":2,"ut":5,"hp":60},{"n":"b","u":"km/h","t":-0.5,"v":2}]"""));
    }

    [Fact]
    public void Resolved_cbor_says_the_same_as_resolved_json()
    {
        var cbor = new ArrayBufferWriter<byte>();
        Assert.Empty(SenmlResolver.Resolve(Convert.FromHexString(VoltageAndCurrentCbor), PackFormat.Cbor, Decoded.Now, cbor, PackFormat.Cbor));
        Assert.Equal(
            Records(System.Text.Encoding.UTF8.GetBytes(Resolve(VoltageAndCurrent)), PackFormat.Json),
            Records(cbor.WrittenSpan, PackFormat.Cbor));
        byte[] dataAndText = Convert.FromHexString("82a200616108431b0203a3006162036378c3a9066120");
        var json = new ArrayBufferWriter<byte>();
        IReadOnlyList<Refusal> refusals = SenmlResolver.Resolve(dataAndText, PackFormat.Cbor, Decoded.Now, json, PackFormat.Json);
        Assert.Equal(RefusalReason.FieldType, Assert.Single(refusals).Reason);
        Assert.Equal("""[{"n":"a","t":1795176000,"vd":"GwID"}]""", System.Text.Encoding.UTF8.GetString(json.WrittenSpan));
    }

    private static string Resolve(string json)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Empty(SenmlResolver.Resolve(System.Text.Encoding.UTF8.GetBytes(json), PackFormat.Json, Decoded.Now, output, PackFormat.Json));
        return System.Text.Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static void AssertRecords(string json, params string[] expected) =>
        Assert.Equal(expected, Records(System.Text.Encoding.UTF8.GetBytes(json), PackFormat.Json));

    private static List<string> Records(ReadOnlySpan<byte> payload, PackFormat format)
    {
        var lines = new List<string>();
        var reader = new SenmlReader(payload, format, Decoded.Now, new byte[SenmlReader.ScratchBytes]);
        while (reader.Read())
        {
            if (reader.Refusal is { } refusal)
            {
                lines.Add($"{refusal.RecordIndex} {refusal.Reason}");
                continue;
            }

            SenmlRecord record = reader.Current;
            string value = record.Kind switch
            {
                SenmlValueKind.Number => FormattableString.Invariant($" v={record.Number}"),
                SenmlValueKind.Text => " vs=" + record.Text(),
                SenmlValueKind.Boolean => $" vb={record.Boolean}",
                SenmlValueKind.Data => " vd=" + Convert.ToHexString(record.Data()!),
                _ => "",
            };
            lines.Add(FormattableString.Invariant(
                $"{System.Text.Encoding.UTF8.GetString(record.Name)} {System.Text.Encoding.UTF8.GetString(record.Unit)} @{record.Time}{value}{(record.Sum is { } s ? FormattableString.Invariant($" s={s}") : "")}{(record.UpdateTime is { } ut ? FormattableString.Invariant($" ut={ut}") : "")}"));
        }

        return lines;
    }
}
