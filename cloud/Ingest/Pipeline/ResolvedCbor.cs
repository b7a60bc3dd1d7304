using System.Formats.Cbor;
using Label = (long Number, string? Text);

namespace Hub.Cloud.Ingest.Pipeline;

/// <summary><see cref="ResolvedRecords"/> for CBOR packs. Labels: RFC 8428, table 6.</summary>
internal static class ResolvedCbor
{
    private const long BaseVersion = -1;
    private const long BaseName = -2;
    private const long BaseTime = -3;
    private const long BaseUnit = -4;
    private const long BaseSum = -6;
    private const long Name = 0;
    private const long Unit = 1;
    private const long Time = 6;

    public static Dictionary<int, byte[]> Cut(ReadOnlyMemory<byte> payload, DateTime receivedAt, IReadOnlyList<int> wanted)
    {
        var found = new Dictionary<int, byte[]>(wanted.Count);
        try
        {
            Walk(payload, receivedAt, wanted, found);
        }
        catch (Exception exception) when (exception is CborContentException or InvalidOperationException or OverflowException)
        {
            // The pack breaks off here; what was cut out before stands.
        }

        return found;
    }

    private static void Walk(ReadOnlyMemory<byte> payload, DateTime receivedAt, IReadOnlyList<int> wanted, Dictionary<int, byte[]> found)
    {
        var reader = new CborReader(payload, CborConformanceMode.Lax, allowMultipleRootLevelValues: true);
        var bases = new SortedDictionary<long, ReadOnlyMemory<byte>>();
        var members = new List<(Label Label, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)>();
        reader.ReadStartArray();
        var next = 0;
        for (var index = 0; next < wanted.Count && reader.PeekState() != CborReaderState.EndArray; index++)
        {
            members.Clear();
            ReadOnlyMemory<byte> record = default;
            if (reader.PeekState() == CborReaderState.StartMap)
            {
                ReadMembers(reader, members, bases);
            }
            else
            {
                record = reader.ReadEncodedValue();
            }

            if (index != wanted[next])
            {
                continue;
            }

            found[index] = members.Count == 0 ? [0x81, .. record.IsEmpty ? [0xa0] : record.Span] : Write(members, bases, receivedAt);
            next++;
        }
    }

    private static void ReadMembers(CborReader reader, List<(Label Label, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)> members, SortedDictionary<long, ReadOnlyMemory<byte>> bases)
    {
        reader.ReadStartMap();
        while (reader.PeekState() != CborReaderState.EndMap)
        {
            var key = reader.ReadEncodedValue();
            var value = reader.ReadEncodedValue();
            var label = LabelOf(key);
            if (label.Text is null && label.Number is <= BaseVersion and >= BaseSum)
            {
                bases[label.Number] = value;
            }
            else
            {
                members.Add((label, key, value));
            }
        }

        reader.ReadEndMap();
    }

    /// <summary>The number of a numeric label, also for one written as text; a number no label has for anything else.</summary>
    private static Label LabelOf(ReadOnlyMemory<byte> key)
    {
        var reader = new CborReader(key, CborConformanceMode.Lax);
        switch (reader.PeekState())
        {
            case CborReaderState.UnsignedInteger or CborReaderState.NegativeInteger:
                try
                {
                    return (reader.ReadInt64(), null);
                }
                catch (OverflowException)
                {
                    return (long.MaxValue, null);
                }

            case CborReaderState.TextString:
                return (long.MaxValue, reader.ReadTextString());
            default:
                return (long.MaxValue, null);
        }
    }

    private static byte[] Write(List<(Label Label, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)> members, SortedDictionary<long, ReadOnlyMemory<byte>> bases, DateTime receivedAt)
    {
        var named = TryText(bases.GetValueOrDefault(BaseName), out var baseName) & TryText(Single(members, Name), out var ownName) && !Twice(members, Name);
        var timed = TryNumber(bases.GetValueOrDefault(BaseTime), out var baseTime) & TryNumber(Single(members, Time), out var ownTime) && !Twice(members, Time);
        var at = timed ? ResolvedRecords.Time(baseTime, ownTime, receivedAt) : null;
        var writer = new CborWriter(CborConformanceMode.Lax, convertIndefiniteLengthEncodings: true);
        writer.WriteStartArray(1);
        writer.WriteStartMap(null);
        foreach (var (label, value) in bases)
        {
            if ((label == BaseName && named) || (label == BaseTime && at is not null))
            {
                continue;
            }

            if (label == BaseUnit)
            {
                if (Single(members, Unit).IsEmpty)
                {
                    writer.WriteInt64(Unit);
                    writer.WriteEncodedValue(value.Span);
                }

                continue;
            }

            writer.WriteInt64(label);
            writer.WriteEncodedValue(value.Span);
        }

        if (named && baseName.Length + ownName.Length > 0)
        {
            writer.WriteInt64(Name);
            writer.WriteTextString(baseName + ownName);
        }

        if (at is { } fixedTime)
        {
            writer.WriteInt64(Time);
            writer.WriteDouble((double)fixedTime);
        }

        foreach (var (label, key, value) in members)
        {
            if (label.Text is null && ((label.Number == Name && named) || (label.Number == Time && at is not null)))
            {
                continue;
            }

            writer.WriteEncodedValue(key.Span);
            writer.WriteEncodedValue(value.Span);
        }

        writer.WriteEndMap();
        writer.WriteEndArray();
        return writer.Encode();
    }

    private static ReadOnlyMemory<byte> Single(List<(Label Label, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)> members, long number) =>
        members.Find(m => m.Label.Text is null && m.Label.Number == number).Value;

    private static bool Twice(List<(Label Label, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value)> members, long number) =>
        members.Count(m => m.Label.Text is null && m.Label.Number == number) > 1;

    /// <summary>True with "" for an absent member; false for one that is not text.</summary>
    private static bool TryText(ReadOnlyMemory<byte> value, out string text)
    {
        text = "";
        if (value.IsEmpty)
        {
            return true;
        }

        var reader = new CborReader(value, CborConformanceMode.Lax);
        if (reader.PeekState() is not (CborReaderState.TextString or CborReaderState.StartIndefiniteLengthTextString))
        {
            return false;
        }

        text = reader.ReadTextString();
        return true;
    }

    /// <summary>True with 0 for an absent member; false for one that is not a number we can add.</summary>
    private static bool TryNumber(ReadOnlyMemory<byte> value, out decimal number)
    {
        number = 0;
        if (value.IsEmpty)
        {
            return true;
        }

        var reader = new CborReader(value, CborConformanceMode.Lax);
        return reader.PeekState() switch
        {
            CborReaderState.UnsignedInteger or CborReaderState.NegativeInteger => ResolvedRecords.TryDecimal(reader.ReadInt64(), out number),
            CborReaderState.HalfPrecisionFloat or CborReaderState.SinglePrecisionFloat or CborReaderState.DoublePrecisionFloat =>
                ResolvedRecords.TryDecimal(reader.ReadDouble(), out number),
            _ => false,
        };
    }
}
