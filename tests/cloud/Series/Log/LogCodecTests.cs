using CsCheck;
using Hub.Edge.Contract.Readings;
using Xunit;

namespace Hub.Cloud.Series.Tests;

public sealed class LogCodecTests
{
    private const uint Salt = 0x12345678;

    [Fact]
    public void Any_observation_comes_back_bit_for_bit() => LogRows.Any.Array[0, 40].Sample(rows =>
    {
        var room = new byte[LogCodec.RecordHeadBytes + (rows.Length * LogCodec.RowBytesMax)];
        var record = room.AsSpan(0, LogCodec.Encode(room, 7, rows));
        LogCodec.Seal(record, Salt);
        Assert.True(LogCodec.TryReadRecordHead(record, Salt, out var head));
        Assert.Equal(new LogRecordHead(7, rows.Length, record.Length), head);
        Assert.True(LogCodec.RowsAreWhole(record, Salt));
        var decoded = new Observation[rows.Length];
        Assert.True(LogCodec.TryDecode(record[LogCodec.RecordHeadBytes..], decoded));
        Assert.True(LogRows.Same(rows, decoded));
        Assert.False(LogCodec.TryReadRecordHead(record, Salt + 1, out _));
        Assert.False(LogCodec.RowsAreWhole(record, Salt + 1) && rows.Length > 0);
    });

    [Fact]
    public void Layout_on_disk_is_this()
    {
        var head = new byte[LogCodec.SegmentHeadBytes];
        LogCodec.WriteSegmentHead(head, new LogSegmentHead(3, 41, Salt));
        Assert.Equal("4855424C4F470001" + "0300000000000000" + "2900000000000000" + "78563412" + "FB1F3E05", Convert.ToHexString(head));
        Observation[] rows =
        [
            new(1, new DateTime(1970, 1, 1, 0, 0, 1, DateTimeKind.Utc), 1.5, Quality.Good),
            new(3, new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc), -0.0, Quality.Stuck | Quality.UnderRange) { Raw = 2, Calibration = -1, Coverage = 0.5, Revision = 64 },
        ];
        var room = new byte[200];
        var record = room.AsSpan(0, LogCodec.Encode(room, 42, rows));
        LogCodec.Seal(record, Salt);
        Assert.Equal(
            "47000000020000002A00000000000000" + "29A85CA5" + "65FF1D86" + "000280897A000000000000F83F" + "1F04FF887A00000000000000808402000000000000004001000000000000E03F8001", Convert.ToHexString(record));
    }

    [Theory]
    [InlineData(0, 0, "nothing")]
    [InlineData(1, 0xff, "flags of a later layout")]
    [InlineData(1, 0, "cut in the middle of a row")]
    public void Rows_that_are_none_are_refused(int rows, byte first, string why)
    {
        byte[] bytes = [first, 2, 2];
        Assert.False(LogCodec.TryDecode(bytes, new Observation[rows]), why);
    }

    [Fact]
    public void Random_bytes_are_no_rows_and_never_an_exception() => Gen.Byte.Array[0, 300].Sample(bytes =>
    {
        LogCodec.TryDecode(bytes, new Observation[bytes.Length / LogCodec.RowBytesMin]);
        Assert.False(LogCodec.TryReadRecordHead(bytes, Salt, out _));
        Assert.False(LogCodec.TryReadSegmentHead(bytes, out _));
    });

    [Fact]
    public void Plain_reading_takes_less_than_sixteen_bytes()
    {
        var rows = LogRows.City(0, 5_000);
        var room = new byte[LogCodec.RecordHeadBytes + (rows.Length * LogCodec.RowBytesMax)];
        var bytes = LogCodec.Encode(room, 1, rows);
        TestContext.Current.TestOutputHelper!.WriteLine(FormattableString.Invariant($"{bytes / (double)rows.Length:F2} bytes a plain reading in groups of 5,000, {LogCodec.Encode(room, 1, rows.AsSpan(0, 5)) / 5.0:F2} in groups of 5."));
        Assert.InRange(bytes / (double)rows.Length, 11, 16);
    }
}
