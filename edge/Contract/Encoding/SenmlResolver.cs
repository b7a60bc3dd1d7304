using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hub.Edge.Contract.Encoding;

/// <summary>
/// Writes packs in resolved form (RFC 8428 section 4.6): no base fields, absolute times, chronological order. For archives and for looking
/// at what a sender meant; the way of a reading does not need it. Stateless; safe from any thread.
/// </summary>
public static class SenmlResolver
{
    /// <summary>Resolves a pack. Fields nobody here knows are left out. Allocates per record.</summary>
    /// <param name="payload">Any SenML pack.</param>
    /// <param name="format">Its encoding.</param>
    /// <param name="receivedAt">UTC instant of arrival, the "now" of relative times.</param>
    /// <param name="output">Receives the resolved pack; nothing when no record of it can be resolved.</param>
    /// <param name="target">Encoding to write.</param>
    /// <returns>The records (or the pack) that could not be resolved and are missing in the output; empty when all are there.</returns>
    public static IReadOnlyList<Refusal> Resolve(
        ReadOnlySpan<byte> payload, PackFormat format, DateTime receivedAt, IBufferWriter<byte> output, PackFormat target)
    {
        ArgumentNullException.ThrowIfNull(output);
        var refusals = new List<Refusal>();
        var records = new List<(long Micros, byte[] Bytes)>();
        var reader = new SenmlReader(payload, format, receivedAt, new byte[SenmlReader.ScratchBytes]);
        while (reader.Read())
        {
            if (reader.Refusal is { } refusal)
            {
                refusals.Add(refusal);
                continue;
            }

            SenmlRecord record = reader.Current;
            if (!SenmlTime.TryResolve(record.Time, receivedAt, out DateTime time))
            {
                refusals.Add(new Refusal(reader.RecordIndex, RefusalReason.Time, "The time is out of range."));
            }
            else if (SenmlTime.Micros(time) < SenmlTime.AbsoluteFrom * 1e6)
            {
                // As an absolute time it would be read as a relative one.
                refusals.Add(new Refusal(reader.RecordIndex, RefusalReason.Time, "The time is before 1978-07-04 21:24:16 UTC, which has no absolute form."));
            }
            else if ((record.Kind == SenmlValueKind.Text && record.Text() is null) || (record.Kind == SenmlValueKind.Data && record.Data() is null))
            {
                refusals.Add(new Refusal(reader.RecordIndex, RefusalReason.FieldType, "vs is not valid text, or vd not valid base64url."));
            }
            else
            {
                records.Add((SenmlTime.Micros(time), Write(record, SenmlTime.Micros(time), target)));
            }
        }

        if (records.Count > 0)
        {
            Join(records, output, target);
        }

        return refusals;
    }

    private static void Join(List<(long Micros, byte[] Bytes)> records, IBufferWriter<byte> output, PackFormat target)
    {
        var writer = new WireWriter(output);
        if (target == PackFormat.Json)
        {
            writer.Raw((byte)'[');
        }
        else
        {
            writer.CborHead(CborReader.ArrayMajor, (ulong)records.Count);
        }

        bool any = false;
        foreach ((_, byte[] bytes) in records.OrderBy(static record => record.Micros))
        {
            writer.Raw(any && target == PackFormat.Json ? ","u8 : default);
            writer.Raw(bytes);
            any = true;
        }

        writer.Raw(target == PackFormat.Json ? "]"u8 : default);
        writer.Flush();
    }

    private static byte[] Write(SenmlRecord record, long micros, PackFormat target)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var fields = new FieldWriter(buffer, target);
        RecordFields sent = record.Fields;

        // "The Version field MUST NOT be present in resolved records if [version 10] is used and MUST be present otherwise" (section 4.6).
        if (record.Version != SenmlVersion.Base)
        {
            fields.Number(SenmlLabel.BaseVersion, record.Version);
        }

        fields.Text(SenmlLabel.Name, System.Text.Encoding.UTF8.GetString(record.Name));
        if (!record.Unit.IsEmpty)
        {
            fields.Text(SenmlLabel.Unit, System.Text.Encoding.UTF8.GetString(record.Unit));
        }

