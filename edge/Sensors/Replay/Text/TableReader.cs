using System.Globalization;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Sensors.Replay.Text;

/// <summary>Reads the rows of a file by a layout. Strict: a row that does not fit its layout is an error with its line, never a guess.</summary>
internal sealed class TableReader
{
    private readonly LineReader lines;
    private readonly TableLayout layout;
    private readonly string name;
    private readonly char delimiter;
    private readonly ReplayTableBuilder table;
    private readonly SourceClock clock;
    private readonly double[] row;
    private readonly int fieldMax;

    private TableReader(LineReader lines, string name, char delimiter, TableLayout layout)
    {
        this.lines = lines;
        this.name = name;
        this.delimiter = delimiter;
        this.layout = layout;
        table = new ReplayTableBuilder(layout);
        clock = new SourceClock(layout.Zone, layout.NewestFirst);
        row = new double[layout.Columns.Count];
        fieldMax = FieldMax(layout);
    }

    /// <summary>Reads all rows behind the headings.</summary>
    /// <exception cref="SensorException">The file does not fit the layout; the message names file and line.</exception>
    public static ReplayTable Read(LineReader lines, string name, char delimiter, TableLayout layout)
    {
        var reader = new TableReader(lines, name, delimiter, layout);
        Span<Range> ranges = stackalloc Range[Fields.FieldsMax];
        while (lines.TryRead(out ReadOnlySpan<char> line))
        {
            if (!line.IsWhiteSpace())
            {
                reader.Row(line, ranges);
            }
        }

        return reader.table.Build();
    }

    private void Row(ReadOnlySpan<char> line, Span<Range> ranges)
    {
        int count = Fields.Split(line, delimiter, ranges);
        if (count < 0)
        {
            throw Wrong(count == -1 ? "a quote does not close" : $"more than {Fields.FieldsMax} fields");
        }

        if (count <= fieldMax)
        {
            throw Wrong($"{count} fields where {fieldMax + 1} are needed (separator '{delimiter}')");
        }

        if (layout.Filter is { } filter && !line[ranges[filter.Field]].SequenceEqual(filter.Text))
        {
            return;
        }

        long? stamp = Stamp(line, ranges);
        bool any = false;
        for (int column = 0; column < row.Length; column++)
        {
            row[column] = Value(line, ranges, column);
            any |= !double.IsNaN(row[column]);
        }

        float? coverage = null;
        Quality quality = Quality.Good;
        if (layout.Coverage is { } source && !IsMissing(line[ranges[source.Field]]))
        {
            ReadOnlySpan<char> text = line[ranges[source.Field]];
            if (!source.Read(text, out double share, out bool poor) || share < 0)
            {
                throw Wrong($"'{Shorten(text)}' does not say how much of the period was measured");
            }

            // A share above 1 is a counter that measured longer than the period; the period is then covered.
            coverage = (float)Math.Min(share, 1);
            quality = poor ? Quality.Incomplete : Quality.Good;
        }

        table.Add(stamp, row, any, coverage, quality);
    }

    private long? Stamp(ReadOnlySpan<char> line, Span<Range> ranges)
    {
        Span<char> joined = stackalloc char[64];
        scoped ReadOnlySpan<char> text = line[ranges[layout.TimeField]];
        if (layout.TimeFieldSecond is { } second)
        {
            ReadOnlySpan<char> rest = line[ranges[second]];
            if (text.Length + 1 + rest.Length > joined.Length)
            {
                throw Wrong($"'{Shorten(text)}' is no time stamp");
            }

            text.CopyTo(joined);
            joined[text.Length] = ' ';
            rest.CopyTo(joined[(text.Length + 1)..]);
            text = joined[..(text.Length + 1 + rest.Length)];
        }

        if (!DateTime.TryParseExact(text, layout.TimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime stamp))
        {
            throw Wrong($"'{Shorten(text)}' is no time of the form {layout.TimeFormats[0]}");
        }

        long? utc = clock.ToUtc(stamp);
        return layout.StampIsEnd && utc is not null ? utc - layout.Period.Ticks : utc;
    }

    private double Value(ReadOnlySpan<char> line, Span<Range> ranges, int index)
    {
        ColumnLayout column = layout.Columns[index];
        ReadOnlySpan<char> text = line[ranges[column.Field]];
        if (IsMissing(text))
        {
            table.Missing(index);
            return double.NaN;
        }

        double number = Number(text);
        if (column.OnlyWhere is { } condition)
        {
            ReadOnlySpan<char> other = line[ranges[condition.Field]];
            if (IsMissing(other) || Number(other) <= condition.Above)
            {
                table.LeftOut(index);
                return double.NaN;
            }
        }

        table.Value(index);
        return (number * column.Factor) + column.Offset;
    }

    private bool IsMissing(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return true;
        }

        foreach (string missing in layout.Missing)
        {
            if (text.SequenceEqual(missing))
            {
                return true;
            }
        }

        return false;
    }

    private double Number(ReadOnlySpan<char> text)
    {
        Span<char> copy = stackalloc char[64];
        scoped ReadOnlySpan<char> number = text;
        if (layout.DecimalComma && text.Length <= copy.Length)
        {
            text.Replace(copy, ',', '.');
            number = copy[..text.Length];
        }

        return double.TryParse(number, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
            ? value
            : throw Wrong($"'{Shorten(text)}' is no number");
    }

    private SensorException Wrong(string what) =>
        new($"{name}, line {lines.LineNumber}: {what}. Is the file damaged, or the format not the right one?");

    private static string Shorten(ReadOnlySpan<char> text) => text.Length <= 40 ? text.ToString() : string.Concat(text[..40], "...");

    private static int FieldMax(TableLayout layout)
    {
        int max = Math.Max(layout.TimeField, layout.TimeFieldSecond ?? 0);
        max = Math.Max(max, layout.Filter?.Field ?? 0);
        max = Math.Max(max, layout.Coverage?.Field ?? 0);
        foreach (ColumnLayout column in layout.Columns)
        {
            max = Math.Max(max, Math.Max(column.Field, column.OnlyWhere?.Field ?? 0));
        }

        return max;
    }
}
