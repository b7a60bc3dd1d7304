using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Tests;

/// <summary>The hub decodes thousands of records a second: a good one must not cost the garbage collector anything.</summary>
public sealed class AllocationTests
{
    [Theory]
    [InlineData(PackFormat.Json)]
    [InlineData(PackFormat.Cbor)]
    public void Decoding_good_records_allocates_nothing(PackFormat format)
    {
        byte[] pack = RoundTripTests.Encode(format, Many());
        var sink = default(Counter);
        ReadingPack.Decode(pack, format, Decoded.Now, ref sink);

        long before = GC.GetAllocatedBytesForCurrentThread();
        int records = ReadingPack.Decode(pack, format, Decoded.Now, ref sink);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal((1000, 2000, 0), (records, sink.Good, sink.Refused));
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void Neither_escapes_nor_chunks_nor_the_full_scan_allocate()
    {
        byte[] json = """[{"bver":26,"bn":"urn:x:\u0073\/","bu":"Cel","n":"t\u0065mperature","v":1,"x":"_"},{"n":"pressure","u":"h\u0050a","t":-1,"v":1,"x":[{}]}]"""u8.ToArray();
        byte[] cbor = Convert.FromHexString("9fbf007f62732f6b74656d7065726174757265ff017f61436261656cff02c48221196ab3ffff".Replace("61436261656c", "6143" + "62656c", StringComparison.Ordinal));
        var sink = default(Counter);
        ReadingPack.Decode(json, PackFormat.Json, Decoded.Now, ref sink);
        ReadingPack.Decode(cbor, PackFormat.Cbor, Decoded.Now, ref sink);
        Assert.Equal((3, 0), (sink.Good, sink.Refused));

        long before = GC.GetAllocatedBytesForCurrentThread();
        ReadingPack.Decode(json, PackFormat.Json, Decoded.Now, ref sink);
        ReadingPack.Decode(cbor, PackFormat.Cbor, Decoded.Now, ref sink);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Looking_up_a_quantity_by_its_bytes_allocates_nothing()
    {
        Assert.True(QuantityCatalogue.TryGet("laeq"u8, out _));
        Assert.False(QuantityCatalogue.TryGet("laeqx"u8, out _));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            QuantityCatalogue.TryGet("laeq"u8, out _);
            QuantityCatalogue.TryGet("vehicle_count_unclassified", out _);
            SenmlUnits.TryGet("ug/m3"u8, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static Reading[] Many()
    {
        string[] properties = ["pm10", "pm2_5", "temperature", "relative_humidity", "laeq"];
        return [.. Enumerable.Range(0, 1000).Select(i => new Reading(
            i % 5 < 2 ? "sds011" : "bme280", properties[i % 5], Decoded.Now.AddSeconds(-60 * (i / 5)).AddMilliseconds(-i % 3), 20 + (i / 7.0))
        {
            Period = TimeSpan.FromMinutes(1),
            Raw = i % 2 == 0 ? i : null,
            Coverage = i % 3 == 0 ? 0.5 : null,
        })];
    }

    private struct Counter : IReadingSink
    {
        public int Good;
        public int Refused;

        public void OnReading(int recordIndex, in WireReading reading) => Good++;

        public void OnRefused(Refusal refusal, ReadOnlySpan<byte> record) => Refused++;
    }
}
