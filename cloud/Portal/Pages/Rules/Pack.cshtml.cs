using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Rules;

/// <summary>What a rule pack would add to a municipality's rules, and the button that adds it. Rules that are there already stay as they are.</summary>
internal sealed class PackModel(RuleDesk desk, Reader reader, PageScope scope) : PageModel
{
    /// <summary>A rule of the pack, and the one of the municipality that has its name.</summary>
    public sealed record Row(Rule Rule, Rule? Known)
    {
        /// <summary>Text key of what happens to it.</summary>
        public string Outcome => Known is null ? "rules.pack.new" : Known == Rule ? "rules.pack.same" : "rules.pack.kept";
    }

    public RulePack Pack { get; private set; } = null!;

    public string Town { get; private set; } = "";

    public IReadOnlyList<Row> Rows { get; private set; } = [];

    public int Missing => Rows.Count(static row => row.Known is null);

    /// <summary>Why none were added, in the hub's words; null when nothing went wrong.</summary>
    public string? Problem { get; private set; }

    public IActionResult OnGet(string municipality, string pack) => Begin(municipality, pack) ? Page() : this.Missing();

    public async Task<IActionResult> OnPostAsync(string municipality, string pack, string? off, CancellationToken cancellationToken)
    {
        if (!Begin(municipality, pack))
        {
            return this.Missing();
        }

        try
        {
            await desk.AddAsync(municipality, [.. Rows.Select(row => string.IsNullOrEmpty(off) ? row.Rule : row.Rule with { Enabled = false })], RulesModel.ByOf(User), cancellationToken);
        }
        catch (ArgumentException refused)
        {
            Problem = refused.Message.Split(" (Parameter ")[0];
            Begin(municipality, pack);
            return Page();
        }

        return Redirect(RulesModel.AddressOf(municipality) + "&done=taken#done");
    }

    private bool Begin(string municipality, string pack)
    {
        if (!User.Holds(Role.Operator, municipality) || reader.Municipality(municipality) is null || RulePacks.All.FirstOrDefault(one => one.Name == pack) is not { } found)
        {
            return false;
        }

        (Pack, Town) = (found, municipality);
        Rows = [.. RuleFile.Read(found.Yaml, municipality).Select(rule => new Row(rule, desk.Find(municipality, rule.Slug)))];
        scope.Municipality = municipality;
        return true;
    }
}
