using System.Globalization;
using System.Text;
using CsvHelper;
using Hub.Cloud.Transfer.Mapping;
using Csv = CsvHelper.CsvReader;

namespace Hub.Cloud.Transfer.Reading;

/// <summary>
/// Rows of a table of text. A field may not hold a line end: a quote that does not close is the commonest fault of a file, and so it hurts only its own line. Quotes count at the beginning of a field and
/// are text elsewhere; spaces around a field are none of it.
/// </summary>
internal sealed class CsvReader : RowReader
{
    /// <summary>Most fields in a line.</summary>
    public const int FieldsMax = 1_024;

    /// <summary>Longest line taken, bytes; a longer one is no table.</summary>
    private const int LineBytesMax = 1024 * 1024;

    private readonly string _path;
    private readonly TextFile _file;
    private readonly Csv _rows;

    // What the library finds wrong with quotes while it reads ahead, by line; taken out when the line comes.
    private readonly Dictionary<long, CsvMalformedReason> _malformed = [];

    // Texts of the fields that were asked for, one behind the other; each is decoded once.
    private readonly (int Start, int Length)[] _texts = new (int, int)[FieldsMax];
    private char[] _buffer = new char[4 * 1024];
    private int _used;
    private string[] _headings = [];
    private string _whole = "";
    private int _fieldMax;

    private CsvReader(string path, TextFile file, MappingSource source)
    {
        _path = path;
        _file = file;
        _rows = Csv.Create(
            file.Content,
            new CsvReaderOptions
            {
                Separator = source.Delimiter == "tab" ? '\t' : source.Delimiter[0],
                Encoding = source.Encoding == "latin-1" ? Encoding.Latin1 : Encoding.UTF8,
                HasHeader = false,
                DetectSeparatorHint = false,
                AllowLineBreaksInQuotes = false,
                SkipEmptyLines = false,
                TrimWhitespace = true,
                WhitespaceCharacters = " ",
                MaxRecordSize = LineBytesMax,
                TrackLineNumbers = true,
                OnMalformedRecord = record => _malformed[record.LineNumber] = record.Reason,
            },
            leaveOpen: true);
    }

    /// <inheritdoc/>
    public override string Place => "line";

    /// <inheritdoc/>
    public override long Number => _rows.LineNumber;

    /// <inheritdoc/>
    public override double Share => _file.Share;

    /// <inheritdoc/>
    public override ReadOnlySpan<char> Whole => _whole;

    /// <summary>The headings, without quotes and spaces around them.</summary>
    public IReadOnlyList<string> Headings => _headings;

