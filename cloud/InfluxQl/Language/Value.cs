using System.Globalization;

namespace Hub.Cloud.InfluxQl.Language;

/// <summary>What a value is. In the order in which InfluxDB prefers one when a name is several things.</summary>
internal enum ValueKind : byte
{
    /// <summary>Nothing.</summary>
    Null,

    /// <summary>Double.</summary>
    Float,

    /// <summary>64 bits with a sign.</summary>
    Integer,

    /// <summary>Text.</summary>
    Text,

    /// <summary>True or false.</summary>
    Boolean,
}

/// <summary>A value of a field, a tag or an expression.</summary>
internal readonly struct Value : IEquatable<Value>
{
    private readonly double number;
    private readonly long integer;
    private readonly string? text;

    private Value(ValueKind kind, double number, long integer, string? text)
    {
        Kind = kind;
        this.number = number;
        this.integer = integer;
        this.text = text;
    }

    public static Value Null => default;

    public ValueKind Kind { get; }

    public bool IsNull => Kind == ValueKind.Null;

    public bool IsNumber => Kind is ValueKind.Float or ValueKind.Integer;

    /// <summary>As a double; 0 of what is no number.</summary>
    public double Float => Kind == ValueKind.Integer ? integer : number;

    /// <summary>As a whole number, cut off; 0 of what is no number.</summary>
    public long Integer => Kind == ValueKind.Float ? ToInteger(number) : integer;

    public string Text => text ?? "";

    public bool IsTrue => Kind == ValueKind.Boolean && integer != 0;

    public static Value Of(double number) => new(ValueKind.Float, number, 0, null);

    public static Value Of(long integer) => new(ValueKind.Integer, 0, integer, null);

    public static Value Of(bool truth) => new(ValueKind.Boolean, 0, truth ? 1 : 0, null);

    public static Value Of(string? text) => text is null ? default : new(ValueKind.Text, 0, 0, text);

    /// <summary>A number as the other kind of number; anything else as it is.</summary>
    public Value As(ValueKind kind) => (kind, Kind) switch
    {
        (ValueKind.Float, ValueKind.Integer) => Of(Float),
        (ValueKind.Integer, ValueKind.Float) => Of(Integer),
        _ => this,
    };

    public bool Equals(Value other) => Kind == other.Kind && number.Equals(other.number) && integer == other.integer && text == other.text;

    public override bool Equals(object? obj) => obj is Value other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Kind, number, integer, text);

    public override string ToString() => Kind switch
    {
        ValueKind.Float => number.ToString("R", CultureInfo.InvariantCulture),
        ValueKind.Integer => integer.ToString(CultureInfo.InvariantCulture),
        ValueKind.Text => $"'{Text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'",
        ValueKind.Boolean => integer != 0 ? "true" : "false",
        _ => "null",
    };

    private static long ToInteger(double number) => double.IsNaN(number) ? 0 : number >= long.MaxValue ? long.MaxValue : number <= long.MinValue ? long.MinValue : (long)number;
}
