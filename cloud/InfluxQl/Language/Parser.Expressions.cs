using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Hub.Cloud.InfluxQl.Language;

internal sealed partial class Parser
{
    private const int PatternLengthMax = 20_000;

    private static int Precedence(Token token) => token switch
    {
        { Kind: TokenKind.Word } => token.IsWord("OR") ? 1 : token.IsWord("AND") ? 2 : 0,
        { Kind: TokenKind.Sign } => token.Text switch
        {
            "=" or "!=" or "<>" or "<" or "<=" or ">" or ">=" or "=~" or "!~" => 3,
            "+" or "-" or "|" or "^" => 4,
            "*" or "/" or "%" or "&" => 5,
            _ => 0,
        },
        _ => 0,
    };

    private Node Expression(int least = 1)
    {
        var left = Operand();
        while (Precedence(current) is var precedence && precedence >= least)
        {
            var (sign, place) = (current.Kind == TokenKind.Word ? current.Text.ToUpperInvariant() : current.Text == "<>" ? "!=" : current.Text, current.Place);
            Advance();
            Node right;
            if (sign is "=~" or "!~")
            {
                right = current.Is("/") ? Regex() : throw Found("regex");
            }
            else
            {
                right = Expression(precedence + 1);
            }

            left = Counted(new BinaryNode(sign, left, right, place));
        }

        return left;
    }

    private Node Operand()
    {
        if (++depth > DepthMax)
        {
            throw new QuestionException("parentheses and functions nested too deeply", current.Place);
        }

        var operand = Counted(OperandOf(current));
        depth--;
        return operand;
    }

    private Node OperandOf(Token first)
    {
        switch (first)
        {
            case { Kind: TokenKind.Sign, Text: "(" }:
                Advance();
                var inner = Expression();
                ExpectSign(")");
                return new ParenthesesNode(inner, first.Place);
            case { Kind: TokenKind.Sign, Text: "-" or "+" }:
                Advance();
                return first.Text == "+" ? Operand() : Negative(Operand(), first.Place);
            case { Kind: TokenKind.Sign, Text: "*" }:
                Advance();
                return new StarNode(Took("::") ? Word("field", "tag") : null, first.Place);
            case { Kind: TokenKind.Sign, Text: "/" }:
                return Regex();
            case { Kind: TokenKind.Text }:
                Advance();
                return new LiteralNode(Value.Of(first.Text), first.Place);
            case { Kind: TokenKind.Integer }:
                Advance();
                return new LiteralNode(
                    long.TryParse(first.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var integer) ? Value.Of(integer) : Value.Of(double.Parse(first.Text, CultureInfo.InvariantCulture)), first.Place);
            case { Kind: TokenKind.Number }:
                Advance();
                return new LiteralNode(Value.Of(double.Parse(first.Text, CultureInfo.InvariantCulture)), first.Place);
            case { Kind: TokenKind.Duration }:
                Advance();
                return new DurationNode(Durations.Read(first), first.Place);
            case { Kind: TokenKind.Word } when first.IsWord("true") || first.IsWord("false"):
                Advance();
                return new LiteralNode(Value.Of(first.IsWord("true")), first.Place);
            case { Kind: TokenKind.Word or TokenKind.Quoted } when first.Kind == TokenKind.Quoted || !Array.Exists(Reserved, first.IsWord):
                return NameOrCall(first);
            default:
                throw Found("identifier", "string", "number", "bool");
        }
    }

    private Node NameOrCall(Token first)
    {
        Advance();
        if (first.Kind == TokenKind.Word && Took("("))
        {
            return Call(first);
        }

        if (first.IsWord("DISTINCT"))
        {
            return new CallNode("distinct", [Operand()], first.Place);
        }

        if (current.Is("."))
        {
            throw new QuestionException("found ., expected an operator: a field or tag with a point in its name is written in double quotes", current.Place);
        }

        return new NameNode(first.Text, Took("::") ? Word("field", "tag", "float", "integer", "string", "boolean") : null, first.Place);
    }

    private CallNode Call(Token name)
    {
        var arguments = ImmutableArray.CreateBuilder<Node>();
        if (!Took(")"))
        {
            do
            {
                arguments.Add(Expression());
            }
            while (Took(","));

            ExpectSign(")");
        }

        return new CallNode(name.Text.ToLowerInvariant(), arguments.ToImmutable(), name.Place);
    }

    private static Node Negative(Node operand, Place place) => operand switch
    {
        LiteralNode { Value: { Kind: ValueKind.Integer } value } => new LiteralNode(Value.Of(-value.Integer), place),
        LiteralNode { Value: { Kind: ValueKind.Float } value } => new LiteralNode(Value.Of(-value.Float), place),
        LiteralNode => throw new QuestionException("found -, which only a number, a duration, a field or an expression can have before it", place),
        DurationNode duration => new DurationNode(-duration.Nanoseconds, place),
        _ => new BinaryNode("*", new LiteralNode(Value.Of(-1L), place), operand, place),
    };

    private string Word(params string[] allowed)
    {
        var word = Array.Find(allowed, current.IsWord) ?? throw Found(allowed);
        Advance();
        return word;
    }

    /// <summary>A regular expression. It is matched without going back, so that no expression takes longer than the text is long.</summary>
    private RegexNode Regex()
    {
        lexer.Return(current);
        if (lexer.Regex() is not { } token)
        {
            throw Found("regex");
        }

        Advance();
        if (token.Text.Length > PatternLengthMax)
        {
            throw new QuestionException(string.Create(CultureInfo.InvariantCulture, $"a regular expression has {PatternLengthMax} characters at most"), token.Place);
        }

        try
        {
            return new RegexNode(new Regex(token.Text, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking), token.Place);
        }
        catch (Exception wrong) when (wrong is ArgumentException or NotSupportedException)
        {
            throw new QuestionException($"bad regex /{(token.Text.Length > 60 ? token.Text[..60] + "…" : token.Text)}/: {wrong.Message}", token.Place);
        }
    }

    private Node Counted(Node node) => ++nodes <= NodesMax
        ? node
        : throw new QuestionException(string.Create(CultureInfo.InvariantCulture, $"the question has more than {NodesMax} parts: ask for several values by one regular expression, such as \"station\" =~ /^(a|b)$/"), node.Place);
}
