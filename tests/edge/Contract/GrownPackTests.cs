using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using CsCheck;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Tests;

/// <summary>
/// Packs grown from the grammar, with the ends of every number's range, every type in every field and both forms of every length: what changed bytes seldom reach. Each is decoded, kept
/// record by record, resolved in both encodings and decoded again; nothing may throw, and what is resolved must say the same.
/// </summary>
public sealed class GrownPackTests
{
    private static readonly ulong[] Arguments =
        [0, 1, 2, 9, 16, 23, 24, 26, 255, 256, 65_535, 268_435_455, 268_435_456, int.MaxValue, uint.MaxValue, 1_795_175_000, long.MaxValue, (ulong)long.MaxValue + 1, ulong.MaxValue];

    private static readonly string[] Texts =
        ["", "n", "s/pm10", "s/temperature", "sds011/", "/pm10", "urn:dev:mac:0024befffe804ff1:", "Cel", "ug/m3", "kg/m3", "%", "dB", "_", "bver", "x_", "é", "\ud83d\ude00", new string('a', 257), "aGkgCg"];

    private static readonly string[] Numbers =
        ["0", "-0", "1", "-1", "10", "26", "5", "42", "21.5", "1e308", "-1e308", "1e309", "1e-400", "9223372036854775807", "-9223372036854775808", "18446744073709551616", "1795175000", "268435455.9999999",
         "268435456", "-1600000000", "-1e10", "1e300", "0.1", "1." + new string('3', 300), "1e-9999999999", "123456789012345678901234567890"];

    private static readonly string[] Labels =
        ["bver", "bn", "bt", "bu", "bv", "bs", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut", "hq", "hp", "hr", "hc", "hv", "hn", "x", "n", "u", "v", "t"];

    // The ends of every range, as CBOR writes integers: a decimal fraction whose exponent is the smallest 64-bit integer once threw.
    [Theory]
    [InlineData("81a300 63732f61 02 c4823b7fffffffffffffff01")]
    [InlineData("81a300 63732f61 02 c4821b7fffffffffffffff01")]
    [InlineData("81a300 63732f61 02 c482013b7fffffffffffffff")]
    [InlineData("81a300 63732f61 02 c4823bffffffffffffffff01")]
    [InlineData("81a300 63732f61 06 c4823b7fffffffffffffff3b7fffffffffffffff")]
    [InlineData("81a300 63732f61 06 3bffffffffffffffff")]
    [InlineData("81a200 63732f61 3b7fffffffffffffff 00")]
    [InlineData("81a200 63732f61 3bffffffffffffffff 00")]
    [InlineData("9bffffffffffffffff")]
    [InlineData("81bbffffffffffffffff")]
    [InlineData("81a1007bffffffffffffffff61")]
    public void Ends_of_the_ranges_of_cbor_are_refused_or_read(string hex) => Survives(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), PackFormat.Cbor);

    [Fact]
    public void Decimal_fractions_with_absurd_exponents_are_no_numbers()
    {
        Assert.Equal(RefusalReason.FieldType, Decoded.Cbor("81a3 00 6d732f74656d7065726174757265 01 6343656c 02 c4823b7fffffffffffffff01").Reason());
        Assert.Equal(0.5, Decoded.Cbor("81a3 00 6d732f74656d7065726174757265 01 6343656c 02 c4822005").Single().Value);
    }

