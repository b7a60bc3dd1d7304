using System.Globalization;
using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Pages.Rules;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Commands;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.WebUtilities;

namespace Hub.Cloud.Portal.Pages.Fleet;

/// <summary>What became of a command at one of several stations.</summary>
/// <param name="Station">The station.</param>
/// <param name="Command">The command; null when none was sent.</param>
/// <param name="Problem">Text key of why none was sent; null when one was.</param>
internal sealed record FleetAnswer(Station Station, AgentCommand? Command, string? Problem);

/// <summary>The stations of a fleet by health, and harmless commands to several of them; for operators, for anybody else there is no such page. Works by forms alone.</summary>
internal sealed class FleetModel(FleetReader reader, IStations stations, IMunicipalities municipalities, IEnumerable<IFleet> fleets, PageScope scope) : PageModel
{
    /// <summary>Commands that may be given to several: those that change nothing.</summary>
    public static readonly IReadOnlyList<string> Commands = [CommandNames.ReadNow, CommandNames.Identify, CommandNames.Diagnostics];

    /// <summary>How long the page waits for answers; later ones are shown when it looks again.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Stand in an address for the number of a command when none was sent.</summary>
    private const long Away = 0;
    private const long Busy = -1;

    public FleetView View { get; private set; } = null!;

    /// <summary>What became of the command given last; empty when none was.</summary>
    public IReadOnlyList<FleetAnswer> Answers { get; private set; } = [];

    /// <summary>Text key of what went wrong; null when nothing did.</summary>
    public string? Problem { get; private set; }

    /// <summary>Address of this page with everything but what was answered.</summary>
    public string Address => View.Query.Address();

    /// <summary>Address of the same stations in another order: by a column, or turned round when they are in that order.</summary>
    public string Sorted(FleetColumn column) => (View.Query with { Sort = column, Reversed = View.Query.Sort == column && !View.Query.Reversed, Page = 1 }).Address();

    /// <summary>How a column is sorted, for <c>aria-sort</c>; null when the rows are not in its order.</summary>
    public string? OrderOf(FleetColumn column) =>
        View.Query.Sort != column ? null : (column is FleetColumn.Name or FleetColumn.Agent) != View.Query.Reversed ? "ascending" : "descending";

    public async Task<IActionResult> OnGetAsync(string? told, CancellationToken cancellationToken)
    {
        if (!IsOpen)
        {
            return this.Missing();
        }

        Answers = await AnswersAsync(told, cancellationToken);
        return await ShowAsync(cancellationToken);
    }

    public async Task<IActionResult> OnPostAsync(string? command, string[]? station, CancellationToken cancellationToken)
    {
        if (!IsOpen)
        {
            return this.Missing();
        }

        var chosen = (station ?? []).Distinct(StringComparer.Ordinal).ToArray();
        var problem = chosen.Length == 0 ? "fleet.problem.none" : chosen.Length > FleetReader.RowsMax ? "fleet.problem.many" : command is null || !Commands.Contains(command) ? "fleet.problem.command" : null;
        if (problem is not null)
        {
            Problem = problem;
            Response.StatusCode = 400;
            return await ShowAsync(cancellationToken);
        }

        List<Station> meant = [];
        foreach (var slugs in chosen)
        {
            // One that is not theirs does not exist for them, and then nothing is sent to any.
            if (slugs.Split('/') is not [var municipality, var slug] || !User.Holds(Role.Operator, municipality) || !stations.TryGet(municipality, slug, out var found))
            {
                return this.Missing();
            }

            meant.Add(found);
        }

        var sent = await Task.WhenAll(meant.Select(one => SendAsync(one, command!, cancellationToken)));
        var told = string.Join('.', meant.Zip(sent, static (one, number) => string.Create(CultureInfo.InvariantCulture, $"{one.Id}:{number}")));
        return Redirect(QueryHelpers.AddQueryString(FleetQuery.Read(Request.Query, out _).Address(), "told", told) + "#answers");
    }

    private bool IsOpen => fleets.Any() && AgentsModel.IsFor(User, municipalities);

    private async Task<long> SendAsync(Station station, string command, CancellationToken cancellationToken)
    {
        try
        {
            return (await fleets.Last().CommandAsync(station, command, null, Patience, RulesModel.ByOf(User), cancellationToken)).Id;
        }
        catch (StationAwayException)
        {
            return Away;
        }
        catch (FleetBusyException)
        {
            return Busy;
        }
    }

    private async Task<IReadOnlyList<FleetAnswer>> AnswersAsync(string? told, CancellationToken cancellationToken)
    {
        List<FleetAnswer> answers = [];
        foreach (var one in (told ?? "").Split('.', StringSplitOptions.RemoveEmptyEntries).Take(FleetReader.RowsMax))
        {
            if (one.Split(':') is not [var first, var second]
                || !int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || !long.TryParse(second, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                || stations.All.FirstOrDefault(station => station.Id == id) is not { } found || !User.Holds(Role.Operator, found.Municipality))
            {
                continue;
            }

            var command = number > 0 ? await fleets.Last().FindCommandAsync(id, number, cancellationToken) : null;
            answers.Add(new(found, command, command is not null ? null : number switch { Away => "fleet.answer.away", Busy => "fleet.answer.busy", _ => "fleet.answer.gone" }));
        }

        return answers;
    }

    private async Task<IActionResult> ShowAsync(CancellationToken cancellationToken)
    {
        var query = FleetQuery.Read(Request.Query, out var wrong);
        if (wrong is { } bad)
        {
            return this.Refused(bad.Key, Request.Query[bad.Key], bad.Allowed, "/fleet");
        }

        if (query.Municipality is { } slug && !User.Holds(Role.Operator, slug))
        {
            return this.Missing();
        }

        View = await reader.ReadAsync(User, query, cancellationToken);
        scope.Municipality = View.Query.Municipality;
        scope.Live = true;
        scope.Scripts.Add("fleet");
        return Page();
    }
}
