using System.Buffers;
using Hub.Edge.Contract.Encoding;
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
    /// <summary>
    /// Encodes the readings of a batch, or the first half, quarter, ... of them where all would be larger than <paramref name="bytesMax"/>. One that cannot be encoded is
    /// left out and counted: it must not hold up the others.
    /// </summary>
    public static Pack Encode(OutboxBatch batch, PackFormat format, int bytesMax, ILogger logger)
    {
        for (var count = batch.Readings.Count; ; count /= 2)
        {
            var pack = Encode(batch, count, format, logger);
            if (count == 1 || pack.Payload.Length <= bytesMax)
            {
                return pack;
            }
        }
    }

    private static Pack Encode(OutboxBatch batch, int count, PackFormat format, ILogger logger)
    {
        var readings = new Reading[count];
        for (var i = 0; i < count; i++)
        {
            readings[i] = batch.Readings[i];
        }

        var until = batch.From + count;
        if (TryEncode(readings, format, out var payload, out _))
        {
            return new Pack(batch.From, until, count, 0, payload);
        }

        var good = new List<Reading>(count);
        for (var i = 0; i < count; i++)
        {
            if (TryEncode(readings.AsSpan(i, 1), format, out _, out var why))
            {
                good.Add(readings[i]);
            }
            else
            {
                logger.CannotEncode(batch.From + i, readings[i].Sensor, readings[i].Property, why);
            }
        }

        if (good.Count == 0 || !TryEncode(good.ToArray(), format, out payload, out _))
        {
            return new Pack(batch.From, until, count, count, []);
        }

        return new Pack(batch.From, until, count, count - good.Count, payload);
    }

    private static bool TryEncode(ReadOnlySpan<Reading> readings, PackFormat format, out byte[] payload, out string why)
    {
        var buffer = new ArrayBufferWriter<byte>(64 + (readings.Length * 24));
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
}
