using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>Open alarms, and those that ended lately.</summary>
internal sealed class AlarmsModel(
    Reader reader, IMunicipalities municipalities, IAlarmHandling handling, IEnumerable<IAudit> audits, IEnumerable<ICapAlerts> feeds, IEnumerable<IDuty> duties, PageScope scope) : PageModel
{
    /// <summary>Which alarms are asked for; empty: the open ones, and those that ended lately.</summary>
    public AlarmFilter Filter { get; private set; } = new();

    /// <summary>What the filter finds, newest first.</summary>
    public IReadOnlyList<AlarmView> Found { get; private set; } = [];

    /// <summary>Whether there are more than are shown.</summary>
    public bool More { get; private set; }

    /// <summary>Stations that can be chosen, <c>municipality/slug</c> and name.</summary>
    public IReadOnlyList<(string Value, string Name)> Stations { get; private set; } = [];

    /// <summary>Rules that can be chosen.</summary>
    public IReadOnlyList<Rule> Rules { get; private set; } = [];

    /// <summary>Address of the roster, for operators of the municipality that is shown, or of any when all are; null where there is none to see.</summary>
    public string? DutyAddress => RulesAddress is null || !duties.Any() ? null : Chosen is { } one ? Duty.DutyModel.AddressOf(one.Slug) : "/duty";

    /// <summary>Address of the delivery log, for the same.</summary>
    public string? DeliveriesAddress => DutyAddress is null ? null : Chosen is { } one ? Deliveries.DeliveriesModel.AddressOf(one.Slug) : "/deliveries";

    /// <summary>Address of the page for a screen on the wall.</summary>
    public string WallAddress => Chosen is { } one ? "/wall?municipality=" + one.Slug : "/wall";

    /// <summary>Address of the page without the filter.</summary>
    public string Unfiltered => Chosen is { } one ? "/alarms?municipality=" + one.Slug : "/alarms";

    /// <summary>What is shelved and out of service, for people of the municipality.</summary>
    public IReadOnlyList<SuppressionView> Suppressions { get; private set; } = [];

    public IReadOnlyList<Municipality> Municipalities => municipalities.All;

    public Municipality? Chosen { get; private set; }

    /// <summary>Address of the rules, for operators of the municipality that is shown, or of any when all are.</summary>
    public string? RulesAddress => Chosen is { } one
        ? User.Holds(Role.Operator, one.Slug) ? Pages.Rules.RulesModel.AddressOf(one.Slug) : null
        : municipalities.All.Any(town => User.Holds(Role.Operator, town.Slug)) ? "/rules" : null;

    public IReadOnlyList<AlarmView> Open { get; private set; } = [];

    /// <summary>Ended alarms shown before the older ones are folded away.</summary>
    public const int UnfoldedMax = 20;

    public IReadOnlyList<AlarmView> Recent { get; private set; } = [];

    public IReadOnlyList<AlarmView> Newest => [.. Recent.Take(UnfoldedMax)];

    public IReadOnlyList<AlarmView> Older => [.. Recent.Skip(UnfoldedMax)];

    public async Task<IActionResult> OnGetAsync(string? municipality, CancellationToken cancellationToken)
    {
        if (!string.IsNullOrEmpty(municipality))
        {
            if (!municipalities.TryGet(municipality, out var found))
            {
                return this.Missing();
            }

            Chosen = found;
        }

        var zone = reader.ZoneOf(Chosen?.Slug ?? (municipalities.All is [var first, ..] ? first.Slug : null));
        Filter = AlarmFilter.Read(Request.Query);
        (Stations, Rules) = reader.AlarmChoices(User, Chosen?.Slug);
        if (!Filter.IsEmpty)
        {
            (Found, More) = await reader.FindAlarmsAsync(User, Chosen?.Slug, Filter, zone, cancellationToken);
        }

        foreach (var town in feeds.Any() ? municipalities.All.Where(one => Chosen is null || one.Slug == Chosen.Slug) : [])
        {
            scope.Feeds.Add(new(scope.Speech.Of("alarms.feed.of", town.Name), $"/api/v1/municipalities/{town.Slug}/alarms.atom" + (scope.Speech.Code == "pt" ? "" : "?language=" + scope.Speech.Code)));
        }

        Open = await reader.WithHandlingAsync(reader.OpenAlarms(User, Chosen?.Slug), cancellationToken);
        Recent = await reader.WithHandlingAsync(await reader.RecentAlarmsAsync(User, Chosen?.Slug, null, cancellationToken), cancellationToken);
        Suppressions = reader.Suppressions(User, Chosen?.Slug);
        scope.Live = true;
        scope.Municipality = Chosen?.Slug;
        return Page();
    }

    /// <summary>Ends a shelving.</summary>
    public Task<IActionResult> OnPostUnshelveAsync(string? municipality, string? station, string? rule, string? back, CancellationToken cancellationToken) => DoAsync(
        municipality, station, back, "alarm-unshelved", new { rule, station }, by => handling.UnshelveAsync(municipality!, rule ?? "", station!, by, null, cancellationToken));

    /// <summary>Takes a station, or a rule at it, out of service.</summary>
    public Task<IActionResult> OnPostOutOfServiceAsync(string? municipality, string? station, string? rule, string? back, CancellationToken cancellationToken) => DoAsync(
        municipality, station, back, "taken-out-of-service", new { rule }, by => handling.TakeOutOfServiceAsync(municipality!, station!, Rule(rule), by, null, cancellationToken));

    /// <summary>Returns it to service.</summary>
    public Task<IActionResult> OnPostReturnAsync(string? municipality, string? station, string? rule, string? back, CancellationToken cancellationToken) => DoAsync(
        municipality, station, back, "returned-to-service", new { rule }, by => handling.ReturnToServiceAsync(municipality!, station!, Rule(rule), by, null, cancellationToken));

    private static string? Rule(string? rule) => string.IsNullOrEmpty(rule) ? null : rule;

    private async Task<IActionResult> DoAsync(string? municipality, string? station, string? back, string action, object details, Func<HandledBy, ValueTask<bool>> act)
    {
        if (string.IsNullOrEmpty(municipality) || string.IsNullOrEmpty(station) || !User.Holds(Role.Operator, municipality) || reader.Station(User, municipality, station) is null)
        {
            return this.Missing();
        }

        var by = User.Identity?.Name is { Length: > 0 and <= 256 } name ? name : "portal";
        try
        {
            if (await act(new HandledBy(by)))
            {
                await AlarmModel.NoteAsync(audits, municipality, action, $"station {station}", by, details);
            }
        }
        catch (KeyNotFoundException)
        {
            return this.Missing();
        }

        return Redirect(Url.IsLocalUrl(back) ? back! : "/alarms");
    }
}
