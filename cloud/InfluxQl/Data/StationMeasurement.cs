using System.Collections.Immutable;
using System.Security.Claims;
using Hub.Cloud.InfluxQl.Execution;
using Hub.Cloud.InfluxQl.Language;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;

namespace Hub.Cloud.InfluxQl.Data;

/// <summary>The stations as they are now: one point for each, at the end of the time asked about and never later than now. No store on InfluxDB has this.</summary>
internal sealed class StationMeasurement(ClaimsPrincipal visitor, IStations stations, ISeries series, DateTime now) : Measurement
{
    private static readonly string[] Columns = ["datastreams", "last_seen", "latitude", "longitude", "name", "public"];

    public override string Name => "station";

    public override ImmutableSortedDictionary<string, ValueKind> Fields { get; } = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, new Dictionary<string, ValueKind>
    {
        ["datastreams"] = ValueKind.Integer,
        ["last_seen"] = ValueKind.Integer,
        ["latitude"] = ValueKind.Float,
        ["longitude"] = ValueKind.Float,
        ["name"] = ValueKind.Text,
        ["public"] = ValueKind.Boolean,
    });

    public override ImmutableArray<string> TagKeys { get; } = ["municipality", "station"];

    public override ValueTask<IReadOnlyList<Strand>> StrandsAsync(Span span, CancellationToken cancellationToken)
    {
        var time = Math.Min(span.End, Nanoseconds.Of(now));
        return new([.. stations.All.Where(station => Catalog.MaySee(visitor, station)).Select(station => StrandOf(station, time))]);
    }

    private ListStrand StrandOf(Station station, long time)
    {
        var datastreams = stations.DatastreamsOf(station.Id);
        DateTime? seen = null;
        foreach (var datastream in datastreams)
        {
            if (series.TryGetLatest(datastream.Id, out var latest) && (seen is null || latest.PhenomenonTime > seen))
            {
                seen = latest.PhenomenonTime;
            }
        }

        Value[] values =
        [
            Value.Of((long)datastreams.Count), seen is { } at ? Value.Of(Nanoseconds.Of(at) / 1_000_000) : Value.Null,
            Value.Of(station.Latitude), Value.Of(station.Longitude), Value.Of(station.Name), Value.Of(station.Public),
        ];
        var tags = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, new Dictionary<string, string> { ["municipality"] = station.Municipality, ["station"] = station.Slug });
        return new ListStrand(Name, tags, Columns, [new ListRow(time, values)], isStored: true);
    }
}
