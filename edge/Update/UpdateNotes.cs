using System.Text.Json;
using System.Text.Json.Serialization;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Update;

/// <summary>The update last asked for, as it is remembered across restarts.</summary>
internal sealed record UpdateRecord(string Version, string Sha256, UpdateStep Step, DateTime At, string? Problem = null)
{
    public ReportedUpdate ToReported(long? bytes) => new(Version, Step, At, Problem, Step == UpdateStep.Downloading ? bytes : null);
}

/// <summary>A bundle that is not fetched again.</summary>
internal sealed record RefusedBundle(string Version, string Sha256, string Reason);

/// <summary><c>update.json</c>: what became of the last update, and which bundles were refused. Immutable.</summary>
/// <param name="Refused">The newest <see cref="RefusedMax"/>, oldest first.</param>
/// <param name="Last">The last one; null for none.</param>
internal sealed record UpdateNotes(IReadOnlyList<RefusedBundle> Refused, UpdateRecord? Last = null)
{
    public const int RefusedMax = 32;
    public const int BytesMax = 128 * 1024;

    public static UpdateNotes None { get; } = new([]);

    /// <summary>Adds a bundle that is not to be fetched again.</summary>
    public UpdateNotes Refuse(string version, string sha256, string reason) =>
        this with { Refused = [.. Refused.Where(other => (other.Version, other.Sha256) != (version, sha256)).TakeLast(RefusedMax - 1), new RefusedBundle(version, sha256, reason)] };

    /// <summary>Why a bundle is not fetched again; null when it may be.</summary>
    public string? WhyRefused(string version, string sha256) => Refused.LastOrDefault(other => other.Version == version && other.Sha256 == sha256)?.Reason;

    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, UpdateJson.Default.UpdateNotes);

    /// <summary>Null for a file that is damaged: it is only a memory.</summary>
    public static UpdateNotes? Read(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return utf8.Length > BytesMax ? null : JsonSerializer.Deserialize(utf8, UpdateJson.Default.UpdateNotes);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(UpdateNotes))]
internal sealed partial class UpdateJson : JsonSerializerContext;
