using CsCheck;
using Hub.Edge.Sensors.Buses;

namespace Hub.Edge.Sensors.Tests.Buses;

public sealed class SensirionWordsTests
{
    [Theory]
    [InlineData(0xBE, 0xEF, 0x92)]
    [InlineData(0x01, 0xF4, 0x33)]
    [InlineData(0x66, 0x67, 0xA2)]
    [InlineData(0x5E, 0xB9, 0x3C)]
    [InlineData(0x00, 0x00, 0x81)]
    public void Checksums_are_the_data_sheets(byte high, byte low, byte crc) => Assert.Equal(crc, SensirionWords.Crc([high, low]));

    [Fact]
    public void A_command_carries_a_checksum_for_each_word()
    {
        Assert.Equal([0x21, 0xB1], SensirionWords.Command(0x21B1));
        Assert.Equal([0x00, 0x10, 0xBE, 0xEF, 0x92, 0x00, 0x00, 0x81], SensirionWords.Command(0x0010, 0xBEEF, 0x0000));
    }

    /// <summary>One or two flipped bits in a word or its CRC are always noticed, wherever they are.</summary>
    [Fact]
    public void Flipped_bits_are_noticed() => Gen.Select(Gen.Byte.Array[2, 2].Array[1, 16], Gen.Int[0, 1_000_000], Gen.Int[0, 23], Gen.Int[0, 23]).Sample((words, where, first, second) =>
    {
        byte[] wire = [.. words.SelectMany(word => new[] { word[0], word[1], SensirionWords.Crc(word) })];
        var data = new byte[2 * words.Length];
        Assert.True(SensirionWords.TryDecode(wire, data));
        Assert.Equal(words.SelectMany(word => word), data);

        int word = 3 * (where % words.Length);
        wire[word + (first / 8)] ^= (byte)(1 << (first % 8));
        if (second != first)
        {
            wire[word + (second / 8)] ^= (byte)(1 << (second % 8));
        }

        Assert.False(SensirionWords.TryDecode(wire, data));
    });
}
