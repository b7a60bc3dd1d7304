using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Stations;
using Hub.Cloud.Portal.Pages.Rules;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Stations;

/// <summary>One station: where it is, whose data it shows, its alarms, a chart per datastream.</summary>
internal sealed class StationModel(Reader reader, IStations registry, LongReads longReads, IEnumerable<IFleet> fleets, IEnumerable<IAudit> audits, PageScope scope) : PageModel
{
    public StationView? View { get; private set; }

    public IReadOnlyList<DatastreamView> Measures { get; private set; } = [];

    public IReadOnlyList<DatastreamView> Equipment { get; private set; } = [];

    /// <summary>Name of the chosen span of time in the address; null for the usual one.</summary>
    public string? SpanName { get; private set; }

    /// <summary>Span of time of the charts.</summary>
    public TimeSpan Span { get; private set; }

    /// <summary>Open ones first, then those that ended lately.</summary>
    public IReadOnlyList<AlarmView> Alarms { get; private set; } = [];

    /// <summary>Whether the whole station is out of service; only people of its municipality are told.</summary>
    public bool OutOfService { get; private set; }

    /// <summary>Whether the visitor may take the station out of service and back.</summary>
    public bool MayHandle => User.Holds(Role.Operator, View!.Station.Municipality);

    /// <summary>Whether the visitor may work with the agent at the station.</summary>
    public bool HasAgentPage => fleets.Any() && User.Holds(Role.Operator, View!.Station.Municipality);

    /// <summary>What was typed as tags and is none; null otherwise.</summary>
    public string? TagsTyped { get; private set; }

    /// <summary>Gives the station the tags that were typed, between commas or blanks, instead of those it has.</summary>
    public async Task<IActionResult> OnPostTagsAsync(string municipality, string station, string? tags, CancellationToken cancellationToken)
    {
        if (!User.Holds(Role.Operator, municipality) || !registry.TryGet(municipality, station, out var found))
        {
            return this.Missing();
        }

        try
        {
            var saved = await registry.TagAsync(found.Id, (tags ?? "").Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), cancellationToken);
            if (!saved.Tags.SequenceEqual(found.Tags))
            {
                await AlarmModel.NoteAsync(audits, municipality, "station-tagged", $"station {station}", RulesModel.ByOf(User), new { saved.Tags, Before = found.Tags });
            }
        }
        catch (ArgumentException)
        {
            TagsTyped = tags;
            return await OnGetAsync(municipality, station, null, cancellationToken);
        }
        catch (KeyNotFoundException)
        {
            return this.Missing();
        }

        return Redirect($"/stations/{municipality}/{station}#tags");
    }

    public async Task<IActionResult> OnGetAsync(string municipality, string station, string? span, CancellationToken cancellationToken)
    {
        View = reader.Station(User, municipality, station);
        if (View is null)
        {
            return this.Missing();
        }

        Span = ChartSpans.Of(span, scope.Options.ChartSpan);
        SpanName = Span == scope.Options.ChartSpan ? null : span;
        List<DatastreamView> all = [];
        using (var turn = SpanName is null ? null : await longReads.TurnAsync(cancellationToken))
        {
            if (SpanName is not null && turn is null)
            {
                Response.Headers.RetryAfter = "5";
                return StatusCode(503);
            }

            foreach (var value in View.Values)
            {
                all.Add(await reader.DatastreamAsync(View, value, Span, cancellationToken));
            }
        }

        Measures = [.. all.Where(static one => !Units.IsEquipment(one.Value.Datastream.Quantity)).OrderBy(static one => Units.RankOf(one.Value.Datastream.Quantity))];
        Equipment = [.. all.Where(static one => Units.IsEquipment(one.Value.Datastream.Quantity))];
        var open = reader.OpenAlarms(User, municipality).Where(alarm => alarm.Station.Id == View.Station.Id);
        var recent = await reader.RecentAlarmsAsync(User, municipality, station, cancellationToken);
        Alarms = await reader.WithHandlingAsync([.. open, .. recent.Take(5)], cancellationToken);
        OutOfService = reader.Suppressions(User, municipality).Any(one => one.Station.Id == View.Station.Id && one.Suppression is { Kind: SuppressionKind.OutOfService, Rule: null });
        scope.Live = true;
        scope.Municipality = municipality;
        scope.Scripts.Add("map");
        scope.Scripts.Add("chart");
        return Page();
    }
}
