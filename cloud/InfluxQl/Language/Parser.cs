using System.Collections.Immutable;
using System.Globalization;

namespace Hub.Cloud.InfluxQl.Language;

/// <summary>
/// Reads InfluxQL by recursive descent: each method reads what it is named for, from the current token on. Errors say what was found, what was expected and where, as InfluxDB does.
/// </summary>
internal sealed partial class Parser
{
    /// <summary>Longest question, characters.</summary>
    public const int LengthMax = 200_000;

    /// <summary>Parts of the expressions of all statements, at most: what is nested deeper than this cannot be walked.</summary>
    private const int NodesMax = 2_000;

    private const int DepthMax = 60;
    private const int StatementsMax = 100;

    private static readonly string[] Reserved =
        ["ALL", "AND", "AS", "ASC", "BY", "DESC", "FROM", "GROUP", "IN", "INTO", "LIMIT", "OFFSET", "OR", "ORDER", "SELECT", "SHOW", "SLIMIT", "SOFFSET", "WHERE", "WITH"];

    private static readonly string[] Writing =
        ["ALTER", "CREATE", "DELETE", "DROP", "GRANT", "INSERT", "KILL", "REVOKE", "SET", "EXPLAIN"];

    private readonly Lexer lexer;
    private Token current;
    private int nodes;
    private int depth;

    private Parser(string text)
    {
        lexer = new Lexer(text);
        current = lexer.Next();
    }

    /// <summary>Reads the statements of a question; there is at least one.</summary>
    /// <exception cref="QuestionException">It cannot be read, or does what this hub does not do.</exception>
    public static ImmutableArray<StatementNode> Read(string text)
    {
        if (text.Length > LengthMax)
        {
            throw new QuestionException(string.Create(CultureInfo.InvariantCulture, $"the question has {text.Length} characters, {LengthMax} at most are read"));
        }

        var parser = new Parser(text);
        var statements = ImmutableArray.CreateBuilder<StatementNode>();
        while (true)
        {
            while (parser.current.Is(";"))
            {
                parser.Advance();
            }

            if (parser.current.Kind == TokenKind.End)
            {
                break;
            }

            if (statements.Count == StatementsMax)
            {
                throw new QuestionException(string.Create(CultureInfo.InvariantCulture, $"more than {StatementsMax} statements: ask them one after the other"), parser.current.Place);
            }

            statements.Add(parser.Statement());
            if (parser.current.Kind != TokenKind.End && !parser.current.Is(";"))
            {
                throw parser.Found(";", "EOF");
            }
        }

        return statements.Count > 0 ? statements.ToImmutable() : throw parser.Found("SELECT", "SHOW");
    }

    private StatementNode Statement()
    {
        if (current.IsWord("SELECT"))
        {
            return Select();
        }

        if (current.IsWord("SHOW"))
        {
            return Show();
        }

        throw Array.Exists(Writing, current.IsWord)
            ? new QuestionException($"found {current.Shown}, expected SELECT, SHOW: nothing is written or changed here, only asked", current.Place)
            : Found("SELECT", "SHOW");
    }

    private SelectNode Select()
    {
        var place = current.Place;
        Advance();
        var fields = ImmutableArray.CreateBuilder<SelectedField>();
        do
        {
            fields.Add(Field());
        }
        while (Took(","));

        if (current.IsWord("INTO"))
        {
            throw new QuestionException($"found {current.Shown}, expected FROM: nothing is written here, only asked", current.Place);
        }

        Expect("FROM");
        var sources = ImmutableArray.CreateBuilder<SourceNode>();
        do
        {
            sources.Add(Source());
        }
        while (Took(","));

        var select = new SelectNode(fields.ToImmutable(), sources.ToImmutable(), place);
        if (TookWord("WHERE"))
        {
            select = select with { Where = Expression() };
        }

        if (TookWord("GROUP"))
        {
            Expect("BY");
            select = select with { GroupBy = Dimensions() };
        }

        if (current.IsWord("fill"))
        {
            select = Fill(select);
        }

        if (TookWord("ORDER"))
        {
            Expect("BY");
            select = select with { Ascending = Order() };
        }

        select = select with { Limit = Count("LIMIT"), Offset = Count("OFFSET"), SeriesLimit = Count("SLIMIT"), SeriesOffset = Count("SOFFSET") };
        return current.IsWord("tz") ? select with { Zone = Zone() } : select;
    }

    private SelectedField Field()
    {
        var node = Expression();
        return new(node, TookWord("AS") ? Identifier() : null);
    }

