using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>
/// Writes one part: datastreams in ascending order, the rows of each in ascending order of time. The file appears under its name only when <see cref="Complete"/> has brought it and its folder to the disk.
/// Holds one bundle of rows and the compressed pages of one row group in memory. Used by one caller at a time.
/// </summary>
internal sealed class PartWriter : IDisposable
{
    private readonly string _path;
    private readonly string _unfinished;
    private readonly FileStream _file;
    private readonly PartBundle _bundle = PartBundle.Spare.Rent();
    private readonly PartPageEncoder _encoder = new();
    private readonly PartColumnWriter[] _columns = [.. Enum.GetValues<PartColumn>().Select(column => new PartColumnWriter(column))];
    private readonly PartFooterWriter _footer = new();
    private readonly int _bundleRows;
    private readonly int _bundleRowsMax;
    private readonly int _groupRows;
    private bool _isDisposed;
    private long _position;
    private int _lastDatastream;
    private long _lastMicros;
    private int _datastreams;
    private bool _isCompleted;

    /// <summary>Begins a part in <paramref name="path"/> + ".new"; what an interrupted writer left there is replaced.</summary>
    /// <exception cref="IOException">The file cannot be made.</exception>
    public PartWriter(string path)
        : this(path, PartFormat.BundleRows, PartFormat.BundleRowsMax, PartFormat.GroupRows)
    {
    }

    /// <summary>With other sizes of bundles and row groups than those of the format, none larger: small parts then have many of both, for tests.</summary>
    internal PartWriter(string path, int bundleRows, int bundleRowsMax, int groupRows)
    {
        _bundleRows = bundleRows;
        _bundleRowsMax = bundleRowsMax;
        _groupRows = groupRows;
        _path = Path.GetFullPath(path);
        _unfinished = _path + ".new";
        _file = new FileStream(_unfinished, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        ClearColumns();
        try
        {
            Write(PartFormat.Magic);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>
    /// Adds rows of a datastream: not smaller than the one before, in ascending order of time (equal times are written as they are). A datastream may be continued by further calls with later rows.
    /// The rows are copied.
    /// </summary>
    /// <exception cref="ArgumentException">There are no rows, or not in order.</exception>
    /// <exception cref="IOException">The disk refused; the part cannot be completed.</exception>
    public void Add(int datastream, ObservationColumns rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        Check(datastream, rows);
        var isNew = _datastreams == 0 || datastream != _lastDatastream;
        if (isNew)
        {
            _datastreams++;
            if (_bundle.Rows >= _bundleRows)
            {
                FlushBundle();
            }
        }

        for (var from = 0; from < rows.Count;)
        {
            if (_bundle.Rows == _bundleRowsMax)
            {
                FlushBundle();
            }

            var to = from + Math.Min(rows.Count - from, _bundleRowsMax - _bundle.Rows);
            _bundle.Add(datastream, rows, from, to);
            from = to;
        }

        (_lastDatastream, _lastMicros) = (datastream, rows.Micros[^1]);
    }

    /// <summary>Writes what is left and the footer, flushes the file, gives it its name and flushes the folder. After it only <see cref="Dispose"/> may be called.</summary>
    /// <exception cref="InvalidOperationException">Nothing was added: there is no part without rows.</exception>
    /// <exception cref="IOException">The disk refused; the part does not exist, or after a power cut may not.</exception>
    public PartSummary Complete()
    {
        using var part = Finish();
        part.Flush();
        part.Name();
        LogDisk.Real.FlushFolder(Path.GetDirectoryName(_path)!);
        return part.Summary;
    }

    /// <summary>
    /// Writes what is left and the footer, and leaves the rest to the caller: of many parts at once flushes can share what the disk does. After it only <see cref="Dispose"/> may be called.
    /// </summary>
    /// <returns>The part; the caller disposes of it.</returns>
    /// <exception cref="InvalidOperationException">Nothing was added: there is no part without rows.</exception>
    /// <exception cref="IOException">The disk refused; there is no part.</exception>
    public UnnamedPart Finish()
    {
        ObjectDisposedException.ThrowIf(_isCompleted, this);
        if (_datastreams == 0)
        {
            throw new InvalidOperationException($"A part without rows is not written ({_path}).");
        }

        FlushBundle();
        FlushGroup();
        Write(_footer.Complete(_position, _datastreams));
        _isCompleted = true;
        return new UnnamedPart(_file, _unfinished, _path, _footer.Summary(_datastreams, _position));
    }

    /// <summary>Without <see cref="Complete"/> or <see cref="Finish"/>: removes what was written.</summary>
    public void Dispose()
    {
        _encoder.Dispose();
        if (!_isDisposed)
        {
            _isDisposed = true;
            _bundle.Clear();
            PartBundle.Spare.Return(_bundle);
        }

        if (!_isCompleted)
        {
            _isCompleted = true;
            _file.Dispose();
            File.Delete(_unfinished);
        }
    }

    private void Check(int datastream, ObservationColumns rows)
    {
        ObjectDisposedException.ThrowIf(_isCompleted, this);
        var count = rows.Count;
        if (count == 0 || rows.Results.Count != count || rows.Qualities.Count != count || rows.Raws.Count != count || rows.Calibrations.Count != count || rows.Coverages.Count != count
            || rows.Revisions.Count != count)
        {
            throw new ArgumentException($"Datastream {datastream} has no rows, or columns of different lengths.", nameof(rows));
        }

        if (_datastreams > 0 && datastream < _lastDatastream)
        {
            throw new ArgumentException($"Datastream {datastream} comes after {_lastDatastream}; a part is written in ascending order.", nameof(datastream));
        }

        var previous = _datastreams > 0 && datastream == _lastDatastream ? _lastMicros : long.MinValue;
        foreach (var micros in CollectionsMarshal.AsSpan(rows.Micros))
        {
            if (micros < previous)
            {
                throw new ArgumentException($"A row of datastream {datastream} at {micros} us comes after one at {previous} us; a part is written in ascending order.", nameof(rows));
            }

            previous = micros;
        }
    }

    private void FlushBundle()
    {
        if (_bundle.Rows == 0)
        {
            return;
        }

        _bundle.Encode(_columns, _encoder);
        _bundle.Clear();
        if (_columns[0].Rows >= _groupRows)
        {
            FlushGroup();
        }
    }

    private void FlushGroup()
    {
        if (_columns[0].Rows == 0)
        {
            return;
        }

        foreach (var column in _columns)
        {
            column.Complete(_encoder);
        }

        _footer.AddGroup(_columns, _position);
        foreach (var column in _columns)
        {
            Write(column.Bytes);
        }

        ClearColumns();
    }

    private void ClearColumns()
    {
        foreach (var column in _columns)
        {
            column.Clear();
        }
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _file.Write(bytes);
        _position += bytes.Length;
    }
}
