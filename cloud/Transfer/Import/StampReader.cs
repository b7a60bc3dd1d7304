using System.Globalization;
using Hub.Cloud.Transfer.Mapping;
using Hub.Cloud.Transfer.Reading;

namespace Hub.Cloud.Transfer.Import;

/// <summary>Reads the time stamps of a file.</summary>
internal sealed class StampReader
{
    private const int CharactersMax = 80;

    // Seven digits are what DateTime can hold; what is finer is cut.
    private static readonly string[] Iso =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd HH:mmK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF K", "yyyy-MM-dd HH:mm:ss.FFFFFFF K", "yyyy-MM-dd",
    ];

    private readonly int _field;
    private readonly int? _second;
    private readonly string[] _formats;
    private readonly decimal _microsPerUnit;
    private readonly char[] _joined = new char[CharactersMax];
    private int _usual;

    /// <summary>Finds the columns.</summary>
    /// <exception cref="TransferException">The file has no such column.</exception>
    public StampReader(MappingSource source, TransferFormat format, RowReader row)
    {
        var isLines = format == TransferFormat.Lines;
        Column = source.TimeColumn.Length == 0 && isLines ? LineProtocolReader.Time : source.TimeColumn;
        if (Column.Length == 0)
        {
            throw new TransferException("The mapping has no timeColumn: name the column with the time stamps.");
        }

        _field = row.Find(Column);
        _second = source.TimeColumnSecond is { } second ? row.Find(second) : null;
        Format = source.TimeFormat == "iso" && isLines && Column == LineProtocolReader.Time ? "unix-ns" : source.TimeFormat;
        _microsPerUnit = Format switch
        {
            "unix" => 1_000_000,
            "unix-ms" => 1_000,
            "unix-us" => 1,
            "unix-ns" => 0.001m,
            _ => 0,
        };
        _formats = Format == "iso" ? Iso : [Format];
    }

    /// <summary>The column stamps are in, for messages.</summary>
    public string Column { get; }

    /// <summary>How they are written, for messages.</summary>
    public string Format { get; }

    /// <summary>The stamp of a row; its kind is UTC when it says so itself. False when there is none, or it cannot be read.</summary>
    public bool TryRead(RowReader row, out DateTime stamp)
    {
        if (row.TryInstant(_field, out stamp))
        {
            return true;
        }

        var text = Text(row);
        if (_microsPerUnit != 0)
        {
            return TryUnix(text, out stamp);
        }

        if (DateTime.TryParseExact(text, _formats[_usual], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out stamp))
        {
            return true;
        }

        for (var i = 0; i < _formats.Length; i++)
        {
            if (i != _usual && DateTime.TryParseExact(text, _formats[i], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out stamp))
            {
                _usual = i;
                return true;
            }
        }

        return false;
    }

    /// <summary>What the row has there.</summary>
    public ReadOnlySpan<char> Text(RowReader row)
    {
        var text = row.Text(_field);
        if (_second is not { } second)
        {
            return text;
        }

        // Copied before the second one is read: both may come in the same buffer.
        var length = Math.Min(text.Length, _joined.Length - 1);
        text[..length].CopyTo(_joined);
        _joined[length++] = ' ';
        var rest = row.Text(second);
        rest = rest[..Math.Min(rest.Length, _joined.Length - length)];
        rest.CopyTo(_joined.AsSpan(length));
        return _joined.AsSpan(0, length + rest.Length);
    }

    private bool TryUnix(ReadOnlySpan<char> text, out DateTime stamp)
    {
        stamp = default;
        if (!decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || Math.Abs(number) > 1_000_000_000_000_000_000_000m)
        {
            return false;
        }

        var micros = decimal.Floor(number * _microsPerUnit);
        if (micros < -62_135_596_800_000_000m || micros > 253_402_300_799_999_999m)
        {
            return false;
        }

        stamp = DateTime.UnixEpoch.AddTicks((long)micros * TimeSpan.TicksPerMicrosecond);
        return true;
    }
}
