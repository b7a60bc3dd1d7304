using System.Globalization;
using System.Security.Claims;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Series;
using Hub.Cloud.Stations;
using Hub.Cloud.Stations.Notebook;
using Microsoft.Extensions.Options;

namespace Hub.Cloud.Portal.Read;

/// <summary>What happened at a station. The names are keys of texts.</summary>
internal enum StationEventKind
{
    AlarmBegan,
    AlarmEnded,
    AlarmWithdrawn,
    Acknowledged,
    Online,
    Offline,
    Settings,
    Command,
    Calibration,
    Corrected,
    Registered,
    Moved,
    Tagged,
    OutOfService,
    Returned,
    Checks,
    Note,
    NoteRemoved,
}

/// <summary>One line of the log of a station.</summary>
/// <param name="At">UTC.</param>
/// <param name="Kind">What.</param>
internal sealed record StationEvent(DateTime At, StationEventKind Kind)
{
    /// <summary>The rule of an alarm; null for anything else, or when it has been removed.</summary>
    public Rule? Rule { get; init; }

    /// <summary>The datastream it is about; null for none.</summary>
    public Datastream? Datastream { get; init; }

    /// <summary>Particulars in nobody's language: a slug, a version, metres; null for none.</summary>
    public string? Detail { get; init; }

    /// <summary>Who did it; null when it was nobody, or the visitor may not know.</summary>
    public string? By { get; init; }

    /// <summary>Address with more; null for none.</summary>
    public string? Link { get; init; }
}

/// <summary>A place a station has had.</summary>
/// <param name="Location">Where and since when.</param>
/// <param name="Until">When it left, UTC; null when it is still there.</param>
/// <param name="Metres">How far it came from the place before; NaN for the first.</param>
internal sealed record PlaceView(StationLocation Location, DateTime? Until, double Metres);

/// <summary>A correction of values that a calibration had made.</summary>
/// <param name="At">UTC.</param>
/// <param name="Datastream">The datastream.</param>
/// <param name="Version">Version of the calibration that was wrong.</param>
/// <param name="Gain">Right factor.</param>
/// <param name="Offset">Right offset, canonical unit.</param>
/// <param name="Corrected">Values that were computed anew.</param>
/// <param name="By">Who did it.</param>
internal sealed record CorrectionView(DateTime At, Datastream Datastream, int Version, double Gain, double Offset, long Corrected, string By);

