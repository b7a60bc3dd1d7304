using System.Buffers;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Encoding;

/// <summary>One decoded record, valid only during the callback that hands it over: its spans point into the payload or a scratch buffer.</summary>
public readonly ref struct WireReading
{
    /// <summary>Sensor name, UTF-8.</summary>
    public ReadOnlySpan<byte> Sensor { get; init; }

    /// <summary>The quantity, already looked up.</summary>
    public Quantity Quantity { get; init; }

    /// <summary>Phenomenon time, UTC, whole microseconds.</summary>
    public DateTime PhenomenonTime { get; init; }

    /// <summary>Result in the canonical unit of <see cref="Quantity"/>.</summary>
    public double Value { get; init; }

    /// <inheritdoc cref="Reading.Quality"/>
    public Quality Quality { get; init; }

    /// <summary>Averaging period in seconds; 0 for an instantaneous value.</summary>
    public int PeriodSeconds { get; init; }

    /// <inheritdoc cref="Reading.Raw"/>
    public double? Raw { get; init; }

    /// <inheritdoc cref="Reading.Calibration"/>
    public int Calibration { get; init; }

    /// <inheritdoc cref="Reading.Coverage"/>
    public double? Coverage { get; init; }

    /// <inheritdoc cref="Reading.Revision"/>
    public int Revision { get; init; }
}

/// <summary>Receives what a pack holds, record by record, in order, on the decoding thread.</summary>
public interface IReadingSink
{
    /// <summary>A record that can be taken.</summary>
    /// <param name="recordIndex">0-based index in the pack.</param>
    /// <param name="reading">The record; copy what must outlive the call.</param>
    void OnReading(int recordIndex, in WireReading reading);

    /// <summary>A record, or with index -1 (or a pack-level reason) everything from there on, that cannot be taken.</summary>
    /// <param name="refusal">What, where and why.</param>
    /// <param name="record">The record's bytes as they came; the whole payload where the pack is refused.</param>
    void OnRefused(Refusal refusal, ReadOnlySpan<byte> record);
}

/// <summary>Reads and writes SenML packs of readings (RFC 8428). Stateless; safe from any thread.</summary>
public static class ReadingPack
{
    /// <summary>Largest payload taken, bytes.</summary>
    public const int BytesMax = 256 * 1024;

    /// <summary>Most records in one pack.</summary>
    public const int RecordsMax = 10_000;

    /// <summary>
    /// Decodes a pack: every record ends in exactly one of the sink's two calls. Never throws for bad input; allocates nothing per good record.
    /// </summary>
    /// <param name="payload">The pack.</param>
    /// <param name="format">Its encoding.</param>
    /// <param name="receivedAt">UTC instant of arrival: the "now" of relative times, and the bound against which the future is judged.</param>
    /// <param name="sink">Receives the records.</param>
    /// <returns>Number of records seen, good and refused (a pack refused as a whole before its first record counts as 1).</returns>
    public static int Decode<TSink>(ReadOnlySpan<byte> payload, PackFormat format, DateTime receivedAt, ref TSink sink)
        where TSink : IReadingSink, allows ref struct => throw new NotImplementedException();

    /// <summary>Encodes readings as one pack with absolute times, common fields as base fields, and <c>bver</c> 26 (secondary units).</summary>
    /// <param name="output">Receives the bytes.</param>
    /// <param name="format">The encoding wanted.</param>
    /// <param name="readings">1 to <see cref="RecordsMax"/> readings, any order.</param>
    /// <exception cref="ArgumentException">A name, property or value that the contract does not allow, or no readings.</exception>
    public static void Encode(IBufferWriter<byte> output, PackFormat format, ReadOnlySpan<Reading> readings) => throw new NotImplementedException();
}
