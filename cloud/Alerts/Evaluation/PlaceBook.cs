using Hub.Cloud.Alerts.Rules;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>
/// Where stations stood when: those that have moved are remembered with all their places, the others stand where they are. Without a history (<see cref="IStationHistory"/>) every station has always stood
/// where it is. Safe for concurrent callers.
/// </summary>
internal sealed class PlaceBook(IEnumerable<IStationHistory> histories)
{
    private readonly IStationHistory? history = histories.LastOrDefault();
    private IReadOnlyDictionary<int, StationLocation[]> moved = new Dictionary<int, StationLocation[]>();

    /// <summary>All places of the stations that have had more than one, oldest first, by station; replaced when it is read again.</summary>
    public IReadOnlyDictionary<int, StationLocation[]> Moved => Volatile.Read(ref moved);

    /// <summary>Reads the places again.</summary>
    public async ValueTask RefreshAsync(CancellationToken cancellationToken)
    {
        if (history is not null)
        {
            Volatile.Write(ref moved, (await history.MovedAsync(cancellationToken).ConfigureAwait(false)).GroupBy(place => place.StationId)
                .ToDictionary(station => station.Key, station => station.Select(place => place.Location).OrderBy(location => location.Since).ToArray()));
        }
    }

    /// <summary>The stations that have moved since an earlier <see cref="Moved"/>.</summary>
    public HashSet<int> MovedSince(IReadOnlyDictionary<int, StationLocation[]> before) =>
        [.. Moved.Where(station => !before.TryGetValue(station.Key, out var known) || !known.SequenceEqual(station.Value)).Select(station => station.Key)];

    /// <summary>Where a station stood at an instant: longitude and latitude, degrees. Before its first place it stood there as well.</summary>
    public AreaPoint PlaceOf(Station station, DateTime at)
    {
        if (!Moved.TryGetValue(station.Id, out var places))
        {
            return new AreaPoint(station.Longitude, station.Latitude);
        }

        var place = places[Math.Max(0, Array.FindLastIndex(places, one => one.Since <= at))];
        return new AreaPoint(place.Longitude, place.Latitude);
    }

    /// <summary>When a station was in an area; null when it never was.</summary>
    public Presence? PresenceOf(RuleArea area, Station station)
    {
        if (!Volatile.Read(ref moved).TryGetValue(station.Id, out var places))
        {
            return area.Contains(station.Longitude, station.Latitude) ? Presence.Always : null;
        }

        var inside = Array.ConvertAll(places, place => area.Contains(place.Longitude, place.Latitude));
        return Array.TrueForAll(inside, one => one) ? Presence.Always : !inside.Contains(true) ? null : new Presence([.. places.Select(place => place.Since)], inside);
    }
}

/// <summary>When a station was in an area.</summary>
/// <param name="since">Since when each of its places was its place, UTC, ascending; it was at the first before as well.</param>
/// <param name="inside">Whether each of them lies in the area.</param>
internal sealed class Presence(DateTime[] since, bool[] inside)
{
    /// <summary>In it all the time.</summary>
    public static Presence Always { get; } = new([DateTime.MinValue], [true]);

    /// <summary>Whether it was in it at an instant.</summary>
    public bool Covers(DateTime at)
    {
        var place = Array.FindLastIndex(since, one => one <= at);
        return inside[Math.Max(0, place)];
    }

    /// <summary>Whether it was in it all the time (true), never (false) or part of the time (null) from an instant up to another.</summary>
    /// <param name="from">UTC, inclusive.</param>
    /// <param name="to">UTC, exclusive.</param>
    public bool? CoversAll(DateTime from, DateTime to)
    {
        var (covers, isMixed) = (Covers(from), false);
        for (var place = 0; place < since.Length; place++)
        {
            isMixed |= since[place] > from && since[place] < to && inside[place] != covers;
        }

        return isMixed ? null : covers;
    }
}
