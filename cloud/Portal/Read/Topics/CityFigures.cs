using System.Collections.Concurrent;
using Hub.Cloud.Series;

namespace Hub.Cloud.Portal.Read.Topics;

/// <summary>Where the air of a municipality is worst, in the last closed hour that has an index.</summary>
internal sealed record CityAir(StationView Station, AirHour Hour);

/// <summary>Traffic of a municipality in the last closed hour.</summary>
/// <param name="Start">UTC.</param>
/// <param name="End">UTC.</param>
/// <param name="Flow">Vehicles an hour, over the counters that are compared.</param>
/// <param name="Usual">Median of that weekday and hour over the weeks before, of the same counters; above 0.</param>
/// <param name="Counters">How many they are.</param>
internal sealed record CityTraffic(DateTime Start, DateTime End, double Flow, double Usual, int Counters);

/// <summary>Figures at the top of a municipality's page; null what nothing can be said about.</summary>
internal sealed record CityNumbers(CityAir? Air, CityTraffic? Traffic)
{
    public static readonly CityNumbers None = new(null, null);
}

/// <summary>Makes the figures at the top of a municipality's page, once a minute for all visitors: they are of closed hours and of public stations, the same for everybody. Safe for concurrent callers.</summary>
internal sealed class CityFigures(AirReader air, TrafficReader traffic)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Lazy<(DateTime Until, Task<CityNumbers> Numbers)>> _known = new(StringComparer.Ordinal);

    /// <summary>The figures of a municipality.</summary>
    /// <param name="municipality">Slug of one that exists.</param>
    /// <param name="stations">Its stations; private ones are left out.</param>
    /// <param name="zone">Its time zone.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellationToken">Ends the wait, not the reading: others wait for it too.</param>
    public async ValueTask<CityNumbers> OfAsync(string municipality, IReadOnlyList<StationView> stations, TimeZoneInfo zone, DateTime now, CancellationToken cancellationToken)
    {
        var known = _known.GetOrAdd(municipality, _ => Make());
        if (known.Value.Until <= now)
        {
            // Of several who find it old one puts the new one there.
            var fresh = Make();
            known = _known.TryUpdate(municipality, fresh, known) ? fresh : _known.GetOrAdd(municipality, fresh);
        }

        return await known.Value.Numbers.WaitAsync(cancellationToken);

        Lazy<(DateTime, Task<CityNumbers>)> Make() => new(() => (now + Kept, ReadAsync([.. stations.Where(static one => one.Station.Public)], zone, now)));
    }

    private async Task<CityNumbers> ReadAsync(StationView[] stations, TimeZoneInfo zone, DateTime now)
    {
        await Task.Yield();
        try
        {
            var index = await air.IndexAsync([.. stations.Where(static one => TopicMap.Has(Topic.Air, one))], zone, now, CancellationToken.None);
            var worst = index.Where(one => one.Latest is not null && !one.IsStale(now)).OrderByDescending(static one => one.Latest!.Index!.Class).ThenByDescending(static one => one.Latest!.End).FirstOrDefault();
            return new(worst is null ? null : new(worst.View, worst.Latest!), await traffic.NowAsync(stations, zone, now, CancellationToken.None));
        }
        catch (SeriesUnavailableException)
        {
            // The page has its latest values from memory, and says so where a series is asked for.
            return CityNumbers.None;
        }
    }
}
