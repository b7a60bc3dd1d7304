using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
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

    /// <summary>Copies it into a reading of its own. Allocates the sensor's name.</summary>
    public Reading ToReading() => new(System.Text.Encoding.UTF8.GetString(Sensor), Quantity.Id, PhenomenonTime, Value)
    {
        Quality = Quality,
        Period = TimeSpan.FromSeconds(PeriodSeconds),
        Raw = Raw,
        Calibration = Calibration,
        Coverage = Coverage,
        Revision = Revision,
    };
}

/// <summary>Receives what a pack holds, record by record, in order, on the decoding thread.</summary>
public interface IReadingSink
{
    /// <summary>A record that can be taken.</summary>
    /// <param name="recordIndex">0-based index in the pack.</param>
    /// <param name="reading">The record; copy what must outlive the call.</param>
    void OnReading(int recordIndex, in WireReading reading);

    /// <summary>A record, or with index -1 (or a reason that ends the pack) everything from there on, that cannot be taken.</summary>
    /// <param name="refusal">What, where and why.</param>
    /// <param name="record">
    /// What to keep: for one record a pack of its own in the same encoding, with the base fields that applied and an absolute time, so that
    /// it can be decoded again later; for <see cref="RefusalReason.Malformed"/> and <see cref="RefusalReason.TooLarge"/> the payload from
    /// this record on; where the pack is refused (index -1) the whole payload.
    /// </param>
    void OnRefused(Refusal refusal, ReadOnlySpan<byte> record);
}

/// <summary>Reads and writes SenML packs of readings (RFC 8428; FORMAT.md). Stateless; safe from any thread.</summary>
public static partial class ReadingPack
{
    /// <summary>Largest payload taken, bytes.</summary>
    public const int BytesMax = 256 * 1024;

    /// <summary>Most records in one pack.</summary>
    public const int RecordsMax = 10_000;

    /// <summary>
    /// Decodes a pack: every record ends in exactly one of the sink's two calls, but for records of base fields only, which say nothing
    /// themselves. Never throws for bad input; allocates nothing per good record. A mistake that refuses the pack as a whole
    /// (<see cref="RefusalReason.Version"/>, <see cref="RefusalReason.MustUnderstand"/>) is found before anything is handed over.
    /// </summary>
    /// <param name="payload">The pack.</param>
    /// <param name="format">Its encoding.</param>
    /// <param name="receivedAt">UTC instant of arrival: the "now" of relative times, and the bound against which the future is judged.</param>
    /// <param name="sink">Receives the records.</param>
    /// <returns>Number of records handed over, good and refused: of calls made to the sink (a pack, or the rest of one, refused at once counts as 1).</returns>
    public static int Decode<TSink>(ReadOnlySpan<byte> payload, PackFormat format, DateTime receivedAt, ref TSink sink)
        where TSink : IReadingSink, allows ref struct
    {
        Span<byte> stack = stackalloc byte[SenmlReader.ScratchBytes];

        // The compiler cannot know that a sink, which may itself live on the stack, keeps no span beyond its call; the interface says so.
        Span<byte> scratch = MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(stack), stack.Length);
        var reader = new SenmlReader(payload, format, receivedAt, scratch);
        int handedOver = 0;
        while (reader.Read())
        {
            handedOver++;
            Refusal? refusal = reader.Refusal;
            if (refusal is not null)
            {
                sink.OnRefused(refusal, reader.RefusedBytes());
                continue;
            }

            if (TryTake(reader.Current, receivedAt, reader.RecordIndex, out WireReading reading, out refusal))
            {
                sink.OnReading(reader.RecordIndex, in reading);
            }
            else
            {
                sink.OnRefused(refusal, reader.Standalone());
            }
        }

        return handedOver;
    }

    private static bool TryTake(
        SenmlRecord record, DateTime receivedAt, int index, out WireReading reading, [NotNullWhen(false)] out Refusal? refusal)
    {
        reading = default;
        int slash = record.Name.LastIndexOf((byte)'/');
        if (slash < 0)
        {
            refusal = new Refusal(index, RefusalReason.Name, $"The name {Excerpt.Of(record.Name)} must end in {{sensor}}/{{observed property}}.");
            return false;
        }

        // What stands before the sensor (a device URN, a path) is the sender's own naming: who speaks is known from the connection.
        ReadOnlySpan<byte> sensor = record.Name[..slash];
        sensor = sensor[(sensor.LastIndexOfAny((byte)'/', (byte)':') + 1)..];
        if (!ReadingRules.IsSensor(sensor))
        {
            refusal = new Refusal(
                index, RefusalReason.Name, $"The sensor name {Excerpt.Of(sensor)} must be 1 to 64 of a-z 0-9 -, the first one a letter or digit.");
            return false;
        }

        if (!QuantityCatalogue.TryGetEntry(record.Name[(slash + 1)..], out CatalogueEntry? entry))
        {
            refusal = new Refusal(
                index, RefusalReason.UnknownQuantity, $"The observed property {Excerpt.Of(record.Name[(slash + 1)..])} is not in the quantity catalogue.");
            return false;
        }

        if (record.Kind != SenmlValueKind.Number)
        {
            refusal = new Refusal(index, RefusalReason.Value, $"{entry.Quantity.Id} needs a number (v); the record has {Excerpt.Of(record.Kind)}.");
            return false;
        }

        RecordFields fields = record.Fields;
        double raw = fields.Raw;
        if (!QuantityUnits.TryConvert(record.Number, record.RegisteredUnit, entry, out double value)
            || (fields.Has(SenmlLabel.Raw) && !QuantityUnits.TryConvert(fields.Raw, record.RegisteredUnit, entry, out raw)))
        {
            refusal = new Refusal(index, RefusalReason.Unit, QuantityUnits.Problem(record.Unit, record.RegisteredUnit, entry));
            return false;
        }

        if (!double.IsFinite(value) || !double.IsFinite(raw))
        {
            refusal = new Refusal(index, RefusalReason.FieldType, "The value is not a finite number in the canonical unit.");
            return false;
        }

        if (!SenmlTime.TryResolve(record.Time, receivedAt, out DateTime time) || time < ReadingRules.TimeMin || time >= ReadingRules.TimeEnd
            || time - receivedAt > ReadingRules.FutureMax)
        {
            refusal = new Refusal(index, RefusalReason.Time, TimeProblem(record.Time, receivedAt));
            return false;
        }

        reading = new WireReading
        {
            Sensor = sensor,
            Quantity = entry.Quantity,
            PhenomenonTime = time,
            Value = value,
            Quality = (Quality)fields.Quality,
            PeriodSeconds = fields.Period,
            Raw = fields.Has(SenmlLabel.Raw) ? raw : null,
            Calibration = fields.Calibration,
            Coverage = fields.Has(SenmlLabel.Coverage) ? fields.Coverage : null,
            Revision = fields.Revision,
        };
        refusal = null;
        return true;
    }

    private static string TimeProblem(double seconds, DateTime receivedAt) => string.Create(
        CultureInfo.InvariantCulture,
        $"The time {seconds:R} s ({(seconds < SenmlTime.AbsoluteFrom ? "relative to the arrival" : "since 1970")}) must be from 2000 on and at most 24 h after the arrival at {receivedAt:yyyy-MM-ddTHH:mm:ssZ}.");
}
