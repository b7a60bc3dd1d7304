using Hub.Cloud.InfluxQl.Language;

namespace Hub.Cloud.InfluxQl.Execution;

/// <summary>Two values and an operator, as InfluxDB 1.x computes them: dividing by zero is zero, a comparison of things that cannot be compared is false.</summary>
internal static class Operators
{
    public static Value Apply(string sign, Value left, Value right, bool divideToFloat)
    {
        // Nothing beside a truth value counts as false.
        if (left.IsNull && right.Kind == ValueKind.Boolean)
        {
            left = Value.Of(false);
        }
        else if (right.IsNull && left.Kind == ValueKind.Boolean)
        {
            right = Value.Of(false);
        }

        return (left.Kind, right.Kind) switch
        {
            (ValueKind.Boolean, ValueKind.Boolean) => Truth(sign, left.IsTrue, right.IsTrue),
            (ValueKind.Integer, ValueKind.Integer) => Integers(sign, left.Integer, right.Integer, divideToFloat),
            (ValueKind.Float or ValueKind.Integer, ValueKind.Float or ValueKind.Integer) => Floats(sign, left.Float, right.Float),
            (ValueKind.Text, ValueKind.Text) => Texts(sign, left.Text, right.Text),
            _ => IsComparison(sign) || left.Kind == ValueKind.Boolean ? Value.Of(false) : Value.Null,
        };
    }

    private static bool IsComparison(string sign) => sign is "=" or "!=" or "<" or "<=" or ">" or ">=";

    private static Value Truth(string sign, bool left, bool right) => sign switch
    {
        "AND" or "&" => Value.Of(left && right),
        "OR" or "|" => Value.Of(left || right),
        "^" or "!=" => Value.Of(left != right),
        "=" => Value.Of(left == right),
        _ => IsComparison(sign) ? Value.Of(false) : Value.Null,
    };

    private static Value Integers(string sign, long left, long right, bool divideToFloat) => sign switch
    {
        "=" => Value.Of(left == right),
        "!=" => Value.Of(left != right),
        "<" => Value.Of(left < right),
        "<=" => Value.Of(left <= right),
        ">" => Value.Of(left > right),
        ">=" => Value.Of(left >= right),
        "+" => Value.Of(unchecked(left + right)),
        "-" => Value.Of(unchecked(left - right)),
        "*" => Value.Of(unchecked(left * right)),
        "/" when divideToFloat => Value.Of(right == 0 ? 0d : (double)left / right),
        "/" => Value.Of(right == 0 ? 0 : right == -1 ? unchecked(-left) : left / right),
        "%" => Value.Of(right is 0 or -1 ? 0 : left % right),
        "&" => Value.Of(left & right),
        "|" => Value.Of(left | right),
        "^" => Value.Of(left ^ right),
        _ => Value.Null,
    };

    private static Value Floats(string sign, double left, double right) => sign switch
    {
        "=" => Value.Of(left == right),
        "!=" => Value.Of(left != right),
        "<" => Value.Of(left < right),
        "<=" => Value.Of(left <= right),
        ">" => Value.Of(left > right),
        ">=" => Value.Of(left >= right),
        "+" => Value.Of(left + right),
        "-" => Value.Of(left - right),
        "*" => Value.Of(left * right),
        "/" => Value.Of(right == 0 ? 0 : left / right),
        "%" => Value.Of(left % right),
        _ => Value.Null,
    };

    private static Value Texts(string sign, string left, string right) => sign switch
    {
        "=" => Value.Of(string.Equals(left, right, StringComparison.Ordinal)),
        "!=" => Value.Of(!string.Equals(left, right, StringComparison.Ordinal)),
        _ => IsComparison(sign) ? Value.Of(false) : Value.Null,
    };
}

/// <summary>The mathematical functions of InfluxQL: of nothing they give nothing.</summary>
internal static class MathFunctions
{
    private static readonly Dictionary<string, int> Arities = new(StringComparer.Ordinal)
    {
        ["abs"] = 1, ["sin"] = 1, ["cos"] = 1, ["tan"] = 1, ["asin"] = 1, ["acos"] = 1, ["atan"] = 1, ["exp"] = 1, ["ln"] = 1, ["log2"] = 1, ["log10"] = 1, ["sqrt"] = 1,
        ["floor"] = 1, ["ceil"] = 1, ["round"] = 1, ["atan2"] = 2, ["log"] = 2, ["pow"] = 2,
    };

    /// <summary>How many arguments a function takes; null when there is none of this name.</summary>
    public static int? Arity(string name) => Arities.TryGetValue(name, out var arity) ? arity : null;

    public static ValueKind KindOf(string name, ValueKind argument) => name is "abs" or "floor" or "ceil" or "round" ? argument : ValueKind.Float;

    public static Value Call(string name, Value value)
    {
        if (!value.IsNumber)
        {
            return Value.Null;
        }

        if (value.Kind == ValueKind.Integer && (name is "abs" or "floor" or "ceil" or "round"))
        {
            // As InfluxDB 1.6: of a whole number they give the number itself, of a negative one too.
            return value;
        }

        var x = value.Float;
        return Value.Of(name switch
        {
            "abs" => Math.Abs(x),
            "floor" => Math.Floor(x),
            "ceil" => Math.Ceiling(x),
            "round" => Round(x),
            "sin" => Math.Sin(x),
            "cos" => Math.Cos(x),
            "tan" => Math.Tan(x),
            "asin" => Math.Asin(x),
            "acos" => Math.Acos(x),
            "atan" => Math.Atan(x),
            "exp" => Math.Exp(x),
            "ln" => Math.Log(x),
            "log2" => Math.Log2(x),
            "log10" => Math.Log10(x),
            _ => Math.Sqrt(x),
        });
    }

    public static Value Call(string name, Value left, Value right)
    {
        if (!left.IsNumber || !right.IsNumber)
        {
            return Value.Null;
        }

        return Value.Of(name switch
        {
            "atan2" => Math.Atan2(left.Float, right.Float),
            "log" => Math.Log(left.Float) / Math.Log(right.Float),
            _ => Math.Pow(left.Float, right.Float),
        });
    }

    private static double Round(double x)
    {
        // Halves away from zero.
        var whole = Math.Truncate(x);
        return Math.Abs(x - whole) >= 0.5 ? whole + Math.CopySign(1, x) : whole;
    }
}
