using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract;
using Hub.Edge.Contract.Quantities;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Alerts;

/// <summary>Reads what a message draws: without what the rules pass over, so that a picture shows what was judged.</summary>
internal sealed class AlarmCourses(ISeries series, IStations stations, IOptions<AlertsOptions> options) : IAlarmCourses
{
    /// <summary>Points of a day.</summary>
    private const int PointsPerDay = 144;

    private static readonly TimeSpan StepMin = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public async ValueTask<AlarmCourse?> OfAsync(AlarmMessage message, DateTime from, DateTime to, CancellationToken cancellationToken)
    {
        // Of a station as a whole no one datastream shows what was judged.
        if (to <= from || message.Property.Length == 0 || !stations.TryGetDatastream(message.Datastream, out var datastream) || datastream.Quantity.Averaging == AveragingRule.CircularMean)
        {
            return null;
        }

        // A count of each period is drawn as such, whatever the length of a point.
        var statistic = datastream.Quantity.Averaging == AveragingRule.Sum ? Statistic.Mean : Statistics.Of(datastream.Quantity.Averaging);
        var step = TimeSpan.FromMinutes(Math.Ceiling((to - from).TotalMinutes / PointsPerDay));
        step = step > StepMin ? step : StepMin;
        step = step > datastream.Period ? step : TimeSpan.FromMinutes(Math.Ceiling(datastream.Period.TotalMinutes));
        var buckets = await series.Stored().AggregateAsync(
            new AggregateQuery(datastream.Id, from, to, new BucketWidth(step), statistic, options.Value.IgnoreQuality), cancellationToken).ConfigureAwait(false);
        List<CoursePoint> points = [.. buckets.Where(bucket => double.IsFinite(bucket.Value)).Select(bucket => new CoursePoint(bucket.Start, bucket.Value, bucket.Min, bucket.Max))];
        return points.Count == 0 ? null : new AlarmCourse(from, to, step, points);
    }
}
