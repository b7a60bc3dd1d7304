namespace Hub.Cloud.Series;

/// <summary>How long the compactor rests after a piece of work: pure.</summary>
internal static class CompactionPace
{
    /// <summary>Rest beside work while appends wait and nothing is urgent: a tenth of a core.</summary>
    public const int Factor = 9;

    /// <summary>Longest rest: what waits may be over long before it ends.</summary>
    public static readonly TimeSpan Max = TimeSpan.FromMilliseconds(100);

    /// <summary>None while nobody waits; as long as it worked where it is urgent; else nine times as long, at most 100 ms.</summary>
    /// <param name="worked">How long it worked since it rested last, zero or more.</param>
    /// <param name="appendsWait">Whether appends wait for a commit.</param>
    /// <param name="isUrgent">Whether somebody waits for the work, or a day has far more parts than it should.</param>
    public static TimeSpan Rest(TimeSpan worked, bool appendsWait, bool isUrgent)
    {
        if (!appendsWait)
        {
            return TimeSpan.Zero;
        }

        // The limit first: a clock that jumped must not overflow it.
        return worked >= Max ? Max : TimeSpan.FromTicks(Math.Min(Max.Ticks, worked.Ticks * (isUrgent ? 1 : Factor)));
    }
}
