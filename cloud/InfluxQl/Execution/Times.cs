using System.Globalization;
using System.Text.RegularExpressions;
using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>Takes the limits of time out of a condition: what is left is about tags and fields.</summary>
internal sealed partial class Times(long now, TimeZoneInfo? zone)
{
    private static readonly string[] DateTimes = ["yyyy-MM-dd HH:mm:ss.FFFFFFF", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd"];

    private long? earliest;
    private long? latest;

    private enum Sort
    {
        Instant,
        Length,
        Number,
    }

    /// <summary>The rest of a condition, null when nothing is left, and its limits of time, null where there is none.</summary>
    /// <exception cref="QuestionException">It is no condition.</exception>
    public (Node? Condition, long? Earliest, long? Latest) Split(Node? condition)
    {
        var rest = condition is null ? null : Rest(condition);
        return (rest, earliest, latest);
    }

    /// <summary>An instant in text, nanoseconds since 1970; without a zone of its own it is one of the clock of the zone.</summary>
    public long Instant(string text, Place place)
    {
        if (DateTime.TryParseExact(text, DateTimes, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
        {
            return Checked(place, () => Nanoseconds.Of(DateTime.SpecifyKind(local, DateTimeKind.Utc)) - LocalOffset(local));
        }

        if (Rfc3339().Match(text) is { Success: true } match
            && DateTimeOffset.TryParseExact(match.Groups[1].Value + match.Groups[3].Value.Replace("Z", "+00:00", StringComparison.Ordinal), "yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture, DateTimeStyles.None, out var instant))
        {
            var fraction = match.Groups[2].Value is { Length: > 0 } digits ? long.Parse(digits[1..].PadRight(9, '0'), CultureInfo.InvariantCulture) : 0;
            return Checked(place, () => checked(Nanoseconds.Of(instant.UtcDateTime) + fraction));
        }

        throw new QuestionException($"invalid time '{(text.Length > 60 ? text[..60] : text)}': write '2026-03-01', '2026-03-01 08:00:00' or '2026-03-01T08:00:00Z'", place);
    }

    private long LocalOffset(DateTime local)
    {
        if (zone is null)
        {
            return 0;
        }

        // The offset that holds at the instant looked for: asked at a guess, and once more there.
        var guess = DateTime.SpecifyKind(local, DateTimeKind.Utc);
        var offset = zone.GetUtcOffset(guess);
        var again = zone.GetUtcOffset(guess - offset);
        return again.Ticks * Nanoseconds.PerTick;
    }

    private Node? Rest(Node node)
    {
        switch (node)
        {
            case BinaryNode { IsLogical: true } logical:
                var (left, right) = (Rest(logical.Left), Rest(logical.Right));
                return left is null ? right : right is null ? left : logical with { Left = left, Right = right };
            case BinaryNode { Left: NameNode name } comparison when IsTime(name):
                Limit(comparison.Sign, comparison.Right, comparison.Place);
                return null;
            case BinaryNode { Right: NameNode name } comparison when IsTime(name):
                Limit(comparison.Sign switch { "<" => ">", "<=" => ">=", ">" => "<", ">=" => "<=", var same => same }, comparison.Left, comparison.Place);
                return null;
            case BinaryNode binary:
                return binary;
            case ParenthesesNode parentheses:
                return Rest(parentheses.Inner) is { } inner ? parentheses with { Inner = inner } : null;
            case LiteralNode { Value.Kind: ValueKind.Boolean } truth:
                return truth;
            default:
                throw new QuestionException($"invalid condition expression: {node}", node.Place);
        }
    }

    private static bool IsTime(NameNode name) => name.Name.Equals("time", StringComparison.OrdinalIgnoreCase);

    private void Limit(string sign, Node node, Place place)
    {
        var value = Checked(node.Place, () => Evaluate(node).Value);
        switch (sign)
        {
            case ">":
                earliest = Math.Max(earliest ?? long.MinValue, Checked(place, () => checked(value + 1)));
                break;
            case ">=":
                earliest = Math.Max(earliest ?? long.MinValue, value);
                break;
            case "<":
                latest = Math.Min(latest ?? long.MaxValue, Checked(place, () => checked(value - 1)));
                break;
            case "<=":
                latest = Math.Min(latest ?? long.MaxValue, value);
                break;
            case "=":
                earliest = Math.Max(earliest ?? long.MinValue, value);
                latest = Math.Min(latest ?? long.MaxValue, value);
                break;
            default:
                throw new QuestionException($"invalid time comparison operator: {sign}", place);
        }
    }

    private (long Value, Sort Sort) Evaluate(Node node)
    {
        switch (node)
        {
            case ParenthesesNode parentheses:
                return Evaluate(parentheses.Inner);
            case DurationNode duration:
                return (duration.Nanoseconds, Sort.Length);
            case LiteralNode { Value.IsNumber: true } number:
                return (number.Value.Integer, Sort.Number);
            case LiteralNode { Value.Kind: ValueKind.Text } text:
                return (Instant(text.Value.Text, text.Place), Sort.Instant);
            case CallNode { Name: "now", Arguments.IsEmpty: true }:
                return (now, Sort.Instant);
            case BinaryNode binary:
                var (a, b) = (Evaluate(binary.Left), Evaluate(binary.Right));
                return (binary.Sign, a.Sort, b.Sort) switch
                {
                    ("+", Sort.Instant, Sort.Instant) => throw Incompatible(binary),
                    ("+", _, _) => (checked(a.Value + b.Value), a.Sort == Sort.Instant || b.Sort == Sort.Instant ? Sort.Instant : a.Sort == Sort.Length ? a.Sort : b.Sort),
                    ("-", Sort.Instant, Sort.Instant) => (checked(a.Value - b.Value), Sort.Length),
                    ("-", Sort.Length or Sort.Number, Sort.Instant) => throw Incompatible(binary),
                    ("-", _, _) => (checked(a.Value - b.Value), a.Sort == Sort.Number ? b.Sort : a.Sort),
                    ("*", Sort.Number, Sort.Number or Sort.Length) => (checked(a.Value * b.Value), b.Sort),
                    ("*", Sort.Length, Sort.Number) => (checked(a.Value * b.Value), Sort.Length),
                    ("/", Sort.Length or Sort.Number, Sort.Number) => (b.Value is 0 or -1 ? 0 : a.Value / b.Value, a.Sort),
                    _ => throw Incompatible(binary),
                };
            default:
                throw Incompatible(node);
        }
    }

    private static QuestionException Incompatible(Node node) =>
        new($"invalid operation: time and {node} are not compatible; compare time with a time in quotes, a number with a unit, or now() and a duration", node.Place);

    private static long Checked(Place place, Func<long> compute)
    {
        try
        {
            var value = compute();
            return value is >= Span.Earliest and <= Span.Latest ? value : throw new OverflowException();
        }
        catch (OverflowException)
        {
            throw new QuestionException("the time is outside of 1677-09-21 to 2262-04-11", place);
        }
    }

    [GeneratedRegex(@"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$", RegexOptions.CultureInvariant)]
    private static partial Regex Rfc3339();
}
