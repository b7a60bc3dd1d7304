using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Rules;

/// <summary>Asks before a rule is removed, and says what that does.</summary>
internal sealed class RemoveModel(IAlerts alerts, RuleDesk desk, PageScope scope) : PageModel
{
    public Rule Rule { get; private set; } = null!;

    /// <summary>Open alarms by the rule.</summary>
    public int Open { get; private set; }

    public IActionResult OnGet(string municipality, string rule)
    {
        if (!User.Holds(Role.Operator, municipality) || desk.Find(municipality, rule) is not { } found)
        {
            return this.Missing();
        }

        Rule = found;
        Open = alerts.Active(municipality).Count(alarm => alarm.Rule == rule);
        scope.Municipality = municipality;
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(string municipality, string rule, CancellationToken cancellationToken)
    {
        if (!User.Holds(Role.Operator, municipality))
        {
            return this.Missing();
        }

        await desk.RemoveAsync(municipality, rule, RulesModel.ByOf(User), cancellationToken);
        return Redirect(RulesModel.AddressOf(municipality) + "&done=removed#done");
    }
}
