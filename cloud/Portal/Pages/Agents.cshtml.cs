using System.Security.Claims;
using Hub.Cloud.Fleet;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>The campaigns that bring stations new agents; for operators, for anybody else there is no such page. Works by forms alone.</summary>
internal sealed class AgentsModel(IMunicipalities municipalities, IEnumerable<IFleet> fleets, IEnumerable<IAgentUpdates> desks, PageScope scope) : PageModel
{
    /// <summary>Campaigns shown, the newest.</summary>
    public const int CampaignsMax = 20;

    /// <summary>Stations of a campaign shown; the API gives all.</summary>
    public const int PlacesMax = 200;

    /// <summary>A campaign and its stations, those with something to say first.</summary>
    public sealed record CampaignRow(Campaign Campaign, IReadOnlyList<CampaignStation> Stations);

    public IReadOnlyList<CampaignRow> Campaigns { get; private set; } = [];

    /// <summary>Text key of what went wrong; null when nothing did.</summary>
    public string? Problem { get; private set; }

    private IAgentUpdates Updates => desks.Last();

    private string By => User.Identity?.Name is { Length: > 0 } name ? name : "portal";

    /// <summary>Whether there is such a page for a visitor.</summary>
    public static bool IsFor(ClaimsPrincipal visitor, IMunicipalities municipalities) =>
        visitor.Identity?.IsAuthenticated == true && (visitor.Holds(Role.Administrator, null) || municipalities.All.Any(municipality => visitor.Holds(Role.Operator, municipality.Slug)));

    public string NameOf(string municipality) => municipalities.TryGet(municipality, out var found) ? found.Name : municipality;

    public Task<IActionResult> OnGetAsync(CancellationToken cancellationToken) => IsOpen ? ShowAsync(cancellationToken) : Task.FromResult<IActionResult>(this.Missing());

    public Task<IActionResult> OnPostPauseAsync(long campaign, CancellationToken cancellationToken) => ChangeAsync(campaign, Change.Pause, cancellationToken);

    public Task<IActionResult> OnPostResumeAsync(long campaign, CancellationToken cancellationToken) => ChangeAsync(campaign, Change.Resume, cancellationToken);

    public Task<IActionResult> OnPostCancelAsync(long campaign, CancellationToken cancellationToken) => ChangeAsync(campaign, Change.Cancel, cancellationToken);

    private enum Change
    {
        Pause,
        Resume,
        Cancel,
    }

    private bool IsOpen => fleets.Any() && desks.Any() && IsFor(User, municipalities);

    private bool MayWorkWith(Campaign campaign) => campaign.Municipality is { } municipality ? User.Holds(Role.Operator, municipality) : User.Holds(Role.Administrator, null);

    private async Task<IActionResult> ChangeAsync(long id, Change change, CancellationToken cancellationToken)
    {
        if (!IsOpen || await Updates.FindAsync(id, cancellationToken) is not { } campaign || !MayWorkWith(campaign))
        {
            return this.Missing();
        }

        try
        {
            _ = change switch
            {
                Change.Pause => await Updates.PauseAsync(id, By, cancellationToken),
                Change.Resume => await Updates.ResumeAsync(id, By, cancellationToken),
                _ => await Updates.CancelAsync(id, By, cancellationToken),
            };
            return Redirect("/agents#campaigns");
        }
        catch (Exception exception) when (exception is CampaignRefusedException or KeyNotFoundException)
        {
            Problem = "agents.problem.changed";
        }

        return await ShowAsync(cancellationToken);
    }

    private async Task<IActionResult> ShowAsync(CancellationToken cancellationToken)
    {
        // As many as are kept: what others may not see must not push out what they may.
        var seen = (await Updates.CampaignsAsync(null, 1_000, cancellationToken)).Where(MayWorkWith).Take(CampaignsMax);
        List<CampaignRow> campaigns = [];
        foreach (var campaign in seen)
        {
            var places = await Updates.StationsAsync(campaign.Id, cancellationToken);
            campaigns.Add(new(campaign, [.. places.OrderBy(place => place.Problem is null).Take(PlacesMax)]));
        }

        Campaigns = campaigns;
        scope.Municipality = null;
        return Page();
    }
}
