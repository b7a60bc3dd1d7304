using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Api;
using Hub.Cloud.Fleet;
using Hub.Cloud.InfluxQl;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal;
using Hub.Cloud.QualityControl;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Server;

/// <summary>
/// Every setting there is, read from the classes the stages bind, so that a new one is known the day it is written. A key that no stage reads is a mistake: a setting that is
/// silently without effect is found out when it was needed.
/// </summary>
internal static class HubKeys
{
    private const string Prefix = "Hub:";

    private static readonly Group Root = new(
        new Dictionary<string, Node>(Members(typeof(HubSettings)), StringComparer.OrdinalIgnoreCase)
        {
            ["Database"] = Value.Instance,
            ["DatabasePasswordFile"] = Value.Instance,
            ["Demo"] = new Group(new Dictionary<string, Node>(StringComparer.OrdinalIgnoreCase) { ["History"] = Value.Instance }),

            // Categories of the log are names of any program's parts.
            ["Logging"] = Free.Instance,
            [Name(AlertsOptions.Section)] = Of(typeof(AlertsOptions)),
            [Name(ApiOptions.Section)] = Of(typeof(ApiOptions)),
            [Name(FleetOptions.Section)] = Of(typeof(FleetOptions)),
            [Name(InfluxQlOptions.Section)] = Of(typeof(InfluxQlOptions)),
            [Name(IngestOptions.Section)] = Of(typeof(IngestOptions)),
            [Name(MqttOptions.Section)] = Of(typeof(MqttOptions)),
            [Name(MunicipalitiesOptions.Section)] = Of(typeof(MunicipalitiesOptions)),
            [Name(NotificationsOptions.Section)] = Of(typeof(NotificationsOptions)),
            [Name(PortalOptions.Section)] = new Group(new Dictionary<string, Node>(Members(typeof(PortalOptions)), StringComparer.OrdinalIgnoreCase) { ["Map"] = Of(typeof(MapOptions)) }),
            [Name(PublicOptions.Section)] = Of(typeof(PublicOptions)),
            [Name(QualityOptions.Section)] = Of(typeof(QualityOptions)),
            [Name(SeriesOptions.Section)] = new Group(new Dictionary<string, Node>(Members(typeof(SeriesOptions)), StringComparer.OrdinalIgnoreCase) { ["Influx"] = Of(typeof(InfluxOptions)) }),
            [Name(StationsOptions.Section)] = Of(typeof(StationsOptions)),
        });

