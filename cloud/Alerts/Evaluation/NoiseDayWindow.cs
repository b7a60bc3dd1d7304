using Hub.Cloud.Indicators;
using Hub.Cloud.Series;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>
/// The noise day that is being filled: 07:00 to 07:00 by the local clock, with its evening at 20:00 and its night at 23:00. Where the clock leaves one of these times out, the period begins at the change. Holds sums
/// only, so that a level a second is as good as one an hour; they are taken from the begin of the day in order of time, since every run reads that far back. Used by one run.
/// </summary>
/// <param name="signal">A signal about <see cref="Measure.Lden"/> or <see cref="Measure.Ln"/>.</param>
internal sealed class NoiseDayWindow(Signal signal)
{
    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    private readonly BucketEdges _days = signal.Edges();
    private readonly BucketEdges _evenings = new(OneDay, signal.Zone, NoiseDay.BeginOf(NoisePeriod.Evening));
    private readonly BucketEdges _nights = new(OneDay, signal.Zone, NoiseDay.BeginOf(NoisePeriod.Night));
    private readonly NoiseDay _day = new();
    private bool _isBegun;
    private DateTime _begins;
    private DateTime _evening;
    private DateTime _night;
    private DateTime _closes;

    /// <summary>When the day closes; <see cref="DateTime.MaxValue"/> when nothing is in it.</summary>
    public DateTime Closes => _isBegun ? _closes : DateTime.MaxValue;

    /// <summary>Takes the next level; the day before it must have been closed.</summary>
    public void Add(DateTime at, double level)
    {
        if (!_isBegun)
        {
            Begin(at);
        }

        _day.Add(at < _evening ? NoisePeriod.Day : at < _night ? NoisePeriod.Evening : NoisePeriod.Night, level);
    }

    /// <summary>Empties it.</summary>
    public void Clear()
    {
        _isBegun = false;
        _day.Clear();
    }

    /// <summary>The measure of the day; false when a period of it that is needed is not covered.</summary>
    public bool TryMeasure(out double measure)
    {
        measure = double.NaN;
        if (!IsCovered(NoisePeriod.Night, _closes - _night))
        {
            return false;
        }

        if (signal.Measure == Measure.Ln)
        {
            measure = _day.LevelOf(NoisePeriod.Night);
        }
        else if (IsCovered(NoisePeriod.Day, _evening - _begins) && IsCovered(NoisePeriod.Evening, _night - _evening))
        {
            measure = _day.Lden;
        }

        return double.IsFinite(measure);
    }

    private void Begin(DateTime at)
    {
        var (start, end) = _days.Around(SignalWindow.Micros(at));
        (_begins, _closes, _isBegun) = (SignalWindow.Time(start), SignalWindow.Time(end), true);

        // The evening and the night that go on, or have just begun, when the day ends are its own.
        _evening = SignalWindow.Time(_evenings.Around(end - 1).Start);
        _night = SignalWindow.Time(_nights.Around(end - 1).Start);
    }

    /// <summary>Each period by itself, against as long as it really lasts.</summary>
    private bool IsCovered(NoisePeriod period, TimeSpan length) =>
        _day.CountOf(period) > 0 && (signal.Period == TimeSpan.Zero || signal.Period.Ticks * (double)_day.CountOf(period) >= length.Ticks * signal.CoverageMin);
}
