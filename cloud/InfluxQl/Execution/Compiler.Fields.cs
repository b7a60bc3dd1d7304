using System.Collections.Immutable;
using System.Globalization;
using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

internal sealed partial class Compiler
{
    private static readonly string[] Numeric = ["sum", "mean", "median", "stddev", "spread", "percentile", "derivative", "non_negative_derivative", "difference", "non_negative_difference", "moving_average", "cumulative_sum", "top", "bottom"];

    private static readonly string[] Known = ["count", "sum", "mean", "median", "mode", "stddev", "spread", "min", "max", "first", "last", "percentile", "distinct", "top", "bottom"];

    /// <summary>The selected expressions with wildcards written out, without time, which is always there.</summary>
    private ImmutableArray<SelectedField> ExpandFields()
    {
        var expanded = ImmutableArray.CreateBuilder<SelectedField>();
        foreach (var field in node.Fields)
        {
            switch (field.Node)
            {
                case NameNode { Name: "time" }:
                    break;
                case StarNode star:
                    expanded.AddRange(AllNames(star.Kind, static _ => true).Select(name => new SelectedField(name, null)));
                    break;
                case RegexNode regex:
                    expanded.AddRange(AllNames(null, regex.Regex.IsMatch).Select(name => new SelectedField(name, null)));
                    break;
                case CallNode call when MathFunctions.Arity(call.Name) is null && Innermost(call) is { Arguments: [StarNode or RegexNode, ..] } innermost:
                    expanded.AddRange(ExpandCall(field, call, innermost));
                    break;
                default:
                    expanded.Add(field);
                    break;
            }
        }

        return expanded.Count > 0 || node.Fields.Any(field => field.Node is StarNode or RegexNode or CallNode)
            ? expanded.ToImmutable()
            : throw new QuestionException("at least 1 non-time field must be queried", node.Place);
    }

    private static CallNode Innermost(CallNode call) => call.Arguments is [CallNode inner, ..] ? Innermost(inner) : call;

    private IEnumerable<SelectedField> ExpandCall(SelectedField field, CallNode call, CallNode innermost)
    {
        if (innermost.Arguments[0] is StarNode { Kind: "tag" } star)
        {
            throw new QuestionException($"unable to use tag wildcard in {innermost.Name}()", star.Place);
        }

        Predicate<string> wanted = innermost.Arguments[0] is RegexNode regex ? regex.Regex.IsMatch : static _ => true;
        foreach (var name in AllNames("field", wanted))
        {
            var kind = KindOf(name.Name);
            if (kind is ValueKind.Text or ValueKind.Boolean
                && !(innermost.Name is "count" or "first" or "last" or "distinct" or "elapsed" or "mode")
                && !(kind == ValueKind.Boolean && innermost.Name is "min" or "max"))
            {
                continue;
            }

            yield return new SelectedField(Replace(call), $"{field.Name}_{name.Name}");

            CallNode Replace(CallNode outer) => ReferenceEquals(outer, innermost)
                ? outer with { Arguments = outer.Arguments.SetItem(0, name) }
                : outer with { Arguments = outer.Arguments.SetItem(0, Replace((CallNode)outer.Arguments[0])) };
        }
    }

    /// <summary>Fields, and tags that the answer is not told apart by, in order of name.</summary>
    private IEnumerable<NameNode> AllNames(string? kind, Predicate<string> wanted)
    {
        var fields = kind == "tag" ? [] : sources.SelectMany(source => source.FieldNames);
        var tags = kind == "field" || !sources.Any(source => source.FieldNames.Any()) ? [] : sources.SelectMany(source => source.TagKeys).Except(dimensions);
        return fields.Concat(tags).Distinct(StringComparer.Ordinal).Where(name => wanted(name)).Order(StringComparer.Ordinal).Select(name => new NameNode(name, null, node.Place));
    }

