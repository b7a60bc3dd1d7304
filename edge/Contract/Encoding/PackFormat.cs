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
    public static bool TryParse(string? contentType, ReadOnlySpan<byte> payload, [NotNullWhen(true)] out PackFormat? format) => throw new NotImplementedException();
}
