using System.Buffers;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Tests;

/// <summary>What an agent may say, how small it comes out, and the bytes that never change.</summary>
public sealed class EncodeTests
{
    private static readonly DateTime Half = new(2026, 11, 20, 11, 30, 0, DateTimeKind.Utc);

    /// <summary>Every feature of the wire in eleven readings. Never change one: add a new golden file instead.</summary>
    private static readonly Reading[] AllFeatures =
    [
        new("sds011", "pm10", Half, 21.5) { Period = TimeSpan.FromMinutes(30), Coverage = 0.97 },
        new("sds011", "pm2_5", Half, -0.3) { Period = TimeSpan.FromMinutes(30), Quality = Quality.SuspectHumidity | Quality.UnderRange },
        new("sds011", "pm1", Half, 7) { Period = TimeSpan.FromMinutes(30), Raw = 6.625, Calibration = 3 },
        new("bme280", "temperature", Half.AddMilliseconds(250), 14.25),
        new("bme280", "pressure", Half.AddMilliseconds(250), 1013.25),
        new("bme280", "relative_humidity", Half.AddMilliseconds(250), 1e-7),
        new("loop-1", "vehicle_count", Half.AddMinutes(-15), 131) { Period = TimeSpan.FromMinutes(15), Revision = 2 },
        new("loop-1", "vehicle_count", Half, 117) { Period = TimeSpan.FromMinutes(15) },
        new("loop-1", "vehicle_count", Half.AddMinutes(15), 0) { Period = TimeSpan.FromMinutes(15), Quality = Quality.Incomplete },
        new("co-1", "co", Half.AddTicks(10), 0.1) { Quality = Quality.CalibrationDue },
        new("main", "uptime", Half.AddSeconds(-1), 16_777_217),
    ];

    [Theory]
    [InlineData(PackFormat.Json, "readings-v1.json")]
    [InlineData(PackFormat.Cbor, "readings-v1.cbor")]
    public void The_golden_pack_is_read_and_written_as_ever(PackFormat format, string file)
    {
        byte[] golden = Golden.Bytes(file);
        Decoded decoded = Decoded.Pack(golden, format);
        Assert.Empty(decoded.Refused);
        Assert.Equal(AllFeatures, decoded.Readings.Select(static r => r.Reading));
        Assert.Equal(golden, RoundTripTests.Encode(format, AllFeatures));
    }

    [Fact]
    public void Common_fields_become_base_fields()
    {
        Assert.Equal(
            """[{"bver":26,"bn":"sds011/","bt":1795174200,"bu":"ug/m3","n":"pm10","v":1},{"n":"pm2_5","v":2}]""",
            Json(new("sds011", "pm10", Half, 1), new("sds011", "pm2_5", Half, 2)));
        Assert.Equal(
            """[{"bver":26,"bn":"m/laeq","bt":1795174200,"bu":"dB","v":61.5},{"t":60,"v":62},{"t":120,"v":59.25}]""",
            Json(new("m", "laeq", Half, 61.5), new("m", "laeq", Half.AddMinutes(1), 62), new("m", "laeq", Half.AddMinutes(2), 59.25)));
        Assert.Equal(
            """[{"bver":26,"bn":"m/","bt":1795174200,"n":"temperature","u":"Cel","t":0.000001,"v":-1e-07}]""",
            Json(new Reading("m", "temperature", Half.AddTicks(19), -1e-7)));
    }

    [Theory]
    [InlineData(PackFormat.Json, 42)]
    [InlineData(PackFormat.Cbor, 25)]
    public void A_backlog_of_one_station_is_small(PackFormat format, int bytesPerReading)
    {
        Reading[] day = [.. Enumerable.Range(0, 480).SelectMany(static i => new[] { "pm10", "pm2_5" }.Select(p =>
            new Reading("sds011", p, Half.AddMinutes(-3 * i), Math.Round(10 + Math.Sin(i), 1)) { Period = TimeSpan.FromMinutes(3) }))];
        Assert.InRange(RoundTripTests.Encode(format, day).Length, 0, day.Length * bytesPerReading);
    }

