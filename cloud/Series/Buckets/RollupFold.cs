using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>
/// Folds the observations of one datastream, given in order of time, into the rows of a rollup, straight and never from a finer one, so that a row means the same wherever it comes from. The rows are
/// a function of what is given, to the last bit. Holds one cell; used by one caller at a time.
/// </summary>
/// <param name="resolution">Width of the cells, one of <see cref="Rollups.Resolutions"/>.</param>
/// <param name="columns">Sums that are wanted; the others are NaN.</param>
/// <param name="write">Called with each finished row, in order of time, on the caller's thread.</param>
internal sealed class RollupFold(TimeSpan resolution, RollupColumns columns, Action<RollupRow> write)
{
    private readonly long _width = resolution.Ticks / TimeSpan.TicksPerMicrosecond;
    private readonly bool _hasEnergy = (columns & RollupColumns.Energy) != 0;
    private readonly bool _hasDirection = (columns & RollupColumns.Direction) != 0;
    private long _end = long.MinValue;
    private long _count;
    private Quality _quality;
    private double _covered;
    private double _sum;
    private double _min;
    private double _max;
    private double _energy;
    private double _east;
    private double _north;
    private double _first;
    private double _last;

    /// <summary>Takes the next observations, field by field.</summary>
    public void Add(ReadOnlySpan<long> micros, ReadOnlySpan<double> results, ReadOnlySpan<int> qualities, ReadOnlySpan<double> coverages)
    {
        for (var i = 0; i < micros.Length; i++)
        {
            Add(micros[i], results[i], (Quality)qualities[i], coverages[i]);
        }
    }

    /// <summary>Takes the next observation.</summary>
    public void Add(long micros, double result, Quality quality, double coverage)
    {
        if (micros >= _end)
        {
            Complete();
            _end = (EventTime.FloorDivide(micros, _width) + 1) * _width;
        }

        // The same additions as in BucketSums, which begin at +0.
        _covered += double.IsNaN(coverage) ? 1 : coverage;
        _sum += result;
        if (_hasEnergy)
        {
            _energy += Level.Energy(result);
        }

        if (_hasDirection)
        {
            _east += Direction.East(result);
            _north += Direction.North(result);
        }

        (_min, _max, _first) = _count == 0 ? (result, result, result) : (result < _min ? result : _min, result > _max ? result : _max, _first);
        _last = result;
        _quality |= quality;
        _count++;
    }

    /// <summary>Writes the last row. The fold can then be used for another stretch of time.</summary>
    public void Complete()
    {
        if (_count > 0)
        {
            write(new RollupRow(
                _end - _width, _end, _count, _quality, _covered, _sum, _min, _max, _hasEnergy ? _energy : double.NaN, _hasDirection ? _east : double.NaN, _hasDirection ? _north : double.NaN, _first, _last));
        }

        _end = long.MinValue;
        (_count, _quality, _covered, _sum, _energy, _east, _north) = (0, Quality.Good, 0, 0, 0, 0, 0);
    }
}
