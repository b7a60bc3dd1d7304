using System.Text.Json;

namespace Hub.Cloud.Fleet.Twin;

/// <summary>
/// What the hub can tell of settings without knowing the station: they are an object, no key is there twice, none may not come from the hub (FORMAT.md, Twin). The rest is for the station, which
/// checks them as a whole and reports. Pure functions.
/// </summary>
internal static class SettingsRules
{
    /// <summary>Most problems named at once.</summary>
    public const int ProblemsMax = 20;

    /// <summary>Deepest nesting, as the contract reads it, less the document around the settings.</summary>
    private const int DepthMax = 30;

    private static readonly string[] OwnKeys = ["municipality", "station", "data", "update"];
    private static readonly string[] SecretParts = ["secret", "password", "token"];
    private static readonly string[] PlaceEnds = ["file", "folder", "directory"];

    /// <summary>Reads text somebody typed.</summary>
    /// <param name="text">JSON; comments and commas at the end are taken, as in the station file.</param>
    /// <param name="settings">The object, detached.</param>
    /// <param name="problem">What is wrong, with line and column from 1.</param>
    public static bool TryParse(string text, out JsonElement settings, out string? problem)
    {
        (settings, problem) = (default, null);
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = DepthMax });
            settings = document.RootElement.Clone();
            return true;
        }
        catch (JsonException exception)
        {
            var end = exception.Message.IndexOf(" Path: ", StringComparison.Ordinal);
            end = end < 0 ? exception.Message.IndexOf(" LineNumber: ", StringComparison.Ordinal) : end;
            var sentence = (end < 0 ? exception.Message : exception.Message[..end]).ReplaceLineEndings(" ");
            problem = FormattableString.Invariant($"line {(exception.LineNumber ?? 0) + 1}, column {(exception.BytePositionInLine ?? 0) + 1}: {sentence}");
            return false;
        }
    }

    /// <summary>What is wrong with settings, a line for each key; empty when the hub finds nothing.</summary>
    public static IReadOnlyList<string> Problems(JsonElement settings)
    {
        if (settings.ValueKind != JsonValueKind.Object)
        {
            return ["settings: give an object with keys of the station file."];
        }

        List<string> problems = [];
        Look(settings, "settings", problems, isTop: true);
        return problems;
    }

    private static void Look(JsonElement value, string path, List<string> problems, bool isTop = false)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            var i = 0;
            foreach (var item in value.EnumerateArray())
            {
                Look(item, FormattableString.Invariant($"{path}[{i++}]"), problems);
            }

            return;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var member in value.EnumerateObject())
        {
            var key = $"{path}.{Short(member.Name)}";
            if (problems.Count >= ProblemsMax)
            {
                return;
            }

            if (!seen.Add(member.Name))
            {
                problems.Add($"{key}: is there twice; letter case does not matter.");
            }
            else if (isTop && OwnKeys.Contains(member.Name, StringComparer.OrdinalIgnoreCase))
            {
                problems.Add($"{key}: is the station's own and cannot be set from the hub.");
            }
            else if (SecretParts.Any(part => member.Name.Contains(part, StringComparison.OrdinalIgnoreCase)))
            {
                problems.Add($"{key}: secrets are not set from here; use the command rotate-credentials.");
            }
            else if (PlaceEnds.Any(end => member.Name.EndsWith(end, StringComparison.OrdinalIgnoreCase)))
            {
                problems.Add($"{key}: names a file or folder of the station and cannot be set from the hub.");
            }
            else
            {
                Look(member.Value, key, problems);
            }
        }
    }

    private static string Short(string name) => name.Length <= 64 ? name : name[..64] + "…";
}
