using Hub.Cloud.Alerts;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Portal.Read.Topics;

/// <summary>Asks the series for the hours and days that figures are made of. Flagged values that rules pass over (<see cref="AlertsOptions.IgnoreQuality"/>) are left out, so that a page says what an alarm says. Safe for concurrent callers.</summary>
internal sealed class TopicSeries(ISeries series, IOptions<AlertsOptions> options)
{
    /// <summary>Width of an hour.</summary>
    public static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>Width of a day.</summary>
    public static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>Buckets of one datastream with the quantity's own statistic, or another.</summary>
    /// <param name="datastream">The datastream.</param>
    /// <param name="from">UTC, inclusive.</param>
    /// <param name="to">UTC, exclusive.</param>
    /// <param name="width">Width of a bucket.</param>
    /// <param name="zone">Time zone of hours and days.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    /// <param name="statistic">Null for the quantity's own.</param>
    /// <param name="percent">Of a percentile.</param>
    public ValueTask<IReadOnlyList<Bucket>> OfAsync(Datastream datastream, DateTime from, DateTime to, TimeSpan width, TimeZoneInfo zone, CancellationToken cancellationToken, Statistic? statistic = null, double percent = 50) =>
        from >= to ? new(Array.Empty<Bucket>()) : series.AggregateAsync(Question(datastream.Id, datastream.Period, from, to, width, zone, statistic ?? Statistics.Of(datastream.Quantity.Averaging)) with { Percent = percent }, cancellationToken);

    /// <summary>Means of many datastreams by identifier; one question for all that have the same averaging period.</summary>
    public async ValueTask<IReadOnlyDictionary<int, IReadOnlyList<Bucket>>> MeansAsync(IEnumerable<Datastream> datastreams, DateTime from, DateTime to, TimeSpan width, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        var all = new Dictionary<int, IReadOnlyList<Bucket>>();
        foreach (var group in datastreams.GroupBy(static one => one.Period))
        {
            foreach (var (id, buckets) in await series.AggregateManyAsync([.. group.Select(static one => one.Id)], Question(0, group.Key, from, to, width, zone, Statistic.Mean), cancellationToken))
            {
                all[id] = buckets;
            }
        }

        return all;
    }

    /// <summary>What was counted in one stretch, of many datastreams, by identifier; one question for all that have the same averaging period. Those without an observation in it are not there.</summary>
    public async ValueTask<IReadOnlyDictionary<int, Bucket>> SumsAsync(IEnumerable<Datastream> datastreams, DateTime from, TimeSpan width, TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        var all = new Dictionary<int, Bucket>();
        foreach (var group in datastreams.GroupBy(static one => one.Period))
        {
            foreach (var (id, buckets) in await series.AggregateManyAsync([.. group.Select(static one => one.Id)], Question(0, group.Key, from, from + width, width, zone, Statistic.Sum), cancellationToken))
            {
                if (buckets is [var only, ..])
                {
                    all[id] = only;
                }
            }
        }

        return all;
    }

    private AggregateQuery Question(int datastream, TimeSpan cadence, DateTime from, DateTime to, TimeSpan width, TimeZoneInfo zone, Statistic statistic) =>
        new(datastream, from, to, new(width, zone), statistic, options.Value.IgnoreQuality) { Cadence = cadence };

    /// <summary>The last edge of the clock's hours that is not after an instant.</summary>
    public static DateTime HourBefore(DateTime at, TimeZoneInfo zone)
    {
        // Offsets of half an hour shift the hours of the clock.
        var shift = zone.GetUtcOffset(at).Ticks % TimeSpan.TicksPerHour;
        return new DateTime(((at.Ticks + shift) / TimeSpan.TicksPerHour * TimeSpan.TicksPerHour) - shift, DateTimeKind.Utc);
    }

    /// <summary>The instant at which a local day begins.</summary>
    public static DateTime BeginOf(DateOnly day, TimeZoneInfo zone)
    {
        var edges = new BucketEdges(Day, zone);
        var noon = day.ToDateTime(new TimeOnly(12, 0), DateTimeKind.Utc);
        var (start, _) = edges.Around((noon - zone.GetUtcOffset(noon) - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        return DateTime.UnixEpoch.AddTicks(start * TimeSpan.TicksPerMicrosecond);
    }

    /// <summary>The local date of an instant.</summary>
    public static DateOnly DateOf(DateTime at, TimeZoneInfo zone) => DateOnly.FromDateTime(at + zone.GetUtcOffset(at));
}
