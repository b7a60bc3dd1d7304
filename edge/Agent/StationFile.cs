using System.Globalization;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Hub.Edge.Agent;

/// <summary>Where something stands in the station file: 1-based line and column.</summary>
internal readonly record struct FilePlace(long Line, long Column);

/// <summary>A station file, read and checked against the schema. Uses YamlDotNet's parser only: its object mapping does not survive a native build.</summary>
/// <param name="Path">The file as it was named.</param>
/// <param name="Values">Settings by configuration key below <c>Agent</c>, e.g. <c>hub:port</c>.</param>
/// <param name="Places">Where each key stands.</param>
internal sealed record StationFile(string Path, IReadOnlyDictionary<string, string?> Values, IReadOnlyDictionary<string, FilePlace> Places)
{
    private const int BytesMax = 1024 * 1024;

    /// <summary>Reads a station file.</summary>
    /// <exception cref="ConfigurationException">It is missing, not YAML, or not what the schema says: every mistake with file, line, column and key.</exception>
    public static StationFile Read(string path)
    {
        string text;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > BytesMax })
            {
                throw new ConfigurationException($"{path}: larger than {BytesMax} bytes; this is not a station file.");
            }

            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigurationException($"{path}: there is no such file; give the station file with --station-file.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path}: cannot be read: {e.Message}");
        }

        return Parse(path, text);
    }

    /// <summary>Checks the text of a station file; <paramref name="path"/> only names it in messages.</summary>
    public static StationFile Parse(string path, string text)
    {
        YamlNode root;
        try
        {
            RefuseAliasesInKeys(path, text);
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents.Count != 1)
            {
                throw new ConfigurationException(stream.Documents.Count == 0 ? $"{path}:1:1: the file is empty." : $"{path}: the file holds {stream.Documents.Count} documents; one is expected.");
            }

            root = stream.Documents[0].RootNode;
        }
        catch (YamlException e)
        {
            throw new ConfigurationException(string.Create(CultureInfo.InvariantCulture, $"{path}:{e.Start.Line}:{e.Start.Column}: not YAML: {OneLine(e.InnerException?.Message ?? e.Message)}"));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or KeyNotFoundException or FormatException)
        {
            // The parser has no place to name for some unfinished or misplaced brackets, and says so by whatever broke inside it.
            throw new ConfigurationException($"{path}: not YAML: {OneLine(e.Message)}");
        }

        var walk = new Walk(path);
        walk.Visit(root, StationSchema.Root, "", "", depth: 0);
        return walk.Mistakes.Count > 0 ? throw new ConfigurationException(walk.Mistakes) : new StationFile(path, walk.Values, walk.Places);
    }

    /// <summary>Two keys with aliases cannot be told apart by the library: it compares them without end, which nothing can catch.</summary>
    private static void RefuseAliasesInKeys(string path, string text)
    {
        var parser = new Parser(new StringReader(text));
        var open = new Stack<(bool IsMapping, bool IsAtKey, bool IsInKey)>();
        while (parser.MoveNext())
        {
            var current = parser.Current;
            if (current is MappingEnd or SequenceEnd)
            {
                open.Pop();
                continue;
            }

            if (current is not (NodeEvent or AnchorAlias))
            {
                continue;
            }

            var isInKey = false;
            if (open.TryPop(out var outer))
            {
                isInKey = outer.IsInKey || (outer.IsMapping && outer.IsAtKey);
                open.Push(outer with { IsAtKey = !outer.IsAtKey });
            }

            if (current is AnchorAlias && isInKey)
            {
                throw new ConfigurationException(string.Create(CultureInfo.InvariantCulture, $"{path}:{current.Start.Line}:{current.Start.Column}: an alias cannot be a key; write the key itself."));
            }

            if (current is MappingStart or SequenceStart)
            {
                open.Push((current is MappingStart, true, isInKey));
            }
        }
    }

    /// <summary>Puts file, line and column in front of a message that begins with a configuration key this file gives.</summary>
    public string Locate(string message)
    {
        var end = message.IndexOf(' ', StringComparison.Ordinal);
        var key = end < 0 ? message : message[..end];
        if (!key.StartsWith(AgentOptions.Section + ":", StringComparison.OrdinalIgnoreCase))
        {
            return message;
        }

        return Places.TryGetValue(key[(AgentOptions.Section.Length + 1)..], out var place)
            ? string.Create(CultureInfo.InvariantCulture, $"{Path}:{place.Line}:{place.Column}: {message}")
            : message;
    }

    private static string OneLine(string message) => message.ReplaceLineEndings(" ");

    private sealed class Walk(string path)
    {
        private const int MistakesMax = 20;
        private const int DepthMax = 16;
        private const int NodesMax = 10_000;
        private int _nodes;

        public Dictionary<string, string?> Values { get; } = new(StringComparer.OrdinalIgnoreCase);

        public Dictionary<string, FilePlace> Places { get; } = new(StringComparer.OrdinalIgnoreCase);

        public List<string> Mistakes { get; } = [];

        public void Visit(YamlNode node, JsonElement schema, string key, string dotted, int depth)
        {
            // An alias may stand for a node inside itself, or for very many nodes.
            if (depth > DepthMax || ++_nodes > NodesMax)
            {
                throw new ConfigurationException($"{path}: nested or repeated too often; this is not a station file.");
            }

            switch (StationSchema.TypeOf(schema))
            {
                case "object":
                    VisitMapping(node, schema, key, dotted, depth);
                    break;
                case "array":
                    if (node is not YamlSequenceNode sequence)
                    {
                        Expected(node, dotted, "a list");
                        break;
                    }

                    for (var i = 0; i < sequence.Children.Count; i++)
                    {
                        Visit(
                            sequence.Children[i], schema.GetProperty("items"), string.Create(CultureInfo.InvariantCulture, $"{key}:{i}"),
                            string.Create(CultureInfo.InvariantCulture, $"{dotted}[{i}]"), depth + 1);
                    }

                    break;
                default:
                    if (node is not YamlScalarNode scalar || StationSchema.Mistake(schema, scalar.Value ?? "", scalar.Style == ScalarStyle.Plain) is not null)
                    {
                        Expected(node, dotted, StationSchema.Expectation(schema));
                        break;
                    }

                    Values[key] = scalar.Value;
                    Places[key] = new FilePlace(scalar.Start.Line, scalar.Start.Column);
                    break;
            }
        }

        private void VisitMapping(YamlNode node, JsonElement schema, string key, string dotted, int depth)
        {
            if (node is not YamlMappingNode mapping)
            {
                Expected(node, dotted, "keys with values");
                return;
            }

            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (nameNode, value) in mapping.Children)
            {
                if (nameNode is not YamlScalarNode { Value: { } name })
                {
                    Mistake(nameNode, dotted, "expected a key, found a list or mapping");
                    continue;
                }

                var childDotted = dotted.Length == 0 ? name : $"{dotted}.{name}";
                if (!schema.GetProperty("properties").TryGetProperty(name, out var child))
                {
                    var nearest = StationSchema.Nearest(schema, name);
                    Mistake(nameNode, childDotted, nearest is null ? $"unknown key; known here: {StationSchema.Known(schema)}" : $"unknown key; did you mean \"{nearest}\"?");
                    if (nearest is not null)
                    {
                        seen.Add(nearest);
                    }

                    continue;
                }

                seen.Add(name);
                var childKey = key.Length == 0 ? name : $"{key}:{name}";
                Places[childKey] = new FilePlace(nameNode.Start.Line, nameNode.Start.Column);
                Visit(value, child, childKey, childDotted, depth + 1);
            }

            foreach (var required in StationSchema.Required(schema))
            {
                if (!seen.Contains(required))
                {
                    Mistake(node, dotted.Length == 0 ? required : $"{dotted}.{required}", "is missing");
                }
            }
        }

        private void Expected(YamlNode node, string dotted, string what) => Mistake(node, dotted, $"expected {what}, found {Describe(node)}");

        private void Mistake(YamlNode node, string dotted, string what)
        {
            if (Mistakes.Count < MistakesMax)
            {
                Mistakes.Add(string.Create(CultureInfo.InvariantCulture, $"{path}:{node.Start.Line}:{node.Start.Column}: {(dotted.Length == 0 ? "" : dotted + ": ")}{what}"));
            }
        }

        private static string Describe(YamlNode node) => node switch
        {
            YamlMappingNode => "keys with values",
            YamlSequenceNode => "a list",
            YamlScalarNode { Value: null or "" or "~" or "null", Style: ScalarStyle.Plain } => "nothing",
            YamlScalarNode { Value.Length: > 40 } scalar => $"\"{scalar.Value![..40]}...\"",
            YamlScalarNode scalar => $"\"{scalar.Value}\"",
            _ => "something else",
        };
    }
}
