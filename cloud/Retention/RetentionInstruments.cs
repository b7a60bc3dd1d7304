using System.Diagnostics.Metrics;

namespace Hub.Cloud.Retention;

/// <summary>Meter <c>Hub.Cloud.Retention</c>.</summary>
internal sealed class RetentionInstruments : IDisposable
{
    private readonly Meter _meter = new("Hub.Cloud.Retention");
    private readonly Counter<long> _deleted;
    private readonly Counter<long> _failed;

    public RetentionInstruments()
    {
        _deleted = _meter.CreateCounter<long>("hub.retention.observations", "{observation}", "Observations deleted because their time to be kept is over.");
        _failed = _meter.CreateCounter<long>("hub.retention.failures", "{run}", "Runs that failed.");
    }

    public void Deleted(string municipality, long observations) => _deleted.Add(observations, new KeyValuePair<string, object?>("municipality", municipality));

    public void Failed() => _failed.Add(1);

    public void Dispose() => _meter.Dispose();
}
