namespace Hub.Edge.Contract.Encoding;

/// <summary>Quotes a piece of input in a refusal: short, and safe to print whatever was sent.</summary>
internal static class Excerpt
{
    private const int CharactersMax = 48;

    public static string Of(ReadOnlySpan<byte> token)
    {
        bool cut = token.Length > CharactersMax;
        Span<char> text = stackalloc char[CharactersMax];
        int length = Math.Min(token.Length, CharactersMax);
        for (int i = 0; i < length; i++)
        {
            text[i] = token[i] is >= 0x20 and < 0x7F and not (byte)'"' and not (byte)'<' ? (char)token[i] : '?';
        }

        return string.Concat("\"", text[..length], cut ? "...\"" : "\"");
    }

    public static string Of(SenmlValueKind kind) => kind switch
    {
        SenmlValueKind.Text => "a text (vs)",
        SenmlValueKind.Boolean => "true or false (vb)",
        SenmlValueKind.Data => "binary data (vd)",
        SenmlValueKind.Number => "a number (v)",
        _ => "only a sum (s)",
    };
}
