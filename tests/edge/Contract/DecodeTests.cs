using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Tests;

/// <summary>What the hub makes of single records: names, units, values, times, extension fields.</summary>
public sealed class DecodeTests
{
    [Fact]
    public void A_pack_written_by_hand_is_read()
    {
        Decoded decoded = Decoded.Json(
            """[{"bver":26,"bn":"sds011/","bt":1795174200,"bu":"ug/m3","n":"pm10","v":21.5,"hp":1800},{"n":"pm2_5","v":12,"hq":3,"hp":1800,"hr":11.5,"hv":4,"hc":0.5,"hn":1}]""");
        Assert.Empty(decoded.Refused);
        Assert.Equal(
            [
                (0, new Reading("sds011", "pm10", new DateTime(2026, 11, 20, 11, 30, 0, DateTimeKind.Utc), 21.5) { Period = TimeSpan.FromMinutes(30) }),
                (1, new Reading("sds011", "pm2_5", new DateTime(2026, 11, 20, 11, 30, 0, DateTimeKind.Utc), 12)
                {
                    Quality = Quality.WarmingUp | Quality.OutOfRange,
                    Period = TimeSpan.FromMinutes(30),
                    Raw = 11.5,
                    Calibration = 4,
                    Coverage = 0.5,
                    Revision = 1,
                }),
            ],
            decoded.Readings);
    }

    [Theory]
    [InlineData("sds011/pm10", "sds011")]
    [InlineData("urn:dev:mac:0024befffe804ff1:sds011/pm10", "sds011")]
    [InlineData("urn:dev:ops:st0007:s-1/pm10", "s-1")]
    [InlineData("2001:db8::2/street/0/pm10", "0")]
    public void Sensor_and_property_are_the_last_parts_of_a_name(string name, string sensor) =>
        Assert.Equal(sensor, Decoded.Json($$"""[{"bver":26,"n":"{{name}}","u":"ug/m3","v":1}]""").Single().Sensor);

