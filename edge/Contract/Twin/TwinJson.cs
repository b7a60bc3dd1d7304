using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Hub.Edge.Contract.Bundles;
using Hub.Edge.Contract.Claims;
using Hub.Edge.Contract.Commands;

namespace Hub.Edge.Contract.Twin;

/// <summary>The JSON of everything on the wire that is not a reading. Made at build time: a native agent has no reflection to make it from.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, AllowDuplicateProperties = false, MaxDepth = 32)]
[JsonSerializable(typeof(DesiredState))]
[JsonSerializable(typeof(ReportedState))]
[JsonSerializable(typeof(CommandReply))]
[JsonSerializable(typeof(ClaimRequest))]
[JsonSerializable(typeof(ClaimReply))]
[JsonSerializable(typeof(BundleManifest))]
internal sealed partial class TwinJson : JsonSerializerContext
{
    /// <summary>Reads one document; what is wrong with it comes back as one line in English.</summary>
    public static bool TryRead<T>(ReadOnlySpan<byte> utf8, JsonTypeInfo<T> type, [NotNullWhen(true)] out T? document, [NotNullWhen(false)] out string? problem)
        where T : class
    {
        try
        {
            document = JsonSerializer.Deserialize(utf8, type);
            problem = document is null ? "The document is null." : null;
            return document is not null;
        }
        catch (JsonException e)
        {
            document = null;
            problem = e.Path is { Length: > 2 } path ? $"{path.TrimStart('$', '.')}: {FirstSentence(e.Message)}" : FirstSentence(e.Message);
            return false;
        }
    }

    // What follows says it again with positions and the names of our types.
    private static string FirstSentence(string message)
    {
        var end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).ReplaceLineEndings(" ");
    }
}
