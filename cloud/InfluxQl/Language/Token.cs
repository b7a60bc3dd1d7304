namespace Hub.Cloud.InfluxQl.Language;

/// <summary>What a token is.</summary>
internal enum TokenKind
{
    End,

    /// <summary>A bare word: an identifier, or a keyword where one is expected.</summary>
    Word,

    /// <summary>An identifier in double quotes; never a keyword.</summary>
    Quoted,

    /// <summary>Text in single quotes.</summary>
    Text,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A number with a point.</summary>
    Number,

    /// <summary>A number with a unit, such as <c>10m</c> or <c>1h30m</c>.</summary>
    Duration,

    /// <summary>Punctuation or an operator; its text says which.</summary>
    Sign,
}

/// <summary>A token.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">What stands there, without quotes and escapes.</param>
/// <param name="Place">Where it begins.</param>
/// <param name="Start">The same, as an index.</param>
/// <param name="Finish">Index of what follows it.</param>
internal readonly record struct Token(TokenKind Kind, string Text, Place Place, int Start, int Finish)
{
    /// <summary>As errors name it.</summary>
    public string Shown => Kind switch
    {
        TokenKind.End => "EOF",
        TokenKind.Quoted => $"\"{Short(Text)}\"",
        TokenKind.Text => $"'{Short(Text)}'",
        _ => Short(Text),
    };

    public bool Is(string sign) => Kind == TokenKind.Sign && Text == sign;

    /// <summary>Whether it is a keyword, in any case.</summary>
    public bool IsWord(string keyword) => Kind == TokenKind.Word && Text.Equals(keyword, StringComparison.OrdinalIgnoreCase);

    private static string Short(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