    private SourceNode Source()
    {
        var place = current.Place;
        if (Took("("))
        {
            if (++depth > 4)
            {
                throw new QuestionException("questions within questions deeper than 4 are not answered", place);
            }

            if (!current.IsWord("SELECT"))
            {
                throw Found("SELECT");
            }

            var inner = Select();
            ExpectSign(")");
            depth--;
            return new SubquerySource(inner, place);
        }

        return Measurement();
    }

    /// <summary><c>m</c>, <c>policy.m</c>, <c>database.policy.m</c>, <c>database..m</c>; the last may be a regular expression.</summary>
    private MeasurementSource Measurement()
    {
        var place = current.Place;
        List<string?> parts = [];
        while (true)
        {
            if (current.Is("/"))
            {
                var regex = Regex();
                return new MeasurementSource(parts.Count == 2 ? parts[0] : null, parts.Count > 0 ? parts[^1] : null, null, regex.Regex, place);
            }

            if (parts.Count > 0 && current.Is("."))
            {
                parts.Add(null);
            }
            else
            {
                parts.Add(Identifier());
            }

            if (!Took("."))
            {
                break;
            }

            if (parts.Count == 3)
            {
                throw new QuestionException("too many segments: a source is \"database\".\"retention policy\".\"measurement\" at most", place);
            }
        }

        return parts switch
        {
            [var name] => new MeasurementSource(null, null, name, null, place),
            [var policy, var name] => new MeasurementSource(null, policy, name, null, place),
            [var database, var policy, var name] => new MeasurementSource(database, policy, name, null, place),
            _ => throw Found("identifier"),
        };
    }

    private ImmutableArray<Node> Dimensions()
    {
        var dimensions = ImmutableArray.CreateBuilder<Node>();
        do
        {
            dimensions.Add(Expression());
        }
        while (Took(","));

        return dimensions.ToImmutable();
    }

    private SelectNode Fill(SelectNode select)
    {
        Advance();
        ExpectSign("(");
        var place = current.Place;
        SelectNode filled;
        if (current.Kind == TokenKind.Word && Enum.TryParse<FillKind>(current.Text, ignoreCase: true, out var kind) && kind != FillKind.Number)
        {
            Advance();
            filled = select with { Fill = kind };
        }
        else
        {
            filled = current.Kind != TokenKind.End && !current.Is(")") && Expression() is LiteralNode { Value.IsNumber: true } number
                ? select with { Fill = FillKind.Number, FillValue = number.Value }
                : throw new QuestionException("fill requires an argument, e.g.: 0, null, none, previous, linear", place);
        }

        ExpectSign(")");
        return filled;
    }

    private bool Order()
    {
        if (current.IsWord("ASC") || current.IsWord("DESC"))
        {
            var ascending = current.IsWord("ASC");
            Advance();
            return ascending;
        }

        var place = current.Place;
        var name = Identifier();
        if (!name.Equals("time", StringComparison.OrdinalIgnoreCase) || current.Is(","))
        {
            throw new QuestionException("only ORDER BY time supported at this time", place);
        }

        if (TookWord("DESC"))
        {
            return false;
        }

        TookWord("ASC");
        return true;
    }

    private int Count(string keyword)
    {
        if (!TookWord(keyword))
        {
            return 0;
        }

        if (current.Kind != TokenKind.Integer || !int.TryParse(current.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            throw Found("integer");
        }

        Advance();
        return count;
    }

    private TimeZoneInfo Zone()
    {
        Advance();
        ExpectSign("(");
        var place = current.Place;
        var name = current.Kind == TokenKind.Text ? current.Text : throw Found("string");
        Advance();
        ExpectSign(")");
        return TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) && zone.HasIanaId
            ? zone
            : throw new QuestionException($"unable to find time zone {name}: write a name of the IANA database such as 'Europe/Lisbon'", place);
    }

    private string Identifier()
    {
        if (current.Kind == TokenKind.Quoted || (current.Kind == TokenKind.Word && !Array.Exists(Reserved, current.IsWord)))
        {
            var name = current.Text;
            Advance();
            return name;
        }

        throw Found("identifier");
    }

    private void Advance() => current = lexer.Next();

    private bool Took(string sign)
    {
        var found = current.Is(sign);
        if (found)
        {
            Advance();
        }

        return found;
    }

    private bool TookWord(string keyword)
    {
        var found = current.IsWord(keyword);
        if (found)
        {
            Advance();
        }

        return found;
    }

    private void Expect(string keyword)
    {
        if (!TookWord(keyword))
        {
            throw Found(keyword);
        }
    }

    private void ExpectSign(string sign)
    {
        if (!Took(sign))
        {
            throw Found(sign);
        }
    }

    private QuestionException Found(params string[] expected) => new($"found {current.Shown}, expected {string.Join(", ", expected)}", current.Place);
}
