using CsCheck;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Tests;

/// <summary>Whatever arrives: no exception, every record in one call, nothing invented. <see cref="Decoded"/> checks that the counts add up.</summary>
public sealed class HostileInputTests
{
    private static readonly byte[] JsonPack = System.Text.Encoding.UTF8.GetBytes(
        """
        [{"bver":26,"bn":"urn:dev:mac:0024befffe804ff1:sds\u006f11/","bt":1795174200.5,"bu":"ug/m3","bv":0.5,"bs":1,"n":"pm10","v":21.5,"hp":1800,"ut":60},
         {"n":"pm2_5","t":-1.25e1,"v":-12,"hq":3,"hr":11.5,"hv":4,"hc":0.5,"hn":1,"x":{"y":[1,null,true,"\ud83d\ude00"]}},
         {"n":"x","vs":"text"},{"bn":"bme280/","n":"temperature","u":"Cel","v":19.25},{"n":"pressure","u":"hPa","v":1013,"s":3},{"vb":false},{"vd":"aGkgCg"}]
        """);

    private static readonly byte[] CborPack = Convert.FromHexString((
        "86a7 20181a 2162732f 22fb41dac0000a000000 236575672f6d33 0064706d3130 02fb4035800000000000 626870190708"
        + "bf 007f6270 6d ff 01 6375" + "672f 02f93c00 ff a3 0063706d31 06 3863 02 c48221196ab3 a20061780363616263"
        + "a4 006b74656d7065726174757265 016343656c 0213 6178 9f01a20203616162ff a1 08 43010203").Replace(" ", "", StringComparison.Ordinal));

    [Fact]
    public void Random_bytes_are_refused_or_read() =>
        Gen.Byte.Array[0, 200].Sample(
            static bytes =>
            {
                Decoded.Pack(bytes, PackFormat.Json);
                Decoded.Pack(bytes, PackFormat.Cbor);
            },
            iter: 5000);

    [Fact]
    public void Random_json_like_text_is_refused_or_read() =>
        Gen.OneOf(
            "[", "]", "{", "}", ",", ":", "\"n\"", "\"v\"", "\"bn\"", "\"bver\"", "\"t\"", "\"u\"", "\"bt\"", "\"x_\"", "\"s/pm10\"", "\"Cel\"",
            "\"s/temperature\"", "1", "-0", "1e400", "26", "1795174200", "null", "true", "\"\\u005f\"", "\"\\ud800\"", " ", "\u0000", "é")
            .Array[0, 60].Sample(static tokens => Decoded.Json(string.Concat(tokens)), iter: 5000);

    [Fact]
    public void A_pack_cut_off_anywhere_gives_the_readings_before_the_cut()
    {
        foreach ((byte[] pack, PackFormat format) in Packs())
        {
            List<(int, Reading)> whole = Decoded.Pack(pack, format).Readings;
            for (int length = 0; length < pack.Length; length++)
            {
                Decoded cut = Decoded.Pack(pack.AsSpan(0, length), format);
                Assert.Equal(whole.Take(cut.Readings.Count), cut.Readings);
                Assert.Equal(RefusalReason.Malformed, cut.Refused[^1].Refusal.Reason);
            }
        }
    }

    [Fact]
    public void Changed_packs_are_refused_or_read() =>
        Gen.Select(Gen.Bool, Gen.Select(Gen.Int[0, 5000], Gen.Byte, Gen.Int[0, 3]).Array[1, 6]).Sample(
            static (json, changes) =>
            {
                List<byte> bytes = [.. json ? JsonPack : CborPack];
                foreach ((int at, byte value, int kind) in changes)
                {
                    int index = at % bytes.Count;
                    switch (kind)
                    {
                        case 0:
                            bytes[index] = value;
                            break;
                        case 1:
                            bytes[index] ^= (byte)(1 << (value % 8));
                            break;
                        case 2:
                            bytes.Insert(index, value);
                            break;
                        default:
                            bytes.RemoveAt(index);
                            break;
                    }
                }

                byte[] payload = [.. bytes];
                PackFormat format = json ? PackFormat.Json : PackFormat.Cbor;
                Decoded decoded = Decoded.Pack(payload, format);
                AssertRefusedRecordsStandAlone(decoded, format);
                SenmlResolver.Resolve(payload, format, Decoded.Now, new System.Buffers.ArrayBufferWriter<byte>(), PackFormat.Json);
            },
            iter: 10_000);

