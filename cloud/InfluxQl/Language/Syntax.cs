using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Hub.Cloud.InfluxQl.Language;

/// <summary>An expression. <see cref="object.ToString"/> writes it as InfluxQL; two that are written the same are the same.</summary>
internal abstract record Node(Place Place);

/// <summary>A field or tag by name.</summary>
internal sealed record NameNode(string Name, string? Kind, Place Place) : Node(Place)
{
    public override string ToString() => Kind is null ? Quote(Name) : $"{Quote(Name)}::{Kind}";

    public static string Quote(string name) => $"\"{name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}

/// <summary><c>*</c>, <c>*::field</c> or <c>*::tag</c>.</summary>
internal sealed record StarNode(string? Kind, Place Place) : Node(Place)
{
    public override string ToString() => Kind is null ? "*" : $"*::{Kind}";
}

/// <summary>A regular expression.</summary>
internal sealed record RegexNode(Regex Regex, Place Place) : Node(Place)
{
    public override string ToString() => $"/{Regex}/";
}

/// <summary>A function, its name in lower case.</summary>
internal sealed record CallNode(string Name, ImmutableArray<Node> Arguments, Place Place) : Node(Place)
{
    public override string ToString() => $"{Name}({string.Join(", ", Arguments)})";
}

/// <summary>Two expressions and what is done with them; the sign is one of + - * / % &amp; | ^ = != &lt; &lt;= &gt; &gt;= =~ !~ AND OR.</summary>
internal sealed record BinaryNode(string Sign, Node Left, Node Right, Place Place) : Node(Place)
{
    public override string ToString() => $"{Left} {Sign} {Right}";

    public bool IsComparison => Sign is "=" or "!=" or "<" or "<=" or ">" or ">=" or "=~" or "!~";

    public bool IsLogical => Sign is "AND" or "OR";
}

/// <summary>An expression in parentheses.</summary>
internal sealed record ParenthesesNode(Node Inner, Place Place) : Node(Place)
{
    public override string ToString() => $"({Inner})";
}

/// <summary>Something that is written out: a number, text, truth value.</summary>
internal sealed record LiteralNode(Value Value, Place Place) : Node(Place)
{
    public override string ToString() => Value.ToString();
}

/// <summary>A length of time, nanoseconds.</summary>
internal sealed record DurationNode(long Nanoseconds, Place Place) : Node(Place)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Nanoseconds}ns");
}

/// <summary>A selected expression.</summary>
internal sealed record SelectedField(Node Node, string? Alias)
{
    /// <summary>Name of its column before conflicts are resolved.</summary>
    public string Name => Alias ?? NameOf(Node);

    private static string NameOf(Node node) => node switch
    {
        CallNode call => call.Name,
        NameNode name => name.Name,
        ParenthesesNode inner => NameOf(inner.Inner),
        BinaryNode binary => string.Join('_', Names(binary)),
        _ => "",
    };

    private static IEnumerable<string> Names(Node node) => node switch
    {
        NameNode name => [name.Name],
        CallNode call => [call.Name],
        BinaryNode binary => Names(binary.Left).Concat(Names(binary.Right)),
        ParenthesesNode inner => Names(inner.Inner),
        _ => [],
    };
}

/// <summary>What is read from.</summary>
internal abstract record SourceNode(Place Place);

/// <summary>Measurements by name or regular expression.</summary>
internal sealed record MeasurementSource(string? Database, string? Policy, string? Name, Regex? Regex, Place Place) : SourceNode(Place);

/// <summary>The rows of another question.</summary>
internal sealed record SubquerySource(SelectNode Select, Place Place) : SourceNode(Place);

/// <summary>What stands in the gaps of buckets.</summary>
internal enum FillKind
{
    Null,
    None,
    Previous,
    Linear,
    Number,
}

/// <summary>A statement.</summary>
internal abstract record StatementNode;

/// <summary>SELECT.</summary>
internal sealed record SelectNode(ImmutableArray<SelectedField> Fields, ImmutableArray<SourceNode> Sources, Place Place) : StatementNode
{
    public Node? Where { get; init; }

    public ImmutableArray<Node> GroupBy { get; init; } = [];

    public FillKind Fill { get; init; }

    public Value FillValue { get; init; }

    public bool? Ascending { get; init; }

    public int Limit { get; init; }

    public int Offset { get; init; }

    public int SeriesLimit { get; init; }

    public int SeriesOffset { get; init; }

    public TimeZoneInfo? Zone { get; init; }
}

/// <summary>What SHOW shows.</summary>
internal enum ShowKind
{
    Databases,
    RetentionPolicies,
    Measurements,
    TagKeys,
    TagValues,
    FieldKeys,
    Series,
}

/// <summary>SHOW.</summary>
internal sealed record ShowNode(ShowKind Kind) : StatementNode
{
    public string? Database { get; init; }

    public ImmutableArray<MeasurementSource> Sources { get; init; } = [];

    /// <summary>Of SHOW TAG VALUES: which keys.</summary>
    public Func<string, bool> Keys { get; init; } = static _ => true;

    public Node? Where { get; init; }

    public int Limit { get; init; }

    public int Offset { get; init; }
}
