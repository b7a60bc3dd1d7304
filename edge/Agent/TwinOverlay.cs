using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Hub.Edge.Agent;

/// <summary>
/// What the hub wants, as settings to lay over the station file. Checked against the same schema, and for what no hub may set: who the station is, what names a file or folder,
/// secrets, and what is below <c>update</c>.
/// </summary>
internal sealed partial class TwinOverlay
{
    private const int MistakesMax = 20;

    /// <summary>Keys that stay the station's own, with everything below them; files, folders and secrets are told by the schema.</summary>
    private static readonly string[] OwnKeys = ["municipality", "station", "data", "update"];

    private readonly Dictionary<string, string?> _values = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _lists = [];
    private readonly List<string> _mistakes = [];

    private TwinOverlay(long version) => Source = string.Create(CultureInfo.InvariantCulture, $"hub, version {version}");

    /// <summary>Who gives the settings, for people.</summary>
    public string Source { get; }

    /// <summary>Settings by configuration key.</summary>
    public IReadOnlyDictionary<string, string?> Values => _values;

    /// <summary>Lists that are given whole: nothing of a weaker source remains in them.</summary>
    public IReadOnlyList<string> Lists => _lists;

    /// <summary>Reads settings.</summary>
    /// <param name="settings">The object with keys of the station file.</param>
    /// <param name="version">Version of the document they are of.</param>
    /// <exception cref="ConfigurationException">All that is wrong, a line each, beginning with the key: <c>settings.sensors[0].kind</c>.</exception>
    public static TwinOverlay Read(JsonElement settings, long version)
    {
        var overlay = new TwinOverlay(version);
        overlay.VisitObject(settings, StationSchema.Root, "", "settings", isRoot: true);
        return overlay._mistakes.Count > 0 ? throw new ConfigurationException(overlay._mistakes) : overlay;
    }

    /// <summary>A message that begins with a configuration key, beginning with the place in the document where the hub gave it.</summary>
    public string Locate(string message)
    {
        var end = message.IndexOf(' ', StringComparison.Ordinal);
        var key = (end < 0 ? message : message[..end]).TrimEnd(':');
        if (!key.StartsWith(AgentOptions.Section + ":", StringComparison.OrdinalIgnoreCase))
        {
            return message;
        }

        // A key that is missing has no place; what it is missing in has.
        var below = key[(AgentOptions.Section.Length + 1)..];
        var first = below.Split(':')[0];
        return _values.Keys.Any(given => given.Split(':')[0].Equals(first, StringComparison.OrdinalIgnoreCase)) || _lists.Contains(first, StringComparer.OrdinalIgnoreCase)
            ? $"settings.{Camel(EffectiveSettings.Dotted(below))}{message[key.Length..]}"
            : message;
    }

    private static string Camel(string dotted) => string.Join('.', dotted.Split('.').Select(part => part.Length == 0 ? part : char.ToLowerInvariant(part[0]) + part[1..]));

    private void Visit(JsonElement node, JsonElement schema, string key, string dotted)
    {
        if (StationSchema.NamesFile(schema))
        {
            Mistake(dotted, "names a file or folder of the station; the hub cannot set it");
            return;
        }

        if (StationSchema.IsSecret(schema) || EffectiveSettings.IsSecretByName(key))
        {
            Mistake(dotted, "is a secret; the hub cannot set it here. A new one is given by the command rotate-credentials");
            return;
        }

        switch (StationSchema.TypeOf(schema))
        {
            case "object":
                VisitObject(node, schema, key, dotted, isRoot: false);
                break;
            case "array":
                VisitArray(node, schema, key, dotted);
                break;
            default:
                VisitScalar(node, schema, key, dotted);
                break;
        }
    }

