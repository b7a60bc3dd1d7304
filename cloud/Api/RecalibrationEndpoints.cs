using System.Globalization;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Hub.Cloud.Api;

/// <summary>Computes observations anew from their raw values when a calibration turned out wrong.</summary>
internal static partial class RecalibrationEndpoints
{
    private const int BodyBytesMax = 16 * 1024;

    // Read, then append: a store is not read on while it is written to, and no answer is held in memory.
    private const int PageObservations = 10_000;

    private const double FactorMax = 1e6;

    private const string Expected = "Expected is a JSON object with the numbers calibration (1 or more), gain (not 0) and offset, and the instants from and to where not all is meant; at most 16 KiB.";

    private static readonly DateTime Earliest = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static void Map(RouteGroupBuilder api) =>
        api.MapPost("/datastreams/{id}/recalibrations", RecalibrateAsync)
            .Describe(
                "RecalibrateDatastream", "Observations", "Correct a calibration",
                "For operators, when a calibration turns out wrong: every observation of the datastream that its version made is computed anew from the raw value, as a new revision. The earlier values stay in the "
                + "history; buckets, alarms and indicators follow. Doing it again changes nothing. What the station still sends with that version is not corrected by itself: calibrate the station as well.")
            .Accepts<RecalibrationRequest>("application/json")
            .Produces<RecalibrationDocument>()
            .Problem(400).Problem(401).Problem(403).Problem(404).Problem(503);

    private static async Task<IResult> RecalibrateAsync(HttpContext context, string id, IStations stations, ISeries series, IAudit audit, TimeProvider time, ILoggerFactory logs)
    {
        if (context.User.Identity?.IsAuthenticated != true)
        {
            throw new ProblemException(Problems.SignInNeeded, "Calibrations are for operators: sign in first.");
        }

        var datastream = PlaceEndpoints.Find(context, id, stations);
        if (!context.User.Holds(Role.Operator, datastream.Station.Municipality))
        {
            throw new ProblemException(Problems.NotAllowed, $"Only operators of {datastream.Station.Municipality} may correct its calibrations.");
        }

        var request = await ReadAsync(context);
        var correction = new Recalibration(datastream.Quantity, request.Calibration!.Value, request.Gain!.Value, request.Offset!.Value);
        var from = Microseconds(request.From?.UtcDateTime ?? Earliest);
        var to = Microseconds(request.To?.UtcDateTime ?? time.GetUtcNow().UtcDateTime.AddDays(1));
        if (from >= to)
        {
            throw new ProblemException(Problems.BadTime, "from must be before to.", "from");
        }

        var subject = string.Create(CultureInfo.InvariantCulture, $"datastream {datastream.Id}");
        await audit.NoteAsync(
            context, datastream.Station.Municipality, "calibration-correcting", subject,
            new { datastream.Station.Slug, datastream.Sensor, Property = datastream.Quantity.Id, Calibration = correction.Version, correction.Gain, correction.Offset, from, to });
        var (found, corrected) = (0L, 0L);

        // What is written back is what was stored: flags that were only laid over it are found anew.
        var stored = series.Stored();
        var next = from;
        var page = new List<Observation>();
        bool more;
        do
        {
            page.Clear();
            var read = 0;
            await foreach (var observation in stored.RangeAsync(datastream.Id, next, to, context.RequestAborted).ConfigureAwait(false))
            {
                next = observation.PhenomenonTime.AddMicroseconds(1);
                found += correction.Concerns(observation) ? 1 : 0;
                if (correction.Correct(observation) is { } revised)
                {
                    page.Add(revised);
                }

                if (++read == PageObservations)
                {
                    break;
                }
            }

            more = read == PageObservations;
            if (page.Count > 0)
            {
                var receipt = await series.AppendAsync(page.ToArray(), context.RequestAborted).ConfigureAwait(false);
                corrected += receipt.Outcomes.LongCount(outcome => outcome == AppendOutcome.Corrected);
            }
        }
        while (more);

        await audit.NoteAsync(
            context, datastream.Station.Municipality, "calibration-corrected", subject, new { Calibration = correction.Version, correction.Gain, correction.Offset, from, to, found, corrected });
        LogRecalibrated(
            logs.CreateLogger(typeof(RecalibrationEndpoints).FullName!), datastream.Id, correction.Version, correction.Gain, correction.Offset, corrected, found, context.User.Identity.Name ?? "an operator");
        return Results.Json(new RecalibrationDocument(datastream.Id, correction.Version, correction.Gain, correction.Offset, found, corrected), ApiGate.Json);
    }

    private static async Task<RecalibrationRequest> ReadAsync(HttpContext context)
    {
        var request = await RequestBody.ReadAsync<RecalibrationRequest>(context, ApiGate.Json, BodyBytesMax, Expected);
        return request is { Calibration: >= 1, Gain: not 0 and >= -FactorMax and <= FactorMax, Offset: >= -FactorMax and <= FactorMax } ? request : throw new ProblemException(Problems.BadBody, Expected);
    }

    private static DateTime Microseconds(DateTime at) => new(at.Ticks - (at.Ticks % TimeSpan.TicksPerMicrosecond), DateTimeKind.Utc);

    [LoggerMessage(1, LogLevel.Information, "Calibration {Version} of datastream {Datastream} corrected to gain {Gain}, offset {Offset}: {Corrected} of {Found} observations computed anew, by {Person}")]
    private static partial void LogRecalibrated(ILogger logger, int datastream, int version, double gain, double offset, long corrected, long found, string person);
}
