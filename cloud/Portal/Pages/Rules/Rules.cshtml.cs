using System.Security.Claims;
using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Stations;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Rules;

/// <summary>The rules of a municipality, for its operators; for anybody else there is no such page. Works by forms alone.</summary>
internal sealed class RulesModel(IAlerts alerts, IMunicipalities municipalities, IStations stations, RuleDesk desk, PageScope scope) : PageModel
{
    /// <summary>A rule as it is listed.</summary>
    /// <param name="Rule">The rule.</param>
    /// <param name="Station">Name of its station; null for all.</param>
    /// <param name="Open">Open alarms by it.</param>
    public sealed record Row(Rule Rule, string? Station, int Open);

    /// <summary>Municipalities that the visitor may change rules of.</summary>
    public IReadOnlyList<Municipality> Municipalities => [.. municipalities.All.Where(one => User.Holds(Role.Operator, one.Slug))];

    public Municipality Chosen { get; private set; } = null!;

    public IReadOnlyList<Row> Rows { get; private set; } = [];

    /// <summary>Text key of what was done; null when nothing was.</summary>
    public string? Done { get; private set; }

    /// <summary>Name of the rule that it was done to; null when it is not there any more.</summary>
    public string? DoneTo { get; private set; }

    /// <summary>Name of whoever changes something.</summary>
    public static string ByOf(ClaimsPrincipal visitor) => visitor.Identity?.Name is { Length: > 0 } name ? name : "portal";

    /// <summary>Address of the list.</summary>
    public static string AddressOf(string municipality) => "/rules?municipality=" + Uri.EscapeDataString(municipality);

    /// <summary>Address of a rule's form.</summary>
    public static string AddressOf(string municipality, string rule) => $"/rules/{Uri.EscapeDataString(municipality)}/{Uri.EscapeDataString(rule)}";

    /// <summary>Name of a rule's station: its slug when there is no such station any more, null when it is for all.</summary>
    public static string? StationOf(IStations stations, Rule rule) => rule.Station is not { } slug ? null : stations.TryGet(rule.Municipality, slug, out var station) ? station.Name : slug;

    public IActionResult OnGet(string? municipality, string? done, string? rule)
    {
        var mine = Municipalities;
        if (mine.FirstOrDefault(one => string.IsNullOrEmpty(municipality) || one.Slug == municipality) is not { } chosen)
        {
            return this.Missing();
        }

        Chosen = chosen;
        var open = alerts.Active(chosen.Slug).GroupBy(alarm => alarm.Rule).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        Rows = [.. alerts.Rules(chosen.Slug).Select(one => new Row(one, StationOf(stations, one), open.GetValueOrDefault(one.Slug)))];
        Done = done is "saved" or "removed" or "on" or "off" or "taken" ? "rules.done." + done : null;
        DoneTo = Rows.FirstOrDefault(row => row.Rule.Slug == rule)?.Rule is { } found ? scope.Speech.NameOf(found) : null;
        scope.Municipality = chosen.Slug;
        return Page();
    }

    /// <summary>Switches a rule on or off.</summary>
    public async Task<IActionResult> OnPostSwitchAsync(string? municipality, string? rule, bool enabled, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(municipality) || !User.Holds(Role.Operator, municipality) || !await desk.SwitchAsync(municipality, rule ?? "", enabled, ByOf(User), cancellationToken))
        {
            return this.Missing();
        }

        return Redirect($"{AddressOf(municipality)}&done={(enabled ? "on" : "off")}&rule={Uri.EscapeDataString(rule!)}#done");
    }
}
