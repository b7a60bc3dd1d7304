using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Series;

/// <summary>
/// What a bucket gathers for one statistic; what the two numbers mean depends on it. Everything is added in order of time. A mutable struct, because it is changed for every observation a
/// question reads.
/// </summary>
internal struct BucketSums
{
    private double _first;
    private double _second;

    /// <summary>Observations gathered.</summary>
    public long Count { get; private set; }

    /// <summary>All their flags.</summary>
    public Quality Quality { get; private set; }

    /// <summary>Sum of their coverages, not stated being 1: in units of the cadence.</summary>
    public double Covered { get; private set; }

    /// <summary>Smallest result.</summary>
    public double Min { get; private set; }

    /// <summary>Largest result.</summary>
    public double Max { get; private set; }

    /// <summary>Adds one observation, later than all before it.</summary>
    public void Add(Statistic statistic, double result, Quality quality, double coverage)
    {
        switch (statistic)
        {
            case Statistic.Sum or Statistic.Mean:
                _first += result;
                break;
            case Statistic.EnergyMean:
                _first += Level.Energy(result);
                break;
            case Statistic.CircularMean:
                _first += Direction.East(result);
                _second += Direction.North(result);
                break;
            case Statistic.First:
                _first = Count == 0 ? result : _first;
                break;
            case Statistic.Last:
                _first = result;
                break;
        }

        Min = Count == 0 || result < Min ? result : Min;
        Max = Count == 0 || result > Max ? result : Max;
        Covered += double.IsNaN(coverage) ? 1 : coverage;
        Quality |= quality;
        Count++;
    }

    /// <summary>Adds observations as if they came one by one, without their coverages; for statistics that are a sum of results or need none.</summary>
    /// <param name="statistic">Sum, mean, count, minimum or maximum.</param>
    /// <param name="results">Results in order of time.</param>
    /// <param name="qualities">Their flags.</param>
    /// <param name="without">Those with any of these flags are left out.</param>
    public void Add(Statistic statistic, ReadOnlySpan<double> results, ReadOnlySpan<int> qualities, Quality without)
    {
        // Locals, so that they stay in registers: this is where questions about a whole city spend their time.
        var (sum, min, max, count, flags) = (_first, Min, Max, Count, 0);
        for (var i = 0; i < results.Length; i++)
        {
            if ((qualities[i] & (int)without) != 0)
            {
                continue;
            }

            var result = results[i];
            sum += result;
            min = count == 0 || result < min ? result : min;
            max = count == 0 || result > max ? result : max;
            flags |= qualities[i];
            count++;
        }

        _first = statistic is Statistic.Sum or Statistic.Mean ? sum : _first;
        Covered += count - Count;
        (Min, Max, Count, Quality) = (min, max, count, Quality | (Quality)flags);
    }

    /// <summary>Adds what was gathered over a later stretch of time.</summary>
    public void Add(Statistic statistic, in BucketSums later)
    {
        if (Count == 0 || later.Count == 0)
        {
            this = Count == 0 ? later : this;
            return;
        }

        _first = statistic switch
        {
            Statistic.First => _first,
            Statistic.Last => later._first,
            _ => _first + later._first,
        };
        _second += later._second;
        Min = Math.Min(Min, later.Min);
        Max = Math.Max(Max, later.Max);
        Covered += later.Covered;
        Quality |= later.Quality;
        Count += later.Count;
    }

    /// <summary>Adds cells of a rollup as if what was gathered over each were added, one after the other.</summary>
    public void Add(Statistic statistic, in RollupSpan cells)
    {
        // Locals, as above.
        var (first, second, min, max, covered, count, flags) = (_first, _second, Min, Max, Covered, Count, 0);
        var mins = cells.Mins;
        var maxs = cells.Maxs;
        var qualities = cells.Qualities;
        var values = statistic == Statistic.Last ? cells.Seconds : cells.Values;
        var seconds = statistic == Statistic.CircularMean ? cells.Seconds : [];
        for (var i = 0; i < mins.Length; i++)
        {
            if (cells.CountOf(i) is not (> 0 and var more))
            {
                continue;
            }

            var (value, other) = (values.IsEmpty ? 0 : values[i], seconds.IsEmpty ? 0 : seconds[i]);
            if (count == 0)
            {
                (first, second, min, max, covered) = (value, other, mins[i], maxs[i], cells.CoveredOf(i));
            }
            else
            {
                first = statistic switch { Statistic.First => first, Statistic.Last => value, _ => first + value };
                second += other;
                min = Math.Min(min, mins[i]);
                max = Math.Max(max, maxs[i]);
                covered += cells.CoveredOf(i);
            }

            flags |= qualities[i];
            count += more;
        }

        (_first, _second, Min, Max, Covered, Count, Quality) = (first, second, min, max, covered, count, Quality | (Quality)flags);
    }

    /// <summary>The finished bucket; a percentile's value is put in by the caller.</summary>
    public readonly Bucket ToBucket(Statistic statistic, long start, long end, TimeSpan cadence)
    {
        // -0 and +0 are equal numbers: which of them a minimum met is not told.
        var (min, max) = (Min + 0.0, Max + 0.0);
        var value = statistic switch
        {
            Statistic.Count => Count,
            Statistic.Mean => _first / Count,
            Statistic.EnergyMean => Level.OfEnergy(_first / Count),
            Statistic.CircularMean => Direction.Of(_first / Count, _second / Count),
            Statistic.Min => min,
            Statistic.Max => max,
            _ => _first,
        };
        return new Bucket(EventTime.TimeClamped(start), EventTime.TimeClamped(end), value, Count, Quality)
        {
            Min = min,
            Max = max,
            Coverage = cadence > TimeSpan.Zero ? Math.Min(1, Covered * (cadence.TotalMicroseconds / (end - start))) : double.NaN,
        };
    }
}
