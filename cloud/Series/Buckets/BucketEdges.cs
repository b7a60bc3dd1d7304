namespace Hub.Cloud.Series;

/// <summary>
/// Edges of buckets, in microseconds since 1970 UTC. Without a time zone they are the multiples of the width. In a time zone, on the local clock, they are the multiples of the width since local 1970-01-01 00:00.
/// Whole weeks are counted from a Monday, 1969-12-29 00:00, as ISO 8601 begins them. A bucket of up to one hour never reaches
/// across a change of the clock; a longer one begins when the local clock first shows its edge or a later time, so on days of change it is longer or shorter, no instant is in two buckets, and none
/// is in no bucket. An edge that the clock leaves out is the moment of the change; a bucket it leaves out as a whole (Pacific/Apia, 2011-12-30) is not there.
/// </summary>
/// <remarks>
/// Asks the time zone for nothing but the offset at an instant, which is right in every zone. The other direction of <see cref="TimeZoneInfo"/> (the instant of a local time, whether it is invalid
/// or ambiguous) is wrong around the changes of a quarter of all zones, Europe/Dublin among them, and must not be used. Two changes of a zone are never within two days of each other since 2000
/// (the closest are a week apart); the search for a change relies on it.
/// Buckets that were met are remembered, for many datastreams are folded into the same ones. Used by one caller at a time.
/// </remarks>
/// <param name="width">Width of a bucket, more than zero.</param>
/// <param name="zone">Time zone on whose clock edges lie; null for UTC.</param>
/// <param name="shift">How much later on the clock all edges lie: 7 h for days that begin at 07:00. From 0 to below a day.</param>
public sealed class BucketEdges(TimeSpan width, TimeZoneInfo? zone, TimeSpan shift = default)
{
    private static readonly long HourMicros = 3_600_000_000;

    private const long WeekMicros = 7 * EventTime.MicrosPerDay;

    /// <summary>1970-01-01 was a Thursday.</summary>
    private const long FirstMondayMicros = -3 * EventTime.MicrosPerDay;

    /// <summary>Buckets remembered at most: four years of days.</summary>
    private const int MetMax = 1_500;

    private readonly List<(long Start, long End)> _met = [];
    private int _at;
    private readonly long _width = width.Ticks / TimeSpan.TicksPerMicrosecond;
    private readonly long _origin = Origin(width.Ticks / TimeSpan.TicksPerMicrosecond) + (shift.Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>The edge from which those of a width are counted, on the clock of the zone; microseconds since 1970 both.</summary>
    public static long Origin(long widthMicros) => widthMicros % WeekMicros == 0 ? FirstMondayMicros : 0;

    /// <summary>The bucket that holds an instant: start inclusive, end exclusive.</summary>
    public (long Start, long End) Around(long instant)
    {
        if (zone is null)
        {
            return InUtc(instant);
        }

        if (TryRemember(instant, out var known))
        {
            return known;
        }

        var bucket = _width <= HourMicros ? WithinOffset(instant) : OnLocalClock(instant);
        if (_met.Count < MetMax && (_met.Count == 0 || _met[^1].End <= bucket.Start))
        {
            _at = _met.Count;
            _met.Add(bucket);
        }

        return bucket;
    }

    /// <summary>The bucket that was met last, or the one after it, mostly; otherwise it is looked for.</summary>
    private bool TryRemember(long instant, out (long Start, long End) bucket)
    {
        for (var at = _at; at < _met.Count && at <= _at + 1; at++)
        {
            bucket = _met[at];
            if (bucket.Start <= instant && instant < bucket.End)
            {
                _at = at;
                return true;
            }
        }

        var (low, high) = (0, _met.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _met[middle].End <= instant ? (middle + 1, high) : (low, middle);
        }

        bucket = low < _met.Count ? _met[low] : default;
        _at = low < _met.Count ? low : _at;
        return low < _met.Count && bucket.Start <= instant;
    }

    private (long Start, long End) InUtc(long instant)
    {
        var start = Floor(instant);
        return (start, start + _width);
    }

    private (long Start, long End) WithinOffset(long instant)
    {
        var offset = Offset(instant);
        var start = Floor(instant + offset) - offset;
        var end = start + _width;
        return (Offset(start) == offset ? start : Change(start, instant), Offset(end - 1) == offset ? end : Change(instant, end - 1));
    }

    private (long Start, long End) OnLocalClock(long instant)
    {
        // The local clock may have been set back since it first showed an edge: then the bucket of that edge goes on.
        var wall = Floor(instant + Offset(instant));
        var end = FirstShown(wall + _width);
        while (end <= instant)
        {
            wall += _width;
            end = FirstShown(wall + _width);
        }

        return (FirstShown(wall), end);
    }

    /// <summary>The first instant at which the local clock shows a time or a later one.</summary>
    private long FirstShown(long wall)
    {
        var before = wall - EventTime.MicrosPerDay;
        var after = wall + EventTime.MicrosPerDay;
        var (offsetBefore, offsetAfter) = (Offset(before), Offset(after));
        if (offsetBefore == offsetAfter)
        {
            return wall - offsetBefore;
        }

        var change = Change(before, after);
        return wall - offsetBefore < change ? wall - offsetBefore : Math.Max(change, wall - offsetAfter);
    }

    /// <summary>The instant of the change of offset between two instants that differ in it: the first with the new offset.</summary>
    private long Change(long old, long changed)
    {
        var offset = Offset(old);
        while (changed - old > 1)
        {
            var middle = old + ((changed - old) / 2);
            if (Offset(middle) == offset)
            {
                old = middle;
            }
            else
            {
                changed = middle;
            }
        }

        return changed;
    }

    private long Floor(long micros) => (EventTime.FloorDivide(micros - _origin, _width) * _width) + _origin;

    private long Offset(long micros) => zone!.GetUtcOffset(EventTime.TimeClamped(micros)).Ticks / TimeSpan.TicksPerMicrosecond;
}
