using System.Diagnostics.CodeAnalysis;

namespace Hub.Edge.Contract.Encoding;

/// <summary>Encoding of a SenML pack.</summary>
public enum PackFormat
{
    /// <summary><c>application/senml+json</c>.</summary>
    Json,

    /// <summary><c>application/senml+cbor</c>.</summary>
    Cbor,
}

/// <summary>Content types of the pack encodings.</summary>
public static class PackFormats
{
    /// <summary>The media type of an encoding.</summary>
    public static string ContentType(this PackFormat format) => format == PackFormat.Cbor ? "application/senml+cbor" : "application/senml+json";

    /// <summary>
    /// Recognises a content type (parameters and letter case ignored). Null or empty text, as MQTT 3.1.1 sends it, is decided by the
    /// first byte of the payload: <c>[</c>, white space or a UTF-8 mark mean JSON, a CBOR array head means CBOR.
    /// </summary>
    /// <param name="contentType">Media type as announced; those of packs and of streams (<c>sensml</c>) are known.</param>
    /// <param name="payload">The pack, looked at only where nothing was announced.</param>
    /// <param name="format">The encoding; null when the result is false.</param>
    public static bool TryParse(string? contentType, ReadOnlySpan<byte> payload, [NotNullWhen(true)] out PackFormat? format)
    {
        format = string.IsNullOrWhiteSpace(contentType) ? Guess(payload) : Known(contentType);
        return format is not null;
    }

    private static PackFormat? Known(ReadOnlySpan<char> contentType)
    {
        int parameters = contentType.IndexOf(';');
        ReadOnlySpan<char> type = (parameters < 0 ? contentType : contentType[..parameters]).Trim();
        if (type.Equals("application/senml+json", StringComparison.OrdinalIgnoreCase) || type.Equals("application/sensml+json", StringComparison.OrdinalIgnoreCase))
        {
            return PackFormat.Json;
        }

        return type.Equals("application/senml+cbor", StringComparison.OrdinalIgnoreCase) || type.Equals("application/sensml+cbor", StringComparison.OrdinalIgnoreCase)
            ? PackFormat.Cbor
            : null;
    }

    private static PackFormat? Guess(ReadOnlySpan<byte> payload) => payload.IsEmpty
        ? null
        : payload[0] switch
        {
            (byte)'[' or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or 0xEF => PackFormat.Json,

            // Major type 4: definite lengths 0x80 to 0x9B, indefinite 0x9F.
            (>= 0x80 and <= 0x9B) or 0x9F => PackFormat.Cbor,
            _ => null,
        };
}
