using System.Diagnostics.Metrics;

namespace Hub.Cloud.InfluxQl;

/// <summary>Counters of the InfluxQl stage, on a meter named as its assembly.</summary>
internal sealed class InfluxQlInstruments : IDisposable
{
    public const string MeterName = "Hub.Cloud.InfluxQl";

    private readonly Meter meter;
    private readonly Counter<long> questions;
    private readonly Counter<long> rows;
    private readonly Counter<long> folded;
    private readonly UpDownCounter<long> large;

    public InfluxQlInstruments(IMeterFactory? meters = null)
    {
        meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        questions = meter.CreateCounter<long>("hub.influxql.questions", "{question}", "Questions answered, by outcome: answered, refused (a limit, or nothing of that name), malformed, unauthorized, late.");
        rows = meter.CreateCounter<long>("hub.influxql.rows", "{row}", "Rows sent in answers.");
        folded = meter.CreateCounter<long>("hub.influxql.folded", "{series}", "Series of questions that the store answered from what it has folded, instead of rows that were read.");
        large = meter.CreateUpDownCounter<long>("hub.influxql.large", "{question}", "Questions that read much, being answered now.");
    }

    public void Answered(string outcome) => questions.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void RowsSent(long count) => rows.Add(count);

    public void Folded(int series) => folded.Add(series);

    public void LargeRunning(int change) => large.Add(change);

    public void Dispose() => meter.Dispose();
}
