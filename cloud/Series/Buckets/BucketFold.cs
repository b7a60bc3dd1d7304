using System.Globalization;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>
/// Folds the observations of one datastream, given in order of time, into buckets. Every store answers through it, so that their figures agree to the last bit: a sum taken in another order would
/// differ in its last bits. Used by one caller at a time.
/// </summary>
/// <remarks>
/// A bucket is folded in two steps: observations into the cell they lie in, cells into the bucket, both in order of time. The cells are those of the rollup that the question can be served from
/// (<see cref="Rollups.Serving"/>): the question alone decides, whatever is stored. So a cell may be given as the row that was kept of it instead of its observations, and the figures are the same
/// to the last bit.
/// </remarks>
internal sealed class BucketFold
{
    private readonly AggregateQuery _query;
    private readonly Statistic _statistic;
    private readonly Quality _without;
    private readonly int _bucketsMax;
    private readonly BucketEdges _edges;
    private readonly long _cellWidth;
    private readonly Percentiles? _percentiles;
    private readonly List<Bucket> _buckets = [];
    private long _start;
    private long _end = long.MinValue;
    private long _cellEnd = long.MinValue;
    private BucketSums _cell;
    private BucketSums _sums;

    /// <param name="query">The question.</param>
    /// <param name="bucketsMax">Buckets of an answer at most.</param>
    /// <param name="edges">Edges of the question's buckets, where several of its folds share them, one after the other.</param>
    /// <exception cref="ArgumentException">The width, the statistic, the percentage, the cadence or a bound is none.</exception>
    public BucketFold(AggregateQuery query, int bucketsMax, BucketEdges? edges = null)
    {
        ArgumentNullException.ThrowIfNull(query);
        var every = query.Every;
        if (every.Width < TimeSpan.FromMicroseconds(1) || every.Width.Ticks % TimeSpan.TicksPerMicrosecond != 0)
        {
            throw new ArgumentException("The width of a bucket is one microsecond or more, in whole microseconds.", nameof(query));
        }

        if (!Enum.IsDefined(query.Statistic))
        {
            throw new ArgumentException($"There is no statistic {(int)query.Statistic}.", nameof(query));
        }

        if (query.Percent is not (>= 0 and <= 100))
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"A percentile is given as a number from 0 to 100, not {query.Percent}."), nameof(query));
        }

        if (query.Cadence < TimeSpan.Zero)
        {
            throw new ArgumentException($"The cadence of observations is zero (unknown) or more, not {query.Cadence:c}.", nameof(query));
        }

        if (query.Statistic == Statistic.Percentile)
        {
            _percentiles = new Percentiles(query.Percent);
        }

        _query = query;
        _statistic = query.Statistic;
        _without = query.WithoutQuality;
        _bucketsMax = bucketsMax;
        _edges = edges ?? new BucketEdges(every.Width, every.Zone);
        Cells = Rollups.Serving(query);
        _cellWidth = Cells is { } cells ? cells.Ticks / TimeSpan.TicksPerMicrosecond : 0;
        From = EventTime.Bound(query.From, nameof(query));
        To = EventTime.Bound(query.To, nameof(query));
    }

    /// <summary>First microsecond asked for.</summary>
    public long From { get; }

    /// <summary>First microsecond no longer asked for.</summary>
    public long To { get; }

    /// <summary>Resolution of the rollup whose rows are taken; null when there is none and only observations can be folded.</summary>
    public TimeSpan? Cells { get; }

    /// <summary>The figure asked for.</summary>
    public Statistic Statistic => _statistic;

    /// <summary>Observations with any of these flags are left out.</summary>
    public Quality Without => _without;

    /// <summary>Whether the coverages of observations matter; a store need not read them otherwise.</summary>
    public bool NeedsCoverage => _query.Cadence > TimeSpan.Zero;

    /// <summary>Buckets complete so far.</summary>
    public int Buckets => _buckets.Count;

    /// <summary>Takes the next observations, field by field, as if they came one by one.</summary>
    /// <param name="micros">Phenomenon times, ascending.</param>
    /// <param name="results">Results.</param>
    /// <param name="qualities">Flags.</param>
    /// <param name="coverages">Shares measured; may be empty when <see cref="NeedsCoverage"/> is false.</param>
    /// <exception cref="ArgumentException">As for one.</exception>
    public void Add(ReadOnlySpan<long> micros, ReadOnlySpan<double> results, ReadOnlySpan<int> qualities, ReadOnlySpan<double> coverages)
    {
        var isPlain = !NeedsCoverage && _statistic is (Statistic.Sum or Statistic.Mean or Statistic.Count or Statistic.Min or Statistic.Max);
        for (var at = 0; at < micros.Length;)
        {
            if (!isPlain || micros[at] < From || micros[at] >= Math.Min(_cellEnd, To))
            {
                Add(micros[at], results[at], (Quality)qualities[at], coverages.IsEmpty ? double.NaN : coverages[at]);
                at++;
                continue;
            }

            // What is left of the cell at once: the same additions in the same order.
            var left = EventTime.FirstAt(micros[at..], Math.Min(_cellEnd, To));
            _cell.Add(_statistic, results.Slice(at, left), qualities.Slice(at, left), _without);
            at += left;
        }
    }

    /// <summary>Takes the next observation; those outside the question or with unwanted flags are left out.</summary>
    /// <param name="micros">Phenomenon time, later than that of the one before.</param>
    /// <param name="result">Result.</param>
    /// <param name="quality">Flags.</param>
    /// <param name="coverage">Share of its averaging period measured, NaN when not stated; of no effect when <see cref="NeedsCoverage"/> is false.</param>
    /// <exception cref="ArgumentException">The answer would have more buckets than allowed, or a bucket more results than a percentile is taken of.</exception>
    public void Add(long micros, double result, Quality quality, double coverage)
    {
        if (micros < From || micros >= To || (quality & _without) != 0)
        {
            return;
        }

        if (micros >= _cellEnd)
        {
            CloseCell();
            Enter(micros);
            _cellEnd = _cellWidth == 0 ? _end : Math.Min((EventTime.FloorDivide(micros, _cellWidth) + 1) * _cellWidth, _end);
        }

        _cell.Add(_statistic, result, quality, coverage);
        _percentiles?.Add(result);
    }

    /// <summary>Takes the row kept of a cell in place of the cell's observations, as for many.</summary>
    /// <exception cref="ArgumentException">As for many.</exception>
    public bool TryAdd(in RollupRow row)
    {
        var (start, (low, high), quality, covered, min, max) = (row.Start, RollupSpan.Halves(row.Count), (int)row.Quality, row.Covered, row.Min, row.Max);
        var (value, second) = _statistic switch
        {
            Statistic.Sum or Statistic.Mean => (row.Sum, 0d),
            Statistic.EnergyMean => (row.EnergySum, 0d),
            Statistic.CircularMean => (row.East, row.North),
            Statistic.First or Statistic.Last => (row.First, row.Last),
            _ => (0d, 0d),
        };
        return Add(new RollupSpan(row.End - start, new(in start), new(in low), new(in high), new(in quality), new(in covered), new(in min), new(in max), new(in value), new(in second))) == 1;
    }

    /// <summary>
    /// Takes rows kept of cells in place of the cells' observations, until one cannot stand for them: it reaches across an end of the question or of a bucket, or holds an observation with unwanted flags.
    /// The caller then gives that cell's observations.
    /// </summary>
    /// <returns>How many were taken.</returns>
    /// <exception cref="ArgumentException">The fold has no cells, a row is not one of them or out of order, or the answer would have more buckets than allowed.</exception>
    public int Add(in RollupSpan cells)
    {
        if (_cellWidth == 0 || cells.Width != _cellWidth)
        {
            throw NotOfResolution();
        }

        var starts = cells.Starts;
        var qualities = cells.Qualities;
        var without = (int)_without;
        for (var at = 0; at < starts.Length;)
        {
            var start = starts[at];
            if (start % _cellWidth != 0)
            {
                throw NotOfResolution();
            }

            if (start < _cellEnd)
            {
                throw new ArgumentException("Rows come in order of time, and no row beside observations of its cell.", nameof(cells));
            }

            var end = Math.Min(To, start < _end ? _end : _edges.Around(start).End);
            if (start < From || start + _cellWidth > end || (qualities[at] & without) != 0)
            {
                return at;
            }

            if (cells.CountOf(at) == 0)
            {
                at++;
                continue;
            }

            // As many as follow in the bucket at once.
            var (next, expected) = (at + 1, start + _cellWidth);
            for (; next < starts.Length && starts[next] <= end - _cellWidth && (qualities[next] & without) == 0; next++, expected += _cellWidth)
            {
                if (starts[next] != expected)
                {
                    if (starts[next] < expected || (starts[next] - expected) % _cellWidth != 0)
                    {
                        break;
                    }

                    expected = starts[next];
                }
            }

            CloseCell();
            Enter(start);
            _sums.Add(_statistic, cells[at..next]);
            _cellEnd = expected;
            at = next;
        }

        return starts.Length;

        static ArgumentException NotOfResolution() => new("The row is not of the resolution that this question is folded from.", nameof(cells));
    }

    /// <summary>The buckets that hold data. Call once, after the last observation.</summary>
    public IReadOnlyList<Bucket> Complete()
    {
        CloseCell();
        CloseBucket();
        return _buckets;
    }

    private void Enter(long micros)
    {
        if (micros >= _end)
        {
            CloseBucket();
            (_start, _end) = _edges.Around(micros);
        }
    }

    private void CloseCell()
    {
        _sums.Add(_statistic, _cell);
        _cell = default;
    }

    private void CloseBucket()
    {
        if (_sums.Count == 0)
        {
            return;
        }

        if (_buckets.Count == _bucketsMax)
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture, $"The answer has more than {_bucketsMax} buckets ({SeriesOptions.Section}:BucketsMax): ask for wider buckets or a shorter time."));
        }

        var bucket = _sums.ToBucket(_statistic, _start, _end, _query.Cadence);
        _buckets.Add(_percentiles is null ? bucket : bucket with { Value = _percentiles.Take() });
        _sums = default;
    }
}
