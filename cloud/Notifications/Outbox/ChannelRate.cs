namespace Hub.Cloud.Notifications.Outbox;

/// <summary>
/// How many attempts a channel may begin now, and when the next one: at most so many in any minute, and at most a sixtieth of them, rounded up, in any second, so that a receiver that counts by the second is not met with
/// a minute's worth at once. Decides by what it is told; time is a parameter. Not safe for concurrent callers: it belongs to the channel's loop.
/// </summary>
/// <param name="perMinuteMax">Attempts in a minute; 0: no limit.</param>
internal sealed class ChannelRate(int perMinuteMax)
{
    /// <summary>What is looked back upon.</summary>
    public static readonly TimeSpan Span = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly List<DateTime> begun = [];
    private readonly int perSecondMax = (perMinuteMax + 59) / 60;

    /// <summary>Whether there is a limit.</summary>
    public bool IsLimited => perMinuteMax > 0;

    /// <summary>Takes down that an attempt began; in order of time.</summary>
    public void Note(DateTime at)
    {
        if (IsLimited)
        {
            begun.Add(at);
        }
    }

    /// <summary>Attempts that may begin now.</summary>
    /// <param name="now">UTC, not before the last call's.</param>
    public int AllowedAt(DateTime now)
    {
        if (!IsLimited)
        {
            return int.MaxValue;
        }

        begun.RemoveRange(0, CountUntil(now - Span));
        return Math.Max(0, Math.Min(perMinuteMax - begun.Count, perSecondMax - (begun.Count - CountUntil(now - Second))));
    }

    /// <summary>When at least one may begin, UTC; now when one may.</summary>
    /// <param name="now">UTC.</param>
    public DateTime NextAt(DateTime now)
    {
        if (AllowedAt(now) > 0)
        {
            return now;
        }

        var (minute, second) = (begun.Count >= perMinuteMax ? begun[^perMinuteMax] + Span : now, begun.Count >= perSecondMax ? begun[^perSecondMax] + Second : now);
        return minute > second ? minute : second;
    }

    /// <summary>Attempts at an instant or before: one that is as old as the span no longer counts.</summary>
    private int CountUntil(DateTime instant)
    {
        var at = begun.FindIndex(one => one > instant);
        return at < 0 ? begun.Count : at;
    }
}
