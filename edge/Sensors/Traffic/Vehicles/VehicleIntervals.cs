using Hub.Edge.Contract.Readings;

namespace Hub.Edge.Sensors.Traffic.Vehicles;

/// <summary>
/// Makes the figures of intervals out of passages. Intervals begin at whole multiples of their length in UTC; one is given when it has been over for <see cref="VehicleTraits.Grace"/>, once, for
/// every direction that the detector tells apart, if the detector worked for any of it: an interval without vehicles is zero vehicles (and no speed), one without a working
/// detector is nothing. One caller at a time.
/// </summary>
/// <param name="traits">What the detector can tell.</param>
/// <param name="options">Classes and least counts.</param>
/// <param name="period">Length of the intervals.</param>
internal sealed class VehicleIntervals(VehicleTraits traits, TrafficOptions options, TimeSpan period)
{
    /// <summary>Single speeds kept for one direction of one interval; vehicles beyond are counted without their speed, and the speeds flagged as saturated.</summary>
    public const int SpeedsMax = 8192;

    // An interval with three quarters of its time stands for the whole, as with other devices.
    private const double CoverageWhole = 0.75;

    // Looks follow each other closely; a longer hole may have hidden a vehicle, and a headway across it would be too long.
    private static readonly TimeSpan HoleMax = TimeSpan.FromMilliseconds(500);

    private readonly List<Interval> open = [];
    private readonly Dictionary<Heading, DateTime> fronts = [];
    private DateTime given = DateTime.MinValue;
    private DateTime workedTo = DateTime.MinValue;

    /// <summary>Passages that came for an interval already given (the clock was set back): not counted anywhere.</summary>
    public long Late { get; private set; }

    /// <summary>The detector was seen to work.</summary>
    public void Worked(DateTime from, DateTime to)
    {
        if (from - workedTo > HoleMax || from < workedTo - HoleMax)
        {
            fronts.Clear();
        }

        workedTo = to;
        Split(from, to, static (interval, span) => interval.Worked += span);
    }

    /// <summary>The detector was covered.</summary>
    public void Covered(DateTime from, DateTime to) => Split(from, to, static (interval, span) => interval.Covered += span);

    /// <summary>A vehicle has passed.</summary>
    public void Passed(in VehiclePassage passage)
    {
        // Fronts of overlapping tracks may come out of order; the earlier one has no headway then.
        TimeSpan? headway = fronts.TryGetValue(passage.Heading, out DateTime before) && passage.Front >= before ? passage.Front - before : null;
        if (before < passage.Front)
        {
            fronts[passage.Heading] = passage.Front;
        }

        if (At(passage.At) is not { } interval)
        {
            Late++;
            return;
        }

        Lane lane = interval.Of(passage.Heading);
        lane.Count++;
        if (headway is { } time)
        {
            lane.HeadwayCount++;
            lane.Headways += time;
        }

        if (passage.Speed is > 0 and double speed)
        {
            if (lane.Speeds.Count < SpeedsMax)
            {
                lane.Speeds.Add(speed);
            }
            else
            {
                lane.Saturated = true;
            }
        }

        switch (passage.Length)
        {
            case not > 0:
                lane.Unclassified++;
                break;
            case { } length when length < options.MediumFrom:
                lane.Short++;
                break;
            case { } length when length < options.LongFrom:
                lane.Medium++;
                break;
            default:
                lane.Long++;
                break;
        }
    }

    /// <summary>The measurements of the next interval that is over, or null.</summary>
    /// <param name="now">UTC now.</param>
    public Measurement[]? Take(DateTime now)
    {
        while (open.Count > 0 && open[0].Start + period + traits.Grace <= now)
        {
            Interval interval = open[0];
            open.RemoveAt(0);
            given = interval.Start + period;
            if (interval.Worked > TimeSpan.Zero)
            {
                return [.. traits.Headings.SelectMany(heading => Figures(interval, heading)), .. Occupancy(interval)];
            }
        }

        return null;
    }

    private IEnumerable<Measurement> Occupancy(Interval interval)
    {
        if (traits.Occupancy)
        {
            double percent = Math.Min(100, 100 * (interval.Covered / interval.Worked));
            yield return new Measurement("occupancy", percent, interval.Start) { Period = period, Coverage = Coverage(interval), Quality = QualityOf(Coverage(interval)) };
        }
    }

    private double Coverage(Interval interval) => Math.Min(1, interval.Worked / period);

    private static Quality QualityOf(double coverage) => coverage < CoverageWhole ? Quality.Incomplete : Quality.Good;

    private IEnumerable<Measurement> Figures(Interval interval, Heading heading)
    {
        Lane lane = interval.Of(heading);
        double coverage = Coverage(interval);
        Quality quality = QualityOf(coverage);
        yield return Make("vehicle_count", lane.Count);
        if (traits.Length)
        {
            yield return Make("vehicle_count_short", lane.Short);
            yield return Make("vehicle_count_medium", lane.Medium);
            yield return Make("vehicle_count_long", lane.Long);
            yield return Make("vehicle_count_unclassified", lane.Unclassified);
        }

        if (lane.HeadwayCount >= options.SpeedCountMin)
        {
            yield return Make("headway", lane.Headways.TotalSeconds / lane.HeadwayCount);
        }

        if (lane.Speeds.Count >= options.SpeedCountMin)
        {
            quality |= lane.Saturated ? Quality.Saturated : Quality.Good;
            yield return Make("mean_speed", VehicleFigures.KilometresPerHour * VehicleFigures.TimeMean(lane.Speeds));
            yield return Make("space_mean_speed", VehicleFigures.KilometresPerHour * VehicleFigures.SpaceMean(lane.Speeds));
            yield return Make("v85", VehicleFigures.KilometresPerHour * VehicleFigures.Percentile(lane.Speeds, 85));
        }

        Measurement Make(string property, double value) => new(property, value, interval.Start)
        {
            Period = period,
            Coverage = coverage,
            Quality = quality,
            Part = VehicleTraits.PartOf(heading),
        };
    }

    private void Split(DateTime from, DateTime to, Action<Interval, TimeSpan> add)
    {
        from = from < given ? given : from;
        while (from < to)
        {
            DateTime end = Floor(from) + period;
            DateTime until = end < to ? end : to;
            if (At(from) is { } interval)
            {
                add(interval, until - from);
            }

            from = until;
        }
    }

    private DateTime Floor(DateTime at) => new(at.Ticks - (at.Ticks % period.Ticks), DateTimeKind.Utc);

    /// <summary>The interval that an instant lies in, begun if need be; null when it has been given already.</summary>
    private Interval? At(DateTime at)
    {
        if (at < given)
        {
            return null;
        }

        DateTime start = Floor(at);
        int index = open.Count;
        while (index > 0 && open[index - 1].Start >= start)
        {
            index--;
            if (open[index].Start == start)
            {
                return open[index];
            }
        }

        var interval = new Interval(start);
        open.Insert(index, interval);
        return interval;
    }

    private sealed class Interval(DateTime start)
    {
        private readonly Lane[] lanes = [new(), new(), new()];

        public DateTime Start => start;

        public TimeSpan Worked { get; set; }

        public TimeSpan Covered { get; set; }

        public Lane Of(Heading heading) => lanes[(int)heading];
    }

    private sealed class Lane
    {
        public List<double> Speeds { get; } = [];

        public int Count { get; set; }

        public int Short { get; set; }

        public int Medium { get; set; }

        public int Long { get; set; }

        public int Unclassified { get; set; }

        public TimeSpan Headways { get; set; }

        public int HeadwayCount { get; set; }

        public bool Saturated { get; set; }
    }
}
