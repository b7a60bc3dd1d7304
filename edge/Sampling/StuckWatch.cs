namespace Hub.Edge.Sampling;

/// <summary>When a value is stuck.</summary>
/// <param name="After">How long the same value must have been said; zero for never.</param>
/// <param name="CountMin">How often, at least.</param>
internal sealed record StuckLimits(TimeSpan After, int CountMin);

/// <summary>
/// Notices that one series repeats the same value, in event time. A value that comes late is not judged; a gap as long as what would be stuck
/// begins a new run; a restart of the agent begins anew.
/// </summary>
/// <param name="limits">When a value is stuck.</param>
internal sealed class StuckWatch(StuckLimits limits)
{
    private double value = double.NaN;
    private DateTime since;
    private DateTime last;
    private int count;

    /// <summary>When a value is stuck.</summary>
    public StuckLimits Limits => limits;

    /// <summary>Takes the next value of the series; true when it belongs to a run that is stuck.</summary>
    public bool IsStuck(DateTime at, double next)
    {
        if (count > 0 && at <= last)
        {
            return false;
        }

        if (next != value || at - last >= limits.After)
        {
            value = next;
            since = at;
            count = 0;
        }

        last = at;
        count = Math.Min(count + 1, limits.CountMin);
        return count >= limits.CountMin && at - since >= limits.After;
    }
}
