using System.Buffers;
using System.Text.Json;

namespace Hub.Cloud.Ingest.Pipeline;

/// <summary><see cref="ResolvedRecords"/> for JSON packs.</summary>
internal static class ResolvedJson
{
    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = 64 };

    public static Dictionary<int, byte[]> Cut(ReadOnlyMemory<byte> payload, DateTime receivedAt, IReadOnlyList<int> wanted)
    {
        var found = new Dictionary<int, byte[]>(wanted.Count);
        if (payload.Span.StartsWith("\uFEFF"u8))
        {
            payload = payload[3..];
        }

        try
        {
            Walk(payload, receivedAt, wanted, found);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The pack breaks off here; what was cut out before stands.
        }

        return found;
    }

    private static void Walk(ReadOnlyMemory<byte> payload, DateTime receivedAt, IReadOnlyList<int> wanted, Dictionary<int, byte[]> found)
    {
        var reader = new Utf8JsonReader(payload.Span, ReaderOptions);
        var bases = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        var members = new List<(string Name, ReadOnlyMemory<byte> Value)>();
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
        {
            return;
        }

        var next = 0;
        for (var index = 0; next < wanted.Count && reader.Read() && reader.TokenType != JsonTokenType.EndArray; index++)
        {
            var start = (int)reader.TokenStartIndex;
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                ReadMembers(ref reader, payload, members, bases);
            }
            else
            {
                reader.Skip();
                members.Clear();
            }

            if (index != wanted[next])
            {
                continue;
            }

            var record = payload[start..(int)reader.BytesConsumed];
            found[index] = members.Count == 0 ? [(byte)'[', .. record.Span, (byte)']'] : Write(members, bases, receivedAt);
            next++;
        }
    }

    private static void ReadMembers(ref Utf8JsonReader reader, ReadOnlyMemory<byte> payload, List<(string Name, ReadOnlyMemory<byte> Value)> members, Dictionary<string, ReadOnlyMemory<byte>> bases)
    {
        members.Clear();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString() ?? "";
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            var value = payload[start..(int)reader.BytesConsumed];
            if (IsBase(name))
            {
                bases[name] = value;
            }
            else
            {
                members.Add((name, value));
            }
        }
    }

    private static bool IsBase(string name) => name is "bn" or "bt" or "bu" or "bv" or "bs" or "bver";

    private static byte[] Write(List<(string Name, ReadOnlyMemory<byte> Value)> members, Dictionary<string, ReadOnlyMemory<byte>> bases, DateTime receivedAt)
    {
        var output = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true }))
        {
            writer.WriteStartArray();
            writer.WriteStartObject();
            foreach (var name in (ReadOnlySpan<string>)["bver", "bv", "bs"])
            {
                WriteRaw(writer, name, bases.GetValueOrDefault(name));
            }

            var (name1, time, unit) = (Single(members, "n"), Single(members, "t"), Single(members, "u"));
            var named = TryText(bases.GetValueOrDefault("bn"), out var baseName) & TryText(name1, out var ownName) && !Twice(members, "n");
            var timed = TryNumber(bases.GetValueOrDefault("bt"), out var baseTime) & TryNumber(time, out var ownTime) && !Twice(members, "t");
            var at = timed ? ResolvedRecords.Time(baseTime, ownTime, receivedAt) : null;
            if (!named)
            {
                WriteRaw(writer, "bn", bases.GetValueOrDefault("bn"));
            }
            else if (baseName.Length + ownName.Length > 0)
            {
                writer.WriteString("n", baseName + ownName);
            }

            if (at is { } fixedTime)
            {
                writer.WriteNumber("t", fixedTime);
            }
            else
            {
                WriteRaw(writer, "bt", bases.GetValueOrDefault("bt"));
            }

            if (unit.IsEmpty)
            {
                WriteRaw(writer, "u", bases.GetValueOrDefault("bu"));
            }

            foreach (var (member, value) in members)
            {
                if ((member == "n" && named) || (member == "t" && at is not null))
                {
                    continue;
                }

                WriteRaw(writer, member, value);
            }

            writer.WriteEndObject();
            writer.WriteEndArray();
        }

        return output.WrittenSpan.ToArray();
    }

    private static void WriteRaw(Utf8JsonWriter writer, string name, ReadOnlyMemory<byte> value)
    {
        if (!value.IsEmpty)
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(value.Span, skipInputValidation: true);
        }
    }

    private static ReadOnlyMemory<byte> Single(List<(string Name, ReadOnlyMemory<byte> Value)> members, string name) => members.Find(m => m.Name == name).Value;

    private static bool Twice(List<(string Name, ReadOnlyMemory<byte> Value)> members, string name) => members.Count(m => m.Name == name) > 1;

    /// <summary>True with "" for an absent member; false for one that is not text.</summary>
    private static bool TryText(ReadOnlyMemory<byte> value, out string text)
    {
        text = "";
        if (value.IsEmpty)
        {
            return true;
        }

        var reader = new Utf8JsonReader(value.Span);
        if (!reader.Read() || reader.TokenType != JsonTokenType.String)
        {
            return false;
        }

        try
        {
            text = reader.GetString() ?? "";
            return true;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: not text.
            return false;
        }
    }

    /// <summary>True with 0 for an absent member; false for one that is not a number we can add.</summary>
    private static bool TryNumber(ReadOnlyMemory<byte> value, out decimal number)
    {
        number = 0;
        if (value.IsEmpty)
        {
            return true;
        }

        var reader = new Utf8JsonReader(value.Span);
        return reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetDecimal(out number) && Math.Abs(number) < 1e15m;
    }
}
