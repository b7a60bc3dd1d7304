namespace Hub.Edge.Sampling;

/// <summary>
/// Notices that one series repeats the same value, in event time. A value that comes late is not judged; a gap as long as what would be stuck
/// begins a new run; a restart of the agent begins anew.
/// </summary>
/// <param name="after">How long the same value must have been said.</param>
/// <param name="countMin">How often, at least.</param>
internal sealed class StuckWatch(TimeSpan after, int countMin)
{
    private double value = double.NaN;
    private DateTime since;
    private DateTime last;
    private int count;

    /// <summary>Takes the next value of the series; true when it belongs to a run that is stuck.</summary>
    public bool IsStuck(DateTime at, double next)
    {
        if (count > 0 && at <= last)
        {
            return false;
        }

        if (next != value || at - last >= after)
        {
            value = next;
            since = at;
            count = 0;
        }

        last = at;
        count = Math.Min(count + 1, countMin);
        return count >= countMin && at - since >= after;
    }
}