    private void CheckFields(ImmutableArray<SelectedField> fields)
    {
        foreach (var field in fields)
        {
            CheckField(field.Node, top: true);
        }

        if (callCount == 0 && fields.Length > 0)
        {
            if (node.Fill is FillKind.None or FillKind.Linear)
            {
                throw new QuestionException($"fill({(node.Fill == FillKind.None ? "none" : "linear")}) must be used with a function", node.Place);
            }

            if (width != 0 && !widthInherited)
            {
                throw new QuestionException("GROUP BY requires at least one aggregate function", node.Place);
            }
        }

        if (hasDistinct && (callCount != 1 || names.Count > 0))
        {
            throw new QuestionException("aggregate function distinct() cannot be combined with other functions or fields", node.Place);
        }

        if (calls.Exists(call => call.Name is "top" or "bottom") && callCount > 1)
        {
            throw new QuestionException($"selector function {calls.Find(call => call.Name is "top" or "bottom")!.Name}() cannot be combined with other functions", node.Place);
        }

        if (names.Count > 0 && callCount > 0)
        {
            if (!onlySelectors)
            {
                throw new QuestionException("mixing aggregate and non-aggregate queries is not supported", node.Place);
            }

            if (callCount > 1)
            {
                throw new QuestionException("mixing multiple selector functions with tags or fields is not supported", node.Place);
            }
        }
    }

    private void CheckField(Node expression, bool top = false)
    {
        switch (expression)
        {
            case NameNode name:
                if (!names.Exists(known => known.Name == name.Name && known.Kind == name.Kind))
                {
                    names.Add(name);
                }

                break;
            case ParenthesesNode parentheses:
                CheckField(parentheses.Inner, top);
                break;
            case LiteralNode when top:
                throw new QuestionException($"field must contain at least one variable, found {expression}", expression.Place);
            case LiteralNode:
                break;
            case BinaryNode { Left: LiteralNode, Right: LiteralNode }:
                throw new QuestionException("cannot perform a binary expression on two literals", expression.Place);
            case BinaryNode binary:
                CheckField(binary.Left);
                CheckField(binary.Right);
                break;
            case CallNode call when MathFunctions.Arity(call.Name) is not null:
                CheckMath(call, "undefined function");
                foreach (var argument in call.Arguments)
                {
                    CheckField(argument);
                }

                break;
            case CallNode call:
                callCount++;
                if (!calls.Exists(known => known.Key == call.ToString()))
                {
                    calls.Add(Call(call, nested: false));
                }

                break;
            case StarNode:
                throw new QuestionException("unable to use wildcard in a binary expression", expression.Place);
            case RegexNode:
                throw new QuestionException("unable to use regex in a binary expression", expression.Place);
            default:
                throw new QuestionException($"found {expression}, which cannot be selected", expression.Place);
        }
    }

    private CallPlan Call(CallNode call, bool nested)
    {
        if (Transforms.Is(call.Name))
        {
            return Transform(call);
        }

        if (!Known.Contains(call.Name, StringComparer.Ordinal))
        {
            throw new QuestionException($"undefined function {call.Name}(): this hub knows {string.Join(", ", Known)}, {string.Join(", ", Numeric.Where(Transforms.Is))}, elapsed", call.Place);
        }

        var parameters = call.Name is "percentile" or "top" or "bottom" ? 2 : 1;
        if (call.Name is "top" or "bottom" && call.Arguments.Length > 2)
        {
            throw new QuestionException($"{call.Name}() by tags is not supported: write {call.Name}(field, number) and GROUP BY the tags", call.Arguments[1].Place);
        }

        CheckCount(call, parameters, parameters);
        if (call.Name == "count" && call.Arguments[0] is CallNode { Name: "distinct" } distinct)
        {
            onlySelectors = false;
            CheckCount(distinct, 1, 1);
            return new CallPlan(call.ToString(), "count", null, Of(distinct, 0)) { Kind = ValueKind.Integer };
        }

        var plan = Of(call, Parameter(call));
        onlySelectors &= plan.IsSelector;
        hasDistinct |= call.Name == "distinct" && !nested;
        return plan;
    }