    [Fact]
    public void Every_single_byte_changed_is_refused_or_read()
    {
        foreach ((byte[] pack, PackFormat format) in Packs())
        {
            for (int i = 0; i < pack.Length; i++)
            {
                byte[] changed = [.. pack];
                for (int bit = 0; bit < 8; bit++)
                {
                    changed[i] = (byte)(pack[i] ^ (1 << bit));
                    AssertRefusedRecordsStandAlone(Decoded.Pack(changed, format), format);
                }
            }
        }
    }

    /// <summary>What quarantine keeps says the same when it is looked at again, a month later and alone.</summary>
    private static void AssertRefusedRecordsStandAlone(Decoded decoded, PackFormat format)
    {
        foreach ((Refusal refusal, byte[] bytes) in decoded.Refused)
        {
            if (refusal.RecordIndex < 0 || refusal.Reason is RefusalReason.Malformed or RefusalReason.TooLarge)
            {
                continue;
            }

            // A time in the future stops being one.
            Decoded again = Decoded.Pack(bytes, format, Decoded.Now.AddDays(refusal.Reason == RefusalReason.Time ? 0 : 30));
            Assert.True(again.Refused.Count == 1 && again.Refused[0].Refusal.RecordIndex == 0 && again.Refused[0].Refusal.Reason == refusal.Reason, $"{refusal} {Convert.ToHexString(bytes)}");
        }
    }

    [Fact]
    public void A_good_record_cut_out_of_its_pack_is_the_same_reading_later()
    {
        foreach ((byte[] pack, PackFormat format) in Packs())
        {
            List<(int Index, Reading Reading)> whole = Decoded.Pack(pack, format).Readings;
            Assert.NotEmpty(whole);
            var alone = new List<(int, Reading)>();
            var reader = new SenmlReader(pack, format, Decoded.Now, new byte[SenmlReader.ScratchBytes]);
            while (reader.Read())
            {
                int index = reader.RecordIndex;
                if (whole.Exists(r => r.Index == index))
                {
                    alone.Add((index, Decoded.Pack(reader.Standalone(), format, Decoded.Now.AddYears(1)).Single()));
                }
            }

            Assert.Equal(whole, alone);
        }
    }

    [Fact]
    public void A_relative_time_is_kept_as_the_instant_it_meant()
    {
        Decoded decoded = Decoded.Json("""[{"bn":"s/","bt":-60,"n":"temperature","u":"hPa","t":-0.25,"v":1},{"n":"temperature","u":"Cel","v":1,"bt":-5,"hc":2}]""");
        Assert.Equal(
            ["""[{"bt":1795175940,"bn":"s/","n":"temperature","u":"hPa","t":-0.25,"v":1}]""", """[{"bn":"s/","bt":1795175995,"n":"temperature","u":"Cel","v":1,"hc":2}]"""],
            decoded.Refused.Select(static r => System.Text.Encoding.UTF8.GetString(r.Bytes)));
    }

    [Fact]
    public void A_huge_unusable_base_field_is_not_kept_with_every_record()
    {
        string huge = new('a', 200_000);
        Decoded decoded = Decoded.Json($$"""[{"bn":"{{huge}}","u":"Cel","v":1},{{string.Join(',', Enumerable.Repeat("""{"n":"s/temperature","u":"Cel","v":1}""", 100))}}]""");
        Assert.Equal(101, decoded.Refused.Count);
        Assert.True(decoded.Refused.Skip(1).Sum(static r => r.Bytes.Length) < 10_000);
        Assert.All(decoded.Refused.Skip(1), static r => Assert.Equal(RefusalReason.FieldType, Decoded.Pack(r.Bytes, PackFormat.Json).Reason()));
        Assert.All(decoded.Refused, static r => Assert.True(r.Refusal.Detail.Length < 300));
    }

    private static IEnumerable<(byte[] Pack, PackFormat Format)> Packs()
    {
        yield return (JsonPack, PackFormat.Json);
        yield return (CborPack, PackFormat.Cbor);
    }
}
