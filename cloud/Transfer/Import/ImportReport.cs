using System.Globalization;
using System.Text;
using Hub.Cloud.Transfer.Mapping;
using Hub.Edge.Contract.Encoding;

namespace Hub.Cloud.Transfer.Import;

/// <summary>The CSV file of what was refused: file, line (row of Parquet), column, value, reason and what to do. At most <see cref="RowsMax"/> rows; the rest is counted.</summary>
internal sealed class ImportReport : IDisposable
{
    /// <summary>Most rows of a report.</summary>
    public const int RowsMax = 1_000_000;

    private const string Heading = "file,line,column,value,reason,detail\n";
    private const int ValueCharactersMax = 200;

    private readonly string _path;
    private readonly ImportCounts _counts;
    private readonly FileStream _file;
    private readonly StreamWriter _writer;
    private bool _isClosed;

    private ImportReport(string path, ImportCounts counts, FileStream file)
    {
        _path = path;
        _counts = counts;
        _file = file;
        _writer = new StreamWriter(file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 64 * 1024, leaveOpen: true) { NewLine = "\n" };
    }

    /// <summary>Bytes of the rows written so far, on disk as far as the operating system goes.</summary>
    public long Flush()
    {
        try
        {
            _writer.Flush();
            return _file.Position;
        }
        catch (IOException exception)
        {
            throw Unwritable(_path, exception);
        }
    }

    /// <summary>Begins a report, or goes on behind its first bytes; what was behind them belongs to rows that will be read again.</summary>
    /// <exception cref="TransferException">It cannot be written.</exception>
    public static ImportReport Open(string path, ImportCounts counts, long goOnBehind)
    {
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
            file.SetLength(Math.Min(goOnBehind, file.Length));
            file.Position = file.Length;
            var report = new ImportReport(path, counts, file);
            if (file.Length == 0)
            {
                report._writer.Write(Heading);
            }

            return report;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, exception);
        }
    }

    /// <summary>How long a report is now; 0 when there is none.</summary>
    public static long LengthOf(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>Notes one refusal.</summary>
    public void Refuse(string file, long line, string column, ReadOnlySpan<char> value, RefusalReason reason, string detail)
    {
        var refused = _counts.RefusedBy.Values.Sum();
        _counts.Refused(reason);
        if (refused >= RowsMax)
        {
            _counts.ReportRowsLeftOut++;
            return;
        }

        try
        {
            Cell(file);
            _writer.Write(string.Create(CultureInfo.InvariantCulture, $",{line},"));
            Cell(column);
            _writer.Write(',');
            Cell(value.Length <= ValueCharactersMax ? value : string.Concat(value[..ValueCharactersMax], "..."));
            _writer.Write(',');
            _writer.Write(QualityText.Hyphenated(reason.ToString()));
            _writer.Write(',');
            Cell(detail);
            _writer.Write('\n');
        }
        catch (IOException exception)
        {
            throw Unwritable(_path, exception);
        }
    }

    /// <summary>Closes it; a report without rows is removed.</summary>
    public void Complete()
    {
        Flush();
        Dispose();
        if (_counts.RefusedBy.Count == 0)
        {
            File.Delete(_path);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _writer.Dispose();
            _file.Dispose();
        }
    }

    private static TransferException Unwritable(string path, Exception exception) =>
        new($"The report {path} cannot be written ({exception.Message.TrimEnd('.')}). Name another file with --report, or make room.", exception);

    private void Cell(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAny(",\"\r\n") && (text.IsEmpty || text[0] != ' '))
        {
            _writer.Write(text);
            return;
        }

        _writer.Write('"');
        foreach (var c in text)
        {
            _writer.Write(c == '"' ? "\"\"" : c is '\r' or '\n' ? " " : c.ToString());
        }

        _writer.Write('"');
    }
}
