using System.Buffers;
using System.Text.Json;

namespace Hub.Edge.Contract.Encoding;

/// <summary>Cuts one record out of a pack so that it says the same on its own, later: what quarantine keeps and releases.</summary>
internal static class StandaloneRecord
{
    /// <summary>An unusable base field longer than this is written as null, which is as unusable: it may apply to thousands of records.</summary>
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

        // Relative times are relative to an arrival that will have been long ago: write down the instant instead.
        bool moves = !SenmlLabels.Has(bases.Broken, SenmlLabel.BaseTime)
            && SenmlTime.TryResolve(bases.Time + fields.Time, receivedAt, out _)
            && SenmlTime.TryResolve(bases.Time, receivedAt, out _)
            && bases.Time + fields.Time < SenmlTime.AbsoluteFrom;
        uint inherited = bases.Set & ~fields.Seen;
        if (moves)
        {
            inherited |= 1u << (int)SenmlLabel.BaseTime;
        }

        long baseMicros = moves ? SenmlTime.ToMicros(bases.Time) + SenmlTime.Micros(receivedAt) : 0;
        if (format == PackFormat.Json)
        {
            WriteJson(ref writer, payload, record, in bases, inherited, moves ? baseMicros : null);
        }
        else
        {
            WriteCbor(ref writer, payload, record, in bases, inherited, moves ? baseMicros : null);
        }

        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static void WriteJson(
        ref WireWriter writer, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> record, in BaseFields bases, uint inherited, long? baseMicros)
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
        foreach (SenmlLabel label in BaseOrder)
        {
            if (!SenmlLabels.Has(inherited, label))
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

        Utf8JsonReader reader = JsonRecords.NewReader(record);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int start = (int)reader.TokenStartIndex;
            SenmlLabel label = JsonRecords.ReadLabel(in reader);
            reader.Read();
            reader.Skip();
            if (label == SenmlLabel.BaseTime && baseMicros is not null)
            {
                continue;
            }

            writer.Raw(any ? ","u8 : default);
            writer.Raw(record[start..(int)reader.BytesConsumed]);
            any = true;
        }

        writer.Raw("}]"u8);
    }

    private static void WriteCbor(
        ref WireWriter writer, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> record, in BaseFields bases, uint inherited, long? baseMicros)
    {
        writer.CborHead(CborReader.ArrayMajor, 1);
        var counting = new CborReader(record);
        if (!counting.TryPeekMajor(out int major) || major != CborReader.MapMajor)
        {
            writer.Raw(record);
            return;
        }

        ulong pairs = (ulong)System.Numerics.BitOperations.PopCount(inherited);
        var ignored = default(WireWriter);
        pairs += OwnPairs(record, baseMicros is not null, copy: false, ref ignored);
        writer.CborHead(CborReader.MapMajor, pairs);
        foreach (SenmlLabel label in BaseOrder)
        {
            if (!SenmlLabels.Has(inherited, label))
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

        OwnPairs(record, baseMicros is not null, copy: true, ref writer);
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
        return SenmlLabels.Has(bases.Broken, label) && raw.Length > BrokenBytesMax ? none : payload.Slice(raw.Start, raw.Length);
    }
}