        // An absolute time as the sum of what was sent, a relative one from the instant it resolved to.
        fields.Number(SenmlLabel.Time, record.TimeIsRelative ? micros / 1e6 : record.Time);
        switch (record.Kind)
        {
            case SenmlValueKind.Number:
                fields.Number(SenmlLabel.Value, record.Number);
                break;
            case SenmlValueKind.Text:
                fields.Text(SenmlLabel.StringValue, record.Text()!);
                break;
            case SenmlValueKind.Boolean:
                fields.Boolean(record.Boolean);
                break;
            case SenmlValueKind.Data:
                fields.Data(record.Data()!);
                break;
        }

        fields.Optional(SenmlLabel.Sum, record.Sum);
        fields.Optional(SenmlLabel.UpdateTime, record.UpdateTime);
        fields.Optional(SenmlLabel.Quality, sent.Has(SenmlLabel.Quality) ? sent.Quality : null);
        fields.Optional(SenmlLabel.Period, sent.Has(SenmlLabel.Period) ? sent.Period : null);
        fields.Optional(SenmlLabel.Raw, sent.Has(SenmlLabel.Raw) ? sent.Raw : null);
        fields.Optional(SenmlLabel.Coverage, sent.Has(SenmlLabel.Coverage) ? sent.Coverage : null);
        fields.Optional(SenmlLabel.Calibration, sent.Has(SenmlLabel.Calibration) ? sent.Calibration : null);
        fields.Optional(SenmlLabel.Revision, sent.Has(SenmlLabel.Revision) ? sent.Revision : null);
        return fields.End();
    }

    /// <summary>Writes the pairs of one map, then the map around them: CBOR wants their number first.</summary>
    private ref struct FieldWriter(ArrayBufferWriter<byte> buffer, PackFormat target)
    {
        private readonly ArrayBufferWriter<byte> _buffer = buffer;
        private WireWriter _writer = new(buffer);
        private int _pairs;

        public void Number(SenmlLabel label, double value)
        {
            Label(label);
            if (target == PackFormat.Json)
            {
                _writer.JsonNumber(value);
            }
            else
            {
                _writer.CborNumber(value);
            }
        }

        public void Optional(SenmlLabel label, double? value)
        {
            if (value is { } number && double.IsFinite(number))
            {
                Number(label, number);
            }
        }

        public void Text(SenmlLabel label, string value)
        {
            Label(label);
            if (target == PackFormat.Json)
            {
                _writer.Raw((byte)'"');
                _writer.Raw(JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
                _writer.Raw((byte)'"');
                return;
            }

            byte[] utf8 = System.Text.Encoding.UTF8.GetBytes(value);
            _writer.CborHead(3, (ulong)utf8.Length);
            _writer.Raw(utf8);
        }

        public void Boolean(bool value)
        {
            Label(SenmlLabel.BooleanValue);
            if (target == PackFormat.Json)
            {
                _writer.Raw(value ? "true"u8 : "false"u8);
            }
            else
            {
                _writer.Raw(value ? (byte)0xF5 : (byte)0xF4);
            }
        }

        public void Data(byte[] value)
        {
            if (target == PackFormat.Json)
            {
                Text(SenmlLabel.DataValue, Base64Url.EncodeToString(value));
                return;
            }

            Label(SenmlLabel.DataValue);
            _writer.CborHead(2, (ulong)value.Length);
            _writer.Raw(value);
        }

        public byte[] End()
        {
            _writer.Flush();
            var map = new ArrayBufferWriter<byte>();
            var writer = new WireWriter(map);
            if (target == PackFormat.Json)
            {
                writer.Raw((byte)'{');
                writer.Raw(_buffer.WrittenSpan);
                writer.Raw((byte)'}');
            }
            else
            {
                writer.CborHead(CborReader.MapMajor, (ulong)_pairs);
                writer.Raw(_buffer.WrittenSpan);
            }

            writer.Flush();
            return map.WrittenSpan.ToArray();
        }

        private void Label(SenmlLabel label)
        {
            _pairs++;
            if (target == PackFormat.Json)
            {
                _writer.Raw(_pairs > 1 ? ",\""u8 : "\""u8);
                _writer.Raw(SenmlLabels.Utf8(label));
                _writer.Raw("\":"u8);
            }
            else if (label < SenmlLabel.Quality)
            {
                _writer.CborInteger(SenmlLabels.ToInteger(label));
            }
            else
            {
                _writer.CborText(SenmlLabels.Text(label));
            }
        }
    }
}