    /// <summary>Opens a file and reads its heading lines.</summary>
    /// <exception cref="TransferException">It cannot be read, or ends within its headings.</exception>
    public static CsvReader Open(string path, MappingSource source)
    {
        var file = TextFile.Open(path);
        CsvReader? reader = null;
        try
        {
            reader = new CsvReader(path, file, source);
            reader.ReadHeadings(source);
            return reader;
        }
        catch
        {
            reader?._rows.Dispose();
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override int Find(string column)
    {
        int field;
        if (column.StartsWith('#') && int.TryParse(column.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var place) && place is >= 1 and <= FieldsMax)
        {
            field = place - 1;
        }
        else
        {
            field = Array.IndexOf(_headings, column);
            if (field < 0)
            {
                throw new TransferException($"{_path}: there is no column '{column}' among {Names()}. Is the mapping the right one, with its delimiter and headingLine?");
            }

            if (Array.IndexOf(_headings, column, field + 1) is >= 0 and var second)
            {
                throw new TransferException(string.Create(CultureInfo.InvariantCulture, $"{_path}: the heading '{column}' is there twice; name the column by its place, #{field + 1} or #{second + 1}."));
            }
        }

        _fieldMax = Math.Max(_fieldMax, field);
        return field;
    }

    /// <inheritdoc/>
    public override bool Read()
    {
        while (TryRead())
        {
            var isMalformed = IsMalformed();
            if (IsBlank(_rows.RawRecord))
            {
                continue;
            }

            var count = _rows.FieldCount;
            Fault = isMalformed ? "A quote does not close, or has text behind it. Correct the line; a field may not reach over a line end."
                : count > FieldsMax ? $"The line has more than {FieldsMax} fields. Is the delimiter right?"
                : count <= _fieldMax ? string.Create(CultureInfo.InvariantCulture, $"The line has {count} fields where the mapping needs {_fieldMax + 1}. Complete the line, or check the delimiter.")
                : null;
            _whole = Fault is null ? "" : Encoding.UTF8.GetString(_rows.RawRecord);
            if (Fault is null)
            {
                _used = 0;
                _texts.AsSpan(0, count).Fill((-1, 0));
                if (_buffer.Length < _rows.RawRecord.Length)
                {
                    // No text has more characters than bytes.
                    _buffer = new char[Math.Max(2 * _buffer.Length, _rows.RawRecord.Length)];
                }
            }

            return true;
        }

        return false;
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<char> Text(int field)
    {
        ref var text = ref _texts[field];
        if (text.Start < 0)
        {
            text = (_used, _rows.GetChars(field, _buffer.AsSpan(_used)));
            _used += text.Length;
        }

        return _buffer.AsSpan(text.Start, text.Length);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _rows.Dispose();
        _file.Dispose();
    }

    private void ReadHeadings(MappingSource source)
    {
        for (var line = 1; line <= source.HeadingLines; line++)
        {
            if (!TryRead())
            {
                throw new TransferException(string.Create(CultureInfo.InvariantCulture, $"{_path} ends at line {line - 1}, within its headings. Is it empty, or is headingLines wrong?"));
            }

            var isMalformed = IsMalformed();
            if (line == (source.HeadingLine ?? source.HeadingLines))
            {
                if (isMalformed || _rows.FieldCount > FieldsMax)
                {
                    throw new TransferException(string.Create(CultureInfo.InvariantCulture, $"{_path}, line {line}: the headings cannot be read. Is the delimiter right, and is this the heading line?"));
                }

                _headings = [.. Enumerable.Range(0, _rows.FieldCount).Select(_rows.GetString)];
            }
        }
    }

    private bool TryRead()
    {
        try
        {
            return _rows.Read();
        }
        catch (CsvFormatException exception)
        {
            throw new TransferException(
                string.Create(CultureInfo.InvariantCulture, $"{_path}, behind line {Math.Max(exception.LineNumber - 1, _rows.LineNumber)}: a line is longer than {LineBytesMax} bytes. This is no table of text; check the file."), exception);
        }
        catch (Exception exception) when (TextFile.IsDamage(exception))
        {
            throw TextFile.Damaged(_path, _rows.LineNumber, exception);
        }
    }

    private bool IsMalformed()
    {
        if (!_malformed.Remove(_rows.LineNumber, out var reason))
        {
            return false;
        }

        // The library tells the first problem of a line only. A quote within a text that does not begin with one is none, but behind it there may be one.
        return reason != CsvMalformedReason.StrayQuote || Enumerable.Range(0, _rows.FieldCount).Any(field => !Closes(_rows.GetRawSpan(field).Trim((byte)' ')));
    }

    /// <summary>A field that begins with a quote ends with one, and those between are doubled.</summary>
    private static bool Closes(ReadOnlySpan<byte> field)
    {
        if (field.IsEmpty || field[0] != '"')
        {
            return true;
        }

        if (field.Length < 2 || field[^1] != '"')
        {
            return false;
        }

        var inside = field[1..^1];
        for (var at = inside.IndexOf((byte)'"'); at >= 0; at = inside.IndexOf((byte)'"'))
        {
            if (at + 1 >= inside.Length || inside[at + 1] != '"')
            {
                return false;
            }

            inside = inside[(at + 2)..];
        }

        return true;
    }

    private static bool IsBlank(ReadOnlySpan<byte> line) => line.TrimStart(" \t"u8).IsEmpty;

    private string Names() => _headings.Length == 0
        ? "none (headingLines is 0: name columns by their place, #1 being the first)"
        : string.Join(", ", _headings.Take(12).Select(heading => $"'{heading}'")) + (_headings.Length > 12 ? ", ..." : "");
}
