using System.Buffers;
using CsCheck;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Tests;

/// <summary>What an agent encodes is what the hub decodes, bit for bit and in order: the hub de-duplicates on it.</summary>
public sealed class RoundTripTests
{
    private static readonly Gen<string> Sensor = Gen.OneOf(
        Gen.OneOf("sds011", "bme280", "loop-1", "0", new string('a', 64)),
        Gen.Char["abcxyz0189-"].Array[1, 64].Select(static c => new string(c)).Where(static s => s[0] != '-'));

    private static readonly Gen<string> Property = Gen.Int[0, QuantityCatalogue.All.Count - 1].Select(static i => QuantityCatalogue.All[i].Id);

    private static readonly Gen<DateTime> Time = Gen.OneOf(
        Gen.Long[0, 3_155_759_999].Select(static s => s * 1_000_000),
        Gen.Long[0, 3_155_759_999_999_999],
        Gen.Long[845_000_000, 845_000_060].Select(static s => s * 1_000_000))
        .Select(static micros => ReadingRules.TimeMin.AddTicks(micros * TimeSpan.TicksPerMicrosecond));

    private static readonly Gen<double> Number = Gen.OneOf(
        Gen.Double.Where(double.IsFinite),
        Gen.Int[-200, 2000].Select(static i => i / 10.0),
        Gen.Int.Select(static i => (double)i),
        Gen.Float.Where(float.IsFinite).Select(static f => (double)f),
        Gen.OneOf(0, -0.0, double.Epsilon, double.MaxValue, double.MinValue, 1e-8, 0.1, 9_007_199_254_740_992, 9_007_199_254_740_993, 65504, 5.960464477539063e-8));

    private static readonly Gen<Reading> AnyReading = Gen.Select(
        Gen.Select(Sensor, Property, Time, Number),
        Gen.Select(
            Gen.OneOf(Gen.Const(0), Gen.Int[0, 511], Gen.Int[0, int.MaxValue]),
            Gen.OneOf(Gen.Const(0), Gen.OneOf(60, 900, 3600), Gen.Int[0, 366 * 86_400]),
            Gen.OneOf(Gen.Const((double?)null), Number.Select(static n => (double?)n))),
        Gen.Select(
            Gen.OneOf(Gen.Const(0), Gen.Int[0, int.MaxValue]),
            Gen.OneOf(Gen.Const((double?)null), Gen.Double[0, 1].Select(static n => (double?)n)),
            Gen.OneOf(Gen.Const(0), Gen.Int[0, int.MaxValue])),
        static (a, b, c) => new Reading(a.Item1, a.Item2, a.Item3, a.Item4)
        {
            Quality = (Quality)b.Item1,
            Period = TimeSpan.FromSeconds(b.Item2),
            Raw = b.Item3,
            Calibration = c.Item1,
            Coverage = c.Item2,
            Revision = c.Item3,
        });

    /// <summary>Runs of one sensor, one series, one instant: what base fields are for.</summary>
    private static readonly Gen<Reading[]> Batch = Gen.OneOf(
        AnyReading.Array[1, 20],
        Gen.Select(Gen.Select(Sensor, Sensor), Time, Gen.Select(Gen.Int[0, 2], Gen.Int[0, 1], Gen.Int[0, 2], Number).Array[1, 40], static (sensors, start, rows) =>
            rows.Select(r => new Reading(
                r.Item2 == 0 ? sensors.Item1 : sensors.Item2,
                r.Item1 switch { 0 => "pm10", 1 => "pm2_5", _ => "temperature" },
                start.AddMinutes(-r.Item3),
                r.Item4)).ToArray()));

    [Theory]
    [InlineData(PackFormat.Json)]
    [InlineData(PackFormat.Cbor)]
    public void Every_reading_the_contract_allows_comes_back_as_it_was(PackFormat format) =>
        Batch.Sample(
            batch =>
            {
                byte[] pack = Encode(format, batch);
                Decoded decoded = Decoded.Pack(pack, format, ReadingRules.TimeEnd);
                Assert.Empty(decoded.Refused);
                Assert.Equal(batch, decoded.Readings.Select(static r => r.Reading));
                Assert.Equal(Enumerable.Range(0, batch.Length), decoded.Readings.Select(static r => r.Index));

                // And again: what was decoded is written as the same bytes.
                Assert.Equal(pack, Encode(format, [.. decoded.Readings.Select(static r => r.Reading)]));
            },
            iter: 2000);

    [Fact]
    public void Json_and_cbor_of_the_same_readings_decode_to_the_same() =>
        Batch.Sample(
            static batch => Assert.Equal(
                Decoded.Pack(Encode(PackFormat.Json, batch), PackFormat.Json, ReadingRules.TimeEnd).Readings,
                Decoded.Pack(Encode(PackFormat.Cbor, batch), PackFormat.Cbor, ReadingRules.TimeEnd).Readings),
            iter: 500);

    internal static byte[] Encode(PackFormat format, ReadOnlySpan<Reading> readings)
    {
        var output = new ArrayBufferWriter<byte>();
        ReadingPack.Encode(output, format, readings);
        return output.WrittenSpan.ToArray();
    }
}
