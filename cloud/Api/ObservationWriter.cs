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

/// <summary>What an answer is made of.</summary>
/// <param name="Datastream">The datastream.</param>
/// <param name="Document">How it is described.</param>
/// <param name="From">UTC, inclusive.</param>
/// <param name="To">UTC, exclusive.</param>
/// <param name="Limit">Items at most.</param>
/// <param name="Points">Points asked for at most; null when none were.</param>
internal sealed record AnswerHead(Datastream Datastream, DatastreamDocument Document, DateTime From, DateTime To, int Limit, int? Points);

/// <summary>Observations of a stretch of the answer's datastream, as they are read.</summary>
internal delegate IAsyncEnumerable<Observation> ReadRange(DateTime from, DateTime to, CancellationToken cancellationToken);

/// <summary>
/// Writes one answer of observations as it is read from the series: memory holds a few kilobytes, whatever the length. Numbers are written as the shortest text that reads
/// back as the same double.
/// </summary>
internal sealed class ObservationWriter(HttpContext context, AnswerHead head, StoreClock clock, ApiInstruments instruments)
{
    /// <summary>Most buckets computed for one answer.</summary>
    public const int BucketsMax = 100_000;

    /// <summary>Header that says in any format what the answer is made of: raw, or the width of the buckets.</summary>
    public const string ResolutionHeader = "Hub-Resolution";

    /// <summary>Header that says in any format which figure the buckets hold.</summary>
    public const string StatisticHeader = "Hub-Statistic";

    private const int FlushBytes = 16 * 1024;

    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private long flushed;

    /// <summary>Whether something of the answer has been written: then a failure can no longer be answered as a problem.</summary>
    public bool Began { get; private set; }

    private HttpResponse Response => context.Response;

    private CancellationToken Cancel => context.RequestAborted;

    /// <summary>Observations as they are stored, as JSON.</summary>
    public async Task WriteJsonAsync(ReadRange read, Query query)
    {
        // The first one before the head: a store that is away can then still be answered as a problem.
        await using var observations = read(head.From, head.To, clock.Token).GetAsyncEnumerator(clock.Token);
        var more = await observations.MoveNextAsync();
        await using var json = StartJson(null);
        var count = 0;
        for (; more && count < head.Limit; count++)
        {
            WriteObservation(json, observations.Current);
            await FlushAsync(json);
            more = await observations.MoveNextAsync();
        }

        await WriteTailAsync(json, count, more ? query.Address(("from", Words.Of(observations.Current.PhenomenonTime)), ("to", Words.Of(head.To))) : null);
    }

    /// <summary>Buckets as JSON.</summary>
    public async Task WriteJsonAsync(IReadOnlyList<Bucket> buckets, AggregateQuery asked, Query query)
    {
        await using var json = StartJson(asked);
        var count = Math.Min(head.Limit, buckets.Count);
        for (var i = 0; i < count; i++)
        {
            WriteBucket(json, buckets[i], asked.Every.Width);
            await FlushAsync(json);
        }

        await WriteTailAsync(json, count, Next(buckets, query));
    }

