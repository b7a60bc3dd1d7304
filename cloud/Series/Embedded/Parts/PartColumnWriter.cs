namespace Hub.Cloud.Series;

/// <summary>A page of a chunk, as the footer names it.</summary>
/// <param name="Bytes">Size in the file, header included.</param>
/// <param name="Rows">Rows of the page.</param>
/// <param name="Min">Smallest value; of key columns only.</param>
/// <param name="Max">Largest value; of key columns only.</param>
internal readonly record struct PartPage(int Bytes, int Rows, long Min, long Max);

/// <summary>
/// One column of the row group being written. As long as all its rows hold the same whole number, or none holds a value, nothing is encoded but a count: such a column becomes a single page. With the first
/// bundle that differs the pages of the bundles before it are made up for. Used by one writer at a time.
/// </summary>
internal sealed class PartColumnWriter(PartColumn column)
{
    private readonly GrowingBytes _bytes = new();
    private readonly List<PartPage> _pages = [];
    private readonly List<int> _constantRows = [];
    private readonly bool _isDouble = PartFormat.TypeOf(column) == PartType.Double;
    private PartEncoding? _encoding;
    private bool _isPaged;
    private bool _isEmptyOfValues;
    private long _constant;
    private bool _boundsHold;

    public PartColumn Column => column;

    /// <summary>The pages with their headers, one behind the other.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.Written;

    public IReadOnlyList<PartPage> Pages => _pages;

    public long UncompressedBytes { get; private set; }

    /// <summary>Encoding of the values.</summary>
    public PartEncoding Encoding => _isDouble ? _encoding ?? PartEncoding.Plain : PartEncoding.DeltaBinaryPacked;

    public long Rows { get; private set; }

    public long Nulls { get; private set; }

    /// <summary>Smallest value; false where none can be told (no value, NaN, or a zero, whose sign bounds do not tell).</summary>
    public bool TryGetBounds(out long min, out long max)
    {
        (min, max) = (Min, Max);
        return Nulls < Rows && (!_isDouble || _boundsHold);
    }

    private long Min { get; set; }

    private long Max { get; set; }

    /// <summary>Begins a row group.</summary>
    public void Clear()
    {
        _bytes.Clear();
        _pages.Clear();
        _constantRows.Clear();
        _encoding = null;
        _isPaged = PartFormat.IsKey(column);
        UncompressedBytes = 0;
        Rows = 0;
        Nulls = 0;
    }

    /// <summary>Adds a bundle. <paramref name="values"/> are those that are there, doubles as their bits; <paramref name="defined"/> tells for each row whether it has one, and is empty when all have.</summary>
    public void Add(ReadOnlySpan<long> values, ReadOnlySpan<byte> defined, int rows, PartPageEncoder encoder)
    {
        var (min, max) = Bounds(values);
        if (Nulls == Rows)
        {
            (Min, Max) = (min, max);
            _boundsHold = true;
        }

        if (!values.IsEmpty)
        {
            // Bounds of doubles are told only where all are one number: what a reader of a constant needs.
            _boundsHold &= min == max && min == Min && Min == Max && IsTellable(min);
            (Min, Max) = (Math.Min(Min, min), Math.Max(Max, max));
        }

        if (!_isPaged)
        {
            var constant = values.IsEmpty || (!_isDouble && values.Length == rows && min == max);
            if (constant && (_constantRows.Count == 0 || (_isEmptyOfValues == values.IsEmpty && _constant == min)))
            {
                (_isEmptyOfValues, _constant) = (values.IsEmpty, min);
                _constantRows.Add(rows);
                Count(rows, values.Length);
                return;
            }

            _isPaged = true;
            if (_isDouble)
            {
                _encoding = encoder.Choose(values);
            }

            foreach (var earlier in _constantRows)
            {
                AddConstant(earlier, encoder);
            }
        }

        Count(rows, values.Length);
        AddPage(encoder.Encode(column, values, defined, rows, ref _encoding, _bytes), rows, min, max);
    }

    /// <summary>Ends the row group: after it the pages are complete.</summary>
    public void Complete(PartPageEncoder encoder)
    {
        if (!_isPaged)
        {
            AddConstant((int)Rows, encoder);
        }
    }

    private static bool IsTellable(long bits)
    {
        var value = BitConverter.Int64BitsToDouble(bits);
        return double.IsFinite(value) && value != 0;
    }

    private static (long Min, long Max) Bounds(ReadOnlySpan<long> values)
    {
        if (values.IsEmpty)
        {
            return (0, 0);
        }

        var (min, max) = (values[0], values[0]);
        foreach (var value in values)
        {
            min = Math.Min(min, value);
            max = Math.Max(max, value);
        }

        return (min, max);
    }

    private void Count(int rows, int values)
    {
        Rows += rows;
        Nulls += rows - values;
    }

    private void AddConstant(int rows, PartPageEncoder encoder) =>
        AddPage(encoder.EncodeConstant(column, _isEmptyOfValues ? null : _constant, rows, Encoding, _bytes), rows, _constant, _constant);

    private void AddPage(PartPageEncoder.PageBytes page, int rows, long min, long max)
    {
        UncompressedBytes += page.Uncompressed;
        _pages.Add(new PartPage(page.Stored, rows, min, max));
    }
}
