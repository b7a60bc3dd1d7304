namespace Hub.Edge.Uplink;

/// <summary>Keeps a rate over a second: what was not used of one is not saved for later. One caller at a time.</summary>
/// <param name="perSecond">Most readings a second; 0 for no limit.</param>
/// <param name="time">The clock; only its monotonic side is looked at.</param>
internal sealed class Pace(int perSecond, TimeProvider time)
{
    private double _room = perSecond;
    private long _at = time.GetTimestamp();

    /// <summary>How long to wait before more may be sent; zero for now.</summary>
    public TimeSpan Rest()
    {
        if (perSecond == 0)
        {
            return TimeSpan.Zero;
        }

        var now = time.GetTimestamp();
        _room = Math.Min(perSecond, _room + (time.GetElapsedTime(_at, now).TotalSeconds * perSecond));
        _at = now;

        // Timers count whole milliseconds.
        return _room > 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling((1 - _room) / perSecond * 1000));
    }

    /// <summary>Notes what was sent. It may be more than there was room for; the next rest is longer for it.</summary>
    public void Took(int readings) => _room -= readings;
}
