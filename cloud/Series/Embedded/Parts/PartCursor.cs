using Microsoft.Win32.SafeHandles;

namespace Hub.Cloud.Series;

/// <summary>
/// All rows of a part in order of datastream and time. One call of <see cref="MoveNext"/> brings rows of one datastream; one that has many, or reaches over several bundles, comes several times in a row.
/// Holds one bundle in memory. Used by one caller at a time.
/// </summary>
internal sealed class PartCursor : IDisposable
{
    /// <summary>Rows that one call brings at most.</summary>
    private const int RowsMax = 8_192;

    /// <summary>Memory of cursors that were disposed of: as many as a merge has.</summary>
    public static readonly Spares<ObservationColumns> Spare = new(static () => new(), 8);

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly PartIndex _index;
    private readonly ObservationColumns _bundle = Spare.Rent();
    private readonly List<int> _datastreams = [];
    private readonly List<int> _ends = [];
    private PartScratch? _scratch = PartScratch.Spare.Rent();
    private int _nextBundle;
    private int _run = -1;
    private int _row;

    internal PartCursor(string path, SafeFileHandle file, PartIndex index)
    {
        _path = path;
        _file = file;
        _index = index;
    }

    /// <summary>The datastream of the rows.</summary>
    public int Datastream { get; private set; }

    /// <summary>The rows; the same object each time, filled anew.</summary>
    public ObservationColumns Rows { get; } = new();

    /// <summary>Goes to the next rows; false at the end.</summary>
    /// <exception cref="InvalidDataException">A page is damaged; the message names file, page and what is wrong.</exception>
    public bool MoveNext()
    {
        ObjectDisposedException.ThrowIf(_scratch is null, this);
        Rows.Clear();
        if (_run < 0 || _row == _ends[_run])
        {
            _run++;
        }

        if (_run == _ends.Count)
        {
            if (_nextBundle == _index.Bundles.Length)
            {
                return false;
            }

            Load(_scratch, _index.Bundles[_nextBundle++]);
            (_run, _row) = (0, 0);
        }

        Datastream = _datastreams[_run];
        var from = _row;
        _row = Math.Min(_ends[_run], from + RowsMax);
        Rows.AddRange(_bundle, from, _row);
        return true;
    }

    public void Dispose()
    {
        if (_scratch is { } scratch)
        {
            _scratch = null;
            PartScratch.Spare.Return(scratch);
            Spare.Return(_bundle);
        }
    }

    private void Load(PartScratch scratch, in PartBundleBounds bundle)
    {
        _bundle.Clear();
        try
        {
            scratch.Runs(_file, bundle, _datastreams, _ends);
            _bundle.Micros.AddRange(scratch.Times(_file, bundle, 0, bundle.Rows));
            scratch.Append(_file, bundle, 0, bundle.Rows, _bundle);
        }
        catch (InvalidDataException error)
        {
            throw PartReader.Damaged(_path, error);
        }
    }
}
