using System.Collections.Immutable;
using System.Security.Claims;
using Hub.Cloud.Alerts;
using Hub.Cloud.InfluxQl.Execution;
using Hub.Cloud.InfluxQl.Language;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.InfluxQl.Data;

/// <summary>What one visitor can ask about: everybody the public stations, people with a role their municipality's private ones too. Made for one request.</summary>
internal sealed class Catalog
{
    private readonly string database;

    public Catalog(ClaimsPrincipal visitor, string database, DateTime now, IStations stations, ISeries series, IAlerts alerts)
    {
        this.database = database;
        Now = Nanoseconds.Of(now);
        Measurements =
        [
            new AlarmMeasurement(visitor, stations, alerts, now),
            new ObservationMeasurement(visitor, stations, series),
            new StationMeasurement(visitor, stations, series, now),
        ];
    }

    /// <summary>What now() is, nanoseconds since 1970: the same for all statements of a request.</summary>
    public long Now { get; }

    /// <summary>By name.</summary>
    public ImmutableArray<Measurement> Measurements { get; }

    /// <summary>The measurements that a source names; none where there is none of that name.</summary>
    /// <exception cref="QuestionException">It is in another database or retention policy.</exception>
    public IEnumerable<Measurement> Find(MeasurementSource source)
    {
        if (source.Database is { } named && !string.Equals(named, database, StringComparison.Ordinal))
        {
            throw new QuestionException($"database not found: {named} (there is \"{database}\")", source.Place);
        }

        if (source.Policy is { Length: > 0 } policy && policy != RetentionPolicy)
        {
            throw new QuestionException($"retention policy not found: {policy} (there is \"{RetentionPolicy}\")", source.Place);
        }

        return Measurements.Where(measurement => source.Regex?.IsMatch(measurement.Name) ?? string.Equals(measurement.Name, source.Name, StringComparison.Ordinal));
    }

    /// <summary>The one retention policy there is.</summary>
    public const string RetentionPolicy = "autogen";

    /// <summary>Whether a visitor may know of a station; the rule of the API and the Portal.</summary>
    internal static bool MaySee(ClaimsPrincipal visitor, Station station) => station.Public || visitor.Holds(Role.Viewer, station.Municipality);
}
