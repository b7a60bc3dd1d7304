using System.Buffers;
using System.Text.Json;

namespace Hub.Edge.Contract.Encoding;

/// <summary>Cuts one record out of a pack so that it says the same on its own, later: what quarantine keeps and releases.</summary>
internal static class StandaloneRecord
{
    /// <summary>
    /// An unusable base field longer than this, or one that was said twice, is written as null, which is as unusable: it may apply to
    /// thousands of records.
    /// </summary>
    private const int BrokenBytesMax = 256;

    private static readonly SenmlLabel[] BaseOrder =
    [
        SenmlLabel.BaseVersion, SenmlLabel.BaseName, SenmlLabel.BaseTime, SenmlLabel.BaseUnit, SenmlLabel.BaseValue, SenmlLabel.BaseSum,
    ];

    public static byte[] Write(ReadOnlySpan<byte> payload, PackFormat format, in RecordFields fields, in BaseFields bases, DateTime receivedAt)
    {
        ReadOnlySpan<byte> record = payload.Slice(fields.Record.Start, fields.Record.Length);
        var output = new ArrayBufferWriter<byte>(record.Length + 256);
        var writer = new WireWriter(output);
        Inheritance inherited = Inherit(in fields, in bases, receivedAt);
        if (format == PackFormat.Json)
        {
            WriteJson(ref writer, payload, record, in bases, inherited);
        }
        else
        {
            WriteCbor(ref writer, payload, record, in bases, inherited);
        }

        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static Inheritance Inherit(in RecordFields fields, in BaseFields bases, DateTime receivedAt)
    {
        // A record without any field we know (or no map at all) would with base fields turn into one that says nothing.
        if (fields.Seen == 0)
        {
            return default;
        }

        uint own = bases.Set & ~fields.Seen;
        uint good = own & ~bases.Broken;

        // Relative times are relative to an arrival that will have been long ago: write down the instant instead, unless that is so far
        // back that as an absolute time it would read as a relative one.
        bool moves = !SenmlLabels.Has(bases.Broken, SenmlLabel.BaseTime)
            && bases.Time + fields.Time < SenmlTime.AbsoluteFrom
            && SenmlTime.TryResolve(bases.Time + fields.Time, receivedAt, out DateTime instant)
            && instant >= ReadingRules.TimeMin
            && SenmlTime.TryResolve(bases.Time, receivedAt, out _);
        long? micros = moves ? SenmlTime.ToMicros(bases.Time) + SenmlTime.Micros(receivedAt) : null;
        return new Inheritance(moves ? good | (1u << (int)SenmlLabel.BaseTime) : good, own & bases.Broken & fields.BasesNeeded, micros);
    }

    private static void WriteJson(
        ref WireWriter writer, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> record, in BaseFields bases, Inheritance inherited)
    {
        writer.Raw((byte)'[');
        if (record[0] != (byte)'{')
        {
            writer.Raw(record);
            writer.Raw((byte)']');
            return;
        }

        writer.Raw((byte)'{');
        bool any = false;
        WriteJsonBases(ref writer, payload, in bases, inherited.Good, inherited.BaseMicros, ref any);
        Utf8JsonReader reader = JsonRecords.NewReader(record);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int start = (int)reader.TokenStartIndex;
            SenmlLabel label = JsonRecords.ReadLabel(in reader);
            reader.Read();
            reader.Skip();
            if (label == SenmlLabel.BaseTime && inherited.BaseMicros is not null)
            {
                continue;
            }

            writer.Raw(any ? ","u8 : default);
            writer.Raw(record[start..(int)reader.BytesConsumed]);
            any = true;
        }

        WriteJsonBases(ref writer, payload, in bases, inherited.Broken, baseMicros: null, ref any);
        writer.Raw("}]"u8);
    }

