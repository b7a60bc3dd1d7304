using Hub.Cloud.Alerts;
using Hub.Cloud.Ingest;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Edge.Contract.Topics;
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
    }

    /// <summary>Notifications speak of alarms, Ingest owns the broker.</summary>
    private sealed class AlarmTopic(IHubPublisher publisher) : IAlarmTopic
    {
        public ValueTask PublishAsync(AlarmMessage message, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
            // Retained is what is so now: news of the past must not stand in its place.
            publisher.PublishAsync(
                HubTopic.Alarm(message.Municipality, message.Rule, message.Station), payload, "application/json", retain: message.Kind is not NotificationKind.Past, cancellationToken);
    }

    /// <summary>Alerts name municipalities and write in their zone, Municipalities know them.</summary>
    private sealed class Directory(IMunicipalities municipalities) : IMunicipalityDirectory
    {
        public (string Name, string Zone) Of(string municipality) =>
            municipalities.TryGet(municipality, out var found) ? (found.Name, found.Zone) : (municipality, "Europe/Lisbon");
    }
}

/// <summary>Ready while the store can commit.</summary>
internal sealed class StoreHealth(Series.ISeriesHealth series) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(series.Problem is { } problem ? HealthCheckResult.Unhealthy(problem) : HealthCheckResult.Healthy());
}
