using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Readings;
using Microsoft.AspNetCore.Http;

namespace Hub.Cloud.Api;

/// <summary>
/// Writes one answer of observations as it is read from the series: memory holds a few kilobytes, whatever the length. Numbers are written as the shortest text that reads
/// back as the same double.
/// </summary>
internal sealed class ObservationWriter(
    HttpContext context, Datastream datastream, DatastreamDocument document, DateTime from, DateTime to, int limit, ApiInstruments instruments)
{
    /// <summary>Most buckets computed for one answer.</summary>
    public const int BucketsMax = 100_000;

    private const int FlushBytes = 16 * 1024;

    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private HttpResponse Response => context.Response;

    private CancellationToken Cancel => context.RequestAborted;

    /// <summary>Observations as they are stored, as JSON.</summary>
    public async Task WriteJsonAsync(ISeries series, Query query)
    {
        // The first one before the head: a store that is away can then still be answered as a problem.
        await using var observations = series.RangeAsync(datastream.Id, from, to, Cancel).GetAsyncEnumerator(Cancel);
        var more = await observations.MoveNextAsync();
        Response.ContentType = "application/json; charset=utf-8";
        await using var json = new Utf8JsonWriter(Response.BodyWriter, JsonOptions);
        WriteHead(json, null, null);
        var count = 0;
        for (; more && count < limit; count++)
        {
            WriteObservation(json, observations.Current);
            await FlushAsync(json);
            more = await observations.MoveNextAsync();
        }

        await WriteTailAsync(json, count, more ? query.Address(("from", Words.Of(observations.Current.PhenomenonTime)), ("to", Words.Of(to))) : null);
    }

    /// <summary>Buckets as JSON.</summary>
    public async Task WriteJsonAsync(IReadOnlyList<Bucket> buckets, TimeSpan width, Statistic statistic, Query query)
    {
        Response.ContentType = "application/json; charset=utf-8";
        await using var json = new Utf8JsonWriter(Response.BodyWriter, JsonOptions);
        WriteHead(json, width, statistic);
        var count = Math.Min(limit, buckets.Count);
        for (var i = 0; i < count; i++)
        {
            WriteBucket(json, buckets[i]);
            await FlushAsync(json);
        }

        await WriteTailAsync(json, count, Next(buckets, query));
    }

    /// <summary>Observations as they are stored, as CSV. The next part is announced in a header, so the end of this part is looked up before anything is sent.</summary>
    public async Task WriteCsvAsync(ISeries series, Query query)
    {
        var end = to;
        var count = 0;
        await foreach (var observation in series.RangeAsync(datastream.Id, from, to, Cancel))
        {
            if (count++ == limit)
            {
                end = observation.PhenomenonTime;
                Response.Headers.Link = $"<{query.Address(("from", Words.Of(end)), ("to", Words.Of(to)))}>; rel=\"next\"";
                break;
            }
        }

        var text = StartCsv("phenomenonTime,result,unit,quality,calibration,raw,coverage,revision\r\n");
        count = 0;
        await foreach (var o in series.RangeAsync(datastream.Id, from, end, Cancel))
        {
            if (count == limit)
            {
                // Late data came in between; they belong to what is asked for next time.
                break;
            }

            count++;
            text.Append(CultureInfo.InvariantCulture, $"{Words.Of(o.PhenomenonTime)},{o.Result:R},{document.Unit},");
            AppendWords(text, o.Quality);
            text.Append(CultureInfo.InvariantCulture, $",{o.Calibration},");
            AppendNumber(text, o.Raw);
            text.Append(',');
            AppendNumber(text, o.Coverage);
            text.Append(CultureInfo.InvariantCulture, $",{o.Revision}\r\n");
            await FlushAsync(text, FlushBytes);
        }

        await FlushAsync(text, 0);
        instruments.ObservationsSent(count);
    }

    /// <summary>Buckets as CSV.</summary>
    public async Task WriteCsvAsync(IReadOnlyList<Bucket> buckets, Query query)
    {
        if (Next(buckets, query) is { } next)
        {
            Response.Headers.Link = $"<{next}>; rel=\"next\"";
        }

        var text = StartCsv("phenomenonTime,phenomenonTimeEnd,result,unit,quality,count,coverage\r\n");
        var count = Math.Min(limit, buckets.Count);
        for (var i = 0; i < count; i++)
        {
            var b = buckets[i];
            text.Append(CultureInfo.InvariantCulture, $"{Words.Of(b.Start)},{Words.Of(b.End)},{b.Value:R},{document.Unit},");
            AppendWords(text, b.Quality);
            text.Append(CultureInfo.InvariantCulture, $",{b.Count},");
            AppendNumber(text, Coverage(b) ?? double.NaN);
            text.Append("\r\n");
            await FlushAsync(text, FlushBytes);
        }

        await FlushAsync(text, 0);
        instruments.ObservationsSent(count);
    }

    private static void AppendWords(StringBuilder text, Quality quality) => text.AppendJoin(' ', Words.Of(quality));

    private static void AppendNumber(StringBuilder text, double number)
    {
        if (!double.IsNaN(number))
        {
            text.Append(CultureInfo.InvariantCulture, $"{number:R}");
        }
    }

    private static void WriteQuality(Utf8JsonWriter json, Quality quality)
    {
        json.WriteStartArray("quality");
        foreach (var word in Words.Of(quality))
        {
            json.WriteStringValue(word);
        }

        json.WriteEndArray();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, double number)
    {
        if (double.IsFinite(number))
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static void WriteObservation(Utf8JsonWriter json, Observation o)
    {
        json.WriteStartObject();
        json.WriteString("phenomenonTime", Words.Of(o.PhenomenonTime));
        json.WriteNumber("result", o.Result);
        WriteQuality(json, o.Quality);
        json.WriteNumber("calibration", o.Calibration);
        WriteNumber(json, "raw", o.Raw);
        WriteNumber(json, "coverage", o.Coverage);
        json.WriteNumber("revision", o.Revision);
        json.WriteEndObject();
    }

    private void WriteBucket(Utf8JsonWriter json, Bucket b)
    {
        json.WriteStartObject();
        json.WriteString("phenomenonTime", Words.Of(b.Start));
        json.WriteString("phenomenonTimeEnd", Words.Of(b.End));
        WriteNumber(json, "result", b.Value);
        WriteQuality(json, b.Quality);
        json.WriteNumber("count", b.Count);
        WriteNumber(json, "coverage", Coverage(b) ?? double.NaN);
        json.WriteEndObject();
    }

    /// <summary>Share of a bucket's stretch that its observations' averaging periods fill; null for instantaneous values.</summary>
    private double? Coverage(Bucket b) => datastream.Period > TimeSpan.Zero ? Math.Min(1, b.Count * datastream.Period / (b.End - b.Start)) : null;

    private string? Next(IReadOnlyList<Bucket> buckets, Query query) =>
        buckets.Count > limit ? query.Address(("from", Words.Of(buckets[limit].Start)), ("to", Words.Of(to))) : null;

    private void WriteHead(Utf8JsonWriter json, TimeSpan? every, Statistic? statistic)
    {
        json.WriteStartObject();
        json.WritePropertyName("datastream");
        JsonSerializer.Serialize(json, document, ApiGate.Json);
        json.WriteString("from", Words.Of(from));
        json.WriteString("to", Words.Of(to));
        json.WriteString("every", every is { } width ? Words.Of(width) : null);
        json.WriteString("statistic", statistic is { } figure ? Words.Of(figure) : null);
        json.WriteStartArray("observations");
    }

    private async Task WriteTailAsync(Utf8JsonWriter json, int count, string? next)
    {
        json.WriteEndArray();
        json.WriteNumber("count", count);
        json.WriteString("next", next);
        json.WriteEndObject();
        await json.FlushAsync(Cancel);
        await Response.BodyWriter.FlushAsync(Cancel);
        instruments.ObservationsSent(count);
    }

    private async ValueTask FlushAsync(Utf8JsonWriter json)
    {
        if (json.BytesPending >= FlushBytes)
        {
            await json.FlushAsync(Cancel);
            await Response.BodyWriter.FlushAsync(Cancel);
        }
    }

    private StringBuilder StartCsv(string header)
    {
        Response.ContentType = "text/csv; charset=utf-8; header=present";
        return new StringBuilder(header, FlushBytes + 512);
    }

    private async ValueTask FlushAsync(StringBuilder text, int least)
    {
        if (text.Length > least)
        {
            await Response.WriteAsync(text.ToString(), Cancel);
            text.Clear();
        }
    }
}
