using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Tests;

/// <summary>What a pack decoded to, kept for looking at.</summary>
internal sealed class Decoded : IReadingSink
{
    public static readonly DateTime Now = new(2026, 11, 20, 12, 0, 0, DateTimeKind.Utc);

    public List<(int Index, Reading Reading)> Readings { get; } = [];

    public List<(Refusal Refusal, byte[] Bytes)> Refused { get; } = [];

    public int Count { get; private set; }

    public IEnumerable<RefusalReason> Reasons => Refused.Select(static r => r.Refusal.Reason);

    public static Decoded Json(string json, DateTime? now = null) => Pack(System.Text.Encoding.UTF8.GetBytes(json), PackFormat.Json, now);

    public static Decoded Cbor(string hex, DateTime? now = null) =>
        Pack(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), PackFormat.Cbor, now);

    public static Decoded Pack(ReadOnlySpan<byte> payload, PackFormat format, DateTime? now = null)
    {
        var sink = new Decoded();
        sink.Count = ReadingPack.Decode(payload, format, now ?? Now, ref sink);
        Assert.Equal(sink.Count, sink.Readings.Count + sink.Refused.Count);
        return sink;
    }

    public void OnReading(int recordIndex, in WireReading reading) => Readings.Add((recordIndex, reading.ToReading()));

    public void OnRefused(Refusal refusal, ReadOnlySpan<byte> record) => Refused.Add((refusal, record.ToArray()));

    public Reading Single()
    {
        Assert.Empty(Refused);
        return Assert.Single(Readings).Reading;
    }

    public RefusalReason Reason()
    {
        Assert.Empty(Readings);
        return Assert.Single(Refused).Refusal.Reason;
    }
}