    [Theory]
    [InlineData("pm10")]
    [InlineData("urn:dev:mac:0024befffe804ff1:pm10")]
    [InlineData("/pm10")]
    [InlineData("a:/pm10")]
    [InlineData("a//pm10")]
    [InlineData("SDS011/pm10")]
    [InlineData("sds_011/pm10")]
    [InlineData("-sds/pm10")]
    [InlineData("x.y/pm10")]
    [InlineData("sds 011/pm10")]
    [InlineData("münchen/pm10")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/pm10")]
    [InlineData("")]
    public void A_name_that_does_not_name_a_sensor_is_refused(string name) =>
        Assert.Equal(RefusalReason.Name, Decoded.Json($$"""[{"bver":26,"n":"{{name}}","u":"ug/m3","v":1}]""").Reason());

    [Theory]
    [InlineData("s/pm99")]
    [InlineData("s/PM10")]
    [InlineData("s/")]
    [InlineData("s/pm10_")]
    [InlineData("s/pm10:1")]
    public void An_unknown_property_is_refused(string name) =>
        Assert.Equal(RefusalReason.UnknownQuantity, Decoded.Json($$"""[{"bver":26,"n":"{{name}}","u":"ug/m3","v":1}]""").Reason());

    [Theory]
    [InlineData("pm10", "kg/m3", "1.2e-8", 12)]
    [InlineData("pm10", "ug/m3", "12", 12)]
    [InlineData("pm10", "mg/m3", "0.012", 12)]
    [InlineData("pm10", "g/l", "1.2e-8", 12)]
    [InlineData("co", "ug/m3", "500", 0.5)]
    [InlineData("co2", "ppb", "420000", 420)]
    [InlineData("co2", "/", "0.00042", 420)]
    [InlineData("mean_speed", "m/s", "10", 36)]
    [InlineData("mean_speed", "km/h", "36.1", 36.1)]
    [InlineData("wind_speed", "km/h", "36", 10)]
    [InlineData("pressure", "Pa", "101325", 1013.25)]
    [InlineData("rain", "cm", "0.2", 2)]
    [InlineData("rain", "m", "0.002", 2)]
    [InlineData("rain_duration", "s", "90", 1.5)]
    [InlineData("travel_time", "min", "2", 120)]
    [InlineData("occupancy", "/", "0.25", 25)]
    [InlineData("occupancy", "/1000", "250", 25)]
    [InlineData("link_quality", "dBW", "-100", -70)]
    [InlineData("battery", "mV", "3700", 3.7)]
    [InlineData("battery_level", "%EL", "80", 80)]
    [InlineData("temperature", "K", "293.15", 20)]
    public void Units_of_one_kind_are_converted_to_the_canonical_one(string property, string unit, string value, double expected) =>
        Assert.Equal(expected, Decoded.Json($$"""[{"bver":26,"n":"s/{{property}}","u":"{{unit}}","v":{{value}}}]""").Single().Value, 1e-12);

    [Fact]
    public void The_raw_value_is_converted_with_the_value_and_without_the_base_value()
    {
        Reading reading = Decoded.Json("""[{"bver":26,"bv":10,"n":"s/mean_speed","u":"m/s","v":5,"hr":10}]""").Single();
        Assert.Equal((54, 36), (reading.Value, reading.Raw));
    }

    [Theory]
    [InlineData("pm10", "ppb")]
    [InlineData("no2", "ppb")]
    [InlineData("pm10", "ug/M3")]
    [InlineData("pm10", "µg/m3")]
    [InlineData("laeq", "dB(A)")]
    [InlineData("occupancy", "%")]
    [InlineData("occupancy", "%EL")]
    [InlineData("relative_humidity", "/")]
    [InlineData("temperature", "")]
    [InlineData("temperature", "an endless unit that nobody has ever registered anywhere")]
    public void A_unit_that_is_none_of_the_quantity_is_refused(string property, string unit) =>
        Assert.Equal(RefusalReason.Unit, Decoded.Json($$"""[{"bver":26,"n":"s/{{property}}","u":"{{unit}}","v":1}]""").Reason());

    [Fact]
    public void A_record_without_a_unit_is_refused() =>
        Assert.Equal(RefusalReason.Unit, Decoded.Json("""[{"n":"s/temperature","v":1}]""").Reason());

    [Theory]
    [InlineData("", RefusalReason.Value)]
    [InlineData(""","s":5""", RefusalReason.Value)]
    [InlineData(""","v":1,"vs":"1" """, RefusalReason.Value)]
    [InlineData(""","vs":"23.1" """, RefusalReason.Value)]
    [InlineData(""","vb":true""", RefusalReason.Value)]
    [InlineData(""","vd":"aGk" """, RefusalReason.Value)]
    [InlineData(""","v":"23.1" """, RefusalReason.FieldType)]
    [InlineData(""","v":null""", RefusalReason.FieldType)]
    [InlineData(""","v":[1]""", RefusalReason.FieldType)]
    [InlineData(""","v":true""", RefusalReason.FieldType)]
    [InlineData(""","v":1e999""", RefusalReason.FieldType)]
    [InlineData(""","v":-1e999""", RefusalReason.FieldType)]
    [InlineData(""","v":1,"v":1""", RefusalReason.FieldType)]
    [InlineData(""","v":1,"t":"now" """, RefusalReason.FieldType)]
    [InlineData(""","v":1,"hq":-1""", RefusalReason.FieldType)]
    [InlineData(""","v":1,"hq":1.5""", RefusalReason.FieldType)]
    [InlineData(""","v":1,"hq":2147483648""", RefusalReason.FieldType)]
    [InlineData(""","v":1,"hp":0.5""", RefusalReason.FieldType)]
    [InlineData(""","v":1,"hp":31622401""", RefusalReason.FieldType)]
    [InlineData(""","v":1,"hc":1.01""", RefusalReason.FieldType)]
    [InlineData(""","v":1,"hr":"1" """, RefusalReason.FieldType)]
    [InlineData(""","v":1,"hv":-1""", RefusalReason.FieldType)]
    [InlineData(""","v":1,"hn":{}""", RefusalReason.FieldType)]
    public void A_record_without_exactly_one_good_number_is_refused(string fields, RefusalReason reason) =>
        Assert.Equal(reason, Decoded.Json($$"""[{"n":"s/temperature","u":"Cel"{{fields}}}]""").Reason());

    [Fact]
    public void A_conversion_out_of_range_is_refused() =>
        Assert.Equal(RefusalReason.FieldType, Decoded.Json("""[{"n":"s/pm10","u":"kg/m3","v":1e300}]""").Reason());

    [Theory]
    [InlineData("", 0)]
    [InlineData(""","t":0""", 0)]
    [InlineData(""","t":-60""", -60)]
    [InlineData(""","bt":-30,"t":-0.5""", -30.5)]
    [InlineData(""","t":86400""", 86400)]
    [InlineData(""","t":1795176000""", 0)]
    [InlineData(""","t":1.795176e9""", 0)]
    [InlineData(""","bt":1795175990,"t":10""", 0)]
    [InlineData(""","t":1795176000.0000004""", 0)]
    [InlineData(""","t":1795176000.000001""", 0.000001)]
    [InlineData(""","t":1795262400""", 86400)]
    [InlineData(""","t":946684800""", 946684800 - 1795176000.0)]
    public void Times_are_absolute_from_two_to_the_28_on_and_relative_below(string time, double secondsFromArrival) =>
        Assert.Equal(
            Decoded.Now.AddTicks((long)Math.Round(secondsFromArrival * 1e6) * 10),
            Decoded.Json($$"""[{"n":"s/temperature","u":"Cel","v":1{{time}}}]""").Single().PhenomenonTime);

    [Theory]
    [InlineData("268435455.999")]
    [InlineData("268435456")]
    [InlineData("946684799.9")]
    [InlineData("1795262401")]
    [InlineData("86401")]
    [InlineData("1795176000000")]
    [InlineData("1e300")]
    [InlineData("-1e300")]
    [InlineData("-9999999999")]
    public void Times_no_reading_can_have_are_refused(string time) =>
        Assert.Equal(RefusalReason.Time, Decoded.Json($$"""[{"n":"s/temperature","u":"Cel","v":1,"t":{{time}}}]""").Reason());

    [Fact]
    public void The_two_sides_of_two_to_the_28_are_told_apart()
    {
        // 2^28 - 1 is 8.5 years after the arrival, 2^28 is a day in 1978.
        var arrival = new DateTime(2018, 6, 1, 0, 0, 0, DateTimeKind.Utc);
        Refusal relative = Decoded.Json("""[{"n":"s/temperature","u":"Cel","v":1,"t":268435455}]""", arrival).Refused[0].Refusal;
        Refusal absolute = Decoded.Json("""[{"n":"s/temperature","u":"Cel","v":1,"bt":268435455,"t":1}]""", arrival).Refused[0].Refusal;
        Assert.Equal((RefusalReason.Time, RefusalReason.Time), (relative.Reason, absolute.Reason));
        Assert.Contains("relative to the arrival", relative.Detail, StringComparison.Ordinal);
        Assert.Contains("since 1970", absolute.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Escapes_in_labels_names_and_units_are_understood()
    {
        Decoded decoded = Decoded.Json(
            """[{"b\u0076er":26,"b\u006e":"urn:x:\u0073ds011\/","bu":"ug\/m3","\u006e":"pm\u0031\u0030","v":1},{"n":"mean\u005fspeed","u":"km\/h","v":2}]""");
        Assert.Empty(decoded.Refused);
        Assert.Equal(["pm10", "mean_speed"], decoded.Readings.Select(static r => r.Reading.Property));
        Assert.All(decoded.Readings, static r => Assert.Equal("sds011", r.Reading.Sensor));
    }

    [Fact]
    public void A_mark_and_white_space_before_json_are_passed_over() =>
        Assert.Equal(21, Decoded.Json("\uFEFF \r\n\t[ { \"n\" : \"s/temperature\" , \"u\" : \"Cel\" , \"v\" : 21 } ] \n").Single().Value);

    [Fact]
    public void An_older_hub_takes_quality_bits_it_does_not_know() =>
        Assert.Equal((Quality)(1 << 20), Decoded.Json("""[{"n":"s/temperature","u":"Cel","v":1,"hq":1048576}]""").Single().Quality);
}
