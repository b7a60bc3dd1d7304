namespace Hub.Cloud.Transfer.Mapping;

/// <summary>A text in which <c>{column}</c> stands for what a row has in that column.</summary>
internal sealed class Template
{
    private readonly (string? Text, int Field)[] _parts;

    private Template((string? Text, int Field)[] parts) => _parts = parts;

    /// <summary>True when it is the same for every row.</summary>
    public bool IsConstant => Array.TrueForAll(_parts, part => part.Text is not null);

    /// <summary>True when the text has a place for a column.</summary>
    public static bool IsTemplate(string text) => text.Contains('{', StringComparison.Ordinal);

    /// <summary>False when a brace does not close, or closes without having been opened.</summary>
    public static bool IsWellFormed(string text)
    {
        var open = false;
        foreach (var c in text)
        {
            if (c == (open ? '{' : '}'))
            {
                return false;
            }

            open = c == '{' || (open && c != '}');
        }

        return !open;
    }

    /// <summary>Finds the columns of a template.</summary>
    /// <exception cref="TransferException">The file has no such column.</exception>
    public static Template Of(string text, Func<string, int> find)
    {
        var parts = new List<(string?, int)>();
        var at = 0;
        while (at < text.Length)
        {
            var open = text.IndexOf('{', at);
            if (open < 0)
            {
                parts.Add((text[at..], -1));
                break;
            }

            if (open > at)
            {
                parts.Add((text[at..open], -1));
            }

            var close = text.IndexOf('}', open);
            parts.Add((null, find(text[(open + 1)..close])));
            at = close + 1;
        }

        return new Template([.. parts]);
    }

    /// <summary>Writes what it is for a row; false when it does not fit.</summary>
    public bool TryWrite(Reading.RowReader row, Span<char> output, out int written)
    {
        written = 0;
        foreach (var (text, field) in _parts)
        {
            var part = text is null ? row.Text(field) : text.AsSpan();
            if (!part.TryCopyTo(output[written..]))
            {
                return false;
            }

            written += part.Length;
        }

        return true;
    }
}
