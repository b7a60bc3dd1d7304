using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>A row that expressions read: values by number, as whoever made the expression numbered them.</summary>
internal interface IRow
{
    /// <summary>Nanoseconds since 1970.</summary>
    long Time { get; }

    Value this[int slot] { get; }
}

/// <summary>An expression made ready: a constant, or a function of a row. Evaluates as InfluxDB does: what is not comparable is false, what cannot be computed is nothing.</summary>
internal readonly struct Formula
{
    private readonly Func<IRow, Value>? function;

    private Formula(Func<IRow, Value>? function, Value constant)
    {
        this.function = function;
        Constant = constant;
    }

    public bool IsConstant => function is null;

    /// <summary>Its value, where it is a constant.</summary>
    public Value Constant { get; }

    public static Formula Of(Value constant) => new(null, constant);

    public static Formula Of(Func<IRow, Value> function) => new(function, default);

    public static Formula Slot(int slot) => new(row => row[slot], default);

    public Value At(IRow row) => function is { } compute ? compute(row) : Constant;

    /// <summary>Makes an expression ready.</summary>
    /// <param name="node">The expression; its functions are mathematical ones.</param>
    /// <param name="resolve">What a name, or a function that is not mathematical, stands for.</param>
    /// <param name="divideToFloat">Whether whole numbers divide to a fraction, as in selected fields; in conditions they do not.</param>
    public static Formula Compile(Node node, Func<Node, Formula?> resolve, bool divideToFloat)
    {
        if (resolve(node) is { } known)
        {
            return known;
        }

        switch (node)
        {
            case LiteralNode literal:
                return Of(literal.Value);
            case ParenthesesNode parentheses:
                return Compile(parentheses.Inner, resolve, divideToFloat);
            case CallNode call:
                var arguments = call.Arguments.Select(argument => Compile(argument, resolve, divideToFloat)).ToArray();
                return arguments switch
                {
                    [var only] => Lift(only, value => MathFunctions.Call(call.Name, value)),
                    [var first, var second] => Lift(first, second, (a, b) => MathFunctions.Call(call.Name, a, b)),
                    _ => Of(Value.Null),
                };
            case BinaryNode { Sign: "=~" or "!~", Right: RegexNode regex } match:
                var (pattern, wanted) = (regex.Regex, match.Sign == "=~");
                return Lift(Compile(match.Left, resolve, divideToFloat), value => Value.Of(value.Kind == ValueKind.Text && pattern.IsMatch(value.Text) == wanted));
            case BinaryNode binary:
                return Binary(binary.Sign, Compile(binary.Left, resolve, divideToFloat), Compile(binary.Right, resolve, divideToFloat), divideToFloat);
            default:
                return Of(Value.Null);
        }
    }

    private static Formula Binary(string sign, Formula left, Formula right, bool divideToFloat)
    {
        // What a series' tags decide needs no look at its rows.
        if (sign is "AND" or "OR")
        {
            var decides = Value.Of(sign == "OR");
            if ((left.IsConstant && left.Constant.Equals(decides)) || (right.IsConstant && right.Constant.Equals(decides)))
            {
                return Of(decides);
            }

            if (left.IsConstant && left.Constant.Equals(Value.Of(sign == "AND")) && !right.IsConstant)
            {
                return right;
            }

            if (right.IsConstant && right.Constant.Equals(Value.Of(sign == "AND")) && !left.IsConstant)
            {
                return left;
            }
        }

        return Lift(left, right, (a, b) => Operators.Apply(sign, a, b, divideToFloat));
    }

    private static Formula Lift(Formula only, Func<Value, Value> apply) =>
        only.IsConstant ? Of(apply(only.Constant)) : Of(row => apply(only.At(row)));

    private static Formula Lift(Formula left, Formula right, Func<Value, Value, Value> apply)
    {
        if (left.IsConstant && right.IsConstant)
        {
            return Of(apply(left.Constant, right.Constant));
        }

        if (right.IsConstant)
        {
            var constant = right.Constant;
            return Of(row => apply(left.At(row), constant));
        }

        return Of(row => apply(left.At(row), right.At(row)));
    }
}
