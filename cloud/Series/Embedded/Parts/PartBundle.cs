using System.Runtime.InteropServices;

namespace Hub.Cloud.Series;

/// <summary>The rows of the bundle being written, and how they become the columns of a part. Used by one writer at a time.</summary>
internal sealed class PartBundle
{
    /// <summary>Those of writers that are done: one for what is flushed, one for what is merged.</summary>
    public static readonly Spares<PartBundle> Spare = new(static () => new(), 2);

    private readonly ObservationColumns _rows = new();
    private readonly List<int> _datastreams = [];
    private readonly List<int> _ends = [];
    private readonly Scaled _result = new();
    private readonly Scaled _raw = new();
    private readonly Sparse _coverage = new();
    private long[] _wide = [];

    public int Rows => _rows.Count;

    public void Clear()
    {
        _rows.Clear();
        _datastreams.Clear();
        _ends.Clear();
    }

    /// <summary>Adds rows [from, to) of a datastream; the same one may come several times in a row.</summary>
    public void Add(int datastream, ObservationColumns rows, int from, int to)
    {
        _rows.AddRange(rows, from, to);
        if (_datastreams.Count > 0 && _datastreams[^1] == datastream)
        {
            _ends[^1] = Rows;
            return;
        }

        _datastreams.Add(datastream);
        _ends.Add(Rows);
    }

    /// <summary>Adds the bundle to every column.</summary>
    public void Encode(PartColumnWriter[] columns, PartPageEncoder encoder)
    {
        if (_wide.Length < Rows)
        {
            _wide = new long[Rows];
        }

        var start = 0;
        for (var run = 0; run < _ends.Count; run++)
        {
            _wide.AsSpan(start, _ends[run] - start).Fill(_datastreams[run]);
            start = _ends[run];
        }

        Add(columns, PartColumn.Datastream, _wide.AsSpan(0, Rows), encoder);
        Add(columns, PartColumn.Time, CollectionsMarshal.AsSpan(_rows.Micros), encoder);
        _result.Take(CollectionsMarshal.AsSpan(_rows.Results), _ends, isMeasured: true);
        _result.Encode(columns, PartColumn.ResultScaled, encoder);
        AddIntegers(columns, PartColumn.Quality, _rows.Qualities, encoder);
        _raw.Take(CollectionsMarshal.AsSpan(_rows.Raws), _ends, isMeasured: false);
        _raw.Encode(columns, PartColumn.RawScaled, encoder);
        AddIntegers(columns, PartColumn.Calibration, _rows.Calibrations, encoder);
        _coverage.Clear(Rows);
        var coverages = CollectionsMarshal.AsSpan(_rows.Coverages);
        for (var i = 0; i < coverages.Length; i++)
        {
            if (!double.IsNaN(coverages[i]))
            {
                _coverage.Set(i, BitConverter.DoubleToInt64Bits(coverages[i]));
            }
        }

        _coverage.Encode(columns[(int)PartColumn.Coverage], encoder);
        AddIntegers(columns, PartColumn.Revision, _rows.Revisions, encoder);
    }

    private static void Add(PartColumnWriter[] columns, PartColumn column, ReadOnlySpan<long> values, PartPageEncoder encoder) =>
        columns[(int)column].Add(values, default, values.Length, encoder);

    private void AddIntegers(PartColumnWriter[] columns, PartColumn column, List<int> values, PartPageEncoder encoder)
    {
        var source = CollectionsMarshal.AsSpan(values);
        for (var i = 0; i < source.Length; i++)
        {
            _wide[i] = source[i];
        }

        Add(columns, column, _wide.AsSpan(0, source.Length), encoder);
    }

    /// <summary>A column of which rows may lack a value.</summary>
    private sealed class Sparse
    {
        private long[] _values = [];
        private byte[] _defined = [];
        private int _count;
        private int _rows;

        public void Clear(int rows)
        {
            if (_values.Length < rows)
            {
                _values = new long[rows];
                _defined = new byte[rows];
            }

            _defined.AsSpan(0, rows).Clear();
            _count = 0;
            _rows = rows;
        }

        /// <summary>Gives a row its value; rows in ascending order.</summary>
        public void Set(int row, long value)
        {
            _values[_count++] = value;
            _defined[row] = 1;
        }

        /// <summary>Gives rows [from, to) one value.</summary>
        public void Fill(int from, int to, long value)
        {
            _values.AsSpan(_count, to - from).Fill(value);
            _defined.AsSpan(from, to - from).Fill(1);
            _count += to - from;
        }

        /// <summary>Gives rows from <paramref name="from"/> on a value each.</summary>
        public void Copy(int from, ReadOnlySpan<long> values)
        {
            values.CopyTo(_values.AsSpan(_count));
            _defined.AsSpan(from, values.Length).Fill(1);
            _count += values.Length;
        }

        public void Encode(PartColumnWriter column, PartPageEncoder encoder) =>
            column.Add(_values.AsSpan(0, _count), _count == _rows ? default : _defined.AsSpan(0, _rows), _rows, encoder);
    }

    /// <summary>A measured value in three columns: as a whole number with decimals where that is the same bit for bit for the whole datastream in this bundle, as a double otherwise.</summary>
    private sealed class Scaled
    {
        private readonly Sparse _scaled = new();
        private readonly Sparse _decimals = new();
        private readonly Sparse _double = new();
        private long[] _whole = [];

        public void Take(ReadOnlySpan<double> values, List<int> ends, bool isMeasured)
        {
            _scaled.Clear(values.Length);
            _decimals.Clear(values.Length);
            _double.Clear(values.Length);
            if (_whole.Length < values.Length)
            {
                _whole = new long[values.Length];
            }

            var start = 0;
            foreach (var end in ends)
            {
                Take(values[start..end], start, isMeasured);
                start = end;
            }
        }

        public void Encode(PartColumnWriter[] columns, PartColumn first, PartPageEncoder encoder)
        {
            _scaled.Encode(columns[(int)first], encoder);
            _decimals.Encode(columns[(int)first + 1], encoder);
            _double.Encode(columns[(int)first + 2], encoder);
        }

        private void Take(ReadOnlySpan<double> values, int start, bool isMeasured)
        {
            var missing = 0;
            if (!isMeasured)
            {
                foreach (var value in values)
                {
                    missing += double.IsNaN(value) ? 1 : 0;
                }

                if (missing == values.Length)
                {
                    return;
                }
            }

            var decimals = DecimalScale.Scale(values, passNaN: missing > 0, _whole);
            if (decimals >= 0)
            {
                _decimals.Fill(start, start + values.Length, decimals);
                if (missing == 0)
                {
                    _scaled.Copy(start, _whole.AsSpan(0, values.Length));
                    return;
                }
            }

            for (var i = 0; i < values.Length; i++)
            {
                if (isMeasured || !double.IsNaN(values[i]))
                {
                    (decimals >= 0 ? _scaled : _double).Set(start + i, decimals >= 0 ? _whole[i] : BitConverter.DoubleToInt64Bits(values[i]));
                }
            }
        }
    }
}
