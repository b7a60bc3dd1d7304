using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Pages.Rules;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Fleet;

/// <summary>How far a station is on its way from a code to its first value.</summary>
internal enum ClaimProgress
{
    /// <summary>There is no code that could be used.</summary>
    None,

    /// <summary>A code waits for an agent.</summary>
    Waiting,

    /// <summary>An agent has used it, and has not connected yet.</summary>
    Claimed,

    /// <summary>The agent is connected; what it measures has not come yet.</summary>
    Connected,

    /// <summary>Values arrive: there is nothing left to do.</summary>
    Reporting,
}

/// <summary>Makes a claim code for a station, as a QR code and a label to print, and follows it until the station reports; for operators of its municipality, for anybody else there is no such page. Works by forms alone.</summary>
internal sealed class ClaimModel(Reader reader, IEnumerable<IFleet> fleets, PageScope scope) : PageModel
{
    public StationView View { get; private set; } = null!;

    /// <summary>The newest code; null when there was none.</summary>
    public ClaimState? State { get; private set; }

    /// <summary>A code just made: shown this once.</summary>
    public IssuedClaim? Issued { get; private set; }

    public ClaimProgress Progress { get; private set; }

    /// <summary>What was typed as the profile.</summary>
    public string Profile { get; private set; } = "";

    /// <summary>Text key of what went wrong; null when nothing did.</summary>
    public string? Problem { get; private set; }

    /// <summary>More of it, in the hub's words; null when there is none.</summary>
    public string? ProblemDetail { get; private set; }

    /// <summary>Where stations and phones reach this hub.</summary>
    public string Hub => scope.HubAddress;

    public string Address => AddressOf(View.Station.Municipality, View.Station.Slug);

    /// <summary>What a QR code says: a page that tells what to do. The code stands behind a #, which browsers do not send: it comes into no log.</summary>
    public string CodeAddress => $"{Hub}/install#{Issued?.Code}";

    /// <summary>Address of the page for a station.</summary>
    public static string AddressOf(string municipality, string station) => $"/stations/{municipality}/{station}/claim";

    /// <summary>How far a station is. A code that an agent has used counts until what it measures arrives after it.</summary>
    /// <param name="state">The newest code; null when there was none.</param>
    /// <param name="agent">What is known of its agent.</param>
    /// <param name="newest">End of the newest value of what it measures, UTC; null for none.</param>
    /// <param name="now">UTC.</param>
    public static ClaimProgress ProgressOf(ClaimState? state, AgentView agent, DateTime? newest, DateTime now) => state switch
    {
        null => ClaimProgress.None,
        { UsedAt: null } => state.ExpiresAt > now ? ClaimProgress.Waiting : ClaimProgress.None,
        { UsedAt: { } used } => newest >= used ? ClaimProgress.Reporting : agent.Presence == Presence.Online && agent.StatusAt >= used ? ClaimProgress.Connected : ClaimProgress.Claimed,
    };

    public async Task<IActionResult> OnGetAsync(string municipality, string station, CancellationToken cancellationToken) =>
        Find(municipality, station) ? await ShowAsync(cancellationToken) : this.Missing();

    public async Task<IActionResult> OnPostAsync(string municipality, string station, string? act, string? profile, CancellationToken cancellationToken)
    {
        if (!Find(municipality, station))
        {
            return this.Missing();
        }

        if (act == "revoke")
        {
            await fleets.Last().RevokeClaimAsync(View.Station, RulesModel.ByOf(User), cancellationToken);
            return Redirect(Address);
        }

        Profile = profile?.Trim() ?? "";
        try
        {
            Issued = await fleets.Last().IssueClaimAsync(View.Station, Profile.Length == 0 ? null : Profile, RulesModel.ByOf(User), cancellationToken);
            this.KeepSecret();
        }
        catch (ArgumentException wrong)
        {
            (Problem, ProblemDetail) = ("agent.problem.profile", wrong.Message);
            Response.StatusCode = 400;
        }

        return await ShowAsync(cancellationToken);
    }

    private bool Find(string municipality, string station)
    {
        var found = fleets.Any() && User.Holds(Role.Operator, municipality) ? reader.Station(User, municipality, station) : null;
        View = found!;
        return found is not null;
    }

    private async Task<IActionResult> ShowAsync(CancellationToken cancellationToken)
    {
        State = await fleets.Last().ClaimOfAsync(View.Station.Id, cancellationToken);
        Progress = ProgressOf(State, fleets.Last().AgentOf(View.Station.Id), View.NewestEnd, scope.Now);
        scope.Municipality = View.Station.Municipality;
        scope.Scripts.Add("fleet");
        scope.Scripts.Add("qr");
        return Page();
    }
}