    /// <summary>Settings of earlier versions, and what to do instead.</summary>
    private static readonly Dictionary<string, string> Retired = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Hub:Series:MemoryMegabytesMax"] = "It went with the database that held the series before; remove it. What the store keeps in memory is bounded by series.flushObservationsMax and series.knownKeysMax (Hub:Series:FlushObservationsMax, KnownKeysMax).",
        ["Hub:Series:Threads"] = "It went with the database that held the series before; remove it. The store writes on one thread and merges on one; questions at once are bounded by series.queriesMax (Hub:Series:QueriesMax).",
        ["Hub:Series:CheckpointMegabytes"] = "It went with the database that held the series before; remove it. How long the write-ahead log may get is series.logMegabytesMax (Hub:Series:LogMegabytesMax).",
    };

    private abstract record Node;

    /// <summary>Every key a user can give, <c>0</c> standing for any place in a list.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Keys(Root, "Hub")];

    /// <summary>What is wrong with a key, and what may have been meant; null for a key that a stage reads.</summary>
    /// <param name="given">With the prefix <c>Hub:</c>.</param>
    /// <param name="value">An empty one empties a list.</param>
    /// <param name="spell">How a key is written where this one was found.</param>
    public static string? Mistake(string given, string? value, Func<string, string> spell)
    {
        if (Retired.TryGetValue(given, out var gone))
        {
            return gone;
        }

        var (node, path) = ((Node)Root, "Hub");
        foreach (var part in given[Prefix.Length..].Split(':'))
        {
            var next = node switch
            {
                Free => node,
                Listing list when uint.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _) => list.Item,
                Map map => map.Item,
                Group group => group.Members.GetValueOrDefault(part),
                _ => null,
            };
            if (next is null)
            {
                return Instead(given, node, path, spell);
            }

            var name = node is Group known ? known.Members.Keys.First(key => string.Equals(key, part, StringComparison.OrdinalIgnoreCase)) : part;
            (node, path) = (next, $"{path}:{name}");
        }

        return node switch
        {
            Value or Free => null,
            _ when string.IsNullOrEmpty(value) => null,
            _ => $"It is a group of settings; {Known(node, path, spell)}.",
        };
    }

    /// <summary>The line of a JSON file in which a key stands, from 1; null when it cannot be found.</summary>
    public static int? Line(ReadOnlySpan<byte> json, string key)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        var (parts, places) = (new List<string>(), new List<int>());
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
                {
                    places.RemoveAt(places.Count - 1);
                    parts.RemoveAt(parts.Count - 1);
                    continue;
                }

                if (reader.TokenType is JsonTokenType.PropertyName)
                {
                    parts[^1] = reader.GetString()!;
                }
                else if (places is [.., >= 0])
                {
                    parts[^1] = places[^1]++.ToString(CultureInfo.InvariantCulture);
                }

                if (string.Equals(string.Join(':', parts), key, StringComparison.OrdinalIgnoreCase))
                {
                    return json[..(int)reader.TokenStartIndex].Count((byte)'\n') + 1;
                }

                if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                {
                    // The place in a list, or -1 in an object, whose parts have names.
                    places.Add(reader.TokenType is JsonTokenType.StartArray ? 0 : -1);
                    parts.Add("");
                }
            }
        }
        catch (JsonException)
        {
            // What reads configuration has taken the file; a key of a line is a courtesy.
        }

        return null;
    }

    private static string Instead(string key, Node node, string path, Func<string, string> spell)
    {
        var wrong = Plain(key);
        var near = All.Select(known => (Known: known, Name: Plain(known)))
            .Concat(HubConfiguration.Endpoints.Select(known => (Known: known, Name: Plain(known[..known.LastIndexOf(':')]))))
            .Select(candidate => (candidate.Known, candidate.Name, Distance: Distance(candidate.Name, wrong)))
            .Where(candidate => candidate.Distance <= Math.Max(1, candidate.Name.Length / 4))
            .OrderBy(candidate => candidate.Distance).ThenBy(candidate => candidate.Known, StringComparer.Ordinal)
            .Select(candidate => candidate.Known).FirstOrDefault();

        // The right name in the wrong group, when only one group has it.
        near ??= All.Where(known => string.Equals(Last(known), Last(key), StringComparison.OrdinalIgnoreCase)).ToArray() is [var only] ? only : null;
        return near is not null ? $"Did you mean {spell(near)}?" : node is Value ? $"{spell(path)} is a single value." : $"{Upper(Known(node, path, spell))}.";

        static string Last(string path) => path[(path.LastIndexOf(':') + 1)..];
        static string Upper(string text) => $"{char.ToUpperInvariant(text[0])}{text[1..]}";
    }

    private static string Known(Node node, string path, Func<string, string> spell) => node switch
    {
        Group group when path == "Hub" => $"there are {string.Join(", ", group.Members.Keys.Order(StringComparer.Ordinal))}",
        Group group => $"{spell(path)} has {string.Join(", ", group.Members.Keys.Order(StringComparer.Ordinal))}",
        Listing => $"{spell(path)} is a list: write {spell($"{path}:0")} for its first item",
        _ => $"{spell(path)} has names of your own, each with a value",
    };

    // As people mistake it: one underscore for two, a point for a colon, a dash, another letter case.
    private static string Plain(string key) => new([.. key[Prefix.Length..].Where(char.IsAsciiLetterOrDigit).Select(char.ToUpperInvariant)]);

    private static string Name(string section) => section[Prefix.Length..];

    private static IEnumerable<string> Keys(Node node, string path) => node switch
    {
        Group group => group.Members.SelectMany(member => Keys(member.Value, $"{path}:{member.Key}")),
        Listing list => Keys(list.Item, $"{path}:0"),
        Map map => Keys(map.Item, $"{path}:NAME"),
        _ => [path],
    };

    private static Node Of(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string) || type.IsPrimitive || type.IsEnum || (type.Namespace == nameof(System) && !typeof(IEnumerable).IsAssignableFrom(type)))
        {
            return Value.Instance;
        }

        if (!typeof(IEnumerable).IsAssignableFrom(type))
        {
            return new Group(Members(type));
        }

        if (type.IsArray)
        {
            return new Listing(Of(type.GetElementType()!));
        }

        return type.GetGenericArguments() switch
        {
            [var item] => new Listing(Of(item)),
            [_, var item] => new Map(Of(item)),
            _ => throw new InvalidOperationException($"{type} is bound by no known rule."),
        };
    }

    private static Dictionary<string, Node> Members(Type type) => type
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.GetIndexParameters().Length == 0 && (property.SetMethod?.IsPublic == true || Of(property.PropertyType) is not Value))
        .ToDictionary(property => property.Name, property => Of(property.PropertyType), StringComparer.OrdinalIgnoreCase);

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

    private sealed record Value : Node
    {
        public static readonly Value Instance = new();
    }

    private sealed record Free : Node
    {
        public static readonly Free Instance = new();
    }

    private sealed record Group(IReadOnlyDictionary<string, Node> Members) : Node;

    private sealed record Listing(Node Item) : Node;

    private sealed record Map(Node Item) : Node;
}
