using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Tests;

/// <summary>What CBOR can say in more than one way, and what it must not say.</summary>
public sealed class CborTests
{
    // {0: "s/temperature", 1: "Cel", 2: value}
    private const string Name = "006d732f74656d7065726174757265";
    private const string Unit = "016343656c";
    private const string Good = "a3" + Name + Unit + "0201";

    [Theory]
    [InlineData("00", 0)]
    [InlineData("17", 23)]
    [InlineData("1818", 24)]
    [InlineData("190100", 256)]
    [InlineData("1a00010000", 65536)]
    [InlineData("1b0000000100000000", 4294967296)]
    [InlineData("1bffffffffffffffff", 18446744073709551615d)]
    [InlineData("20", -1)]
    [InlineData("3bffffffffffffffff", -18446744073709551616d)]
    [InlineData("f93c00", 1)]
    [InlineData("f93555", 0.333251953125)]
    [InlineData("f90001", 5.960464477539063e-8)]
    [InlineData("fa47c35000", 100000)]
    [InlineData("fb3ff199999999999a", 1.1)]
    [InlineData("c48221196ab3", 273.15)]
    [InlineData("c48200391a84", -6789)]
    [InlineData("c48202181e", 3000)]
    [InlineData("c482382f01", 1e-48)]
    [InlineData("d9d9f701", 1)]
    public void Every_form_of_a_number_is_read(string value, double expected) =>
        Assert.Equal(expected, Decoded.Cbor("81a3" + Name + Unit + "02" + value).Single().Value);

    [Theory]
    [InlineData("f97c00")]
    [InlineData("f97e00")]
    [InlineData("faff800000")]
    [InlineData("fb7ff8000000000000")]
    [InlineData("f4")]
    [InlineData("f6")]
    [InlineData("f7")]
    [InlineData("f8ff")]
    [InlineData("6131")]
    [InlineData("4131")]
    [InlineData("8101")]
    [InlineData("a0")]
    [InlineData("c101")]
    [InlineData("c24101")]
    [InlineData("c48101")]
    [InlineData("c483000100")]
    [InlineData("1c", true)]
    [InlineData("c482f93c0001")]
    [InlineData("c4821a7fffffff01")]
    [InlineData("c49f0102ff")]
    public void What_is_no_finite_number_is_no_value(string value, bool malformed = false)
    {
        Decoded decoded = Decoded.Cbor("82a3" + Name + Unit + "02" + value + Good);
        Assert.Equal([malformed ? RefusalReason.Malformed : RefusalReason.FieldType], decoded.Reasons);
        Assert.Equal(malformed ? 0 : 1, decoded.Readings.Count);
    }

    [Fact]
    public void A_head_that_is_cut_off_ends_the_pack_whichever_field_it_is_of()
    {
        // What is left of the head would be well-formed where it is read again from its second byte.
        foreach (string head in new[] { "da010203", "d901", "1a010203", "5a010203", "9a010101", "ba010101", "fa010203" })
        {
            for (int label = -6; label <= 8; label++)
            {
                string key = label < 0 ? $"{0x20 - 1 - label:x2}" : $"{label:x2}";
                Assert.Equal(RefusalReason.Malformed, Decoded.Cbor("81a1" + key + head).Reason());
            }
        }
    }

    [Theory]
    [InlineData("9f" + Good + Good + "ff")]
    [InlineData("82bf" + Name + Unit + "0201ff" + Good)]
    [InlineData("82a3007f67732f74656d70656066726174757265ff" + Unit + "0201" + Good)]
    [InlineData("82a3007f62732f6b74656d7065726174757265ff017f61436261656cffff0201" + Good, false)]
    [InlineData("82a3" + Name + "017f61436161ff0201" + Good, false)]
    [InlineData("9b0000000000000002" + Good + Good)]
    [InlineData("d9d9f782" + Good + Good)]
    [InlineData("82c1a3c0" + Name + Unit + "0201" + Good)]
    public void Indefinite_lengths_long_heads_and_tags_are_read(string pack, bool good = true)
    {
        Decoded decoded = Decoded.Cbor(pack);
        Assert.Equal(good, decoded.Refused.Count == 0);
        if (good)
        {
            Assert.All(decoded.Readings, static r => Assert.Equal(new Reading("s", "temperature", Decoded.Now, 1), r.Reading));
            Assert.Equal(2, decoded.Readings.Count);
        }
    }

    [Fact]
    public void Our_fields_have_text_keys_and_unknown_keys_of_any_kind_are_passed_over() =>
        Assert.Equal(
            new Reading("s", "temperature", Decoded.Now, 1) { Quality = Quality.Stuck, Period = TimeSpan.FromMinutes(1), Coverage = 0.5 },
            Decoded.Cbor("81ab" + Name + Unit + "0201" + "62687104" + "626870183c" + "626863f93800"
                + "183f01" + "3903e781f5" + "4142a10102" + "fb3ff199999999999a01" + "7f6178ff9f0102ff").Single());

