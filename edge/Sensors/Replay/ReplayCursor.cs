using System.Buffers.Binary;

namespace Hub.Edge.Sensors.Replay;

/// <summary>
/// Where a replay stands: the next row, which replay that row belongs to, and when the last row delivered was due. 25 bytes: version (1),
/// fingerprint (8), cycle (4), row (4), due (8), little endian.
/// </summary>
/// <param name="Fingerprint">The <see cref="ReplayShift.Fingerprint"/> the place belongs to.</param>
/// <param name="Next">The next row to deliver.</param>
/// <param name="Due">When the last delivered row was due, UTC ticks: what to go on from when file or settings have changed.</param>
internal readonly record struct ReplayCursor(ulong Fingerprint, ReplayPlace Next, long Due)
{
    private const byte Version = 1;
    private const int Bytes = 25;

    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(1), Fingerprint);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(9), Next.Cycle);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(13), Next.Row);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(17), Due);
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, out ReplayCursor cursor)
    {
        cursor = default;
        if (bytes.Length != Bytes || bytes[0] != Version)
        {
            return false;
        }

        cursor = new ReplayCursor(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[1..]),
            new ReplayPlace(BinaryPrimitives.ReadInt32LittleEndian(bytes[9..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[13..])),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[17..]));
        return cursor.Next.Row >= 0 && cursor.Due >= DateTime.MinValue.Ticks && cursor.Due <= DateTime.MaxValue.Ticks;
    }
}
