using System.Collections.Immutable;
using System.Globalization;
using Hub.Cloud.InfluxQl.Data;
using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>Makes a plan of a SELECT: resolves names, writes wildcards out, refuses what does not go together, as InfluxDB 1.6 does (query/compile.go).</summary>
internal sealed partial class Compiler
{
    private readonly Catalog catalog;
    private readonly SelectNode node;
    private readonly Compiler? parent;
    private readonly List<CallPlan> calls = [];
    private readonly List<NameNode> names = [];
    private long width;
    private long offset;
    private bool widthInherited;
    private Span span;
    private bool ascending;
    private bool onlySelectors = true;
    private bool hasDistinct;
    private int callCount;
    private ImmutableArray<PlanSource> sources = [];
    private ImmutableArray<string> dimensions = [];
    private ImmutableArray<string> grouping = [];

    private Compiler(Catalog catalog, SelectNode node, Compiler? parent)
    {
        this.catalog = catalog;
        this.node = node;
        this.parent = parent;
    }

    /// <summary>Makes the plan.</summary>
    /// <exception cref="QuestionException">The question makes no sense, or asks for what is not supported.</exception>
    public static SelectPlan Compile(Catalog catalog, SelectNode node) => new Compiler(catalog, node, null).Compile();

    private SelectPlan Compile()
    {
        var times = new Times(catalog.Now, node.Zone);
        var (condition, earliest, latest) = times.Split(node.Where);
        CheckCondition(condition);
        ReadDimensions(times);
        ascending = node.Ascending ?? true;
        if (parent is not null)
        {
            if (node.Ascending is { } own && own != parent.ascending)
            {
                throw new QuestionException("subqueries must be ordered in the same direction as the query itself", node.Place);
            }

            ascending = parent.ascending;
            if (width == 0 && parent.width != 0)
            {
                (width, offset, widthInherited) = (parent.width, parent.offset, true);
            }
        }

        var end = latest ?? Span.Latest;
        if (parent is not null)
        {
            var wanted = parent.Wanted();
            (earliest, end) = (Math.Max(earliest ?? Span.Earliest, wanted.Start), Math.Min(end, wanted.End));
        }

        // Buckets without an end would go on for ever.
        span = new Span(earliest ?? Span.Earliest, width != 0 && end == Span.Latest ? catalog.Now : end);
        CompileSources();
        ExpandDimensions();
        var fields = ExpandFields();
        CheckFields(fields);
        var columns = Columns(fields);
        return new SelectPlan
        {
            Node = node,
            Sources = sources,
            Condition = condition,
            Windows = new Windows(width, offset, node.Zone, span),
            Ascending = ascending,
            Dimensions = dimensions,
            Grouping = grouping,
            Fields = fields,
            Columns = columns,
            TimeColumn = node.Fields.LastOrDefault(field => field.Node is NameNode { Name: "time" })?.Alias ?? "time",
            Calls = [.. calls],
            Names = [.. names],
            Kinds = columns.Select((column, i) => (column, Kind: KindOf(fields[i].Node))).DistinctBy(pair => pair.column).ToDictionary(pair => pair.column, pair => pair.Kind, StringComparer.Ordinal),
            Fill = parent is not null && node.Fill == FillKind.Null && calls.Count > 0 ? FillKind.None : node.Fill,
        };
    }

    /// <summary>What a question within this one is asked about: a bucket more for each function that looks at the one before.</summary>
    private Span Wanted()
    {
        var more = node.Fields.Max(field => Depth(field.Node)) * (Int128)width;
        return ascending
            ? span with { Start = (long)Int128.Max(Span.Earliest, span.Start - more) }
            : span with { End = (long)Int128.Min(Span.Latest, span.End + more) };

        static int Depth(Node expression) => expression switch
        {
            CallNode call => call.Arguments.Select(Depth).DefaultIfEmpty().Max() + (Transforms.Is(call.Name) && call.Name != "cumulative_sum" && call.Arguments is [CallNode, ..] ? 1 : 0),
            BinaryNode binary => Math.Max(Depth(binary.Left), Depth(binary.Right)),
            ParenthesesNode parentheses => Depth(parentheses.Inner),
            _ => 0,
        };
    }

    private static void CheckCondition(Node? condition)
    {
        switch (condition)
        {
            case BinaryNode binary:
                CheckCondition(binary.Left);
                CheckCondition(binary.Right);
                break;
            case ParenthesesNode parentheses:
                CheckCondition(parentheses.Inner);
                break;
            case CallNode call:
                CheckMath(call, "invalid function call in condition");
                foreach (var argument in call.Arguments)
                {
                    CheckCondition(argument);
                }

                break;
            case StarNode or DurationNode:
                throw new QuestionException($"found {condition}, which a condition cannot be about", condition.Place);
        }
    }

    private static void CheckMath(CallNode call, string otherwise)
    {
        if (MathFunctions.Arity(call.Name) is not { } arity)
        {
            throw new QuestionException($"{otherwise}: {call.Name}()", call.Place);
        }

        CheckCount(call, arity, arity);
    }

    private static void CheckCount(CallNode call, int least, int most)
    {
        var got = call.Arguments.Length;
        if (got < least || got > most)
        {
            throw new QuestionException(
                string.Create(CultureInfo.InvariantCulture, $"invalid number of arguments for {call.Name}, expected {(least == most ? $"{most}" : $"at least {least} but no more than {most}")}, got {got}"), call.Place);
        }
    }

