using System.Diagnostics.Metrics;

namespace Hub.Cloud.Series;

/// <summary>What the store on InfluxDB counts beside <see cref="SeriesInstruments"/>, on a meter of the same name.</summary>
internal sealed class InfluxInstruments : IDisposable
{
    private readonly Meter _meter = new(SeriesInstruments.MeterName);
    private readonly Counter<long> _lines;
    private readonly Counter<long> _spilled;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _away;
    private readonly Counter<long> _retries;

    public InfluxInstruments()
    {
        _lines = _meter.CreateCounter<long>("hub.series.influx.lines", "{line}", "Lines sent in a write that the server answered, by verdict on the whole write; a write refused in part is sent again in halves.");
        _spilled = _meter.CreateCounter<long>("hub.series.influx.spilled", "{observation}", "Observations that went to the spill because the server was away.");
        _refused = _meter.CreateCounter<long>("hub.series.influx.refused", "{observation}", "Observations that the server refused; kept in the hub or not acknowledged.");
        _away = _meter.CreateCounter<long>("hub.series.influx.away", "{time}", "Times the server was found to be away.");
        _retries = _meter.CreateCounter<long>("hub.series.influx.retries", "{attempt}", "Attempts to reach a server that is away which failed.");
    }

    public bool Owns(Meter meter) => ReferenceEquals(meter, _meter);

    public void Watch(Func<long> spillObservations, Func<long> spillBytes, Func<long> refusedKept)
    {
        _meter.CreateObservableGauge("hub.series.influx.spill.observations", spillObservations, "{observation}", "Observations in the spill.");
        _meter.CreateObservableGauge("hub.series.influx.spill.size", spillBytes, "By", "Bytes of the spill on disk.");
        _meter.CreateObservableGauge("hub.series.influx.refused.kept", refusedKept, "{observation}", "Observations that the server refused and the hub keeps.");
    }

    public void Wrote(WriteVerdict verdict, int lines) => _lines.Add(
        lines,
        new KeyValuePair<string, object?>("verdict", verdict switch
        {
            WriteVerdict.Taken => "taken",
            WriteVerdict.Refused => "refused",
            _ => "too_large",
        }));

    public void Spilled(long observations) => _spilled.Add(observations);

    public void Refused(long observations) => _refused.Add(observations);

    public void Away() => _away.Add(1);

    public void Retried() => _retries.Add(1);

    public void Dispose() => _meter.Dispose();
}
