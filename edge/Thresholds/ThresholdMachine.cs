using Hub.Edge.Contract.Readings;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Thresholds;

/// <summary>What a reading did to an alarm.</summary>
internal enum ThresholdStep
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It began.</summary>
    Began,

    /// <summary>It ended.</summary>
    Ended,
}

/// <summary>All that is remembered of a series between two readings. The default is before the first.</summary>
/// <param name="Phase">Where it stands.</param>
/// <param name="Since">Event time at which the condition began to hold, UTC; default when normal.</param>
/// <param name="LastAt">Event time of the latest reading that counted, UTC; default before the first.</param>
/// <param name="LastValue">Its value.</param>
internal readonly record struct ThresholdPosition(ThresholdPhase Phase, DateTime Since, DateTime LastAt, double LastValue);

/// <summary>
/// The condition of a rule on one series, in event time and without a clock. Means exactly what the hub's rules mean (cloud/Alerts), for readings in order; tests compare the two. Pure.
/// </summary>
/// <param name="rule">The rule, without a mistake.</param>
/// <param name="gapMax">Longest time between two readings over which a pending condition is believed to have held.</param>
internal sealed class ThresholdMachine(EdgeRule rule, TimeSpan gapMax)
{
    /// <summary>Readings with one of these are passed over, as in the hub.</summary>
    public const Quality Ignored = Quality.WarmingUp | Quality.OutOfRange | Quality.Stuck | Quality.ClockUncertain;

    private readonly TimeSpan lasting = TimeSpan.FromSeconds(rule.ForSeconds);
    private readonly bool above = rule.Crossing == EdgeCrossing.Above;

    /// <summary>Whether a reading says anything: a saturated value is only a lower bound of the truth, one under range an upper bound, and each counts where the bound decides.</summary>
    public bool Counts(double value, Quality quality)
    {
        if ((quality & Ignored) != 0 || !double.IsFinite(value))
        {
            return false;
        }

        // Which flag leaves the truth open: beyond the level a value may be too large, short of it too small.
        bool beyond = Holds(value);
        return (quality & (beyond == above ? Quality.UnderRange : Quality.Saturated)) == 0;
    }

    /// <summary>Takes a reading that counts and is later than <see cref="ThresholdPosition.LastAt"/>.</summary>
    public ThresholdStep Take(ref ThresholdPosition position, DateTime at, double value)
    {
        ThresholdPosition before = position;
        position = before with { LastAt = at, LastValue = value };
        if (before.Phase == ThresholdPhase.Active)
        {
            if (!(above ? value <= rule.ClearLevel : value >= rule.ClearLevel))
            {
                return ThresholdStep.None;
            }

            position = position with { Phase = ThresholdPhase.Normal, Since = default };
            return ThresholdStep.Ended;
        }

        if (!Holds(value))
        {
            position = position with { Phase = ThresholdPhase.Normal, Since = default };
            return ThresholdStep.None;
        }

        DateTime since = before.Phase == ThresholdPhase.Pending && at - before.LastAt <= gapMax ? before.Since : at;
        bool begins = at - since >= lasting;
        position = position with { Phase = begins ? ThresholdPhase.Active : ThresholdPhase.Pending, Since = since };
        return begins ? ThresholdStep.Began : ThresholdStep.None;
    }

    private bool Holds(double value) => above ? value >= rule.SetLevel : value <= rule.SetLevel;
}
