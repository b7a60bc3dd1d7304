using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Hub.Cloud.Ingest.Adapters;

/// <summary>
/// How the quarantine keeps what an adapter refused: the body (or one field of it) with what came beside it, so that it can be translated again later and says the same.
/// Understood only when an entry is released, never from the network.
/// </summary>
internal static class AdapterEnvelope
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>Writes an envelope around a body.</summary>
    public static ReadOnlyMemory<byte> Write(IStationAdapter adapter, in AdapterPush push, Action<Utf8JsonWriter> body)
    {
        var output = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(output))
        {
            writer.WriteStartObject();
            writer.WriteString("adapter", adapter.Name);
            if (adapter.TimeIsArrival)
            {
                writer.WriteString("received_at", push.ReceivedAt.ToString(TimeFormat, CultureInfo.InvariantCulture));
            }

            writer.WriteStartObject("context");
            foreach (var (name, value) in push.Context)
            {
                writer.WriteString(name, value);
            }

            writer.WriteEndObject();
            writer.WritePropertyName("body");
            body(writer);
            writer.WriteEndObject();
        }

        return output.WrittenMemory;
    }

    /// <summary>Opens an envelope; bytes that are none are a body that was never JSON, and stay what they are.</summary>
    public static AdapterPush Open(IStationAdapter adapter, ReadOnlyMemory<byte> kept, DateTime receivedAt)
    {
        try
        {
            using var document = JsonDocument.Parse(kept);
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object
                && root.TryGetProperty("adapter", out var name) && name.ValueKind == JsonValueKind.String && name.ValueEquals(adapter.Name)
                && root.TryGetProperty("context", out var context) && context.ValueKind == JsonValueKind.Object
                && root.TryGetProperty("body", out var body))
            {
                if (root.TryGetProperty("received_at", out var stamp)
                    && DateTime.TryParseExact(stamp.GetString(), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var stamped))
                {
                    receivedAt = stamped;
                }

                var texts = context.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.String).ToDictionary(p => p.Name, p => p.Value.GetString()!, StringComparer.Ordinal);
                return new AdapterPush(System.Text.Encoding.UTF8.GetBytes(body.GetRawText()), receivedAt, texts);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            // Not one of ours.
        }

        return new AdapterPush(kept, receivedAt, AdapterPush.NoContext);
    }
}
