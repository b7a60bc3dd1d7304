using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Indicators;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>What is made of a datastream's observations before the machine sees it: the measure of a rule. A value, shared by all runs of a pair.</summary>
/// <param name="Measure">What is made.</param>
/// <param name="Window">Over which event time; zero for each observation by itself.</param>
/// <param name="OnClock">Whether windows are those of the clock.</param>
/// <param name="Percent">Of a percentile.</param>
/// <param name="CoverageMin">Share of the window that must be covered, 0 to 1.</param>
/// <param name="Period">Averaging period of the datastream; zero for instantaneous values.</param>
/// <param name="Averaging">How its quantity combines.</param>
/// <param name="Zone">Time zone of the clock.</param>
internal sealed record Signal(Measure Measure, TimeSpan Window, bool OnClock, double Percent, double CoverageMin, TimeSpan Period, AveragingRule Averaging, TimeZoneInfo Zone)
{
    /// <summary>Each observation as it is.</summary>
    public static Signal Plain { get; } = new(Measure.Value, TimeSpan.Zero, false, 0, 0, TimeSpan.Zero, AveragingRule.Mean, TimeZoneInfo.Utc);

    /// <summary>When observations count at all; null for always.</summary>
    public RuleSchedule? Schedule { get; init; }

    /// <summary>When the station was where the rule concerns it; null for always.</summary>
    public Presence? Presence { get; init; }

    /// <summary>Flags that make an observation no good one, where the measure is the share of good ones.</summary>
    public Quality Faults { get; init; }

    /// <summary>What an observation has for the measure.</summary>
    public double ValueOf(in Observation observation) =>
        Measure != Measure.GoodShare ? observation.Result : (observation.Quality & Faults) == 0 ? 100 : 0;

    /// <summary>Whether each observation goes to the machine as it is.</summary>
    public bool IsPlain => Measure is Measure.Value or Measure.NoData || Measure.IsOfSeveral();

    /// <summary>Of exceedances: a mean above it is one, canonical unit.</summary>
    public double Limit { get; init; }

    /// <summary>Whether windows are noise days, from 07:00 to 07:00.</summary>
    public bool IsOfNoiseDays => Measure is Measure.Lden or Measure.Ln;

    /// <summary>Whether an observation counts.</summary>
    public bool Covers(DateTime at) => (Presence is null && Schedule is null) || (Measure.IsOfSeveral() && OnClock ? ClockWindows.AllOf(this, at) : CoversInstant(at));

    /// <summary>Whether an instant counts.</summary>
    public bool CoversInstant(DateTime at) => (Presence?.Covers(at) ?? true) && (Schedule?.Covers(at, Zone) ?? true);

    /// <summary>
    /// Whether an observation that follows another in order of time is in the same window of the clock, with nothing that could have come or gone in between: then the machine is given nothing yet.
    /// </summary>
    public bool IsInWindowOf(DateTime before, DateTime at)
    {
        if (IsPlain || !OnClock || Schedule is not null || Presence is not null)
        {
            return false;
        }

        var (start, end) = Edges().Around(SignalWindow.Micros(before));
        return SignalWindow.Time(start) <= at && at < SignalWindow.Time(end);
    }

    /// <summary>Edges of the windows of the clock.</summary>
    public BucketEdges Edges() => new(Window, Zone, IsOfNoiseDays ? NoiseDay.BeginOf(NoisePeriod.Day) : TimeSpan.Zero);

    /// <summary>Event time over which an observation has a say after its own: a local day may have 25 hours.</summary>
    public TimeSpan Reach => IsPlain ? TimeSpan.Zero : OnClock && Window >= TimeSpan.FromDays(1) ? Window + TimeSpan.FromHours(2) : Window;
}

/// <summary>
/// The window of one run over observations in order of time. What it says is a function of the observations in the window alone, added up anew each time: a sum that goes on from window to window would
/// depend on where the run began. Used by one run.
/// </summary>
internal sealed class SignalWindow(Signal signal)
{
    /// <summary>Observations of a window at most: 5 a second over an hour. A window with more says nothing.</summary>
    public const int CountMax = 20_000;

    private readonly BucketEdges? _edges = signal.OnClock ? signal.Edges() : null;
    private readonly NoiseDayWindow? _noise = signal.IsOfNoiseDays ? new NoiseDayWindow(signal) : null;
    private readonly List<double> _sorted = [];
    private DateTime[] _times = new DateTime[64];
    private double[] _values = new double[64];
    private int _first;
    private int _count;
    private DateTime _closes;

