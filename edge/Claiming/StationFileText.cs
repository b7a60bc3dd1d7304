using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Hub.Edge.Contract.Claims;

namespace Hub.Edge.Claiming;

/// <summary>The text of a station file: a profile with what the hub said of the station in the place of the profile's own. Comments and sensors stay as they are. Pure.</summary>
internal static class StationFileText
{
    /// <summary>Where the secret stands, relative to the station file.</summary>
    public const string SecretFile = "secret";

    /// <summary>Where the authority stands, relative to the station file.</summary>
    public const string AuthorityFile = "hub-ca.pem";

    // What a machine can always measure is itself.
    private const string Plain = "sensors:\n  - { name: board, kind: board }\n";

    /// <summary>Makes the text.</summary>
    /// <param name="reply">What the hub said.</param>
    /// <param name="profile">Text of the profile, block style at its top level; null for none.</param>
    public static string Make(ClaimReply reply, string? profile)
    {
        var hub = new StringBuilder($"{{ address: {Quote(reply.Address)}, port: {reply.Port.ToString(CultureInfo.InvariantCulture)}, tls: {(reply.Tls ? "true" : "false")}, secretFile: {SecretFile}");
        hub.Append(reply.Authority is null ? " }" : $", caFile: {AuthorityFile} }}");
        (string Key, string Value)[] ours =
        [
            ("municipality", Quote(reply.Municipality)),
            ("station", Quote(reply.Station)),
            ("name", Quote(reply.Name)),
            ("location", string.Create(CultureInfo.InvariantCulture, $"{{ latitude: {reply.Latitude}, longitude: {reply.Longitude} }}")),
            ("hub", hub.ToString()),
        ];
        var text = (profile ?? Plain).ReplaceLineEndings("\n");
        if (!text.EndsWith('\n'))
        {
            text += "\n";
        }

        // From the last to the first, each in its place or else in front of the rest.
        foreach (var (key, value) in ours.Reverse())
        {
            text = Put(text, key, value);
        }

        return text;
    }

    private static string Put(string text, string key, string value)
    {
        var lines = text.Split('\n');
        var start = Array.FindIndex(lines, line => line.StartsWith(key + ":", StringComparison.Ordinal));
        if (start < 0)
        {
            var first = Array.FindIndex(lines, line => line.Length > 0 && line[0] is not ('#' or ' ' or '%') && line != "---");
            return string.Join('\n', [.. lines[..Math.Max(0, first)], $"{key}: {value}", .. lines[Math.Max(0, first)..]]);
        }

        // The old value goes on as long as lines are indented, or continue a list that is not.
        var end = start + 1;
        while (end < lines.Length && lines[end].Length > 0 && (lines[end][0] is ' ' or '\t' || lines[end].StartsWith("- ", StringComparison.Ordinal)))
        {
            end++;
        }

        return string.Join('\n', [.. lines[..start], $"{key}: {value}", .. lines[end..]]);
    }

    /// <summary>A text that YAML reads as exactly this text: JSON strings are YAML's double-quoted ones.</summary>
    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";
}