    private static void WriteJsonBases(
        ref WireWriter writer, ReadOnlySpan<byte> payload, scoped in BaseFields bases, uint labels, long? baseMicros, ref bool any)
    {
        foreach (SenmlLabel label in BaseOrder)
        {
            if (!SenmlLabels.Has(labels, label))
            {
                continue;
            }

            writer.Raw(any ? ",\""u8 : "\""u8);
            writer.Raw(SenmlLabels.Utf8(label));
            writer.Raw("\":"u8);
            any = true;
            if (label == SenmlLabel.BaseTime && baseMicros is { } micros)
            {
                writer.JsonSeconds(micros);
            }
            else
            {
                writer.Raw(BaseValue(payload, in bases, label, "null"u8));
            }
        }
    }

    private static void WriteCbor(
        ref WireWriter writer, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> record, in BaseFields bases, Inheritance inherited)
    {
        writer.CborHead(CborReader.ArrayMajor, 1);
        var peek = new CborReader(record);
        if (!peek.TryPeekMajor(out int major) || major != CborReader.MapMajor)
        {
            writer.Raw(record);
            return;
        }

        var ignored = default(WireWriter);
        ulong pairs = OwnPairs(record, inherited.BaseMicros is not null, copy: false, ref ignored)
            + (ulong)System.Numerics.BitOperations.PopCount(inherited.Good) + (ulong)System.Numerics.BitOperations.PopCount(inherited.Broken);
        writer.CborHead(CborReader.MapMajor, pairs);
        WriteCborBases(ref writer, payload, in bases, inherited.Good, inherited.BaseMicros);
        OwnPairs(record, inherited.BaseMicros is not null, copy: true, ref writer);
        WriteCborBases(ref writer, payload, in bases, inherited.Broken, baseMicros: null);
    }

    private static void WriteCborBases(ref WireWriter writer, ReadOnlySpan<byte> payload, scoped in BaseFields bases, uint labels, long? baseMicros)
    {
        foreach (SenmlLabel label in BaseOrder)
        {
            if (!SenmlLabels.Has(labels, label))
            {
                continue;
            }

            writer.CborInteger(SenmlLabels.ToInteger(label));
            if (label == SenmlLabel.BaseTime && baseMicros is { } micros)
            {
                writer.CborNumber(micros / 1e6);
            }
            else
            {
                writer.Raw(BaseValue(payload, in bases, label, [0xF6]));
            }
        }
    }

    private static ulong OwnPairs(ReadOnlySpan<byte> record, bool withoutBaseTime, bool copy, ref WireWriter writer)
    {
        var reader = new CborReader(record);
        ulong count = 0;
        if (!reader.TryReadContainer(CborReader.MapMajor, out long pairs))
        {
            return 0;
        }

        while (reader.TryHasNext(ref pairs, out bool more) && more)
        {
            if (!reader.TryReadKey(out int start) || !reader.TrySkip())
            {
                break;
            }

            if (withoutBaseTime && reader.KeyLabel == SenmlLabel.BaseTime)
            {
                continue;
            }

            count++;
            if (copy)
            {
                writer.Raw(record[start..reader.Position]);
            }
        }

        return count;
    }

    private static ReadOnlySpan<byte> BaseValue(ReadOnlySpan<byte> payload, scoped in BaseFields bases, SenmlLabel label, ReadOnlySpan<byte> none)
    {
        Extent raw = bases.Raw[(int)label];
        return SenmlLabels.Has(bases.Broken, label) && raw.Length is (0 or > BrokenBytesMax) ? none : payload.Slice(raw.Start, raw.Length);
    }

    /// <summary>The base fields to write with a record.</summary>
    /// <param name="Good">Those that could be used, a bit per label; written first.</param>
    /// <param name="Broken">Those the record needs and cannot use; written last, so that the record's own mistake stays the first one.</param>
    /// <param name="BaseMicros">The base time to write instead of the one sent, where the record's time was relative.</param>
    private readonly record struct Inheritance(uint Good, uint Broken, long? BaseMicros);
}