    [Theory]
    [InlineData("626274" + "1a6b000000")]
    [InlineData("616e" + "6161")]
    [InlineData("7f616262" + "6e75" + "ff6161")]
    public void A_label_that_has_an_integer_must_not_come_as_text(string pair)
    {
        Decoded decoded = Decoded.Cbor("82a4" + pair + Name + Unit + "0201" + Good);
        Assert.Equal(RefusalReason.FieldType, decoded.Reasons.FirstOrDefault(RefusalReason.FieldType));
        Assert.DoesNotContain(decoded.Readings, static r => r.Index == 0 && r.Reading.PhenomenonTime != Decoded.Now);
    }

    [Fact]
    public void A_base_time_with_a_text_key_moves_no_reading()
    {
        // {"bt": 100, n, u, v}, then a record that would stand on that base time.
        Decoded decoded = Decoded.Cbor("82a46262741864" + Name + Unit + "0201" + Good);
        Assert.Empty(decoded.Readings);
        Assert.Equal([RefusalReason.FieldType, RefusalReason.FieldType], decoded.Reasons);
    }

    [Theory]
    [InlineData("20182a", RefusalReason.Version)]
    [InlineData("206131", RefusalReason.Version)]
    [InlineData("656d7573745f01", RefusalReason.MustUnderstand)]
    [InlineData("7f646d757374615f60ff01", RefusalReason.MustUnderstand)]
    public void Pack_errors_are_found_before_anything_is_taken(string pair, RefusalReason reason) =>
        Assert.Equal(reason, Decoded.Cbor("83" + Good + Good + "a4" + Name + Unit + "0201" + pair).Reason());

    [Theory]
    [InlineData("", -1)]
    [InlineData("a0", -1)]
    [InlineData("80", -1)]
    [InlineData("9fff", -1)]
    [InlineData("01", -1)]
    [InlineData("9c", -1)]
    [InlineData("81", -1)]
    [InlineData("9bffffffffffffffff", -1)]
    [InlineData("9f", 0)]
    [InlineData("81a1", 0)]
    [InlineData("81bf", 0)]
    [InlineData("81ff", 0)]
    [InlineData("81a10000a0", 0)]
    [InlineData("81fc", 0)]
    [InlineData("81f800", 0)]
    [InlineData("81bf00ff", 0)]
    [InlineData("817f01ff", 0)]
    [InlineData("817f7f6161ffff", 0)]
    [InlineData("81df01", 0)]
    [InlineData("811f", 0)]
    [InlineData("815affffffff", 0)]
    public void What_is_no_pack_is_refused_as_a_whole(string hex, int index)
    {
        Decoded decoded = Decoded.Cbor(hex);
        (Refusal refusal, byte[] bytes) = decoded.Refused[^1];
        Assert.Equal(RefusalReason.Malformed, refusal.Reason);
        Assert.Empty(decoded.Readings);
        Assert.True(refusal.RecordIndex == index || decoded.Refused.Count == 2, refusal.ToString());
        Assert.Equal(decoded.Refused.Count == 1 ? hex : hex[^2..], Convert.ToHexStringLower(bytes));
    }

    [Theory]
    [InlineData("82" + Good)]
    [InlineData("81" + Good + "00")]
    [InlineData("81" + Good + "ff")]
    [InlineData("9f" + Good)]
    [InlineData("9f" + Good + "ffff")]
    public void What_does_not_follow_a_good_record_as_it_should_is_one_refusal(string hex)
    {
        Decoded decoded = Decoded.Cbor(hex);
        Assert.Single(decoded.Readings);
        Assert.Equal((1, RefusalReason.Malformed), (Assert.Single(decoded.Refused).Refusal.RecordIndex, decoded.Refused[0].Refusal.Reason));
    }

    [Fact]
    public void Deep_nesting_ends_the_pack_where_it_is()
    {
        foreach (string nest in new[] { "81", "9f", "a101", "bf01", "c1" })
        {
            Decoded decoded = Decoded.Cbor("83" + Good + "a4" + Name + Unit + "0201" + "6178" + string.Concat(Enumerable.Repeat(nest, 40_000)) + "00" + Good);
            Assert.Equal(nest == "c1" ? 3 : 1, decoded.Readings.Count);
        }
    }

    [Fact]
    public void A_refused_record_is_kept_as_a_pack_of_its_own()
    {
        // {-1: 26, -2: "s/", -3: 1795175990, 0: "pm3", 1: "ug/m3", 2: 1}, {0: "pm10", 1: "ppb", 6: 10, 2: 5}
        Decoded decoded = Decoded.Cbor("82a620181a2162732f221a6b0037360063706d33016575672f6d330201a40064706d313001637070620" + "60a0205");
        Assert.Equal([RefusalReason.UnknownQuantity, RefusalReason.Unit], decoded.Reasons);
        Assert.Equal("81a620181a2162732f221a6b0037360063706d33016575672f6d330201", Convert.ToHexStringLower(decoded.Refused[0].Bytes));
        Assert.Equal("81a720181a2162732f221a6b0037360064706d31300163707062060a0205", Convert.ToHexStringLower(decoded.Refused[1].Bytes));
    }
}