    /// <summary>Observations as they are stored, as CSV. The next part is announced in a header, so the end of this part is looked up before anything is sent.</summary>
    public async Task WriteCsvAsync(ReadRange read, Query query)
    {
        var end = head.To;
        var count = 0;
        await foreach (var observation in read(head.From, head.To, clock.Token))
        {
            if (count++ == head.Limit)
            {
                end = observation.PhenomenonTime;
                Response.Headers.Link = $"<{query.Address(("from", Words.Of(end)), ("to", Words.Of(head.To)))}>; rel=\"next\"";
                break;
            }
        }

        clock.Start();
        var text = StartCsv("phenomenonTime,result,unit,quality,calibration,raw,coverage,revision\r\n", null);
        count = 0;
        await foreach (var o in read(head.From, end, clock.Token))
        {
            if (count == head.Limit)
            {
                // Late data came in between; they belong to what is asked for next time.
                break;
            }

            count++;
            text.Append(CultureInfo.InvariantCulture, $"{Words.Of(o.PhenomenonTime)},{o.Result:R},{head.Document.Unit},");
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
    public async Task WriteCsvAsync(IReadOnlyList<Bucket> buckets, AggregateQuery asked, Query query)
    {
        if (Next(buckets, query) is { } next)
        {
            Response.Headers.Link = $"<{next}>; rel=\"next\"";
        }

        var text = StartCsv("phenomenonTime,phenomenonTimeEnd,result,unit,quality,count,coverage,valid,min,max\r\n", asked);
        var count = Math.Min(head.Limit, buckets.Count);
        for (var i = 0; i < count; i++)
        {
            var b = buckets[i];
            text.Append(CultureInfo.InvariantCulture, $"{Words.Of(b.Start)},{Words.Of(b.End)},");
            AppendNumber(text, b.Value);
            text.Append(CultureInfo.InvariantCulture, $",{head.Document.Unit},");
            AppendWords(text, b.Quality);
            text.Append(CultureInfo.InvariantCulture, $",{b.Count},");
            AppendNumber(text, b.Coverage);
            text.Append(CultureInfo.InvariantCulture, $",{Valid(b, asked.Every.Width) switch { true => "true", false => "false", null => "" }},{b.Min:R},{b.Max:R}\r\n");
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

    private void WriteBucket(Utf8JsonWriter json, Bucket b, TimeSpan width)
    {
        json.WriteStartObject();
        json.WriteString("phenomenonTime", Words.Of(b.Start));
        json.WriteString("phenomenonTimeEnd", Words.Of(b.End));
        WriteNumber(json, "result", b.Value);
        WriteQuality(json, b.Quality);
        json.WriteNumber("count", b.Count);
        WriteNumber(json, "coverage", b.Coverage);
        if (Valid(b, width) is { } valid)
        {
            json.WriteBoolean("valid", valid);
        }
        else
        {
            json.WriteNull("valid");
        }

        json.WriteNumber("min", b.Min);
        json.WriteNumber("max", b.Max);
        json.WriteEndObject();
    }

    private bool? Valid(Bucket b, TimeSpan width) => DataCapture.IsValid(head.Datastream.Quantity, width, b.Coverage);

    private string? Next(IReadOnlyList<Bucket> buckets, Query query) =>
        buckets.Count > head.Limit ? query.Address(("from", Words.Of(buckets[head.Limit].Start)), ("to", Words.Of(head.To))) : null;

    private Utf8JsonWriter StartJson(AggregateQuery? asked)
    {
        Start("application/json; charset=utf-8", asked);
        var json = new Utf8JsonWriter(Response.BodyWriter, JsonOptions);
        json.WriteStartObject();
        json.WritePropertyName("datastream");
        JsonSerializer.Serialize(json, head.Document, ApiGate.Json);
        json.WriteString("from", Words.Of(head.From));
        json.WriteString("to", Words.Of(head.To));
        json.WriteString("every", asked is null ? null : Words.Of(asked.Every.Width));
        json.WriteString("statistic", asked is null ? null : Words.Of(asked.Statistic));
        WriteNumber(json, "percent", asked?.Statistic == Statistic.Percentile ? asked.Percent : double.NaN);
        json.WriteString("resolution", ResolutionOf(asked));
        WriteNumber(json, "points", head.Points ?? double.NaN);
        json.WriteStartArray("observations");
        return json;
    }

    private void Start(string contentType, AggregateQuery? asked)
    {
        Began = true;
        Response.ContentType = contentType;
        Response.Headers[ResolutionHeader] = ResolutionOf(asked);
        if (asked is not null)
        {
            Response.Headers[StatisticHeader] = Words.Of(asked.Statistic);
        }
    }

    private static string ResolutionOf(AggregateQuery? asked) => asked is null ? "raw" : Words.Of(asked.Every.Width);

    private async Task WriteTailAsync(Utf8JsonWriter json, int count, string? next)
    {
        json.WriteEndArray();
        json.WriteNumber("count", count);
        json.WriteString("next", next);
        json.WriteEndObject();
        clock.Stop();
        await json.FlushAsync(Cancel);
        await Response.BodyWriter.FlushAsync(Cancel);
        instruments.ObservationsSent(count);
    }

    private async ValueTask FlushAsync(Utf8JsonWriter json)
    {
        // What the writer has handed on waits for a flush as well: it hands on every few kilobytes, whether anybody sends it or not.
        if (json.BytesCommitted + json.BytesPending - flushed >= FlushBytes)
        {
            clock.Stop();
            await json.FlushAsync(Cancel);
            await Response.BodyWriter.FlushAsync(Cancel);
            flushed = json.BytesCommitted;
            clock.Start();
        }
    }

    private StringBuilder StartCsv(string header, AggregateQuery? asked)
    {
        Start("text/csv; charset=utf-8; header=present", asked);
        return new StringBuilder(header, FlushBytes + 512);
    }

    private async ValueTask FlushAsync(StringBuilder text, int least)
    {
        if (text.Length > least)
        {
            clock.Stop();
            await Response.WriteAsync(text.ToString(), Cancel);
            text.Clear();
            clock.Start();
        }
    }
}
