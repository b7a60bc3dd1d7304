using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Hub.Cloud.Api.Tests;

/// <summary>A document that was right, with one thing done to it.</summary>
/// <param name="Fault">What was done.</param>
/// <param name="Body">The bytes.</param>
/// <param name="Member">The member it was done to; null for the document as a whole.</param>
internal sealed record Malformed(string Fault, byte[] Body, string? Member)
{
    private static readonly string[] RawNumbers = ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "01", "1.", ".5", "+1", "0x10", "1_000", "1,5", "\"\\ud800\""];
    private static readonly string[] Durations = ["", "P", "PT", "-PT1M", "P1Y", "P9999999D", "PT99999999999999999999S", "PT1M1H", "ten minutes", "10", "P1DT", "PT\u0661M", "PT1e3S"];
    private static readonly string[] Texts = ["", " ", "\u0000", "a\nb", "\u0007bell", "A B", "../../etc/passwd", "' OR 1=1 --", "<script>alert(1)</script>", "\ud83d\ude00", "\u202egnihtemos", "%00", "null"];
    private static readonly byte[][] BrokenUtf8 = [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]];

    /// <summary>Does one thing to a JSON object.</summary>
    public static Malformed Json(Random random, string document)
    {
        var whole = JsonNode.Parse(document)!.AsObject();
        var members = whole.Select(member => member.Key).ToList();
        var member = members[random.Next(members.Count)];
        switch (random.Next(16))
        {
            case 0:
                whole[member] = OtherKind(random, whole[member]!);
                return Member("another kind of value", whole);
            case 1:
                whole.Remove(member);
                return Member("a member less", whole);
            case 2:
                whole[$"{member}{(char)('a' + random.Next(26))}"] = 1;
                return Whole("a member that is none", Text(whole));
            case 3:
                whole[member] = new string(random.Next(2) == 0 ? 'x' : 'é', random.Next(201, 40_000));
                return Member("a long text", whole);
            case 4:
                whole[member] = "\u0001";
                return Member("what is no number", Text(whole).Replace("\"\\u0001\"", Of(random, RawNumbers), StringComparison.Ordinal));
            case 5:
                whole[member] = Of(random, Durations);
                return Member("no duration", whole);
            case 6:
                whole[member] = Of(random, Texts);
                return Member("an odd text", whole);
            case 7:
                var depth = random.Next(40, 5_000);
                whole[member] = "\u0001";
                var (open, close) = random.Next(2) == 0 ? ("[", "]") : ("{\"a\":", "}");
                return Member("nesting", Text(whole).Replace("\"\\u0001\"", new StringBuilder().Insert(0, open, depth).Append('1').Insert(depth * open.Length + 1, close, depth).ToString(), StringComparison.Ordinal));
            case 8:
                return Cut(random, Text(whole));
            case 9:
                return Broken(random, Text(whole));
            case 10:
                return Flipped(random, Text(whole));
            case 11:
                whole["\u0001"] = whole[member]!.DeepClone();
                return Member("a member twice", Text(whole).Replace("\\u0001", random.Next(2) == 0 ? member : member.ToUpperInvariant(), StringComparison.Ordinal));
            case 12:
                return Whole("something after the end", Text(whole) + Of(random, ["}", ",", "null", "{}", "x", "//"]));
            case 13:
                return Whole("another document", Of(random, ["", "null", "[]", "0", "\"rule\"", "true", "[" + Text(whole) + "]", "{}", " ", "<rule/>", "rule: yes"]));
            case 14:
                return Whole("a comma or a comment", Text(whole)[..^1] + Of(random, [",}", "/* x */}", ", // x\n}", ";}"]));
            default:
                return new Malformed("UTF-16", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(Text(whole))], null);
        }

        Malformed Member(string fault, object content) => new(fault, Encoding.UTF8.GetBytes(content as string ?? Text((JsonObject)content)), member);
    }

    /// <summary>Does one thing to a YAML file with a list of rules, a member on a line.</summary>
    public static Malformed Yaml(Random random, string document)
    {
        var lines = document.TrimEnd('\n').Split('\n').ToList();
        var at = random.Next(1, lines.Count);
        var line = lines[at];
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        var (key, member) = (line[..colon], line[..colon].TrimStart(' ', '-'));
        switch (random.Next(17))
        {
            case 0:
                return Line("another kind of value", $"{key}: {Of(random, ["[]", "{}", "[1, 2]", "{a: 1}", "~", "yes please", "12:30:00", ".nan", ".inf", "1e999", "!!binary aGVsbG8=", "!!python/object:os.system x", "!<tag:x> y", "*nothing"])}");
            case 1:
                lines.RemoveAt(at);
                return new Malformed("a line less", Encoding.UTF8.GetBytes(Joined()), member);
            case 2:
                return Line("a member that is none", $"{key}{(char)('a' + random.Next(26))}: 1");
            case 3:
                return Line("a long text", $"{key}: {new string('x', random.Next(201, 40_000))}");
            case 4:
                return Line("no duration or word", $"{key}: \"{Of(random, [.. Durations, .. Texts]).Replace("\0", "\\0", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal).Replace("\u0007", "\\a", StringComparison.Ordinal)}\"");
            case 5:
                return Line("a member twice", $"{line}\n{new string(' ', key.Length - member.Length)}{member}: 1");
            case 6:
                return Line("a tab", $"\t{line}");
            case 7:
                return Line("another indentation", $"{new string(' ', random.Next(1, 9))}{line}");
            case 8:
                var (open, close) = random.Next(2) == 0 ? ("[", "]") : ("{a: ", "}");
                var depth = random.Next(40, 20_000);
                return Line("nesting", $"{key}: {new StringBuilder().Insert(0, open, depth)}1{(random.Next(2) == 0 ? "" : new StringBuilder().Insert(0, close, depth))}");
            case 9:
                return Cut(random, Joined());
            case 10:
                return Broken(random, Joined());
            case 11:
                return Flipped(random, Joined());
            case 12:
                // Each alias stands for nine of the one before.
                var bomb = string.Concat(Enumerable.Range(0, 9).Select(i => $"a{i}: &a{i} [{(i == 0 ? "x" : string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9)))}]\n"));
                return Whole("aliases of aliases", random.Next(2) == 0 ? bomb + Joined() : $"{Joined()}\n{bomb}");
            case 13:
                return Whole("another document", Of(random, ["", "rules:", "rules: 1", "rules: [1]", "rules: [~]", "rules: {}", "- a", "a: b", "--- a\n--- b", "rules: &r [*r]", "%YAML 9.9\n---\nrules: []", "\"", "{", "]", "{}", "rules: [[]]"]));
            case 14:
                return Whole("a document more", $"{Joined()}\n---\n{Joined()}\n...\nx");
            case 15:
                return Whole("a member beside the list", $"{Joined()}\nrule: x\n");
            default:
                return new Malformed("UTF-16", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(Joined())], null);
        }

        Malformed Line(string fault, string instead)
        {
            lines[at] = instead;
            return new Malformed(fault, Encoding.UTF8.GetBytes(Joined()), member);
        }

        string Joined() => string.Join('\n', lines) + "\n";
    }

    /// <summary>A value that no parameter of an address, and no name in it, takes; some may happen to be right.</summary>
    public static string Value(Random random) => random.Next(3) switch
    {
        0 => Of(random, Texts),
        1 => Of(random, [.. Durations, .. RawNumbers]),
        _ => Of(random, ["-1", "0", "99999999999999999999", "1e3", "maybe", "TRUE", "2026-13-45T25:61:00Z", "2026-03-01", "0001-01-01T00:00:00-23:00", "9999-12-31T23:59:59+23:00", "a,b", new string('9', 3_000), "\u0661"]),
    };

    private static Malformed Whole(string fault, string text) => new(fault, Encoding.UTF8.GetBytes(text), null);

    private static Malformed Cut(Random random, string text) => Whole("cut off", text[..random.Next(1, text.Length)]);

    private static Malformed Broken(Random random, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var at = random.Next(bytes.Length);
        return new Malformed("no UTF-8", [.. bytes[..at], .. BrokenUtf8[random.Next(BrokenUtf8.Length)], .. bytes[at..]], null);
    }

    private static Malformed Flipped(Random random, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        }

        return new Malformed("bits flipped", bytes, null);
    }

    private static JsonNode? OtherKind(Random random, JsonNode value)
    {
        JsonNode?[] kinds = [null, new JsonArray(), new JsonArray(value.DeepClone()), new JsonObject(), new JsonObject { ["value"] = value.DeepClone() }, true, 12.5, value.ToJsonString().Trim('"')];
        return kinds[random.Next(kinds.Length)];
    }

    private static string Text(JsonObject whole) => whole.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = false });

    private static string Of(Random random, string[] some) => some[random.Next(some.Length)];

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Fault}{(Member is null ? "" : $" ({Member})")}, {Body.Length} bytes: {Encoding.Latin1.GetString(Body.AsSpan(0, Math.Min(Body.Length, 600)))}");
}
