using System.Globalization;
using Hub.Cloud.Alerts;
using Hub.Cloud.Database;
using Hub.Cloud.Fleet;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Topics;
using Hub.Edge.Contract.Twin;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Hub.Cloud.Server;

/// <summary>Ties together stages that must not know each other.</summary>
internal static class Bridges
{
    /// <summary>Adds the bridges.</summary>
    public static void AddHubBridges(this IServiceCollection services)
    {
        services.AddSingleton<IAlarmTopic, AlarmTopic>();
        services.AddSingleton<IMunicipalityDirectory, Directory>();
        services.AddSingleton<IEdgeRules, EdgeRules>();
        services.AddSingleton<IAcknowledgeLinks, MailLinks>();
        services.AddHubRoleHolders();
        services.AddHubLabels();
        services.AddSingleton<IDatastreamStatistics, DatastreamStatistics>();
    }

    /// <summary>Adds the labels of what is written to a store that other programs read; for tools too, with Stations.</summary>
    public static void AddHubLabels(this IServiceCollection services) => services.AddSingleton<IDatastreamLabels, DatastreamLabels>();

    /// <summary>Adds who holds a role; for tools too, with Municipalities.</summary>
    public static void AddHubRoleHolders(this IServiceCollection services) => services.AddSingleton<IRoleHolders, RoleHolders>();

    /// <summary>Notifications speak of alarms, Ingest owns the broker.</summary>
    private sealed class AlarmTopic(IHubPublisher publisher) : IAlarmTopic
    {
        public ValueTask PublishAsync(AlarmMessage message, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
            // Retained is what is so now: news of the past, and news that other news has overtaken, must not stand in its place.
            publisher.PublishAsync(
                HubTopic.Alarm(message.Municipality, message.Rule, message.Station), payload, "application/json", retain: message is { Kind: not NotificationKind.Past, Overtaken: false }, cancellationToken);
    }

    /// <summary>Notifications write mails, Portal has the page that acknowledges.</summary>
    private sealed class MailLinks(AcknowledgeLinks links) : IAcknowledgeLinks
    {
        public ValueTask<string?> ForAsync(AlarmMessage message, string mailAddress, CancellationToken cancellationToken) =>
            links.ForAsync(message.Alarm, message.Municipality, mailAddress, cancellationToken);
    }

    /// <summary>Notifications tell people by role, Municipalities know who holds one.</summary>
    internal sealed class RoleHolders(IRoles roles) : IRoleHolders
    {
        public ValueTask<IReadOnlyList<string>> HoldersAsync(StaffRole role, string municipality, CancellationToken cancellationToken) => roles.HoldersAsync(
            role switch { StaffRole.Administrator => Role.Administrator, StaffRole.Operator => Role.Operator, _ => Role.Viewer }, municipality, cancellationToken);
    }

    /// <summary>Fleet brings rules to stations, Alerts own them.</summary>
    internal sealed class EdgeRules(IAlerts alerts) : IEdgeRules
    {
        public event Action? Changed
        {
            add => alerts.RulesChanged += value;
            remove => alerts.RulesChanged -= value;
        }

        public IReadOnlyList<EdgeRule> For(Station station) =>
        [
            .. from rule in alerts.Rules(station.Municipality)
               where rule is { Edge: true, Enabled: true } && (rule.Station is null || rule.Station == station.Slug) && rule.IsAt(station.Longitude, station.Latitude)
               orderby rule.Slug
               select new EdgeRule(
                   rule.Slug, rule.Property, rule.Crossing == Crossing.Above ? EdgeCrossing.Above : EdgeCrossing.Below, rule.SetLevel, rule.ClearLevel, (int)rule.For.TotalSeconds, rule.Sensor, rule.PeriodSeconds),
        ];
    }

    /// <summary>
    /// Series know datastreams by number, Stations know what they are. The labels are the slugs, which never change, and not the names shown to people: a station that is renamed goes on in the series it had.
    /// </summary>
    internal sealed class DatastreamLabels : IDatastreamLabels
    {
        private readonly IStations _stations;
        private long _version;

        public DatastreamLabels(IStations stations)
        {
            _stations = stations;

            // A datastream may be written before it is known here: after a restore of an older database, for one.
            stations.Changed += () => Interlocked.Increment(ref _version);
        }

        public long Version => Interlocked.Read(ref _version);

        public IReadOnlyCollection<KeyValuePair<string, string>> Of(int datastream) => _stations.TryGetDatastream(datastream, out var found)
            ?
            [
                new("municipality", found.Station.Municipality), new("station", found.Station.Slug), new("sensor", found.Sensor), new("property", found.Quantity.Id),
                new("period", ((int)found.Period.TotalSeconds).ToString(CultureInfo.InvariantCulture)),
            ]
            : [];
    }

    /// <summary>Series keep rollups of datastreams, Stations know what is measured.</summary>
    internal sealed class DatastreamStatistics(IStations stations) : IDatastreamStatistics
    {
        public Statistic? Of(int datastream) => stations.TryGetDatastream(datastream, out var found) ? Statistics.Of(found.Quantity.Averaging) : null;
    }

    /// <summary>Alerts name municipalities and write in their zone, Municipalities know them.</summary>
    private sealed class Directory(IMunicipalities municipalities) : IMunicipalityDirectory
    {
        public (string Name, string Zone) Of(string municipality) =>
            municipalities.TryGet(municipality, out var found) ? (found.Name, found.Zone) : (municipality, "Europe/Lisbon");
    }
}

/// <summary>Ready while the store can commit.</summary>
internal sealed class StoreHealth(ISeriesHealth series) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            series.Problem is { } problem ? HealthCheckResult.Unhealthy(problem)
            : series.Warning is { } warning ? HealthCheckResult.Degraded(warning)
            : HealthCheckResult.Healthy());
}

/// <summary>Ready while the database answers: what pages, alarms and notifications need.</summary>
internal sealed class DatabaseHealth(IConfiguration configuration, DatabaseHold hold) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        await HubDatabase.ProbeAsync(configuration, cancellationToken) is { } problem ? HealthCheckResult.Unhealthy(problem)
            : await hold.IsHeldAsync(cancellationToken) ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy("The database is back; that no other hub serves on it is known within seconds.");
}
