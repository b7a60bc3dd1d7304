using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Tests;

/// <summary>Mistakes of a pack against mistakes of a record: a bad record hurts only itself, a pack not understood is not taken in part.</summary>
public sealed class PackTests
{
    private const string Good = """{"n":"s/temperature","u":"Cel","v":1}""";

    [Fact]
    public void A_bad_record_of_five_leaves_four()
    {
        Decoded decoded = Decoded.Json(
            """[{"bver":26,"bn":"s/","bu":"ug/m3","n":"pm10","v":1},{"n":"pm2_5","v":2},{"n":"pm3","v":3},{"n":"pm1","v":4},{"n":"pm4","v":5}]""");
        Assert.Equal(5, decoded.Count);
        Assert.Equal([0, 1, 3, 4], decoded.Readings.Select(static r => r.Index));
        Assert.Equal((2, RefusalReason.UnknownQuantity), (decoded.Refused[0].Refusal.RecordIndex, decoded.Refused[0].Refusal.Reason));
        Assert.Equal(
            """[{"bver":26,"bn":"s/","bt":1795176000,"bu":"ug/m3","n":"pm3","v":3}]""",
            System.Text.Encoding.UTF8.GetString(decoded.Refused[0].Bytes));
    }

    [Theory]
    [InlineData("10", true)]
    [InlineData("26", true)]
    [InlineData("5", true)]
    [InlineData("26.0", true)]
    [InlineData("42", false)]
    [InlineData("58", false)]
    [InlineData("11", false)]
    [InlineData("16", false)]
    [InlineData("21", false)]
    [InlineData("0", false)]
    [InlineData("-10", false)]
    [InlineData("10.5", false)]
    [InlineData("1e30", false)]
    [InlineData("4294967306", false)]
    [InlineData("\"10\"", false)]
    [InlineData("null", false)]
    public void Versions_are_features_and_every_one_must_be_known(string version, bool understood)
    {
        Decoded decoded = Decoded.Json($$"""[{"bver":{{version}},"n":"s/temperature","u":"Cel","v":1},{{Good}}]""");
        if (understood)
        {
            Assert.Equal(2, decoded.Readings.Count);
        }
        else
        {
            Assert.Equal(RefusalReason.Version, decoded.Reason());
            Assert.Equal(-1, decoded.Refused[0].Refusal.RecordIndex);
        }
    }

    [Theory]
    [InlineData(10, false)]
    [InlineData(26, true)]
    [InlineData(5, false)]
    [InlineData(42, false)]
    public void Only_the_feature_bit_makes_secondary_units_legal_not_a_larger_number(int version, bool legal)
    {
        Assert.Equal(legal, SenmlVersion.AllowsSecondaryUnits(version));
        Decoded decoded = Decoded.Json($$"""[{"bver":{{version}},"n":"s/pm10","u":"ug/m3","v":1}]""");
        Assert.Equal(legal ? 1 : 0, decoded.Readings.Count);
    }

    [Fact]
    public void A_secondary_unit_without_the_feature_refuses_its_record_only()
    {
        Decoded decoded = Decoded.Json("""[{"n":"s/pm10","u":"ug/m3","v":1},{"n":"s/pm10","u":"kg/m3","v":1.2e-8}]""");
        Assert.Equal([RefusalReason.Unit], decoded.Reasons);
        Assert.Equal(12, decoded.Readings[0].Reading.Value);
    }

    [Theory]
    [InlineData("""[{"n":"s/temperature","u":"Cel","v":1},{"bver":26,"n":"s/pm10","u":"ug/m3","v":1}]""")]
    [InlineData("""[{"bver":26,"n":"s/temperature","u":"Cel","v":1},{"bver":10,"n":"s/temperature","u":"Cel","v":1}]""")]
    [InlineData("""[1,{"bver":26,"n":"s/temperature","u":"Cel","v":1}]""")]
    [InlineData("""[{},{"b\u0076er":26,"n":"s/temperature","u":"Cel","v":1}]""")]
    [InlineData("""[{"bver":26,"bver":10,"n":"s/temperature","u":"Cel","v":1}]""")]
    [InlineData("""[{"n":"s/temperature","u":"Cel","v":1},{"n":"}{bver","bver":42}]""")]
    public void A_pack_with_two_versions_is_refused_before_anything_of_it_is_taken(string pack) =>
        Assert.Equal(RefusalReason.Version, Decoded.Json(pack).Reason());

    [Fact]
    public void The_same_version_may_be_said_again() =>
        Assert.Equal(2, Decoded.Json("""[{"bver":26,"n":"s/pm10","u":"ug/m3","v":1},{"bver":26,"n":"s/pm10","u":"ug/m3","v":2}]""").Readings.Count);

