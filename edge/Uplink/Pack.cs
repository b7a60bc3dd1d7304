using System.Buffers;
using System.Runtime.InteropServices;
using Hub.Edge.Contract.Encoding;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Uplink;

/// <summary>Readings encoded for one publish.</summary>
/// <param name="From">Sequence number of its first reading.</param>
/// <param name="Until">Sequence number behind its last reading.</param>
/// <param name="Count">Readings of the outbox it stands for.</param>
/// <param name="Bad">How many of them could not be encoded and are not in it.</param>
/// <param name="Payload">The encoded pack; empty when nothing is left to send.</param>
internal sealed record Pack(long From, long Until, int Count, int Bad, byte[] Payload)
{
    /// <summary>How many of them were of live interest only and have waited too long: they are not in it.</summary>
    public int Expired { get; private init; }

    /// <summary>How many are in it.</summary>
    public int Sent => Count - Bad - Expired;

    /// <summary>When nothing of it is of interest any more; null when it holds something that always is.</summary>
    public DateTime? LiveUntil { get; private init; }

    /// <summary>
    /// Encodes the readings of a batch, or the first half, quarter, ... of them where all would be larger than <paramref name="bytesMax"/>. One that cannot be encoded is
    /// left out and counted: it must not hold up the others. So is what is of no interest any more.
    /// </summary>
    public static Pack Encode(OutboxBatch batch, PackFormat format, int bytesMax, DateTime now, ILogger logger)
    {
        for (var count = batch.Readings.Count; ; count /= 2)
        {
            var pack = Encode(batch, count, format, now, logger);
            if (count == 1 || pack.Payload.Length <= bytesMax)
            {
                return pack;
            }
        }
    }

    private static Pack Encode(OutboxBatch batch, int count, PackFormat format, DateTime now, ILogger logger)
    {
        var room = Room.OfThread;
        var (readings, at) = (room.Readings, room.At);
        readings.Clear();
        at.Clear();
        DateTime? liveUntil = DateTime.MinValue;
        for (var i = 0; i < count; i++)
        {
            var reading = batch.Readings[i];
            var until = LiveUntilOf(in reading);
            if (until <= now)
            {
                continue;
            }

            liveUntil = until is null || liveUntil is null ? null : liveUntil > until ? liveUntil : until;
            readings.Add(reading);
            at.Add(i);
        }

        var pack = new Pack(batch.From, batch.From + count, count, 0, []) { Expired = count - readings.Count, LiveUntil = liveUntil };
        if (readings.Count == 0)
        {
            return pack;
        }

        if (TryEncode(CollectionsMarshal.AsSpan(readings), format, out var payload, out _))
        {
            return pack with { Payload = payload };
        }

        var good = new List<Reading>(count);
        for (var i = 0; i < readings.Count; i++)
        {
            if (TryEncode(CollectionsMarshal.AsSpan(readings).Slice(i, 1), format, out _, out var why))
            {
                good.Add(readings[i]);
            }
            else
            {
                logger.CannotEncode(batch.From + at[i], readings[i].Sensor, readings[i].Property, why);
            }
        }

        return good.Count == 0 || !TryEncode(CollectionsMarshal.AsSpan(good), format, out payload, out _)
            ? pack with { Bad = readings.Count }
            : pack with { Bad = readings.Count - good.Count, Payload = payload };
    }

    /// <summary>When a reading is of no interest any more; null for most, which always are.</summary>
    private static DateTime? LiveUntilOf(in Reading reading) =>
        QuantityCatalogue.TryGet(reading.Property, out var quantity) && quantity.LiveFor is { } live ? reading.PhenomenonTime + reading.Period + live : null;

    private static bool TryEncode(ReadOnlySpan<Reading> readings, PackFormat format, out byte[] payload, out string why)
    {
        var buffer = Room.OfThread.Bytes;
        buffer.ResetWrittenCount();
        try
        {
            ReadingPack.Encode(buffer, format, readings);
            payload = buffer.WrittenSpan.ToArray();
            why = "";
            return true;
        }
        catch (ArgumentException e)
        {
            payload = [];
            why = e.Message;
            return false;
        }
    }

    /// <summary>What encoding a pack works with, kept by each thread: a pack leaves every few seconds for years.</summary>
    private sealed class Room
    {
        /// <summary>Bytes and readings past which room is not kept.</summary>
        private const int BytesMax = 64 * 1024;
        private const int ReadingsMax = 1024;

        [ThreadStatic]
        private static Room? t_kept;

        /// <summary>This thread's. What stands in it is valid until the next pack is encoded.</summary>
        public static Room OfThread
        {
            get
            {
                if (t_kept is null || t_kept.Bytes.Capacity > BytesMax || t_kept.Readings.Capacity > ReadingsMax)
                {
                    t_kept = new Room();
                }

                return t_kept;
            }
        }

        public List<Reading> Readings { get; } = new(100);

        public List<int> At { get; } = new(100);

        public ArrayBufferWriter<byte> Bytes { get; } = new(8 * 1024);
    }
}
