using Hub.Edge.Contract.Encoding;

namespace Hub.Edge.Contract.Tests;

public sealed class FormatTests
{
    [Theory]
    [InlineData("application/senml+json", PackFormat.Json)]
    [InlineData("application/senml+cbor", PackFormat.Cbor)]
    [InlineData("application/sensml+json", PackFormat.Json)]
    [InlineData("application/sensml+cbor", PackFormat.Cbor)]
    [InlineData("Application/SenML+JSON", PackFormat.Json)]
    [InlineData(" application/senml+json ; charset=utf-8", PackFormat.Json)]
    [InlineData("application/senml+cbor;x=y;z", PackFormat.Cbor)]
    [InlineData("application/json", null)]
    [InlineData("application/cbor", null)]
    [InlineData("application/senml+xml", null)]
    [InlineData("application/senml", null)]
    [InlineData("text/plain", null)]
    [InlineData(";", null)]
    public void Content_types_are_recognised_whatever_the_payload_is(string contentType, PackFormat? expected)
    {
        Assert.Equal(expected is not null, PackFormats.TryParse(contentType, "[]"u8, out PackFormat? format));
        Assert.Equal(expected, format);
    }

    [Theory]
    [InlineData("5b", PackFormat.Json)]
    [InlineData("20", PackFormat.Json)]
    [InlineData("09", PackFormat.Json)]
    [InlineData("0d0a", PackFormat.Json)]
    [InlineData("efbbbf5b", PackFormat.Json)]
    [InlineData("80", PackFormat.Cbor)]
    [InlineData("97", PackFormat.Cbor)]
    [InlineData("9b", PackFormat.Cbor)]
    [InlineData("9f", PackFormat.Cbor)]
    [InlineData("9c", null)]
    [InlineData("7b", null)]
    [InlineData("a1", null)]
    [InlineData("00", null)]
    [InlineData("", null)]
    public void Without_a_content_type_the_first_byte_decides(string payload, PackFormat? expected)
    {
        foreach (string? none in new[] { null, "", "  " })
        {
            Assert.Equal(expected is not null, PackFormats.TryParse(none, Convert.FromHexString(payload), out PackFormat? format));
            Assert.Equal(expected, format);
        }
    }

    [Theory]
    [InlineData(PackFormat.Json)]
    [InlineData(PackFormat.Cbor)]
    public void What_is_written_is_recognised(PackFormat format)
    {
        byte[] pack = RoundTripTests.Encode(format, [new("s", "temperature", Decoded.Now, 1)]);
        Assert.True(PackFormats.TryParse(format.ContentType(), pack, out PackFormat? announced));
        Assert.True(PackFormats.TryParse(null, pack, out PackFormat? guessed));
        Assert.Equal((format, format), (announced, guessed));
    }
}
