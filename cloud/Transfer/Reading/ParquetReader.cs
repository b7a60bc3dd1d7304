using System.Globalization;
using DuckDB.NET.Data;

namespace Hub.Cloud.Transfer.Reading;

/// <summary>
/// Rows of a Parquet file, in the order of the file, streamed through DuckDB. Only columns that were asked for are read. Instants come in whole microseconds (a finer one is rounded down); a time
/// stamp without zone is taken for what the mapping's zone says.
/// </summary>
internal sealed class ParquetReader : RowReader
{
    private readonly string _path;
    private readonly DuckDBConnection _connection;
    private readonly Dictionary<string, (string Name, Kind Kind)> _columns;
    private readonly List<(string Name, Kind Kind)> _asked = [];
    private readonly long _rows;
    private readonly char[] _text = new char[NumberCharactersMax];
    private DuckDBCommand? _command;
    private DuckDBDataReader? _reader;
    private long _number;

    private ParquetReader(string path, DuckDBConnection connection, Dictionary<string, (string, Kind)> columns, long rows)
    {
        _path = path;
        _connection = connection;
        _columns = columns;
        _rows = rows;
    }

    private enum Kind
    {
        Text,
        Number,
        Whole,
        Instant,
        LocalInstant,
    }

    /// <inheritdoc/>
    public override string Place => "row";

    /// <inheritdoc/>
    public override long Number => _number;

    /// <inheritdoc/>
    public override double Share => _rows == 0 ? 1 : (double)_number / _rows;

    /// <inheritdoc/>
    public override ReadOnlySpan<char> Whole => default;

    /// <summary>Names of the columns.</summary>
    public IEnumerable<string> Columns => _columns.Keys;

