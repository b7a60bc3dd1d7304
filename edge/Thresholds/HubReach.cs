namespace Hub.Edge.Thresholds;

/// <summary>Whether the hub is out of reach: without a connection for longer than a blink, by the monotonic clock. Before the first connection it counts from the start. Safe for concurrent callers.</summary>
/// <param name="link">The connection; null when there is none to ask.</param>
/// <param name="after">How long it must be lost.</param>
/// <param name="time">Clock.</param>
internal sealed class HubReach(IHubLink? link, TimeSpan after, TimeProvider time)
{
    private readonly Lock gate = new();
    private long? lostAt = time.GetTimestamp();

    /// <summary>True while it is. Looks at the connection; asked about once a second.</summary>
    public bool IsOutOfReach
    {
        get
        {
            if (link is null)
            {
                return true;
            }

            lock (gate)
            {
                if (link.IsConnected)
                {
                    lostAt = null;
                    return false;
                }

                lostAt ??= time.GetTimestamp();
                return time.GetElapsedTime(lostAt.Value) >= after;
            }
        }
    }
}
