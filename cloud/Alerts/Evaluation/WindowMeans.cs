using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>Which means of which datastream: those of windows of the clock.</summary>
/// <param name="Datastream">The datastream.</param>
/// <param name="WindowTicks">Width of the windows.</param>
/// <param name="CoverageMin">Share of a window that must be measured.</param>
/// <param name="Zone">Whose clock.</param>
internal readonly record struct MeansKey(int Datastream, long WindowTicks, double CoverageMin, TimeZoneInfo Zone);

/// <summary>
/// Means of windows of the clock, each read once for all the pairs that compare it, until the datastream changes there. Their number is bounded: past <see cref="CountMax"/> all are forgotten, and read
/// again as they are needed. Used by one caller at a time.
/// </summary>
internal sealed class WindowMeans(ISeries series, Quality ignored)
{
    /// <summary>Means remembered at most between two passes, some 10 MB: a day of hours of 8,000 datastreams.</summary>
    public const int CountMax = 200_000;

    private readonly Dictionary<MeansKey, Stretch> stretches = [];
    private readonly Dictionary<int, List<Stretch>> byDatastream = [];

    /// <summary>Observations read.</summary>
    public long Read { get; private set; }

    /// <summary>Called for each observation read; may throw to end it.</summary>
    public Action? OnRead { get; init; }

    /// <summary>The means of the windows in [from, to), by their ends: a window with observations that says nothing is not a number, one without observations is not there.</summary>
    /// <param name="datastream">The datastream.</param>
    /// <param name="key">Which means.</param>
    /// <param name="from">Begin of a window.</param>
    /// <param name="to">Begin of a window after it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask<IReadOnlyDictionary<DateTime, double>> OfAsync(Datastream datastream, MeansKey key, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        if (!stretches.TryGetValue(key, out var stretch))
        {
            stretches[key] = stretch = new Stretch();
            if (!byDatastream.TryGetValue(key.Datastream, out var all))
            {
                byDatastream[key.Datastream] = all = [];
            }

            all.Add(stretch);
        }

        if (stretch.From == stretch.To || from > stretch.To || to < stretch.From)
        {
            // What lies far from what is known is not worth the reading in between.
            stretch.Forget();
            await ReadAsync(stretch, datastream, key, from, to, cancellationToken).ConfigureAwait(false);
            (stretch.From, stretch.To) = (from, to);
            return stretch.Means;
        }

        if (from < stretch.From)
        {
            await ReadAsync(stretch, datastream, key, from, stretch.From, cancellationToken).ConfigureAwait(false);
            stretch.From = from;
        }

        if (to > stretch.To)
        {
            await ReadAsync(stretch, datastream, key, stretch.To, to, cancellationToken).ConfigureAwait(false);
            stretch.To = to;
        }

        return stretch.Means;
    }

    /// <summary>Forgets what a change touches: everything of the datastream from an instant on.</summary>
    public void Forget(int datastream, DateTime from)
    {
        foreach (var stretch in byDatastream.GetValueOrDefault(datastream, []))
        {
            stretch.ForgetFrom(from);
        }
    }

    /// <summary>Keeps within the bound.</summary>
    public void Trim()
    {
        if (stretches.Values.Sum(stretch => stretch.Means.Count) > CountMax)
        {
            stretches.Clear();
            byDatastream.Clear();
        }
    }

    private async ValueTask ReadAsync(Stretch stretch, Datastream datastream, MeansKey key, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        var averaging = datastream.Quantity.Averaging == AveragingRule.EnergyMean ? AveragingRule.EnergyMean : AveragingRule.Mean;
        var window = new SignalWindow(new Signal(Measure.Mean, new TimeSpan(key.WindowTicks), OnClock: true, 0, key.CoverageMin, datastream.Period, averaging, key.Zone));
        var clock = new ClockWindows(new TimeSpan(key.WindowTicks), key.Zone);
        var end = DateTime.MinValue;
        await foreach (var observation in series.RangeAsync(datastream.Id, from, to, cancellationToken).ConfigureAwait(false))
        {
            Read++;
            OnRead?.Invoke();
            if (observation.PhenomenonTime >= end)
            {
                Close();
                end = clock.Around(observation.PhenomenonTime).End;
            }

            if (double.IsFinite(observation.Result) && (observation.Quality & ignored) == 0)
            {
                window.Add(observation.PhenomenonTime, observation.Result);
            }
        }

        Close();

        void Close()
        {
            if (end != DateTime.MinValue)
            {
                stretch.Add(end, window.TryMeasure(out var mean) ? mean : double.NaN);
                window.Clear();
            }
        }
    }

    /// <summary>What is known of one datastream: the windows of one stretch of time.</summary>
    private sealed class Stretch
    {
        // In order of time within what was read at once; looked up by end.
        private readonly Dictionary<DateTime, double> means = [];

        public Dictionary<DateTime, double> Means => means;

        public DateTime From { get; set; }

        public DateTime To { get; set; }

        public void Add(DateTime end, double mean) => means[end] = mean;

        public void Forget()
        {
            means.Clear();
            (From, To) = (default, default);
        }

        public void ForgetFrom(DateTime at)
        {
            if (at >= To || From == To)
            {
                return;
            }

            // The stretch must end where a window does; the last one that ends by then is such a place.
            var to = DateTime.MinValue;
            foreach (var end in means.Keys)
            {
                to = end <= at && end > to ? end : to;
            }

            if (to <= From)
            {
                Forget();
                return;
            }

            foreach (var end in means.Keys.Where(end => end > to).ToList())
            {
                means.Remove(end);
            }

            To = to;
        }
    }
}
