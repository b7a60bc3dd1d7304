using System.Security.Claims;
using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
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
    private static readonly ClaimsPrincipal Nobody = new(new ClaimsIdentity());

    public static void Map(RouteGroupBuilder api) =>
        api.MapGet("/live", ListenAsync)
            .Describe(
                "Listen", "Live", "Live events",
                "Server-sent events. `observation`: datastream, municipality, station, sensor, property, unit, phenomenonTime, result, quality, after the observation is stored; at most about two in a second for each datastream, "
                + "what comes in between is coalesced to the newest. With `batch=true` they come as one event `observations` for all of an interval: an array of arrays [datastream, \"municipality/station\", property, "
                + "milliseconds since 1970 of the phenomenon time, result, [quality words] when there are any], for who draws many. `alarm`: an alarm as in /api/v1/alarms, whenever it or how people stand to it changes. A comment each 15 seconds keeps the connection open. After a short interruption Last-Event-ID goes on where it was.",
                QueryParameter.Municipality, QueryParameter.Station, new QueryParameter("batch", "All observations of an interval in one event: true or false, which it is when absent.", "boolean"))
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
        var wish = new LiveWish(query.Text("municipality"), query.Text("station"), query.Flag("batch") ?? false);
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
                var said = false;
                foreach (var frame in listener.Take())
                {
                    // Who may see what is asked anew for each frame; whoever is not signed in sees what all of them see.
                    var bytes = signedIn ? await WriteAsync(frame, wish, context.User, stop.Token) : await frame.PublicAsync(wish, (one, asked) => WriteAsync(one, asked, Nobody, CancellationToken.None));
                    instruments.LiveSent("observation", bytes.Observations);
                    instruments.LiveSent("alarm", bytes.Alarms);
                    if (bytes.Bytes.Length > 0)
                    {
                        await SendAsync(bytes.Bytes);
                        said = true;
                    }
                }

                if (!said && time.GetElapsedTime(spoke) >= options.Value.LiveHeartbeat)
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

        async Task<LiveBytes> WriteAsync(LiveFrame frame, LiveWish asked, ClaimsPrincipal person, CancellationToken cancellationToken)
        {
            Alarm[] seen = [.. frame.Alarms.Where(alarm => asked.Takes(alarm.Municipality, alarm.Station) && AlarmEndpoints.CanSee(person, alarm, stations))];
            return frame.Write(asked, stations, person.CanSee, seen.Length == 0 ? [] : await AlarmEndpoints.DocumentsAsync(seen, person, handling, stations, cancellationToken));
        }
    }
}