    private void VisitObject(JsonElement node, JsonElement schema, string key, string dotted, bool isRoot)
    {
        if (node.ValueKind != JsonValueKind.Object)
        {
            Mistake(dotted, $"expected keys with values, found {Describe(node)}");
            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in node.EnumerateObject())
        {
            var childDotted = $"{dotted}.{member.Name}";
            if (isRoot && OwnKeys.Contains(member.Name, StringComparer.OrdinalIgnoreCase))
            {
                Mistake(childDotted, "is the station's own; the hub cannot set it");
                continue;
            }

            if (!seen.Add(member.Name))
            {
                Mistake(childDotted, "is given twice");
                continue;
            }

            if (!schema.GetProperty("properties").TryGetProperty(member.Name, out var child))
            {
                var nearest = StationSchema.Nearest(schema, member.Name);
                Mistake(childDotted, nearest is null ? $"unknown key; known here: {StationSchema.Known(schema)}" : $"unknown key; did you mean \"{nearest}\"?");
                continue;
            }

            Visit(member.Value, child, key.Length == 0 ? member.Name : $"{key}:{member.Name}", childDotted);
        }

        // The station file gives who the station is; what stands in a list has to be whole.
        if (!isRoot)
        {
            foreach (var required in StationSchema.Required(schema).Where(required => !seen.Contains(required)))
            {
                Mistake($"{dotted}.{required}", "is missing");
            }
        }
    }

    private void VisitArray(JsonElement node, JsonElement schema, string key, string dotted)
    {
        if (node.ValueKind != JsonValueKind.Array)
        {
            Mistake(dotted, $"expected a list, found {Describe(node)}");
            return;
        }

        _lists.Add(key);
        var place = 0;
        foreach (var item in node.EnumerateArray())
        {
            Visit(item, schema.GetProperty("items"), string.Create(CultureInfo.InvariantCulture, $"{key}:{place}"), string.Create(CultureInfo.InvariantCulture, $"{dotted}[{place}]"));
            place++;
        }
    }

    private void VisitScalar(JsonElement node, JsonElement schema, string key, string dotted)
    {
        var (text, plain) = node.ValueKind switch
        {
            JsonValueKind.String => (node.GetString()!, false),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => (node.GetRawText(), true),
            _ => (null, true),
        };

        // A number is no text here, as it is none in quotes in the station file.
        var mistaken = text is null || (plain && StationSchema.TypeOf(schema) == "string") || StationSchema.Mistake(schema, text, plain) is not null;
        if (mistaken)
        {
            Mistake(dotted, $"expected {StationSchema.Expectation(schema)}, found {Describe(node)}");
        }
        else if (key.EndsWith(":bus:serial", StringComparison.OrdinalIgnoreCase) && !(text!.StartsWith("/dev/", StringComparison.Ordinal) && Path.GetFullPath(text) == text))
        {
            Mistake(dotted, "give a serial port below /dev; the hub can set no other file");
        }
        else if (key.EndsWith(":microphone:device", StringComparison.OrdinalIgnoreCase) && !SoundDevice().IsMatch(text!))
        {
            Mistake(dotted, "give a sound card such as hw:1; the hub can set no other name of ALSA, which may stand for a file");
        }
        else
        {
            _values[key] = text;
        }
    }

    private void Mistake(string dotted, string what)
    {
        if (_mistakes.Count < MistakesMax)
        {
            _mistakes.Add($"{dotted}: {what}");
        }
    }

    private static string Describe(JsonElement node) => node.ValueKind switch
    {
        JsonValueKind.Object => "keys with values",
        JsonValueKind.Array => "a list",
        JsonValueKind.String when node.GetString() is { Length: > 40 } text => $"\"{text[..40]}...\"",
        JsonValueKind.String => $"\"{node.GetString()}\"",
        JsonValueKind.Null or JsonValueKind.Undefined => "nothing",
        _ => node.GetRawText() is { Length: > 40 } raw ? raw[..40] + "..." : node.GetRawText(),
    };

    // ALSA's plugins "file" and "tee" write to files what is heard; those of cards do not.
    [GeneratedRegex("^(hw|plughw|dsnoop|sysdefault|default)(:[A-Za-z0-9=,_]+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex SoundDevice();
}
