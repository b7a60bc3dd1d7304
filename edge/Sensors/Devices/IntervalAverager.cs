using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Sensors.Devices;

/// <summary>Gathers the looks of one interval and makes the interval's measurements, each quantity by its own averaging rule. One caller at a time.</summary>
internal sealed class IntervalAverager
{
    private readonly List<Gathered> gathered = [];

    /// <summary>Adds one look at one quantity; a value that is not finite is passed over.</summary>
    public void Add(in Sample sample, bool warmingUp)
    {
        if (!double.IsFinite(sample.Value))
        {
            return;
        }

        Gathered? entry = null;
        foreach (Gathered candidate in gathered)
        {
            if (ReferenceEquals(candidate.Property, sample.Property) || candidate.Property == sample.Property)
            {
                entry = candidate;
                break;
            }
        }

        if (entry is null)
        {
            gathered.Add(entry = new Gathered(sample.Property));
        }

        entry.Add(sample.Value, sample.Quality | (warmingUp ? Quality.WarmingUp : Quality.Good));
    }

    /// <summary>The interval's measurements, in the order in which the quantities first came; begins the next interval. Quantities without a look give none.</summary>
    /// <param name="start">UTC start of the interval.</param>
    /// <param name="period">Its length.</param>
    /// <param name="looks">Looks that were due in it, 1 or more: what coverage is counted against.</param>
    public Measurement[] Take(DateTime start, TimeSpan period, int looks)
    {
        var measurements = new List<Measurement>(gathered.Count);
        foreach (Gathered entry in gathered)
        {
            if (entry.Count == 0)
            {
                continue;
            }

            double coverage = Math.Min(1, (double)entry.Count / looks);
            measurements.Add(new Measurement(entry.Property, entry.Result, start)
            {
                Period = period,
                Coverage = coverage,
                Quality = entry.Quality | (coverage < CoverageWhole ? Quality.Incomplete : Quality.Good),
            });
            entry.Clear();
        }

        return [.. measurements];
    }

    // An interval with three quarters of its looks stands for the whole (the data capture of Directive (EU) 2024/2881, Annex V, for an hour).
    private const double CoverageWhole = 0.75;

    private sealed class Gathered(string property)
    {
        private readonly AveragingRule rule = QuantityCatalogue.TryGet(property, out Quantity? quantity) ? quantity!.Averaging : AveragingRule.Mean;
        private double sum;
        private double other;
        private double extreme;

        public string Property => property;

        public int Count { get; private set; }

        public Quality Quality { get; private set; }

        public double Result => rule switch
        {
            AveragingRule.EnergyMean => 10 * Math.Log10(sum / Count),
            AveragingRule.Sum => sum,
            AveragingRule.Max or AveragingRule.Min or AveragingRule.None => extreme,
            AveragingRule.CircularMean => (Math.Atan2(other, sum) * 180 / Math.PI + 360) % 360,
            _ => sum / Count,
        };

        public void Add(double value, Quality quality)
        {
            switch (rule)
            {
                case AveragingRule.EnergyMean:
                    sum += Math.Pow(10, value / 10);
                    break;
                case AveragingRule.Max:
                    extreme = Count == 0 ? value : Math.Max(extreme, value);
                    break;
                case AveragingRule.Min:
                    extreme = Count == 0 ? value : Math.Min(extreme, value);
                    break;
                case AveragingRule.None:
                    // A statistic of the instrument's own: it cannot be combined, the last one stands.
                    extreme = value;
                    break;
                case AveragingRule.CircularMean:
                    sum += Math.Cos(value * Math.PI / 180);
                    other += Math.Sin(value * Math.PI / 180);
                    break;
                default:
                    sum += value;
                    break;
            }

            Count++;
            Quality |= quality;
        }

        public void Clear()
        {
            sum = 0;
            other = 0;
            Count = 0;
            Quality = Quality.Good;
        }
    }
}
