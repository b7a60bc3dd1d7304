namespace Hub.Cloud.Notifications.Outbox;

/// <summary>When the next attempt is made. Pure.</summary>
internal static class RetrySchedule
{
    /// <summary>Longest wait a receiver may ask for.</summary>
    public static readonly TimeSpan RetryAfterMax = TimeSpan.FromHours(24);

    /// <summary>Wait after a failed attempt; null: give up.</summary>
    /// <param name="attempts">Attempts made, 1 or more.</param>
    /// <param name="delays">Waits before the second, third, ... attempt.</param>
    /// <param name="retryAfter">What the receiver asked for.</param>
    /// <param name="chance">0 to 1: how much of the jitter, a tenth of the wait, is added.</param>
    public static TimeSpan? Next(int attempts, IReadOnlyList<TimeSpan> delays, TimeSpan? retryAfter, double chance)
    {
        if (attempts > delays.Count)
        {
            return null;
        }

        var delay = delays[attempts - 1];
        delay += delay * 0.1 * chance;
        var asked = retryAfter < RetryAfterMax ? retryAfter : retryAfter is null ? null : RetryAfterMax;
        return asked > delay ? asked : delay;
    }
}
