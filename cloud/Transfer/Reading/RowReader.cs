using System.Globalization;

namespace Hub.Cloud.Transfer.Reading;

/// <summary>
/// A file as rows of fields, one at a time, whatever its format. Columns are found before the first row is read. Spans are valid until the next row. Used by one caller at a time.
/// </summary>
internal abstract class RowReader : IDisposable
{
    /// <summary>Longest text taken from a field that is not text, characters.</summary>
    protected const int NumberCharactersMax = 32;

    /// <summary>What rows are counted in, for messages: a line of a text, a row of a table.</summary>
    public abstract string Place { get; }

    /// <summary>Line or row read last, 1 for the first of the file.</summary>
    public abstract long Number { get; }

    /// <summary>Share of the file that was read, 0 to 1.</summary>
    public abstract double Share { get; }

    /// <summary>Why the row read last cannot be taken apart; null when it could.</summary>
    public string? Fault { get; protected set; }

    /// <summary>What such a row looks like.</summary>
    public abstract ReadOnlySpan<char> Whole { get; }

    /// <summary>Finds a column by its name, or by its place where it begins with <c>#</c>.</summary>
    /// <returns>The number of its field.</returns>
    /// <exception cref="TransferException">There is no such column.</exception>
    public abstract int Find(string column);

    /// <summary>Reads the next row; false at the end.</summary>
    /// <exception cref="TransferException">The file is damaged or cannot be read.</exception>
    public abstract bool Read();

    /// <summary>A field of the row as text; empty where it has none.</summary>
    public abstract ReadOnlySpan<char> Text(int field);

    /// <summary>True when a field holds nothing.</summary>
    public virtual bool IsEmpty(int field) => Text(field).IsEmpty;

    /// <summary>A field as a finite number.</summary>
    public virtual bool TryNumber(int field, bool decimalComma, out double number)
    {
        var text = Text(field);
        Span<char> copy = stackalloc char[64];
        if (decimalComma)
        {
            if (text.Length > copy.Length)
            {
                number = 0;
                return false;
            }

            text.Replace(copy, ',', '.');
            return TryParse(copy[..text.Length], out number);
        }

        return TryParse(text, out number);
    }

    /// <summary>A field that is an instant by its type; false where the format writes instants as text or numbers.</summary>
    public virtual bool TryInstant(int field, out DateTime utc)
    {
        utc = default;
        return false;
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    private static bool TryParse(ReadOnlySpan<char> text, out double number) =>
        double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
}
