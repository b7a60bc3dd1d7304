using System.Buffers;
using System.Text;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Api;

/// <summary>A live observation, as an event.</summary>
internal sealed record LiveObservation(
    int Datastream, string Municipality, string Station, string Sensor, string Property, string Unit, DateTime PhenomenonTime, double Result, IReadOnlyList<string> Quality);

/// <summary>Server-sent events: observations as they are committed, alarms as they change.</summary>
internal static class LiveEndpoint
{
    public static void Map(RouteGroupBuilder api) =>
        api.MapGet("/live", ListenAsync)
            .Describe(
                "Listen", "Live", "Live events",
                "Server-sent events. `observation`: datastream, municipality, station, sensor, property, unit, phenomenonTime, result, quality, after the observation is stored; at most about two in a second for each datastream, "
                + "what comes in between is coalesced to the newest. `alarm`: an alarm as in /api/v1/alarms, whenever it or how people stand to it changes. A comment each 15 seconds keeps the connection open. After a short interruption Last-Event-ID goes on where it was.",
                QueryParameter.Municipality, QueryParameter.Station)
            .Produces<LiveObservation>(200, "text/event-stream")
            .Problem(400).Problem(404).Problem(503);

    private static async Task<IResult> ListenAsync(
        HttpContext context,
        LiveHub hub,
        IAlarmHandling handling,
        IStations stations,
        IMunicipalities municipalities,
        TimeProvider time,
        IOptions<ApiOptions> options,
        IHostApplicationLifetime lifetime,
        ApiInstruments instruments)
    {
        var query = new Query(context);

        // Asked for once, so that a wrong name is answered as a problem; who may see what is asked again at every event.
        _ = query.Stations(stations, municipalities);
        var municipality = query.Text("municipality");
        var station = query.Text("station");
        using var listener = hub.Enter(context.Request.Headers["Last-Event-ID"])
            ?? throw new ProblemException(Problems.TooManyListeners, $"There are {options.Value.LiveClientsMax} listeners already.");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);

        context.Response.ContentType = "text/event-stream";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var started = time.GetTimestamp();
        var spoke = started;
        var signedIn = context.User.Identity?.IsAuthenticated == true;
        try
        {
            await SendAsync("retry: 3000\n: listening\n\n"u8.ToArray());
            using var ticks = new PeriodicTimer(options.Value.LiveInterval, time);
            while (await ticks.WaitForNextTickAsync(stop.Token))
            {
                var (observations, alarms) = listener.Take();
                var events = new ArrayBufferWriter<byte>();
                var id = listener.EventId;
                var sent = 0;
                foreach (var observation in observations)
                {
                    if (stations.TryGetDatastream(observation.Datastream, out var d) && Wanted(d.Station))
                    {
                        Write(events, "observation", id, Event(observation, d));
                        sent++;
                    }
                }

                instruments.LiveSent("observation", sent);
                sent = 0;
                Alarm[] seen = [.. alarms.Where(alarm =>
                    (municipality is null || alarm.Municipality == municipality) && (station is null || alarm.Station == station) && AlarmEndpoints.CanSee(context.User, alarm, stations))];
                foreach (var alarm in await AlarmEndpoints.DocumentsAsync(seen, context.User, handling, stations, stop.Token))
                {
                    Write(events, "alarm", id, alarm);
                    sent++;
                }

                instruments.LiveSent("alarm", sent);
                if (events.WrittenCount > 0)
                {
                    await SendAsync(events.WrittenMemory);
                }
                else if (time.GetElapsedTime(spoke) >= options.Value.LiveHeartbeat)
                {
                    await SendAsync(": here\n\n"u8.ToArray());
                }

                if (signedIn && time.GetElapsedTime(started) >= options.Value.LiveSignedInMax)
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The listener has gone, or the hub stops.
        }

        return Results.Empty;

        async Task SendAsync(ReadOnlyMemory<byte> bytes)
        {
            // A listener that does not read holds up nobody but itself: meanwhile its events are coalesced in the hub.
            await context.Response.Body.WriteAsync(bytes, stop.Token);
            await context.Response.Body.FlushAsync(stop.Token);
            spoke = time.GetTimestamp();
        }

        bool Wanted(Station s) =>
            (municipality is null || s.Municipality == municipality) && (station is null || s.Slug == station) && context.User.CanSee(s);
    }

    private static LiveObservation Event(Observation o, Datastream d) => new(
        d.Id, d.Station.Municipality, d.Station.Slug, d.Sensor, d.Quantity.Id, d.Quantity.SenmlUnit, o.PhenomenonTime, o.Result, Words.Of(o.Quality));

    private static void Write<T>(ArrayBufferWriter<byte> events, string kind, string id, T data)
    {
        // JSON as it is written here has no line breaks, so one data line carries it.
        events.Write(Encoding.UTF8.GetBytes($"event: {kind}\nid: {id}\ndata: "));
        events.Write(JsonSerializer.SerializeToUtf8Bytes(data, ApiGate.Json));
        events.Write("\n\n"u8);
    }
}
