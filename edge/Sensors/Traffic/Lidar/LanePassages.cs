using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Traffic.Lidar;

/// <summary>
/// Makes vehicles of distances measured across a lane. The lane is taken when an echo comes from nearer than the background by the threshold, and free when none comes from
/// nearer than by the release; each must last for a while. The background is as set, or the median of the first five seconds; while the lane is free it follows slow drift
/// (a wet wall, a post that leans). No echo is an empty lane where there is no background, and else no measurement. One caller at a time, times in order.
/// </summary>
internal sealed class LanePassages(RangingOptions options)
{
    // At least so long, and so many, before the background is believed.
    private static readonly TimeSpan LearnTime = TimeSpan.FromSeconds(5);
    private const int LearnCountMin = 20;
    private const int LearnCountMax = 4096;

    // Follows a change of the wall in minutes, and no vehicle in a second.
    private const double DriftSeconds = 120;

    private readonly List<double> learning = [];
    private DateTime? learnedFrom;
    private double background = options.Background ?? double.NaN;
    private DateTime? pendingSince;
    private DateTime takenAt;
    private DateTime told;
    private DateTime last = DateTime.MinValue;

    /// <summary>Whether the background is known (or that there is none).</summary>
    public bool Ready => !double.IsNaN(background);

    /// <summary>Metres to the background; 0 where there is none; not a number until it is learned.</summary>
    public double Background => background;

    /// <summary>Whether the lane is taken.</summary>
    public bool Taken { get; private set; }

    /// <summary>Whether it has been for too long.</summary>
    public bool Blocked => Taken && last - takenAt > options.BlockedAfter;

    /// <summary>Takes a measurement.</summary>
    /// <param name="at">UTC instant.</param>
    /// <param name="metres">Distance; null when no echo came.</param>
    /// <param name="look">Where vehicles go.</param>
    /// <returns>False when it says nothing about the lane (no echo although there is a background; the background is being learned).</returns>
    public bool Measured(DateTime at, double? metres, VehicleLook look)
    {
        double seconds = last == DateTime.MinValue ? 0 : Math.Clamp((at - last).TotalSeconds, 0, 1);
        last = at;
        if (!Ready)
        {
            Learn(at, metres);
            return false;
        }

        if (metres is null && background > 0)
        {
            return false;
        }

        double near = background > 0 ? background : options.LaneEnd + options.Threshold;
        double by = near - (metres ?? double.MaxValue);
        bool level = Taken ? by > options.Release : by >= options.Threshold;
        if (level == Taken)
        {
            pendingSince = null;
        }
        else
        {
            pendingSince ??= at;
            if (at - pendingSince >= (level ? options.TakenMin : options.FreeMin))
            {
                Change(level, pendingSince.Value, look);
                pendingSince = null;
            }
        }

        if (!Taken && !level && pendingSince is null && background > 0)
        {
            background += (metres!.Value - background) * Math.Min(1, seconds / DriftSeconds);
        }

        return true;
    }

    /// <summary>Tells for how long the lane has been taken so far.</summary>
    public void Cover(DateTime now, VehicleLook look)
    {
        // What may yet turn out to be the end is told when it is certain.
        DateTime until = pendingSince ?? now;
        if (Taken && told < until)
        {
            look.Covered.Add((told, until));
            told = until;
        }
    }

    private void Change(bool level, DateTime at, VehicleLook look)
    {
        if (level)
        {
            (Taken, takenAt, told) = (true, at, at);
            return;
        }

        if (told < at)
        {
            look.Covered.Add((told, at));
        }

        Taken = false;
        look.Passages.Add(new VehiclePassage(Heading.Unknown, at, takenAt));
    }

    private void Learn(DateTime at, double? metres)
    {
        learnedFrom ??= at;
        if (learning.Count < LearnCountMax)
        {
            // No echo counts as very far: where most are none, there is no background.
            learning.Add(metres ?? double.MaxValue);
        }

        if (at - learnedFrom >= LearnTime && learning.Count >= LearnCountMin)
        {
            // Traffic covers a lane for less than half of the time; a jam is learned away by the drift.
            double median = VehicleFigures.Percentile(learning, 50);
            background = median == double.MaxValue ? 0 : median;
            learning.Clear();
        }
    }
}
