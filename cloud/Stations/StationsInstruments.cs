using System.Diagnostics.Metrics;

namespace Hub.Cloud.Stations;

/// <summary>Counters of the Stations stage, on a meter named as its assembly.</summary>
internal sealed class StationsInstruments : IDisposable
{
    public const string MeterName = "Hub.Cloud.Stations";

    private readonly Meter meter;
    private readonly Counter<long> logins;
    private readonly Counter<long> datastreams;
    private readonly Counter<long> datastreamsRefused;

    public StationsInstruments(IMeterFactory? meters = null)
    {
        meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        logins = meter.CreateCounter<long>("hub.stations.logins", "{login}", "Attempts of stations to prove who they are, by outcome.");
        datastreams = meter.CreateCounter<long>("hub.stations.datastreams.created", "{datastream}", "Datastreams created on first sight.");
        datastreamsRefused = meter.CreateCounter<long>("hub.stations.datastreams.refused", "{datastream}", "Datastreams not created because their station was at its limit.");
    }

    public void Observe(Func<int> stations, Func<int> streams)
    {
        meter.CreateObservableGauge("hub.stations.count", stations, "{station}", "Registered stations.");
        meter.CreateObservableGauge("hub.stations.datastreams.count", streams, "{datastream}", "Known datastreams, those of removed stations included.");
    }

    public void LoginAccepted() => logins.Add(1, new KeyValuePair<string, object?>("outcome", "accepted"));

    public void LoginAcceptedWithPreviousSecret() => logins.Add(1, new KeyValuePair<string, object?>("outcome", "accepted-previous-secret"));

    public void LoginRefused() => logins.Add(1, new KeyValuePair<string, object?>("outcome", "refused"));

    public void DatastreamCreated() => datastreams.Add(1);

    public void DatastreamRefused() => datastreamsRefused.Add(1);

    public void Dispose() => meter.Dispose();
}
