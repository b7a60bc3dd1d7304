using System.Buffers;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Contract.Encoding;

public static partial class ReadingPack
{
    /// <summary>
    /// Encodes readings as one pack with absolute times, common fields as base fields, and <c>bver</c> 26 (secondary units). The order is
    /// kept, the same readings always give the same bytes, and decoding gives the same readings back; time below a microsecond is cut off.
    /// Packs are smallest when the readings of one sensor, and of one time, stand together.
    /// </summary>
    /// <param name="output">Receives the bytes; nothing is written when this throws.</param>
    /// <param name="format">The encoding wanted.</param>
    /// <param name="readings">1 to <see cref="RecordsMax"/> readings, any order.</param>
    /// <exception cref="ArgumentException">
    /// A name, property or value that the contract does not allow (<see cref="ReadingRules.Problem(in Reading)"/> tells beforehand), no
    /// readings, or too many. That the bytes stay under <see cref="BytesMax"/> is for the caller to see to: 200 bytes per reading are never exceeded
    /// in practice, 30 to 60 are usual.
    /// </exception>
    public static void Encode(IBufferWriter<byte> output, PackFormat format, ReadOnlySpan<Reading> readings)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (readings.Length is < 1 or > RecordsMax)
        {
            throw new ArgumentException($"A pack has 1 to {RecordsMax} readings; there are {readings.Length}.", nameof(readings));
        }

        for (int i = 0; i < readings.Length; i++)
        {
            if (ReadingRules.Problem(in readings[i]) is { } problem)
            {
                throw new ArgumentException($"Reading {i}: {problem}", nameof(readings));
            }
        }

        var writer = new WireWriter(output);
        var planner = new RecordPlanner(readings);
        if (format == PackFormat.Json)
        {
            writer.Raw((byte)'[');
            for (int i = 0; i < readings.Length; i++)
            {
                writer.Raw(i == 0 ? default : ","u8);
                WriteJson(ref writer, in readings[i], planner.Next(i));
            }

            writer.Raw((byte)']');
        }
        else
        {
            writer.CborHead(CborReader.ArrayMajor, (ulong)readings.Length);
            for (int i = 0; i < readings.Length; i++)
            {
                WriteCbor(ref writer, in readings[i], planner.Next(i));
            }
        }

