using System.Text;

namespace Hub.Cloud.InfluxQl.Language;

/// <summary>Cuts a question into tokens, one at a time. Comments (<c>--</c> to the end of the line, <c>/* */</c>) are left out.</summary>
internal sealed class Lexer(string text)
{
    private static readonly string[] Signs = ["=~", "!~", "!=", "<>", "<=", ">=", "::", "+", "-", "*", "/", "%", "&", "|", "^", "=", "<", ">", "(", ")", ",", ";", ":", "."];

    private int at;
    private int line = 1;
    private int lineStart;

    /// <summary>The next token.</summary>
    /// <exception cref="QuestionException">What stands there is none.</exception>
    public Token Next()
    {
        SkipBlanks();
        if (at == text.Length)
        {
            return new Token(TokenKind.End, "", Here, at, at);
        }

        var c = text[at];
        return c switch
        {
            '"' => Delimited('"', TokenKind.Quoted),
            '\'' => Delimited('\'', TokenKind.Text),
            _ when char.IsAsciiLetter(c) || c == '_' => Word(),
            _ when char.IsAsciiDigit(c) || (c == '.' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1])) => Number(),
            _ => Sign(),
        };
    }

    /// <summary>Goes back to where a token begins, to read it in another way.</summary>
    public void Return(Token token)
    {
        at = token.Start;
        line = token.Place.Line;
        lineStart = at - (token.Place.Character - 1);
    }

    /// <summary>A regular expression between slashes, from where the lexer stands; null when none begins there.</summary>
    public Token? Regex()
    {
        SkipBlanks();
        if (at == text.Length || text[at] != '/')
        {
            return null;
        }

        var (start, place) = (at, Here);
        var pattern = new StringBuilder();
        for (at++; at < text.Length && text[at] != '/'; at++)
        {
            if (text[at] == '\n')
            {
                break;
            }

            if (text[at] == '\\' && at + 1 < text.Length && text[at + 1] == '/')
            {
                at++;
            }
            else if (text[at] == '\\' && at + 1 < text.Length && text[at + 1] != '\n')
            {
                pattern.Append(text[at++]);
            }

            pattern.Append(text[at]);
        }

        if (at == text.Length || text[at] != '/')
        {
            throw new QuestionException("bad regex: the slash that ends it is missing", place);
        }

        at++;
        return new Token(TokenKind.Sign, pattern.ToString(), place, start, at);
    }

    private Place Here => new(line, at - lineStart + 1);

    private void SkipBlanks()
    {
        while (at < text.Length)
        {
            if (text[at] == '\n')
            {
                at++;
                (line, lineStart) = (line + 1, at);
            }
            else if (char.IsWhiteSpace(text[at]))
            {
                at++;
            }
            else if (text.AsSpan(at).StartsWith("--"))
            {
                while (at < text.Length && text[at] != '\n')
                {
                    at++;
                }
            }
            else if (text.AsSpan(at).StartsWith("/*"))
            {
                var place = Here;
                var end = text.IndexOf("*/", at + 2, StringComparison.Ordinal);
                if (end < 0)
                {
                    throw new QuestionException("found a comment without its end, expected */", place);
                }

                for (; at < end + 2; at++)
                {
                    if (text[at] == '\n')
                    {
                        (line, lineStart) = (line + 1, at + 1);
                    }
                }
            }
            else
            {
                return;
            }
        }
    }

    private Token Word()
    {
        var (start, place) = (at, Here);
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '_'))
        {
            at++;
        }

        return new Token(TokenKind.Word, text[start..at], place, start, at);
    }

    private Token Delimited(char quote, TokenKind kind)
    {
        var (start, place) = (at, Here);
        var read = new StringBuilder();
        for (at++; at < text.Length && text[at] != quote; at++)
        {
            if (text[at] == '\n')
            {
                break;
            }

            if (text[at] != '\\')
            {
                read.Append(text[at]);
                continue;
            }

            at++;
            if (at == text.Length)
            {
                break;
            }

            read.Append(text[at] switch
            {
                'n' => '\n',
                '\\' or '"' or '\'' => text[at],
                var other => throw new QuestionException($"bad escape \\{(char.IsControl(other) ? ' ' : other)} (a backslash itself is written twice)", place),
            });
        }

        if (at == text.Length || text[at] != quote)
        {
            throw new QuestionException($"found a {quote} that nothing closes", place);
        }

        at++;
        return new Token(kind, read.ToString(), place, start, at);
    }

    private Token Number()
    {
        var (start, place) = (at, Here);
        Digits();
        var whole = true;
        if (at < text.Length && text[at] == '.' && !(at + 1 < text.Length && text[at + 1] == '.'))
        {
            whole = false;
            at++;
            Digits();
        }

        if (!whole || at == text.Length || !(char.IsAsciiLetter(text[at]) || text[at] == 'µ' || text[at] == 'μ'))
        {
            return new Token(whole ? TokenKind.Integer : TokenKind.Number, text[start..at], place, start, at);
        }

        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is 'µ' or 'μ'))
        {
            at++;
        }

        return new Token(TokenKind.Duration, text[start..at], place, start, at);

        void Digits()
        {
            while (at < text.Length && char.IsAsciiDigit(text[at]))
            {
                at++;
            }
        }
    }

    private Token Sign()
    {
        var (start, place) = (at, Here);
        foreach (var sign in Signs)
        {
            if (text.AsSpan(at).StartsWith(sign))
            {
                at += sign.Length;
                return new Token(TokenKind.Sign, sign, place, start, at);
            }
        }

        throw new QuestionException(
            text[at] == '$' ? "found $: parameters bound by name are not supported, write the value itself" : $"found {(char.IsControl(text[at]) ? "a control character" : text[at])}, which begins nothing", place);
    }
}