    /// <summary>When the window of the clock that is being filled closes; <see cref="DateTime.MaxValue"/> when there is none, or windows end at each observation.</summary>
    public DateTime Closes => _noise is not null ? _noise.Closes : _edges is null || _count == 0 ? DateTime.MaxValue : _closes;

    /// <summary>Takes the next observation; the window of the clock before it must have been closed.</summary>
    public void Add(DateTime at, double value)
    {
        if (_noise is not null)
        {
            _noise.Add(at, value);
            return;
        }

        if (_edges is null)
        {
            var from = signal.Measure == Measure.Change ? at - signal.Window : at - signal.Window + TimeSpan.FromTicks(1);
            while (_count > 0 && _times[_first] < from)
            {
                _first++;
                _count--;
            }
        }
        else if (_count == 0)
        {
            _closes = Time(_edges.Around(Micros(at)).End);
        }

        if (_count > CountMax)
        {
            // It says nothing any more; its latest observations still tell when that is over.
            _first++;
            _count--;
        }

        if (_first + _count == _times.Length)
        {
            MakeRoom();
        }

        (_times[_first + _count], _values[_first + _count]) = (at, value);
        _count++;
    }

    /// <summary>Empties a window of the clock.</summary>
    public void Clear()
    {
        (_first, _count) = (0, 0);
        _noise?.Clear();
    }

    /// <summary>The measure of what is in the window; false when it says nothing.</summary>
    public bool TryMeasure(out double measure)
    {
        measure = 0;
        if (_noise is not null)
        {
            return _noise.TryMeasure(out measure);
        }

        if (_count is 0 or > CountMax || !IsCovered())
        {
            return false;
        }

        var values = _values.AsSpan(_first, _count);
        measure = signal.Measure switch
        {
            Measure.Spread => Extreme(values, 1) - Extreme(values, -1),
            Measure.GoodShare => Sum(values) / _count,
            Measure.Mean => signal.Averaging == AveragingRule.EnergyMean ? EnergyMean(values) : Sum(values) / _count,
            Measure.Sum => Sum(values),
            Measure.Max => Extreme(values, 1),
            Measure.Min => Extreme(values, -1),
            Measure.Percentile => Percentile(values),
            Measure.Count => _count,
            _ => values[^1] - values[0],
        };
        return double.IsFinite(measure);
    }

    private bool IsCovered()
    {
        if (signal.Measure == Measure.Change)
        {
            return _count > 1 && _times[_first + _count - 1] - _times[_first] >= signal.Window * signal.CoverageMin;
        }

        if (signal.Measure == Measure.Count || signal.Period == TimeSpan.Zero)
        {
            return true;
        }

        var window = _edges is null ? signal.Window : _closes - Time(_edges.Around(Micros(_times[_first])).Start);
        return signal.Period.Ticks * (double)_count >= window.Ticks * signal.CoverageMin;
    }

    /// <summary>Microseconds since 1970 of an instant.</summary>
    internal static long Micros(DateTime time) => (time.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    /// <summary>The instant of microseconds since 1970.</summary>
    internal static DateTime Time(long micros) => new(DateTime.UnixEpoch.Ticks + (micros * TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);

    private static double Sum(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += value;
        }

        return sum;
    }

    /// <summary>Ten times the logarithm of the mean of the energies (ISO 1996-1, equivalent continuous sound pressure level).</summary>
    private static double EnergyMean(ReadOnlySpan<double> levels)
    {
        var energy = 0.0;
        foreach (var level in levels)
        {
            energy += Math.Pow(10, level / 10);
        }

        return 10 * Math.Log10(energy / levels.Length);
    }

    private static double Extreme(ReadOnlySpan<double> values, int sign)
    {
        var extreme = values[0];
        foreach (var value in values)
        {
            extreme = sign * value > sign * extreme ? value : extreme;
        }

        return extreme;
    }

    private double Percentile(ReadOnlySpan<double> values)
    {
        _sorted.Clear();
        _sorted.AddRange(values);
        _sorted.Sort();
        return Percentiles.Of(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_sorted), signal.Percent);
    }

    private void MakeRoom()
    {
        var (times, values) = (_times, _values);
        if (_count > _times.Length / 2)
        {
            (times, values) = (new DateTime[_times.Length * 2], new double[_values.Length * 2]);
        }

        Array.Copy(_times, _first, times, 0, _count);
        Array.Copy(_values, _first, values, 0, _count);
        (_times, _values, _first) = (times, values, 0);
    }
}
