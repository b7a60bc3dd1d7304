using System.Globalization;
using System.Text;
using System.Xml;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Portal.Tests.World;

/// <summary>Answers about observations as the open API gives them (cloud/Api/ObservationWriter.cs; a test compares the members), for scripts that ask for finer values.</summary>
internal sealed class MadeUpApi(City city)
{
    /// <summary>Questions asked, and how many points each answer had.</summary>
    public List<(int Datastream, DateTime From, DateTime To, int Points)> Asked { get; } = [];

    /// <summary>Whether every question is answered with 503.</summary>
    public bool Away { get; set; }

    public void Map(WebApplication app) => app.MapGet("/api/v1/datastreams/{id:int}/observations", AnswerAsync);

    private async Task<IResult> AnswerAsync(int id, DateTimeOffset from, DateTimeOffset to, int? points, string? every, string? format, CancellationToken cancellationToken)
    {
        if (Away)
        {
            return Results.StatusCode(503);
        }

        if (!city.Stations.TryGetDatastream(id, out var datastream))
        {
            return Results.NotFound();
        }

        var (begin, end) = (from.UtcDateTime, to.UtcDateTime);
        List<Observation> single = [];
        var width = every is null ? (TimeSpan?)null : XmlConvert.ToTimeSpan(every);
        if (width is null && (points is null || SeriesResolution.For(end - begin, datastream.Period, points.Value) is null))
        {
            await foreach (var one in city.Series.RangeAsync(id, begin, end, cancellationToken))
            {
                single.Add(one);
            }
        }

        object answer;
        StringBuilder csv = new();
        if (width is null && (points is null || (single.Count > 0 && single.Count <= points) || SeriesResolution.For(end - begin, datastream.Period, points.Value) is null))
        {
            answer = new
            {
                resolution = "raw",
                observations = single.Select(one => new { phenomenonTime = Iso(one.PhenomenonTime), result = one.Result, quality = Words(one.Quality), raw = Number(one.Raw), coverage = Number(one.Coverage) }),
            };
            csv.AppendLine("phenomenonTime,result,raw");
            single.ForEach(one => csv.AppendLine(string.Create(CultureInfo.InvariantCulture, $"{Iso(one.PhenomenonTime)},{one.Result:R},{one.Raw:R}")));
            Asked.Add((id, begin, end, single.Count));
        }
        else
        {
            var bucket = width ?? SeriesResolution.For(end - begin, datastream.Period, points!.Value, raw: false)!.Value;
            var rows = await city.Series.AggregateAsync(new(id, begin, end, new(bucket), Statistics.Of(datastream.Quantity.Averaging)) { Cadence = datastream.Period }, cancellationToken);
            answer = new
            {
                resolution = XmlConvert.ToString(bucket),
                observations = rows.Select(one => new
                {
                    phenomenonTime = Iso(one.Start), result = Number(one.Value), quality = Words(one.Quality), coverage = Number(one.Coverage), valid = (bool?)null, min = one.Min, max = one.Max,
                }),
            };
            csv.AppendLine("phenomenonTime,result");
            foreach (var one in rows)
            {
                csv.AppendLine(string.Create(CultureInfo.InvariantCulture, $"{Iso(one.Start)},{one.Value:R}"));
            }

            Asked.Add((id, begin, end, rows.Count));
        }

        return format == "csv" ? Results.Text(csv.ToString(), "text/csv") : Results.Json(answer);
    }

    private static string Iso(DateTime at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);

    private static double? Number(double value) => double.IsFinite(value) ? value : null;

    private static string[] Words(Quality quality) => quality == Quality.Good ? [] : [.. quality.ToString().Split(", ")];
}