    private void ReadDimensions(Times times)
    {
        foreach (var dimension in node.GroupBy)
        {
            switch (dimension)
            {
                case NameNode name when name.Name.Equals("time", StringComparison.OrdinalIgnoreCase):
                    throw new QuestionException("time() is a function and expects at least one argument", name.Place);
                case NameNode or StarNode { Kind: null or "tag" } or RegexNode:
                    break;
                case CallNode { Name: "time" } time:
                    ReadInterval(time, times);
                    break;
                case CallNode call:
                    throw new QuestionException($"only time() calls allowed in dimensions, found {call.Name}()", call.Place);
                default:
                    throw new QuestionException($"only time and tag dimensions allowed, found {dimension}", dimension.Place);
            }
        }
    }

    private void ReadInterval(CallNode time, Times times)
    {
        if (time.Arguments.Length is < 1 or > 2)
        {
            throw new QuestionException("time dimension expected 1 or 2 arguments", time.Place);
        }

        if (time.Arguments[0] is not DurationNode { Nanoseconds: > 0 } interval)
        {
            throw new QuestionException("time dimension must have duration argument, such as time(5m)", time.Arguments[0].Place);
        }

        if (width != 0)
        {
            throw new QuestionException("multiple time dimensions not allowed", time.Place);
        }

        width = interval.Nanoseconds;
        if (time.Arguments.Length == 2)
        {
            offset = time.Arguments[1] switch
            {
                DurationNode duration => duration.Nanoseconds % width,
                CallNode { Name: "now", Arguments.IsEmpty: true } => Modulo(catalog.Now, width),
                LiteralNode { Value.Kind: ValueKind.Text } text => Modulo(times.Instant(text.Value.Text, text.Place), width),
                _ => throw new QuestionException("time dimension offset must be duration or now()", time.Arguments[1].Place),
            };
        }
    }

    private static long Modulo(long value, long width) => ((value % width) + width) % width;

    private void CompileSources()
    {
        var compiled = ImmutableArray.CreateBuilder<PlanSource>();
        foreach (var source in node.Sources)
        {
            if (source is SubquerySource subquery)
            {
                // What it inherits of this question must be known first; its columns are needed for the wildcards of this one.
                grouping = [.. OwnTags().Concat(parent?.grouping ?? []).Distinct(StringComparer.Ordinal)];
                compiled.Add(new PlanSource(null, new Compiler(catalog, subquery.Select, this).Compile()));
                continue;
            }

            compiled.AddRange(catalog.Find((MeasurementSource)source).Select(measurement => new PlanSource(measurement, null)));
        }

        sources = [.. compiled.DistinctBy(source => (object?)source.Measurement ?? source.Select)];
    }

    private IEnumerable<string> OwnTags() => node.GroupBy.OfType<NameNode>().Select(name => name.Name);

    private void ExpandDimensions()
    {
        List<string> expanded = [];
        foreach (var dimension in node.GroupBy)
        {
            var keys = sources.SelectMany(source => source.TagKeys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
            expanded.AddRange(dimension switch
            {
                NameNode name => [name.Name],
                StarNode => keys,
                RegexNode regex => keys.Where(key => regex.Regex.IsMatch(key)),
                _ => [],
            });
        }

        dimensions = [.. expanded.Distinct(StringComparer.Ordinal)];
        grouping = [.. dimensions.Concat(parent?.grouping ?? []).Distinct(StringComparer.Ordinal)];
    }

    private ValueKind KindOf(string name, string? kind = null)
    {
        var kinds = sources.Where(source => kind != "tag" || source.TagKeys.Contains(name)).Select(source => source.KindOf(name)).Where(found => found != ValueKind.Null).ToArray();
        return kinds.Length == 0 ? ValueKind.Null : kinds.Min();
    }

    /// <summary>Kind of the values of an expression; of what is not known nothing.</summary>
    private ValueKind KindOf(Node expression) => expression switch
    {
        NameNode name => KindOf(name.Name, name.Kind),
        LiteralNode literal => literal.Value.Kind,
        ParenthesesNode parentheses => KindOf(parentheses.Inner),
        CallNode call when MathFunctions.Arity(call.Name) is not null => MathFunctions.KindOf(call.Name, KindOf(call.Arguments[0])),
        CallNode call => calls.Find(known => known.Key == call.ToString())?.Kind ?? ValueKind.Null,
        BinaryNode { IsComparison: true } or BinaryNode { IsLogical: true } => ValueKind.Boolean,
        BinaryNode binary => (KindOf(binary.Left), KindOf(binary.Right)) switch
        {
            (ValueKind.Integer, ValueKind.Integer) when binary.Sign != "/" => ValueKind.Integer,
            (ValueKind.Float or ValueKind.Integer, ValueKind.Float or ValueKind.Integer) => ValueKind.Float,
            (ValueKind.Null, var right) => right,
            (var left, _) => left,
        },
        _ => ValueKind.Null,
    };

    /// <summary>Names of the columns: as they are called, and where two are called the same the later one with a number.</summary>
    private static ImmutableArray<string> Columns(ImmutableArray<SelectedField> fields)
    {
        var columns = new string[fields.Length];
        var met = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < fields.Length; i++)
        {
            if (fields[i].Alias is { } alias)
            {
                columns[i] = alias;
                met[alias] = 1;
            }
        }

        for (var i = 0; i < fields.Length; i++)
        {
            if (columns[i] is not null)
            {
                continue;
            }

            var name = fields[i].Name;
            if (met.TryGetValue(name, out var count))
            {
                while (met.ContainsKey(string.Create(CultureInfo.InvariantCulture, $"{name}_{count}")))
                {
                    count++;
                }

                met[name] = count + 1;
                name = string.Create(CultureInfo.InvariantCulture, $"{name}_{count}");
            }

            met[name] = met.GetValueOrDefault(name) + 1;
            columns[i] = name;
        }

        return [.. columns];
    }
}
