using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Read.Map;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Series;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Hub.Cloud.Portal.Serving;

/// <summary>
/// What the map's script fetches: the stations with what is shown of them now (<c>/map/stations</c>), and the last 24 hours (<c>/map/day</c>). Both take <c>municipality=</c> and <c>show=</c>, the first <c>name=</c> as well.
/// Strangers get public stations only; their answers may be kept and are made once for all. Not part of the open API: the pages' own.
/// </summary>
internal sealed class MapEndpoints(Reader reader, MapReader map)
{
    /// <summary>How long the stations of now are the same for everybody: each page asks about once a minute, and what changes meanwhile comes by the event stream.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, (DateTime Until, Answer Answer)> _known = new(StringComparer.Ordinal);

    /// <summary>An answer as it travels.</summary>
    private sealed record Answer(byte[] Plain, byte[] Brotli, string Tag);

    public static void Map(IEndpointRouteBuilder endpoints, MapEndpoints own)
    {
        endpoints.MapGet("/map/stations", (HttpContext context, string? municipality, string? show, string? name, CancellationToken cancellationToken) => own.StationsAsync(context, municipality, show, name, cancellationToken)).ExcludeFromDescription();
        endpoints.MapGet("/map/day", (HttpContext context, string? municipality, string? show, CancellationToken cancellationToken) => own.DayAsync(context, municipality, show, cancellationToken)).ExcludeFromDescription();
    }

    private async Task<IResult> StationsAsync(HttpContext context, string? slug, string? show, string? name, CancellationToken cancellationToken)
    {
        if (!TryTown(slug, out var town))
        {
            return NoTown(slug);
        }

        var stranger = context.User.Identity?.IsAuthenticated != true;
        var key = stranger && string.IsNullOrWhiteSpace(name) ? $"{town?.Slug}|{show}" : null;
        if (key is not null && _known.TryGetValue(key, out var held) && held.Until > reader.Now)
        {
            return Said(context, held.Answer, "no-cache");
        }

        var city = reader.City(context.User, town);
        if (MapShow.Find(show, city.Stations) is not { } found)
        {
            return NotMeasured(show);
        }

        try
        {
            var day = found.IsIndex ? await map.DayAsync(MapReader.KeyOf(context.User, city.Stations, town?.Slug, found), city.Stations, found, ZoneOf(city), city.Now, cancellationToken) : null;
            if (found.IsIndex && day is null)
            {
                return Busy(context, "Too many pages read the series at the moment.");
            }

            var answer = Packed(WriteStations(MapReader.Now(StationList.Named(city.Stations, name), found, day, city.Now), city));
            if (key is not null)
            {
                // Names of what is shown are those of quantities that are measured: there are few.
                _known[key] = (city.Now + Kept, answer);
            }

            return Said(context, answer, stranger ? "no-cache" : "private, no-cache");
        }
        catch (SeriesUnavailableException exception)
        {
            return Busy(context, exception.Message);
        }
    }

    private async Task<IResult> DayAsync(HttpContext context, string? slug, string? show, CancellationToken cancellationToken)
    {
        if (!TryTown(slug, out var town))
        {
            return NoTown(slug);
        }

        var city = reader.City(context.User, town);
        if (MapShow.Find(show, city.Stations) is not { IsStatus: false } found)
        {
            return NotMeasured(show);
        }

        try
        {
            if (await map.DayAsync(MapReader.KeyOf(context.User, city.Stations, town?.Slug, found), city.Stations, found, ZoneOf(city), city.Now, cancellationToken) is not { } day)
            {
                return Busy(context, "Too many pages read the series at the moment.");
            }

            // Two who make it at once make the same.
            var answer = (Answer)(day.Answer ??= Packed(WriteDay(day, found)));
            return Said(context, answer, context.User.Identity?.IsAuthenticated == true ? "private, no-cache" : "public, max-age=60");
        }
        catch (SeriesUnavailableException exception)
        {
            return Busy(context, exception.Message);
        }
    }

    /// <summary>Steps are of the municipality's clock; of all municipalities, of the first one's.</summary>
    public static TimeZoneInfo ZoneOf(CityView city) => city.Stations.Count > 0 ? city.Stations[0].Zone : TimeZoneInfo.Utc;

