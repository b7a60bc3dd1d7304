using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Hub.Edge.Agent;

/// <summary>
/// The part of JSON Schema that <c>firmware-config/schema/station.schema.json</c> uses: <c>type</c>, <c>properties</c>, <c>required</c>, <c>items</c>, <c>enum</c>,
/// <c>pattern</c>, <c>format: date-time</c>, <c>writeOnly</c> for secrets, and formats of ours: <c>path</c> for what names a file or folder and starts at the station file, <c>path-inside</c>
/// for what starts at the folder another key gives, <c>path-absolute</c> for what starts nowhere else. Any key not in <c>properties</c> is a mistake.
/// </summary>
internal static class StationSchema
{
    private static readonly JsonDocument Document = Load();

    public static JsonElement Root => Document.RootElement;

    /// <summary>The schema as text, as checked in.</summary>
    public static string Text()
    {
        using var stream = Resource();
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>True for a key whose value nobody may see.</summary>
    /// <param name="key">A configuration key such as <c>hub:secret</c>.</param>
    public static bool IsSecret(string key) => TryFind(key, out var schema) && IsSecret(schema);

    /// <summary>True for a value that nobody may see.</summary>
    public static bool IsSecret(JsonElement schema) => schema.TryGetProperty("writeOnly", out var writeOnly) && writeOnly.GetBoolean();

    /// <summary>True for a key that names a file or folder and, when relative, starts at the station file.</summary>
    public static bool IsPath(string key) => TryFind(key, out var schema) && schema.TryGetProperty("format", out var format) && format.ValueEquals("path");

    /// <summary>True for a value that names a file or folder, wherever it starts.</summary>
    public static bool NamesFile(JsonElement schema) => schema.TryGetProperty("format", out var format) && format.GetString()!.StartsWith("path", StringComparison.Ordinal);

    public static string TypeOf(JsonElement schema) => schema.GetProperty("type").GetString()!;

    public static IEnumerable<string> Required(JsonElement schema) =>
        schema.TryGetProperty("required", out var required) ? required.EnumerateArray().Select(name => name.GetString()!) : [];

    public static string Known(JsonElement schema) => string.Join(", ", schema.GetProperty("properties").EnumerateObject().Select(property => property.Name));

    /// <summary>Null when a scalar is what the schema wants; otherwise what was expected.</summary>
    /// <param name="schema">Schema of a scalar.</param>
    /// <param name="value">The text.</param>
    /// <param name="plain">True when it stands without quotes.</param>
    public static string? Mistake(JsonElement schema, string value, bool plain)
    {
        var good = TypeOf(schema) switch
        {
            "integer" => plain && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
            "number" => plain && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number),
            "boolean" => plain && value is "true" or "false",
            _ => IsText(schema, value, plain),
        };
        return good ? null : Expectation(schema);
    }

    /// <summary>In words, what the schema wants.</summary>
    public static string Expectation(JsonElement schema) => TypeOf(schema) switch
    {
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ when schema.TryGetProperty("enum", out var choices) => string.Join(" or ", choices.EnumerateArray().Select(choice => choice.GetString())),
        _ when schema.TryGetProperty("pattern", out _) => "a duration such as 00:01:00 or 30.00:00:00",
        _ when IsInstant(schema) => "an instant such as 2026-11-22T15:04:05Z",
        _ => "a text",
    };

    /// <summary>The valid key that a wrong one most resembles; null when none does.</summary>
    public static string? Nearest(JsonElement schema, string name) =>
        schema.GetProperty("properties").EnumerateObject().Select(property => property.Name)
            .Select(known => (Known: known, Distance: Distance(known.ToUpperInvariant(), name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToUpperInvariant())))
            .Where(candidate => candidate.Distance <= Math.Max(1, candidate.Known.Length / 3))
            .OrderBy(candidate => candidate.Distance).ThenBy(candidate => candidate.Known, StringComparer.Ordinal)
            .Select(candidate => candidate.Known).FirstOrDefault();

    /// <summary>Finds the schema of a configuration key such as <c>hub:port</c> or <c>sensors:0:name</c>, letter case ignored; false for a key there is not.</summary>
    public static bool TryFind(string key, out JsonElement schema)
    {
        schema = Root;
        foreach (var part in key.Split(':'))
        {
            var type = TypeOf(schema);
            if (type == "array" && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                schema = schema.GetProperty("items");
                continue;
            }

            if (type != "object")
            {
                return false;
            }

            var found = schema.GetProperty("properties").EnumerateObject().FirstOrDefault(property => string.Equals(property.Name, part, StringComparison.OrdinalIgnoreCase));
            if (found.Value.ValueKind != JsonValueKind.Object)
            {
                return false;
            }

            schema = found.Value;
        }

        return true;
    }

    private static bool IsText(JsonElement schema, string value, bool plain)
    {
        if (plain && value is "" or "~" or "null")
        {
            return false;
        }

        if (schema.TryGetProperty("enum", out var choices))
        {
            return choices.EnumerateArray().Any(choice => string.Equals(choice.GetString(), value, StringComparison.Ordinal));
        }

        if (schema.TryGetProperty("pattern", out var pattern))
        {
            return Regex.IsMatch(value, pattern.GetString()!, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }

        return !IsInstant(schema) || DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _);
    }

    private static bool IsInstant(JsonElement schema) => schema.TryGetProperty("format", out var format) && format.ValueEquals("date-time");

    /// <summary>Levenshtein distance, with two swapped neighbours counted as one mistake.</summary>
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    rows[i, j] = i + j;
                    continue;
                }

                rows[i, j] = Math.Min(Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }

    private static Stream Resource() => typeof(StationSchema).Assembly.GetManifestResourceStream("station.schema.json")!;

    private static JsonDocument Load()
    {
        using var stream = Resource();
        return JsonDocument.Parse(stream);
    }
}