    [Theory]
    [InlineData("must_")]
    [InlineData("_")]
    [InlineData("v_")]
    [InlineData("must\\u005f")]
    [InlineData("must\\u005F")]
    [InlineData("m\\\\\\u005f")]
    public void A_field_that_must_be_understood_refuses_the_pack_before_anything_of_it_is_taken(string label)
    {
        Decoded decoded = Decoded.Json($$"""[{{Good}},{{Good}},{"{{label}}":1,"n":"s/temperature","u":"Cel","v":1}]""");
        Assert.Equal(RefusalReason.MustUnderstand, decoded.Reason());
        Assert.Contains("Record 2", decoded.Refused[0].Refusal.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"x_y":1,"n":"s/temperature","u":"Cel","v":1}""")]
    [InlineData("""{"x":"y_","n":"s/temperature","u":"Cel","v":1}""")]
    [InlineData("""{"x":{"y_":1},"n":"s/temperature","u":"Cel","v":1}""")]
    [InlineData("""{"m\\u005f":1,"n":"s/temperature","u":"Cel","v":1}""")]
    public void Only_a_field_of_the_record_itself_that_ends_in_an_underscore_must_be_understood(string record) =>
        Assert.Equal(1, Decoded.Json($"[{record}]").Single().Value);

    [Fact]
    public void Broken_json_keeps_what_stands_before_it()
    {
        Decoded decoded = Decoded.Json($$"""[{{Good}},{{Good}}, {"n":"s/temperature","u":Cel},{{Good}}]""");
        Assert.Equal([0, 1], decoded.Readings.Select(static r => r.Index));
        (Refusal refusal, byte[] bytes) = Assert.Single(decoded.Refused);
        Assert.Equal((2, RefusalReason.Malformed), (refusal.RecordIndex, refusal.Reason));
        Assert.Equal($$"""{"n":"s/temperature","u":Cel},{{Good}}]""", System.Text.Encoding.UTF8.GetString(bytes));
    }

    [Theory]
    [InlineData("", -1)]
    [InlineData("   ", -1)]
    [InlineData("{}", -1)]
    [InlineData("17", -1)]
    [InlineData("null", -1)]
    [InlineData("[]", -1)]
    [InlineData("\u0001", -1)]
    [InlineData("[", 0)]
    [InlineData("[,", 0)]
    [InlineData("[{", 0)]
    [InlineData("[{]", 0)]
    [InlineData("[{\"n\":\"s/temperature\",\"u\":\"Cel\",\"v\":NaN}]", 0)]
    public void What_is_no_pack_is_refused_as_a_whole(string payload, int index)
    {
        Decoded decoded = Decoded.Json(payload);
        Assert.Equal(RefusalReason.Malformed, decoded.Reason());
        Assert.Equal(index, decoded.Refused[0].Refusal.RecordIndex);
        Assert.Equal(payload, System.Text.Encoding.UTF8.GetString(decoded.Refused[0].Bytes));
    }

    [Theory]
    [InlineData("""[{"n":"s/temperature","u":"Cel","v":1}""")]
    [InlineData("""[{"n":"s/temperature","u":"Cel","v":1},]""")]
    [InlineData("""[{"n":"s/temperature","u":"Cel","v":1}]]""")]
    [InlineData("""[{"n":"s/temperature","u":"Cel","v":1}] {}""")]
    [InlineData("""[{"n":"s/temperature","u":"Cel","v":1}/* */]""")]
    public void What_follows_a_good_record_and_should_not_is_one_refusal(string payload)
    {
        Decoded decoded = Decoded.Json(payload);
        Assert.Single(decoded.Readings);
        Assert.Equal((1, RefusalReason.Malformed), (Assert.Single(decoded.Refused).Refusal.RecordIndex, decoded.Refused[0].Refusal.Reason));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    [InlineData("[[[]]]")]
    [InlineData("{}")]
    [InlineData("""{"l":"only fields nobody knows"}""")]
    public void An_element_that_is_no_record_hurts_only_itself(string element)
    {
        Decoded decoded = Decoded.Json($"[{Good},{element},{Good}]");
        Assert.Equal([0, 2], decoded.Readings.Select(static r => r.Index));
        Assert.Equal(1, Assert.Single(decoded.Refused).Refusal.RecordIndex);
    }

    [Fact]
    public void A_record_of_base_fields_only_is_applied_and_not_counted()
    {
        Decoded decoded = Decoded.Json("""[{"bn":"s/","l":"x"},{"n":"temperature","u":"Cel","v":1},{"bu":"Cel"},{"n":"temperature","v":2}]""");
        Assert.Equal(2, decoded.Count);
        Assert.Equal([1, 3], decoded.Readings.Select(static r => r.Index));
    }

    [Fact]
    public void An_unusable_base_field_is_not_replaced_by_an_older_one()
    {
        Decoded decoded = Decoded.Json(
            """[{"bn":"a/","bu":"Cel","n":"temperature","v":1},{"bn":7,"n":"temperature","v":2},{"n":"temperature","v":3},{"bn":"b/","n":"temperature","v":4},{"bu":null,"n":"temperature","v":5},{"n":"temperature","u":"K","v":6}]""");
        Assert.Equal([("a", 0), ("b", 3), ("b", 5)], decoded.Readings.Select(static r => (r.Reading.Sensor, r.Index)));
        Assert.Equal([1, 2, 4], decoded.Refused.Select(static r => r.Refusal.RecordIndex));
        Assert.All(decoded.Reasons, static reason => Assert.Equal(RefusalReason.FieldType, reason));
    }

    [Fact]
    public void Base_fields_of_a_bad_record_still_apply_to_the_next()
    {
        Decoded decoded = Decoded.Json("""[{"bn":"a/","bu":"Cel","n":"nonsense","v":1},{"n":"temperature","v":3}]""");
        Assert.Equal("a", Assert.Single(decoded.Readings).Reading.Sensor);
        Assert.Equal([RefusalReason.UnknownQuantity], decoded.Reasons);
    }

    [Fact]
    public void Names_over_the_limit_hurt_only_those_who_use_them()
    {
        string tooLong = new('a', 257);
        Decoded decoded = Decoded.Json(
            $$"""[{"n":"{{tooLong}}/pm10","u":"Cel","v":1},{{Good}},{"bn":"{{tooLong}}"},{{Good}},{"bn":"{{tooLong[1..]}}:","bu":"Cel"},{{Good}},{"bn":"{{tooLong[2..]}}:"},{{Good}}]""");
        Assert.Equal([RefusalReason.Name, RefusalReason.Name, RefusalReason.FieldType, RefusalReason.Name, RefusalReason.FieldType], decoded.Reasons);
        Assert.Equal([1, 7], decoded.Readings.Select(static r => r.Index));
    }

    [Fact]
    public void Too_many_records_keep_those_within_the_limit()
    {
        Decoded decoded = Decoded.Json("[{\"bn\":\"s/temperature\",\"bu\":\"Cel\",\"v\":0}," + string.Join(',', Enumerable.Repeat("{\"v\":1}", ReadingPack.RecordsMax)) + "]");
        Assert.Equal(ReadingPack.RecordsMax, decoded.Readings.Count);
        Assert.Equal((ReadingPack.RecordsMax, RefusalReason.TooLarge), (Assert.Single(decoded.Refused).Refusal.RecordIndex, decoded.Refused[0].Refusal.Reason));
        Assert.Equal("{\"v\":1}]", System.Text.Encoding.UTF8.GetString(decoded.Refused[0].Bytes));
    }

    [Fact]
    public void Too_many_bytes_are_refused_unread()
    {
        Assert.Equal(RefusalReason.TooLarge, Decoded.Json(new string(' ', ReadingPack.BytesMax) + "[").Reason());
        Assert.Equal(RefusalReason.Malformed, Decoded.Json(new string(' ', ReadingPack.BytesMax - 1) + "[").Reason());
    }

    [Fact]
    public void Deep_nesting_ends_the_pack_where_it_is()
    {
        string deep = new string('[', 100_000) + new string(']', 100_000);
        Decoded decoded = Decoded.Json($$"""[{{Good}},{"x":{{deep}},"n":"s/temperature","u":"Cel","v":1}]""");
        Assert.Single(decoded.Readings);
        Assert.Equal([RefusalReason.Malformed], decoded.Reasons);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused_where_a_text_matters()
    {
        byte[] pack = System.Text.Encoding.UTF8.GetBytes($$"""[{"n":"s/temperature","u":"Cel","v":1,"x":"?"},{"n":"s/?emperature","u":"Cel","v":1},{"n":"s/temperature","u":"?","v":1},{{Good}}]""");
        Decoded decoded = Decoded.Pack(Array.ConvertAll(pack, static b => b == (byte)'?' ? (byte)0xFF : b), PackFormat.Json);
        Assert.Equal([0, 3], decoded.Readings.Select(static r => r.Index));
        Assert.Equal([RefusalReason.Name, RefusalReason.Unit], decoded.Reasons);
        Assert.Equal([RefusalReason.Name, RefusalReason.Name, RefusalReason.Unit], Decoded.Json(
            """[{"n":"\ud800s/temperature","u":"Cel","v":1},{"bn":"","n":"s\udc00\ud800/temperature","u":"Cel","v":1},{"n":"s/temperature","u":"\ud83d\u0041","v":1}]""").Reasons);
    }
}