    /// <summary>Opens a file and reads its columns.</summary>
    /// <exception cref="TransferException">It cannot be read.</exception>
    public static ParquetReader Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new TransferException($"{path} cannot be opened: is it there, and may this user read it?");
        }

        var connection = DuckMemory.Open();
        try
        {
            var columns = new Dictionary<string, (string, Kind)>(StringComparer.Ordinal);
            using var command = connection.CreateCommand();
            command.CommandText = $"DESCRIBE SELECT * FROM {From(path)}";
            using (var reader = command.ExecuteReader())
            {
                while (reader.Read())
                {
                    columns[reader.GetString(0)] = (reader.GetString(0), KindOf(reader.GetString(1)));
                }
            }

            command.CommandText = $"SELECT count(*) FROM {From(path)}";
            return new ParquetReader(path, connection, columns, (long)command.ExecuteScalar()!);
        }
        catch (DuckDBException exception)
        {
            connection.Dispose();
            throw Damaged(path, exception);
        }
    }

    /// <inheritdoc/>
    public override int Find(string column)
    {
        if (!_columns.TryGetValue(column, out var found))
        {
            var names = _columns.Keys.Take(12).Select(name => $"'{name}'");
            throw new TransferException($"{_path}: there is no column '{column}' among {string.Join(", ", names)}{(_columns.Count > 12 ? ", ..." : "")}. Is the mapping the right one?");
        }

        var field = _asked.IndexOf(found);
        if (field < 0)
        {
            field = _asked.Count;
            _asked.Add(found);
        }

        return field;
    }

    /// <inheritdoc/>
    public override bool Read()
    {
        try
        {
            if (_reader is null)
            {
                _command = _connection.CreateCommand();
                _command.CommandText = $"SELECT {string.Join(", ", _asked.Select(Selected))} FROM {From(_path)}";
                _command.UseStreamingMode = true;
                _reader = _command.ExecuteReader();
            }

            if (!_reader.Read())
            {
                return false;
            }
        }
        catch (DuckDBException exception)
        {
            throw Damaged(_path, exception);
        }

        _number++;
        return true;
    }

    /// <inheritdoc/>
    public override bool IsEmpty(int field) =>
        _reader!.IsDBNull(field) || _asked[field].Kind switch
        {
            // What has no value is NaN in many a data frame.
            Kind.Number => double.IsNaN(_reader.GetDouble(field)),
            Kind.Text => _reader.GetString(field).Length == 0,
            _ => false,
        };

    /// <inheritdoc/>
    public override ReadOnlySpan<char> Text(int field)
    {
        if (_reader!.IsDBNull(field))
        {
            return default;
        }

        int written;
        switch (_asked[field].Kind)
        {
            case Kind.Text:
                return _reader.GetString(field);
            case Kind.Number:
                return _reader.GetDouble(field).TryFormat(_text, out written, "R", CultureInfo.InvariantCulture) ? _text.AsSpan(0, written) : default;
            case Kind.Whole:
                return _reader.GetInt64(field).TryFormat(_text, out written, default, CultureInfo.InvariantCulture) ? _text.AsSpan(0, written) : default;
            default:
                return Instant(field).TryFormat(_text, out written, "yyyy-MM-dd'T'HH:mm:ss.FFFFFF", CultureInfo.InvariantCulture) ? _text.AsSpan(0, written) : default;
        }
    }

    /// <inheritdoc/>
    public override bool TryNumber(int field, bool decimalComma, out double number)
    {
        switch (_asked[field].Kind)
        {
            case Kind.Number:
                number = _reader!.GetDouble(field);
                return double.IsFinite(number);
            case Kind.Whole:
                number = _reader!.GetInt64(field);
                return true;
            case Kind.Text:
                return base.TryNumber(field, decimalComma, out number);
            default:
                number = 0;
                return false;
        }
    }

    /// <inheritdoc/>
    public override bool TryInstant(int field, out DateTime utc)
    {
        utc = default;
        if (_asked[field].Kind is not (Kind.Instant or Kind.LocalInstant) || _reader!.IsDBNull(field))
        {
            return false;
        }

        utc = DateTime.SpecifyKind(Instant(field), _asked[field].Kind == Kind.Instant ? DateTimeKind.Utc : DateTimeKind.Unspecified);
        return true;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _reader?.Dispose();
        _command?.Dispose();
        _connection.Dispose();
    }

    private static TransferException Damaged(string path, DuckDBException exception) =>
        new($"{path} cannot be read as Parquet ({exception.Message.ReplaceLineEndings(" ").TrimEnd('.')}). Fetch it again, or give its real format with --format.", exception);

    private static string From(string path)
    {
        // A star in a name would make the database read other files too.
        var literal = Path.GetFullPath(path).Replace("'", "''", StringComparison.Ordinal);
        return literal.AsSpan().ContainsAny("*?[")
            ? throw new TransferException($"{path}: a Parquet file may not have * ? or [ in its name or folder. Rename it.")
            : $"read_parquet('{literal}')";
    }

    private static Kind KindOf(string type) => type switch
    {
        "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "UTINYINT" or "USMALLINT" or "UINTEGER" => Kind.Whole,
        "DOUBLE" or "FLOAT" or "UBIGINT" or "HUGEINT" => Kind.Number,
        "TIMESTAMP WITH TIME ZONE" => Kind.Instant,
        "DATE" => Kind.LocalInstant,
        _ when type.StartsWith("TIMESTAMP", StringComparison.Ordinal) => Kind.LocalInstant,
        _ when type.StartsWith("DECIMAL", StringComparison.Ordinal) => Kind.Number,
        _ => Kind.Text,
    };

    private static string Selected((string Name, Kind Kind) column)
    {
        var name = $"\"{column.Name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        return column.Kind switch
        {
            Kind.Whole => $"CAST({name} AS BIGINT)",
            Kind.Number => $"CAST({name} AS DOUBLE)",
            Kind.Instant or Kind.LocalInstant => $"epoch_us({name})",
            _ => $"CAST({name} AS VARCHAR)",
        };
    }

    /// <summary>Microseconds since 1970 as a time; beyond the calendar's end the end, which no check lets pass.</summary>
    private DateTime Instant(int field)
    {
        var micros = Math.Clamp(_reader!.GetInt64(field), -62_135_596_800_000_000, 253_402_300_799_999_999);
        return DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);
    }
}
