using System.Collections.Immutable;
using System.Globalization;
using System.Security.Claims;
using Hub.Cloud.InfluxQl.Execution;
using Hub.Cloud.InfluxQl.Language;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.InfluxQl.Data;

/// <summary>
/// The observations, with the names that a store on InfluxDB gives them (cloud/Series/Influx/README.md). The number of the commit and the marks of a line written over are not told over the seam, so there are no
/// fields of these.
/// </summary>
internal sealed class ObservationMeasurement(ClaimsPrincipal visitor, IStations stations, ISeries series) : Measurement
{
    /// <summary>The field that holds the value.</summary>
    public const string Result = "result";

    private static readonly ImmutableSortedDictionary<string, ValueKind> Known = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, new Dictionary<string, ValueKind>
    {
        ["calibration"] = ValueKind.Integer,
        ["coverage"] = ValueKind.Float,
        ["quality"] = ValueKind.Integer,
        ["raw"] = ValueKind.Float,
        [Result] = ValueKind.Float,
        ["revision"] = ValueKind.Integer,
    });

    private IReadOnlyList<Strand>? strands;

    public override string Name => "observation";

    public override ImmutableSortedDictionary<string, ValueKind> Fields => Known;

    public override ImmutableArray<string> TagKeys { get; } = ["datastream", "municipality", "period", "property", "sensor", "station"];

    public ISeries Series => series;

    public override ValueTask<IReadOnlyList<Strand>> StrandsAsync(Span span, CancellationToken cancellationToken) => new(strands ??=
    [
        .. from station in stations.All
           where Catalog.MaySee(visitor, station)
           from datastream in stations.DatastreamsOf(station.Id)
           select new ObservationStrand(datastream, series),
    ]);

    public static int Slot(string field) => SlotOf(Known, field);
}

/// <summary>The observations of a datastream.</summary>
internal sealed class ObservationStrand(Datastream datastream, ISeries series) : Strand("observation", TagsOf(datastream))
{
    /// <summary>Assumed of datastreams that state no period.</summary>
    private static readonly TimeSpan CadenceAssumed = TimeSpan.FromMinutes(1);

    /// <summary>First stretch looked at for the latest rows, and most rows of one stretch held to turn them round.</summary>
    private static readonly TimeSpan BackFirst = TimeSpan.FromHours(2);

    private const int BackRows = 20_000;

    public int Datastream => datastream.Id;

    public TimeSpan Cadence => datastream.Period > TimeSpan.Zero ? datastream.Period : CadenceAssumed;

    public override int SlotOf(string field) => ObservationMeasurement.Slot(field);

    /// <summary>What a span is to the store: begin, and end exclusive, no later than the latest observation; null when there can be nothing.</summary>
    public (DateTime From, DateTime To)? Stretch(Span span)
    {
        if (span.IsEmpty || !series.TryGetLatest(datastream.Id, out var latest))
        {
            return null;
        }

        var from = Nanoseconds.CeilingMicrosecond(span.Start);
        var to = Nanoseconds.CeilingMicrosecond(span.End + 1);
        var end = latest.PhenomenonTime.AddMicroseconds(1);
        to = to < end ? to : end;
        return from < to ? (from, to) : null;
    }

    public override long Estimate(Span span) => Stretch(span) is var (from, to) ? series.HeldWithin(from, to).Ticks / Cadence.Ticks : 0;

    public override ValueTask ReadAsync(Span span, bool ascending, Func<IRow, bool> sink, CancellationToken cancellationToken) =>
        Stretch(span) is not var (from, to) ? ValueTask.CompletedTask : ascending ? ForwardAsync(from, to, sink, cancellationToken) : BackwardAsync(from, to, sink, cancellationToken);

    private async ValueTask ForwardAsync(DateTime from, DateTime to, Func<IRow, bool> sink, CancellationToken cancellationToken)
    {
        var row = new ObservationRow();
        await foreach (var observation in series.RangeAsync(datastream.Id, from, to, cancellationToken).ConfigureAwait(false))
        {
            row.Observation = observation;
            if (!sink(row))
            {
                return;
            }
        }
    }

    /// <summary>The store reads forward: so the latest stretch first, each longer than the one after it, as long as few rows are in it.</summary>
    private async ValueTask BackwardAsync(DateTime from, DateTime to, Func<IRow, bool> sink, CancellationToken cancellationToken)
    {
        var row = new ObservationRow();
        List<Observation> stretch = [];
        var length = BackFirst;
        while (to > from)
        {
            var begin = to - from > length ? to - length : from;
            stretch.Clear();
            await foreach (var observation in series.RangeAsync(datastream.Id, begin, to, cancellationToken).ConfigureAwait(false))
            {
                stretch.Add(observation);
            }

            for (var i = stretch.Count - 1; i >= 0; i--)
            {
                row.Observation = stretch[i];
                if (!sink(row))
                {
                    return;
                }
            }

            to = begin;
            length = stretch.Count < BackRows / 2 ? length * 2 : stretch.Count > BackRows ? length / 2 : length;
        }
    }

    private static ImmutableSortedDictionary<string, string> TagsOf(Datastream datastream) => ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, new Dictionary<string, string>
    {
        ["datastream"] = datastream.Id.ToString(CultureInfo.InvariantCulture),
        ["municipality"] = datastream.Station.Municipality,
        ["period"] = ((int)datastream.Period.TotalSeconds).ToString(CultureInfo.InvariantCulture),
        ["property"] = datastream.Quantity.Id,
        ["sensor"] = datastream.Sensor,
        ["station"] = datastream.Station.Slug,
    });

    private sealed class ObservationRow : IRow
    {
        public Observation Observation { get; set; }

        public long Time => Nanoseconds.Of(Observation.PhenomenonTime);

        public Value this[int slot] => slot switch
        {
            0 => Observation.Calibration == 0 ? Value.Null : Value.Of((long)Observation.Calibration),
            1 => double.IsNaN(Observation.Coverage) ? Value.Null : Value.Of(Observation.Coverage),
            2 => Value.Of((long)Observation.Quality),
            3 => double.IsNaN(Observation.Raw) ? Value.Null : Value.Of(Observation.Raw),
            4 => Value.Of(Observation.Result),
            5 => Observation.Revision == 0 ? Value.Null : Value.Of((long)Observation.Revision),
            _ => Value.Null,
        };
    }
}