/// <summary>Reads what has been at a station: what came of its values, what happened, where it stood. Safe for concurrent callers.</summary>
internal sealed class StationPast(
    ISeries series, IAlerts alerts, IAlarmHandling handling, IEnumerable<IStationHistory> histories, IEnumerable<IFleet> fleets, IEnumerable<IAudit> audits, IEnumerable<IStationNotebook> notebooks,
    IOptions<PortalOptions> options, TimeProvider clock)
{
    /// <summary>How far back the log and the uptime reach.</summary>
    public static readonly TimeSpan Past = TimeSpan.FromDays(30);

    /// <summary>Lines of the log at most.</summary>
    public const int EventsMax = 200;

    private const int LookedAtMax = 1_000;

    /// <summary>How much came in the last 30 days up to the present hour, which is not over. Measures of the equipment itself do not count.</summary>
    public async ValueTask<UptimeView> UptimeAsync(StationView station, DateTime? begin, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var to = new DateTime(now.Ticks - (now.Ticks % TimeSpan.TicksPerHour), DateTimeKind.Utc);
        var quarters = (int)(Past / UptimeMath.Quarter);
        var from = to - Past;
        List<UptimeMeasure> measures = [];
        foreach (var datastream in station.Values.Select(static one => one.Datastream).Where(static one => !Units.IsEquipment(one.Quantity)))
        {
            // Whole hours of UTC: cells of a quarter of an hour that the store keeps.
            var buckets = await series.AggregateAsync(new(datastream.Id, from, to, new(UptimeMath.Quarter), Statistics.Of(datastream.Quantity.Averaging)), cancellationToken);
            if (buckets.Count == 0)
            {
                continue;
            }

            var counts = new long[quarters];
            foreach (var bucket in buckets)
            {
                counts[(int)((bucket.Start - from) / UptimeMath.Quarter)] = bucket.Count;
            }

            var first = Array.FindIndex(counts, static count => count > 0);
            var early = first > 0 && begin < from
                && (await series.AggregateAsync(new(datastream.Id, begin.Value, from, new(TimeSpan.FromDays(366)), Statistics.Of(datastream.Quantity.Averaging)), cancellationToken)).Count > 0;
            measures.Add(new(datastream.Period > TimeSpan.Zero ? datastream.Period : options.Value.InstantStep, early ? 0 : first, counts));
        }

        return UptimeMath.Of(from, quarters, measures);
    }

    /// <summary>Every place a station has had, newest first.</summary>
    public async ValueTask<IReadOnlyList<PlaceView>> PlacesAsync(Station station, CancellationToken cancellationToken)
    {
        var all = histories.LastOrDefault() is { } history ? await history.LocationsAsync(station.Id, cancellationToken) : [];
        return
        [
            .. all.Select((place, i) => new PlaceView(
                place, i + 1 < all.Count ? all[i + 1].Since : null, i == 0 ? double.NaN : Distance.Metres(all[i - 1].Latitude, all[i - 1].Longitude, place.Latitude, place.Longitude))).Reverse(),
        ];
    }

    /// <summary>Corrections of values that are on record, newest first; none for whoever is not of the municipality.</summary>
    public static IReadOnlyList<CorrectionView> Corrections(StationView station, IReadOnlyList<AuditEntry> entries)
    {
        List<CorrectionView> found = [];
        foreach (var entry in entries.Where(static one => one.Note.Action == "calibration-corrected"))
        {
            if (DatastreamOf(station, entry.Note.Subject) is { } datastream)
            {
                var details = JsonElement.Parse(entry.Note.Details);
                found.Add(new(entry.At, datastream, (int)Number(details, "calibration"), Number(details, "gain"), Number(details, "offset"), (long)Number(details, "corrected"), entry.Note.By));
            }
        }

        return found;
    }

    /// <summary>What is on record of a station, newest first; nothing for whoever is not of its municipality.</summary>
    public async ValueTask<IReadOnlyList<AuditEntry>> RecordAsync(ClaimsPrincipal visitor, StationView station, CancellationToken cancellationToken)
    {
        if (!visitor.Holds(Role.Viewer, station.Station.Municipality) || audits.LastOrDefault() is not { } audit)
        {
            return [];
        }

        var properties = station.Values.Select(static one => one.Datastream.Quantity.Id).ToHashSet();
        return
        [
            .. (await audit.ListAsync(station.Station.Municipality, null, null, LookedAtMax, cancellationToken)).Where(entry =>
                entry.Note.Subject == $"station {station.Station.Slug}" || DatastreamOf(station, entry.Note.Subject) is not null || (entry.Note.Action == "quality-checks-declared" && properties.Contains(entry.Note.Subject))),
        ];
    }

    /// <summary>What happened in the last 30 days, newest first. What only people of the municipality may know is left out for anybody else.</summary>
    public async ValueTask<(IReadOnlyList<StationEvent> Found, bool More)> EventsAsync(
        ClaimsPrincipal visitor, StationView view, IReadOnlyList<AuditEntry> record, IReadOnlyList<PlaceView> places, IReadOnlyList<CalibrationView> calibrations, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var from = now - Past;
        var station = view.Station;
        var known = visitor.Holds(Role.Viewer, station.Municipality);
        List<StationEvent> all = [.. await AlarmsAsync(station, from, now, known, cancellationToken)];
        all.AddRange(places.Select(place => new StationEvent(place.Location.Since, double.IsNaN(place.Metres) ? StationEventKind.Registered : StationEventKind.Moved)
        {
            Detail = double.IsNaN(place.Metres) ? null : place.Metres.ToString("R", CultureInfo.InvariantCulture),
        }));
        all.AddRange(calibrations.Where(static one => !one.Before).Select(static one => new StationEvent(one.From, StationEventKind.Calibration) { Datastream = one.Datastream, Detail = one.Version.ToString(CultureInfo.InvariantCulture) }));
        all.AddRange(record.Select(entry => Recorded(view, entry)).OfType<StationEvent>());
        if (notebooks.LastOrDefault() is { } notebook)
        {
            all.AddRange((await notebook.ListAsync(station.Id, known, EventsMax, cancellationToken)).Select(note => new StationEvent(note.At, StationEventKind.Note)
            {
                By = known ? note.By : null,
                Link = string.Create(CultureInfo.InvariantCulture, $"#note-{note.Id}"),
            }));
        }

        if (known && fleets.LastOrDefault() is { } fleet)
        {
            var agent = $"/stations/{station.Municipality}/{station.Slug}/agent";
            if (fleet.AgentOf(station.Id) is { StatusAt: { } at, Status: { } status })
            {
                all.Add(new(at, status.Online ? StationEventKind.Online : StationEventKind.Offline) { Detail = status.Reason ?? status.Agent, Link = agent });
            }

            all.AddRange((await fleet.HistoryAsync(station.Id, 50, cancellationToken)).Select(one => new StationEvent(one.ChangedAt, StationEventKind.Settings)
            {
                Detail = one.Version.ToString(CultureInfo.InvariantCulture), By = one.ChangedBy, Link = agent + "#settings",
            }));
            all.AddRange((await fleet.CommandsAsync(station.Id, 50, cancellationToken)).Select(one => new StationEvent(one.AskedAt, StationEventKind.Command) { Detail = one.Name, By = one.AskedBy, Link = agent + "#commands" }));
        }

        StationEvent[] found = [.. all.Where(one => one.At >= from && one.At <= now).OrderByDescending(static one => one.At)];
        return ([.. found.Take(EventsMax)], found.Length > EventsMax);
    }

    private async ValueTask<IEnumerable<StationEvent>> AlarmsAsync(Station station, DateTime from, DateTime now, bool known, CancellationToken cancellationToken)
    {
        var past = await alerts.HistoryAsync(station.Municipality, from, now + TimeSpan.FromMinutes(1), LookedAtMax, cancellationToken);
        Alarm[] own = [.. past.Concat(alerts.Active(station.Municipality)).DistinctBy(static alarm => alarm.Id).Where(alarm => alarm.Station == station.Slug)];
        var handled = await handling.OfAsync(own, cancellationToken);
        var rules = alerts.Rules(station.Municipality);
        return own.Zip(handled).SelectMany(pair => Of(pair.First, pair.Second));

        IEnumerable<StationEvent> Of(Alarm alarm, AlarmHandling how)
        {
            var one = new StationEvent(alarm.ConditionAt, StationEventKind.AlarmBegan) { Rule = rules.FirstOrDefault(rule => rule.Slug == alarm.Rule)?.LevelOf(alarm.Severity), Detail = alarm.Rule, Link = "/alarms/" + alarm.Id };
            yield return alarm.Withdrawn ? one with { Kind = StationEventKind.AlarmWithdrawn } : one;
            if (alarm is { EndedAt: { } ended, Withdrawn: false })
            {
                yield return one with { At = ended, Kind = StationEventKind.AlarmEnded };
            }

            if (how.AcknowledgedAt is { } acknowledged)
            {
                yield return one with { At = acknowledged, Kind = StationEventKind.Acknowledged, By = known ? how.AcknowledgedBy : null };
            }
        }
    }

    private static StationEvent? Recorded(StationView view, AuditEntry entry)
    {
        StationEventKind? kind = entry.Note.Action switch
        {
            "station-tagged" => StationEventKind.Tagged,
            "taken-out-of-service" => StationEventKind.OutOfService,
            "returned-to-service" => StationEventKind.Returned,
            "calibration-corrected" => StationEventKind.Corrected,
            "quality-checks-declared" => StationEventKind.Checks,
            "station-note-removed" => StationEventKind.NoteRemoved,
            _ => null,
        };
        return kind is null ? null : new(entry.At, kind.Value)
        {
            By = entry.Note.By,
            Datastream = DatastreamOf(view, entry.Note.Subject) ?? (kind == StationEventKind.Checks ? view.Values.First(one => one.Datastream.Quantity.Id == entry.Note.Subject).Datastream : null),
        };
    }

    private static Datastream? DatastreamOf(StationView view, string subject) =>
        subject.StartsWith("datastream ", StringComparison.Ordinal) && int.TryParse(subject.AsSpan(11), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? view.Values.FirstOrDefault(one => one.Datastream.Id == id)?.Datastream
            : null;

    private static double Number(JsonElement details, string name) => details.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;
}
