using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Stations;
using Hub.Cloud.Portal.Pages.Rules;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Stations;

/// <summary>One station: where it is, whose data it shows, its alarms, a chart per datastream.</summary>
internal sealed class StationModel(Reader reader, ChartReader charts, IStations registry, LongReads longReads, IEnumerable<IFleet> fleets, IEnumerable<IAudit> audits, PageScope scope) : PageModel
{
    public StationView? View { get; private set; }

    public IReadOnlyList<DatastreamView> Measures { get; private set; } = [];

    public IReadOnlyList<DatastreamView> Equipment { get; private set; } = [];

    /// <summary>What the charts show: from when to when, compared with what, which values.</summary>
    public ChartWish Wish { get; private set; } = null!;

    public StationWindow Window => Wish.Window;

    /// <summary>What is wrong with the times in the address; null when nothing is.</summary>
    public WindowProblem? Problem { get; private set; }

    /// <summary>What stands in the address as its times.</summary>
    public (string? From, string? To) Typed { get; private set; }

    /// <summary>Stations to compare with, nearest first.</summary>
    public IReadOnlyList<(Station Station, double Metres)> Choices { get; private set; } = [];

    /// <summary>Whether there are values before calibration.</summary>
    public bool HasRaw => ChartReader.HasRaw(View!);

    /// <summary>UTC day on which the station's data begin; null when there are none.</summary>
    public DateTime? Begin { get; private set; }

    /// <summary>Address of this page with another span that ends now; what it is compared with and which values stay.</summary>
    public string With(string? span)
    {
        var query = new QueryBuilder();
        if (span is not null)
        {
            query.Add("span", span);
        }

        if (Wish.Compare is { } compare)
        {
            query.Add("compare", compare.Name);
        }

        if (Wish.Raw)
        {
            query.Add("values", "raw");
        }

        return $"/stations/{View!.Station.Municipality}/{View.Station.Slug}{query}";
    }

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
            return await OnGetAsync(municipality, station, new(), cancellationToken);
        }
        catch (KeyNotFoundException)
        {
            return this.Missing();
        }

        return Redirect($"/stations/{municipality}/{station}#tags");
    }

    public async Task<IActionResult> OnGetAsync(string municipality, string station, [FromQuery] StationQuery query, CancellationToken cancellationToken)
    {
        View = reader.Station(User, municipality, station);
        if (View is null)
        {
            return this.Missing();
        }

        var (window, problem) = StationWindow.Of(query.From, query.To, query.Span, scope.Options.ChartSpan, scope.Now, View.Zone);
        Wish = new(window, StationCompare.Of(query.Compare, View.Station, registry, User), query.Values == "raw");
        (Problem, Typed) = (problem, (query.From, query.To));
        Choices = [.. StationCompare.Choices(View.Station, registry, User).Take(StationCompare.ChoicesMax)];
        List<DatastreamView> all = [];
        using (var turn = window.Span <= scope.Options.ChartSpan ? null : await longReads.TurnAsync(cancellationToken))
        {
            if (window.Span > scope.Options.ChartSpan && turn is null)
            {
                return this.Busy();
            }

            Begin = await charts.BeginAsync(View, cancellationToken);
            foreach (var value in View.Values)
            {
                all.Add(await charts.ReadAsync(View, value, Wish, cancellationToken));
            }
        }

        Measures = [.. all.Where(static one => !Units.IsEquipment(one.Value.Datastream.Quantity)).OrderBy(static one => Units.RankOf(one.Value.Datastream.Quantity))];
        Equipment = [.. all.Where(static one => Units.IsEquipment(one.Value.Datastream.Quantity))];
        var open = reader.OpenAlarms(User, municipality).Where(alarm => alarm.Station.Id == View.Station.Id);
        var recent = await reader.RecentAlarmsAsync(User, municipality, station, cancellationToken);
        Alarms = await reader.WithHandlingAsync([.. open, .. recent.Take(5)], cancellationToken);
        OutOfService = reader.Suppressions(User, municipality).Any(one => one.Station.Id == View.Station.Id && one.Suppression is { Kind: SuppressionKind.OutOfService, Rule: null });
        scope.Live = true;
        (scope.Municipality, scope.Station) = (municipality, station);
        scope.LateScripts.Add("map");
        scope.LateScripts.Add("chart");
        var page = Page();
        page.StatusCode = problem is null ? null : 400;
        return page;
    }
}

/// <summary>What the address of a station's page may ask for.</summary>
internal sealed class StationQuery
{
    /// <summary>See <see cref="StationWindow.Of"/>.</summary>
    public string? From { get; set; }

    /// <summary>See <see cref="StationWindow.Of"/>.</summary>
    public string? To { get; set; }

    /// <summary>A name of <see cref="ChartSpans"/>.</summary>
    public string? Span { get; set; }

    /// <summary>See <see cref="StationCompare.Of"/>.</summary>
    public string? Compare { get; set; }

    /// <summary><c>raw</c>: values before calibration.</summary>
    public string? Values { get; set; }
}