    [Theory]
    [InlineData(PackFormat.Json)]
    [InlineData(PackFormat.Cbor)]
    public void The_longest_reading_stays_under_its_limit(PackFormat format)
    {
        string longest = Quantities.QuantityCatalogue.All.MaxBy(static q => q.Id.Length)!.Id;
        var reading = new Reading(new string('a', 64), longest, Half.AddTicks(1_234_560), -double.Epsilon * 123_456_789)
        {
            Quality = (Quality)int.MaxValue,
            Period = ReadingRules.PeriodMax,
            Raw = -1.2345678901234567e-300,
            Calibration = int.MaxValue,
            Coverage = 1.2345678901234567e-300,
            Revision = int.MaxValue,
        };
        Reading other = reading with { Sensor = new string('b', 64), Property = "temperature", PhenomenonTime = Half.AddYears(-26).AddTicks(1_234_570) };
        Assert.InRange(RoundTripTests.Encode(format, [reading]).Length, 1, ReadingPack.BytesPerReadingMax);
        Assert.InRange(RoundTripTests.Encode(format, [reading, other, reading, other]).Length, 1, 4 * ReadingPack.BytesPerReadingMax);
    }

    public static TheoryData<string> NotAllowed => ["sensor", "empty sensor", "no sensor", "property", "nan", "infinite raw", "local time", "unspecified time",
        "1999", "2100", "half second", "negative period", "endless period", "coverage", "nan coverage", "quality", "calibration", "revision"];

    [Theory]
    [MemberData(nameof(NotAllowed))]
    public void What_the_contract_does_not_allow_is_not_written(string mistake)
    {
        var good = new Reading("s", "temperature", Half, 1);
        Reading bad = mistake switch
        {
            "sensor" => good with { Sensor = "S\"" },
            "empty sensor" => good with { Sensor = "" },
            "no sensor" => good with { Sensor = null! },
            "property" => good with { Property = "temperatura" },
            "nan" => good with { Value = double.NaN },
            "infinite raw" => good with { Raw = double.PositiveInfinity },
            "local time" => good with { PhenomenonTime = DateTime.SpecifyKind(Half, DateTimeKind.Local) },
            "unspecified time" => good with { PhenomenonTime = DateTime.SpecifyKind(Half, DateTimeKind.Unspecified) },
            "1999" => good with { PhenomenonTime = ReadingRules.TimeMin.AddTicks(-1) },
            "2100" => good with { PhenomenonTime = ReadingRules.TimeEnd },
            "half second" => good with { Period = TimeSpan.FromSeconds(0.5) },
            "negative period" => good with { Period = TimeSpan.FromSeconds(-1) },
            "endless period" => good with { Period = ReadingRules.PeriodMax + TimeSpan.FromSeconds(1) },
            "coverage" => good with { Coverage = 1.01 },
            "nan coverage" => good with { Coverage = double.NaN },
            "quality" => good with { Quality = (Quality)(-1) },
            "calibration" => good with { Calibration = -1 },
            _ => good with { Revision = -1 },
        };
        Assert.Null(ReadingRules.Problem(in good));
        Assert.NotNull(ReadingRules.Problem(in bad));
        var output = new ArrayBufferWriter<byte>();
        ArgumentException error = Assert.Throws<ArgumentException>(() => ReadingPack.Encode(output, PackFormat.Json, [good, bad]));
        Assert.StartsWith("Reading 1: ", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, output.WrittenCount);
    }

    [Fact]
    public void A_pack_has_at_least_one_reading_and_at_most_ten_thousand()
    {
        var reading = new Reading("s", "temperature", Half, 1);
        Assert.Throws<ArgumentException>(() => RoundTripTests.Encode(PackFormat.Json, []));
        Assert.Throws<ArgumentException>(() => RoundTripTests.Encode(PackFormat.Json, Enumerable.Repeat(reading, ReadingPack.RecordsMax + 1).ToArray()));
        Reading[] most = [.. Enumerable.Repeat(reading, ReadingPack.RecordsMax)];
        Assert.Equal(ReadingPack.RecordsMax, Decoded.Pack(RoundTripTests.Encode(PackFormat.Cbor, most), PackFormat.Cbor).Readings.Count);
    }

    private static string Json(params Reading[] readings) => System.Text.Encoding.UTF8.GetString(RoundTripTests.Encode(PackFormat.Json, readings));
}
