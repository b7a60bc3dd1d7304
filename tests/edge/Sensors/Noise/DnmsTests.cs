using System.Buffers.Binary;
using CsCheck;
using Hub.Edge.Sensors.Noise.Dnms;
using Xunit;

namespace Hub.Edge.Sensors.Tests.Noise;

public sealed class DnmsTests
{
    /// <summary>The worked example of Sensirion's data sheets, and the words of the SCD4x vector, whose checksum DNMS shares.</summary>
    [Theory]
    [InlineData("BEEF", 0x92)]
    [InlineData("01F4", 0x33)]
    [InlineData("6667", 0xA2)]
    [InlineData("5EB9", 0x3C)]
    [InlineData("0000", 0x81)]
    public void Checksum_is_that_of_the_data_sheets(string word, byte expected) => Assert.Equal(expected, DnmsWords.Checksum(Convert.FromHexString(word)));

    [Fact]
    public void Levels_are_three_big_endian_numbers()
    {
        Assert.True(DnmsWords.TryLevels(Pack(Numbers(61.5f, 48.25f, 77f)), out DnmsLevels levels));
        Assert.Equal(new DnmsLevels(61.5, 48.25, 77), levels);
        Assert.Equal("4276", Convert.ToHexString(Pack(Numbers(61.5f, 48.25f, 77f)), 0, 2));
    }

    [Fact]
    public void A_damaged_answer_is_no_level() =>
        Gen.Select(Gen.Float[30, 60], Gen.Int[0, DnmsWords.LevelsBytes - 1], Gen.Int[0, 7]).Sample((level, place, bit) =>
        {
            byte[] answer = Pack(Numbers(level, level - 5, level + 10));
            Assert.True(DnmsWords.TryLevels(answer, out _));
            answer[place] ^= (byte)(1 << bit);
            Assert.False(DnmsWords.TryLevels(answer, out DnmsLevels levels));
            Assert.Equal(default, levels);
            Assert.False(DnmsWords.TryLevels(answer.AsSpan(0, place), out _));
        });

    [Theory]
    [InlineData(float.NaN, 40, 70)]
    [InlineData(60, float.NaN, 70)]
    [InlineData(60, 40, float.PositiveInfinity)]
    [InlineData(60, 61, 70)]
    [InlineData(71, 40, 70)]
    [InlineData(-3, -5, 2)]
    [InlineData(170, 40, 180)]
    public void What_cannot_be_levels_is_none(float equivalent, float least, float most) => Assert.False(DnmsWords.TryLevels(Pack(Numbers(equivalent, least, most)), out _));

    [Fact]
    public void Ready_and_version_are_read()
    {
        Assert.True(DnmsWords.Ready(Pack([0, 1])));
        Assert.False(DnmsWords.Ready(Pack([0, 0])));
        Assert.Null(DnmsWords.Ready([0, 1, 0]));
        Assert.Null(DnmsWords.Ready([0]));
        Assert.True(DnmsWords.TryVersion(Pack([.. "DNMS V2.1\0\0\0\0\0\0\0\0\0"u8]), out string version));
        Assert.Equal("DNMS V2.1", version);
        Assert.False(DnmsWords.TryVersion(Pack([.. "SPS30 V2.1\0\0\0\0\0\0\0\0"u8]), out _));
        Assert.False(DnmsWords.TryVersion(Pack([.. "DNMS"u8]), out _));
    }

    private static byte[] Numbers(params float[] values)
    {
        var bytes = new byte[values.Length * 4];
        for (int n = 0; n < values.Length; n++)
        {
            BinaryPrimitives.WriteSingleBigEndian(bytes.AsSpan(n * 4), values[n]);
        }

        return bytes;
    }

    private static byte[] Pack(byte[] payload) => [.. payload.Chunk(2).SelectMany(word => new[] { word[0], word[1], DnmsWords.Checksum(word) })];
}