    [Fact]
    public void A_time_with_no_absolute_form_is_not_resolved_into_a_relative_one()
    {
        var output = new ArrayBufferWriter<byte>();
        IReadOnlyList<Refusal> refusals = SenmlResolver.Resolve("""[{"n":"a","t":-1600000000,"v":1},{"n":"b","t":-1500000000,"v":2}]"""u8, PackFormat.Json, Decoded.Now, output, PackFormat.Json);
        Assert.Equal((0, RefusalReason.Time), (Assert.Single(refusals).RecordIndex, refusals[0].Reason));
        Assert.Equal("""[{"n":"b","t":295176000,"v":2}]""", System.Text.Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void Cbor_grown_from_its_grammar_is_refused_or_read() =>
        Gen.UInt.Sample(static seed => Survives(Cbor(new Random((int)seed)), PackFormat.Cbor), iter: 3000);

    [Fact]
    public void Json_grown_from_its_grammar_is_refused_or_read() =>
        Gen.UInt.Sample(static seed => Survives(System.Text.Encoding.UTF8.GetBytes(Json(new Random((int)seed))), PackFormat.Json), iter: 3000);

    private static void Survives(byte[] payload, PackFormat format)
    {
        Decoded decoded = Decoded.Pack(payload, format);
        foreach ((Refusal refusal, byte[] bytes) in decoded.Refused)
        {
            Assert.False(string.IsNullOrWhiteSpace(refusal.Detail));
            if (refusal.RecordIndex >= 0 && refusal.Reason is not (RefusalReason.Malformed or RefusalReason.TooLarge))
            {
                // What quarantine keeps is refused again for the same reason; a base field of an earlier record, now the record's own, for the one it was refused for there.
                RefusalReason again = Decoded.Pack(bytes, format).Reason();
                Assert.True(again == refusal.Reason || refusal.Detail.Contains("of an earlier record", StringComparison.Ordinal), $"{refusal} is {again} alone: {Convert.ToHexString(bytes)}");
            }
        }

        if (decoded.Refused.Exists(static r => r.Refusal.RecordIndex < 0))
        {
            return;
        }

        foreach (PackFormat target in new[] { PackFormat.Json, PackFormat.Cbor })
        {
            var output = new ArrayBufferWriter<byte>();
            SenmlResolver.Resolve(payload, format, Decoded.Now, output, target);
            List<Reading> again = output.WrittenCount == 0 ? [] : [.. Decoded.Pack(output.WrittenSpan, target, Decoded.Now.AddDays(1)).Readings.Select(static r => r.Reading)];
            Assert.Equal(decoded.Readings.Select(static r => r.Reading).OrderBy(static r => r.PhenomenonTime), again);
        }
    }

    private static string Json(Random random)
    {
        var text = new System.Text.StringBuilder("[");
        for (int record = random.Next(1, 6); record > 0; record--)
        {
            // Half of the records begin as good ones.
            bool good = random.Next(2) == 0;
            text.Append(good ? """{"n":"s/temperature","u":"Cel","v":1""" : "{");
            for (int field = random.Next(6); field > 0; field--)
            {
                text.Append(text[^1] == '{' ? "" : ",").Append(CultureInfo.InvariantCulture, $"\"{Pick(random, Labels)}\":");
                Value(random, text, depth: 0);
            }

            text.Append(record > 1 ? "}," : "}");
        }

        return text.Append(']').ToString();
    }

    private static void Value(Random random, System.Text.StringBuilder text, int depth)
    {
        switch (random.Next(depth < 3 ? 9 : 7))
        {
            case < 4:
                text.Append(Pick(random, Numbers));
                break;
            case < 6:
                text.Append('"').Append(Pick(random, Texts)).Append(random.Next(8) == 0 ? "\\ud800" : random.Next(8) == 0 ? "\\u0073" : "").Append('"');
                break;
            case 6:
                text.Append(Pick(random, ["true", "false", "null"]));
                break;
            case 7:
                text.Append('[');
                Value(random, text, depth + 1);
                text.Append(']');
                break;
            default:
                text.Append("{\"x\":");
                Value(random, text, depth + 1);
                text.Append('}');
                break;
        }
    }

    private static byte[] Cbor(Random random)
    {
        var bytes = new List<byte>();
        int records = random.Next(1, 6);
        bool open = random.Next(3) == 0;
        Head(bytes, random, 4, (ulong)records, open);
        for (; records > 0; records--)
        {
            bool good = random.Next(2) == 0;
            int fields = random.Next(6);
            bool openMap = random.Next(3) == 0;
            Head(bytes, random, 5, (ulong)(fields + (good ? 3 : 0)), openMap);
            if (good)
            {
                bytes.AddRange(Convert.FromHexString("006d732f74656d706572617475726501" + "6343656c0201"));
            }

            for (; fields > 0; fields--)
            {
                if (random.Next(3) == 0)
                {
                    Text(bytes, random, Pick(random, Labels));
                }
                else
                {
                    int key = random.Next(-7, 10);
                    Head(bytes, random, key < 0 ? 1 : 0, (ulong)(key < 0 ? -1 - key : key), open: false);
                }

                Item(bytes, random, depth: 0);
            }

            if (openMap)
            {
                bytes.Add(0xFF);
            }
        }

        if (open)
        {
            bytes.Add(0xFF);
        }

        return [.. bytes];
    }

    private static void Item(List<byte> bytes, Random random, int depth)
    {
        switch (random.Next(depth < 3 ? 12 : 8))
        {
            case < 2:
                Head(bytes, random, random.Next(2), Pick(random, Arguments), open: false);
                break;
            case 2:
                bytes.Add(0xFB);
                Span<byte> eight = stackalloc byte[8];
                BinaryPrimitives.WriteDoubleBigEndian(eight, double.TryParse(Pick(random, Numbers), CultureInfo.InvariantCulture, out double number) ? number : double.NaN);
                bytes.AddRange(eight);
                break;
            case 3:
                // Halves, NaN and the infinities among them.
                bytes.AddRange([0xF9, (byte)random.Next(256), (byte)random.Next(256)]);
                break;
            case 4:
                bytes.AddRange([0xC4, 0x82]);
                Head(bytes, random, random.Next(2), Pick(random, Arguments), open: false);
                Head(bytes, random, random.Next(2), Pick(random, Arguments), open: false);
                break;
            case 5:
                Text(bytes, random, Pick(random, Texts));
                break;
            case 6:
                bytes.Add((byte)(0xF4 + random.Next(4)));
                break;
            case 7:
                bytes.AddRange([0x43, 1, 2, 3]);
                break;
            case 8:
                Head(bytes, random, 6, Pick<ulong>(random, [0, 1, 4, 5, 21, 55_799, ulong.MaxValue]), open: false);
                Item(bytes, random, depth + 1);
                break;
            case 9:
                bytes.Add(0x9F);
                Item(bytes, random, depth + 1);
                bytes.Add(0xFF);
                break;
            case 10:
                Head(bytes, random, 4, 2, open: false);
                Item(bytes, random, depth + 1);
                Item(bytes, random, depth + 1);
                break;
            default:
                Head(bytes, random, 5, 1, open: false);
                Item(bytes, random, depth + 1);
                Item(bytes, random, depth + 1);
                break;
        }
    }

    private static void Text(List<byte> bytes, Random random, string text)
    {
        byte[] utf8 = System.Text.Encoding.UTF8.GetBytes(text);
        if (random.Next(4) == 0)
        {
            int cut = random.Next(utf8.Length + 1);
            bytes.Add(0x7F);
            Head(bytes, random, 3, (ulong)cut, open: false);
            bytes.AddRange(utf8.AsSpan(0, cut));
            Head(bytes, random, 3, (ulong)(utf8.Length - cut), open: false);
            bytes.AddRange(utf8.AsSpan(cut));
            bytes.Add(0xFF);
            return;
        }

        Head(bytes, random, 3, (ulong)utf8.Length, open: false);
        bytes.AddRange(utf8);
    }

    /// <summary>An item's head; now and then longer than it need be, and once in a long while a lie.</summary>
    private static void Head(List<byte> bytes, Random random, int major, ulong argument, bool open)
    {
        if (open)
        {
            bytes.Add((byte)((major << 5) | 31));
            return;
        }

        argument = random.Next(200) == 0 ? Pick(random, Arguments) : argument;
        int least = argument switch
        {
            < 24 => 0,
            <= byte.MaxValue => 1,
            <= ushort.MaxValue => 2,
            <= uint.MaxValue => 4,
            _ => 8,
        };
        int length = random.Next(10) == 0 ? 8 : least;
        bytes.Add((byte)((major << 5) | length switch
        {
            0 => (int)argument,
            1 => 24,
            2 => 25,
            4 => 26,
            _ => 27,
        }));
        Span<byte> eight = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(eight, argument);
        bytes.AddRange(eight[(8 - length)..]);
    }

    private static T Pick<T>(Random random, T[] of) => of[random.Next(of.Length)];
}