    private bool TryTown(string? slug, out Municipality? town)
    {
        town = string.IsNullOrEmpty(slug) ? null : reader.Municipality(slug);
        return string.IsNullOrEmpty(slug) || town is not null;
    }

    private static byte[] WriteStations(MapNow now, CityView city)
    {
        var towns = now.Stations.Select(static one => one.View.MunicipalityName).Distinct().ToList();
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("now", Milliseconds(city.Now));
            json.WriteStartArray("towns");
            towns.ForEach(json.WriteStringValue);
            json.WriteEndArray();
            json.WriteStartArray("stations");
            foreach (var (view, value) in now.Stations)
            {
                json.WriteStartObject();
                json.WriteString("id", view.Id);
                json.WriteString("name", view.Station.Name);
                json.WriteNumber("town", towns.IndexOf(view.MunicipalityName));
                json.WriteStartArray("at");
                json.WriteNumberValue(Math.Round(view.Station.Longitude, 6));
                json.WriteNumberValue(Math.Round(view.Station.Latitude, 6));
                json.WriteEndArray();
                json.WriteString("status", Freshness.NameOf(view.Status));
                if (view.NewestEnd is { } newest)
                {
                    json.WriteNumber("newest", Milliseconds(newest));
                }

                json.WriteNumber("late", (long)view.StaleAfter.TotalSeconds);
                WriteValue(json, value, now.Show);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static void WriteValue(Utf8JsonWriter json, MapValue value, MapShow show)
    {
        if (value.Datastream != 0)
        {
            json.WriteNumber("datastream", value.Datastream);
            json.WriteNumber("period", (long)value.Period.TotalSeconds);
            json.WriteNumber("factor", show.FactorOf(value.Period));
        }

        if (value.Value is { } number && value.End is { } end)
        {
            json.WriteNumber("value", Rounded(number, show.Decimals));
            json.WriteNumber("end", Milliseconds(end));
        }

        if (value != MapValue.None)
        {
            json.WriteNumber("stale", (long)value.StaleAfter.TotalSeconds);
        }
    }

    private static byte[] WriteDay(MapDay day, MapShow show)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("from", Milliseconds(day.From));
            json.WriteNumber("step", (long)day.Step.TotalSeconds);
            json.WriteNumber("count", day.Count);
            json.WriteString("zone", day.Zone.Id);
            json.WriteStartObject("values");
            foreach (var (id, steps) in day.Values)
            {
                json.WriteStartArray(id);
                foreach (var value in steps)
                {
                    if (double.IsNaN(value))
                    {
                        json.WriteNullValue();
                    }
                    else
                    {
                        json.WriteNumberValue(Rounded(value, show.Decimals));
                    }
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <summary>One decimal more than is shown, so that a class is that of the value and not of its rounding.</summary>
    private static double Rounded(double value, int decimals) => Math.Round(value, decimals + 1);

    private static long Milliseconds(DateTime utc) => (utc.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMillisecond;

    private static Answer Packed(byte[] plain)
    {
        using MemoryStream packed = new();
        using (BrotliStream brotli = new(packed, CompressionLevel.Fastest))
        {
            brotli.Write(plain);
        }

        return new(plain, packed.ToArray(), Convert.ToHexStringLower(SHA256.HashData(plain).AsSpan(0, 12)));
    }

    private static IResult Said(HttpContext context, Answer answer, string kept)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = kept;
        headers.XContentTypeOptions = "nosniff";
        headers.Vary = "Accept-Encoding, Cookie";
        var brotli = context.Request.GetTypedHeaders().AcceptEncoding.Any(static coding => coding.Value.Equals("br", StringComparison.OrdinalIgnoreCase) && coding.Quality is not 0);
        if (brotli)
        {
            headers.ContentEncoding = "br";
        }

        return Results.Bytes(brotli ? answer.Brotli : answer.Plain, "application/json", entityTag: new EntityTagHeaderValue($"\"{answer.Tag}{(brotli ? "-br" : "")}\""));
    }

    private static IResult NoTown(string? slug) => Results.Problem($"municipality={slug}: there is no such municipality.", statusCode: 404);

    private static IResult NotMeasured(string? show) => Results.Problem($"show={show}: must be index, or a quantity that a visible station measures.", statusCode: 400);

    private static IResult Busy(HttpContext context, string why)
    {
        context.Response.Headers.RetryAfter = "5";
        return Results.Problem(why, statusCode: 503);
    }
}
