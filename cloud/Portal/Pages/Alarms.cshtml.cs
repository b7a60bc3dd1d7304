using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>Open alarms, and those that ended lately.</summary>
internal sealed class AlarmsModel(Reader reader, IMunicipalities municipalities, IAlarmHandling handling, IEnumerable<IAudit> audits, PageScope scope) : PageModel
{
    /// <summary>What is shelved and out of service, for people of the municipality.</summary>
    public IReadOnlyList<SuppressionView> Suppressions { get; private set; } = [];

    public IReadOnlyList<Municipality> Municipalities => municipalities.All;

    public Municipality? Chosen { get; private set; }

    /// <summary>Address of the rules, for operators of the municipality that is shown, or of any when all are.</summary>
    public string? RulesAddress => Chosen is { } one
        ? User.Holds(Role.Operator, one.Slug) ? Rules.RulesModel.AddressOf(one.Slug) : null
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