    private static double Parameter(CallNode call) => (call.Name, call.Arguments) switch
    {
        ("percentile", [_, LiteralNode { Value.IsNumber: true } number]) => number.Value.Float,
        ("percentile", [_, var other]) => throw new QuestionException("expected float argument in percentile()", other.Place),
        ("top" or "bottom", [_, LiteralNode { Value: { Kind: ValueKind.Integer, Integer: > 0 and < 100_000 } } number]) => number.Value.Integer,
        ("top" or "bottom", [_, var other]) => throw new QuestionException($"expected integer as last argument in {call.Name}(), 1 to 99999, found {other}", other.Place),
        _ => 0,
    };

    private CallPlan Of(CallNode call, double parameter)
    {
        if (call.Arguments[0] is not NameNode field)
        {
            throw new QuestionException($"expected field argument in {call.Name}(), found {call.Arguments[0]}", call.Arguments[0].Place);
        }

        var kind = KindOf(field.Name, field.Kind);
        if (kind is ValueKind.Text or ValueKind.Boolean && sources.Any(source => source.FieldNames.Contains(field.Name)) && Numeric.Contains(call.Name, StringComparer.Ordinal))
        {
            throw new QuestionException($"unsupported {call.Name} of \"{field.Name}\", which is {(kind == ValueKind.Text ? "text" : "a truth value")}", field.Place);
        }

        return new CallPlan(call.ToString(), call.Name, field, null)
        {
            Parameter = parameter,
            Kind = call.Name switch { "count" => ValueKind.Integer, "mean" or "median" or "stddev" => ValueKind.Float, _ => kind },
        };
    }

    private CallPlan Transform(CallNode call)
    {
        onlySelectors = false;
        CheckCount(call, call.Name == "moving_average" ? 2 : 1, call.Name is "moving_average" or "derivative" or "non_negative_derivative" or "elapsed" ? 2 : 1);
        var (parameter, unit) = (0d, call.Name == "elapsed" ? 1 : width != 0 ? width : Nanoseconds.PerSecond);
        if (call.Name == "moving_average")
        {
            parameter = call.Arguments[1] is LiteralNode { Value: { Kind: ValueKind.Integer, Integer: > 1 and <= 100_000 } } count
                ? count.Value.Integer
                : throw new QuestionException($"moving_average window must be an integer greater than 1 and at most 100000, got {call.Arguments[1]}", call.Arguments[1].Place);
        }
        else if (call.Arguments.Length == 2)
        {
            unit = call.Arguments[1] is DurationNode { Nanoseconds: > 0 } duration
                ? duration.Nanoseconds
                : throw new QuestionException($"second argument to {call.Name} must be a positive duration, got {call.Arguments[1]}", call.Arguments[1].Place);
        }

        CallPlan inner;
        if (call.Arguments[0] is CallNode aggregate)
        {
            if (width == 0)
            {
                throw new QuestionException($"{call.Name} aggregate requires a GROUP BY interval", call.Place);
            }

            if (MathFunctions.Arity(aggregate.Name) is not null)
            {
                throw new QuestionException($"expected field argument in {call.Name}(), found {aggregate}", aggregate.Place);
            }

            inner = Call(aggregate, nested: true);
            if (inner.Name is "top" or "bottom")
            {
                throw new QuestionException($"{inner.Name}() cannot stand in {call.Name}()", aggregate.Place);
            }
        }
        else
        {
            if (width != 0 && !widthInherited)
            {
                throw new QuestionException($"aggregate function required inside the call to {call.Name}", call.Arguments[0].Place);
            }

            inner = Of(call, 0);
        }

        return new CallPlan(call.ToString(), call.Name, inner.Name == call.Name && call.Arguments[0] is NameNode ? inner.Field : null, call.Arguments[0] is NameNode ? null : inner)
        {
            Parameter = parameter,
            Unit = unit,
            Kind = call.Name switch { "elapsed" => ValueKind.Integer, "difference" or "non_negative_difference" or "cumulative_sum" => inner.Kind, _ => ValueKind.Float },
        };
    }
}