        writer.Flush();
    }

    private static void WriteJson(ref WireWriter writer, in Reading reading, in RecordPlan plan)
    {
        writer.Raw((byte)'{');
        if (plan.First)
        {
            writer.Raw("\"bver\":"u8);
            writer.JsonInteger(SenmlVersion.BaseWithSecondaryUnits);
            writer.Raw((byte)',');
        }

        if (plan.BaseName != NamePart.None)
        {
            writer.Raw("\"bn\":\""u8);
            writer.Ascii(reading.Sensor);
            writer.Raw((byte)'/');
            writer.Raw(plan.BaseName == NamePart.Whole ? plan.Entry.Utf8Id : default);
            writer.Raw("\","u8);
        }

        if (plan.BaseMicros is { } baseMicros)
        {
            writer.Raw("\"bt\":"u8);
            writer.JsonSeconds(baseMicros);
            writer.Raw((byte)',');
        }

        if (plan.BaseUnit)
        {
            writer.Raw("\"bu\":\""u8);
            writer.Raw(plan.Entry.Unit.Utf8Symbol);
            writer.Raw("\","u8);
        }

        if (plan.Name)
        {
            writer.Raw("\"n\":\""u8);
            writer.Raw(plan.Entry.Utf8Id);
            writer.Raw("\","u8);
        }

        if (plan.Unit)
        {
            writer.Raw("\"u\":\""u8);
            writer.Raw(plan.Entry.Unit.Utf8Symbol);
            writer.Raw("\","u8);
        }

        if (plan.Micros != 0)
        {
            writer.Raw("\"t\":"u8);
            writer.JsonSeconds(plan.Micros);
            writer.Raw((byte)',');
        }

        writer.Raw("\"v\":"u8);
        writer.JsonNumber(reading.Value);
        JsonExtension(ref writer, SenmlLabel.Quality, (long)reading.Quality);
        JsonExtension(ref writer, SenmlLabel.Period, reading.Period.Ticks / TimeSpan.TicksPerSecond);
        JsonExtension(ref writer, SenmlLabel.Raw, reading.Raw);
        JsonExtension(ref writer, SenmlLabel.Coverage, reading.Coverage);
        JsonExtension(ref writer, SenmlLabel.Calibration, reading.Calibration);
        JsonExtension(ref writer, SenmlLabel.Revision, reading.Revision);
        writer.Raw((byte)'}');
    }

    private static void JsonExtension(ref WireWriter writer, SenmlLabel label, long value)
    {
        if (value != 0)
        {
            JsonExtension(ref writer, label, (double)value);
        }
    }

    private static void JsonExtension(ref WireWriter writer, SenmlLabel label, double? value)
    {
        if (value is { } number)
        {
            writer.Raw(",\""u8);
            writer.Raw(SenmlLabels.Utf8(label));
            writer.Raw("\":"u8);
            writer.JsonNumber(number);
        }
    }

    private static void WriteCbor(ref WireWriter writer, in Reading reading, in RecordPlan plan)
    {
        int pairs = 1 + Count(plan.First) + Count(plan.BaseName != NamePart.None) + Count(plan.BaseMicros is not null) + Count(plan.BaseUnit)
            + Count(plan.Name) + Count(plan.Unit) + Count(plan.Micros != 0)
            + Count(reading.Quality != 0) + Count(reading.Period != TimeSpan.Zero) + Count(reading.Raw is not null)
            + Count(reading.Coverage is not null) + Count(reading.Calibration != 0) + Count(reading.Revision != 0);
        writer.CborHead(CborReader.MapMajor, (ulong)pairs);
        if (plan.First)
        {
            writer.CborInteger(SenmlLabels.ToInteger(SenmlLabel.BaseVersion));
            writer.CborInteger(SenmlVersion.BaseWithSecondaryUnits);
        }

        if (plan.BaseName != NamePart.None)
        {
            writer.CborInteger(SenmlLabels.ToInteger(SenmlLabel.BaseName));
            int property = plan.BaseName == NamePart.Whole ? plan.Entry.Utf8Id.Length : 0;
            writer.CborHead(3, (ulong)(reading.Sensor.Length + 1 + property));
            writer.Ascii(reading.Sensor);
            writer.Raw((byte)'/');
            writer.Raw(plan.Entry.Utf8Id.AsSpan(0, property));
        }

        if (plan.BaseMicros is { } baseMicros)
        {
            writer.CborInteger(SenmlLabels.ToInteger(SenmlLabel.BaseTime));
            writer.CborNumber(baseMicros / 1e6);
        }

        if (plan.BaseUnit)
        {
            writer.CborInteger(SenmlLabels.ToInteger(SenmlLabel.BaseUnit));
            writer.CborText(plan.Entry.Unit.Symbol);
        }

        if (plan.Name)
        {
            writer.CborInteger(SenmlLabels.ToInteger(SenmlLabel.Name));
            writer.CborText(plan.Entry.Quantity.Id);
        }

        if (plan.Unit)
        {
            writer.CborInteger(SenmlLabels.ToInteger(SenmlLabel.Unit));
            writer.CborText(plan.Entry.Unit.Symbol);
        }

        if (plan.Micros != 0)
        {
            writer.CborInteger(SenmlLabels.ToInteger(SenmlLabel.Time));
            writer.CborNumber(plan.Micros / 1e6);
        }

        writer.CborInteger(SenmlLabels.ToInteger(SenmlLabel.Value));
        writer.CborNumber(reading.Value);
        CborExtension(ref writer, SenmlLabel.Quality, (long)reading.Quality);
        CborExtension(ref writer, SenmlLabel.Period, reading.Period.Ticks / TimeSpan.TicksPerSecond);
        CborExtension(ref writer, SenmlLabel.Raw, reading.Raw);
        CborExtension(ref writer, SenmlLabel.Coverage, reading.Coverage);
        CborExtension(ref writer, SenmlLabel.Calibration, reading.Calibration);
        CborExtension(ref writer, SenmlLabel.Revision, reading.Revision);
    }

    private static void CborExtension(ref WireWriter writer, SenmlLabel label, long value)
    {
        if (value != 0)
        {
            CborExtension(ref writer, label, (double)value);
        }
    }

    private static void CborExtension(ref WireWriter writer, SenmlLabel label, double? value)
    {
        if (value is { } number)
        {
            ReadOnlySpan<byte> text = SenmlLabels.Utf8(label);
            writer.CborHead(3, (ulong)text.Length);
            writer.Raw(text);
            writer.CborNumber(number);
        }
    }

    private static int Count(bool present) => present ? 1 : 0;
}
