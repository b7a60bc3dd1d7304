using System.Text;

namespace Hub.Cloud.Transfer.Reading;

/// <summary>
/// InfluxDB line protocol, one point per line, as a table: the columns are <c>measurement</c>, <c>time</c> (the timestamp as it is written), and every tag and field by its name. Only columns that
/// were asked for are kept. Comments, and the statements that <c>influx_inspect export</c> writes before its points, are no rows.
/// </summary>
internal sealed class LineProtocolReader : RowReader
{
    /// <summary>Name of the column with the measurement.</summary>
    public const string Measurement = "measurement";

    /// <summary>Name of the column with the timestamp.</summary>
    public const string Time = "time";

    private readonly LineReader _lines;
    private readonly Dictionary<string, int> _columns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _find;
    private (int Start, int Length)[] _values = [];
    private char[] _text = new char[4 * 1024];
    private int _used;

    private LineProtocolReader(LineReader lines)
    {
        _lines = lines;
        _find = _columns.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <inheritdoc/>
    public override string Place => "line";

    /// <inheritdoc/>
    public override long Number => _lines.Number;

    /// <inheritdoc/>
    public override double Share => _lines.Share;

    /// <inheritdoc/>
    public override ReadOnlySpan<char> Whole => _lines.Line;

    /// <summary>Opens a file.</summary>
    /// <exception cref="TransferException">It cannot be read.</exception>
    public static LineProtocolReader Open(string path) => new(LineReader.Open(path, Encoding.UTF8));

    /// <inheritdoc/>
    public override int Find(string column)
    {
        if (!_columns.TryGetValue(column, out var field))
        {
            field = _columns.Count;
            _columns.Add(column, field);
            Array.Resize(ref _values, field + 1);
        }

        return field;
    }

    /// <inheritdoc/>
    public override bool Read()
    {
        while (_lines.TryRead())
        {
            var line = _lines.Line.TrimStart();
            if (line.IsEmpty || line[0] == '#' || line.StartsWith("CREATE DATABASE ", StringComparison.Ordinal) || line.StartsWith("CREATE RETENTION POLICY ", StringComparison.Ordinal))
            {
                continue;
            }

            Array.Clear(_values);
            _used = 0;
            Fault = Parse(line);
            return true;
        }

        return false;
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<char> Text(int field) => _text.AsSpan(_values[field].Start, _values[field].Length);

    /// <inheritdoc/>
    public override void Dispose() => _lines.Dispose();

    private string? Parse(ReadOnlySpan<char> line)
    {
        // Unescaped text is never longer than the line it came from.
        if (_text.Length < line.Length)
        {
            _text = new char[line.Length];
        }

        var at = 0;
        Keep(Measurement, Scan(line, ref at, ", "));
        while (at < line.Length && line[at] == ',')
        {
            at++;
            var tag = Scan(line, ref at, "=, ");
            if (tag.Length == 0 || at >= line.Length || line[at] != '=')
            {
                return "A tag has no name or no value. A point is: measurement,tag=value field=value timestamp.";
            }

            at++;
            Keep(Text(tag), Scan(line, ref at, ", "));
        }

        if (at >= line.Length || at == 0)
        {
            return "The point has no field. A point is: measurement,tag=value field=value timestamp.";
        }

        do
        {
            at++;
            var name = Scan(line, ref at, "=, ");
            if (name.Length == 0 || at >= line.Length || line[at] != '=')
            {
                return "A field has no name or no value. A point is: measurement,tag=value field=value timestamp.";
            }

            at++;
            if (Value(line, ref at) is not { } value)
            {
                return "A field's text is not closed with a quote.";
            }

            Keep(Text(name), value);
        }
        while (at < line.Length && line[at] == ',');

        var rest = line[at..].Trim();
        if (rest.IsEmpty)
        {
            return "The point has no timestamp: without one nobody knows when it was measured. Export with timestamps.";
        }

        if (rest.Trim("-0123456789").Length > 0)
        {
            return "Behind the fields something else than a timestamp follows. Spaces in names and tags must be written \"\\ \".";
        }

        Keep(Time, Copy(rest));
        return null;
    }

    /// <summary>Reads up to one of the ends that is not escaped, and takes the escapes out.</summary>
    private (int Start, int Length) Scan(ReadOnlySpan<char> line, ref int at, ReadOnlySpan<char> ends)
    {
        var start = _used;
        while (at < line.Length && !ends.Contains(line[at]))
        {
            if (line[at] == '\\' && at + 1 < line.Length && line[at + 1] is ',' or '=' or ' ')
            {
                at++;
            }

            _text[_used++] = line[at++];
        }

        return (start, _used - start);
    }

    /// <summary>A field's value; the type mark of whole numbers is taken off. Null for a text that does not end.</summary>
    private (int Start, int Length)? Value(ReadOnlySpan<char> line, ref int at)
    {
        if (at >= line.Length || line[at] != '"')
        {
            var value = Scan(line, ref at, ", ");
            return value.Length > 1 && _text[value.Start + value.Length - 1] is 'i' or 'u' && char.IsAsciiDigit(_text[value.Start + value.Length - 2]) ? (value.Start, value.Length - 1) : value;
        }

        var start = _used;
        for (at++; at < line.Length; at++)
        {
            if (line[at] == '"')
            {
                at++;
                return (start, _used - start);
            }

            if (line[at] == '\\' && at + 1 < line.Length && line[at + 1] is '"' or '\\')
            {
                at++;
            }

            _text[_used++] = line[at];
        }

        return null;
    }

    private (int Start, int Length) Copy(ReadOnlySpan<char> text)
    {
        var start = _used;
        text.CopyTo(_text.AsSpan(start));
        _used += text.Length;
        return (start, text.Length);
    }

    private ReadOnlySpan<char> Text((int Start, int Length) part) => _text.AsSpan(part.Start, part.Length);

    private void Keep(ReadOnlySpan<char> name, (int Start, int Length) value)
    {
        if (_find.TryGetValue(name, out var field))
        {
            _values[field] = value;
        }
    }
}
