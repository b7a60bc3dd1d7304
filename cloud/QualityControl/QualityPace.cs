namespace Hub.Cloud.QualityControl;

/// <summary>How long judging rests after a piece of work: pure.</summary>
internal static class QualityPace
{
    /// <summary>Share of a processor while appends wait, as a part of the share otherwise: one of so many.</summary>
    public const double BusyShares = 5;

    /// <summary>Shorter rests are not taken: a timer is no finer.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    /// <summary>So long that the work takes no more than its share of the time, or a fifth of it while appends wait: they cannot wait, flags can.</summary>
    /// <param name="worked">How long it worked, zero or more.</param>
    /// <param name="share">Share of a processor, more than 0 to 1.</param>
    /// <param name="appendsWait">Whether appends wait for a commit.</param>
    public static TimeSpan Rest(TimeSpan worked, double share, bool appendsWait)
    {
        var rest = worked * (((appendsWait ? BusyShares : 1) / share) - 1);
        return rest > Least ? rest : TimeSpan.Zero;
    }
}
