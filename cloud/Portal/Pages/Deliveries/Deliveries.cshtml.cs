using System.Globalization;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal.Pages.Rules;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Deliveries;

/// <summary>The delivery log of a municipality, for its operators: which message went to whom with which answer, and sending again what was given up; for anybody else there is no such page. Works by forms alone.</summary>
internal sealed class DeliveriesModel(IEnumerable<INotifications> notifications, IEnumerable<IAudit> audits, IMunicipalities municipalities, Reader reader, PageScope scope) : PageModel
{
    /// <summary>Lines of a page.</summary>
    public const int CountMax = 50;

    public Municipality Town { get; private set; } = null!;

    public IReadOnlyList<Municipality> Municipalities => [.. municipalities.All.Where(one => User.Holds(Role.Operator, one.Slug))];

    public TimeZoneInfo Zone => reader.ZoneOf(Town.Slug);

    /// <summary>Only deliveries that stand there; null: all.</summary>
    public DeliveryState? State { get; private set; }

    public IReadOnlyList<Delivery> Rows { get; private set; } = [];

    /// <summary>Address of the older lines; null when there are none.</summary>
    public string? Older { get; private set; }

    /// <summary>Whether this is not the first page.</summary>
    public bool IsLater { get; private set; }

    /// <summary>The delivery that was sent again just now; null for none.</summary>
    public Delivery? Sent { get; private set; }

    /// <summary>Why it was not, in the hub's words; null when nothing went wrong.</summary>
    public string? Problem { get; private set; }

    public string Address => AddressOf(Town.Slug, State);

    /// <summary>Address of a log.</summary>
    public static string AddressOf(string municipality, DeliveryState? state = null) =>
        "/deliveries?municipality=" + Uri.EscapeDataString(municipality) + (state is { } wanted ? "&state=" + wanted.ToString().ToLowerInvariant() : "");

    public async Task<IActionResult> OnGetAsync(string? municipality, string? state, long? before, long? sent, CancellationToken cancellationToken)
    {
        if (!Begin(municipality, state))
        {
            return this.Missing();
        }

        Sent = sent is { } id && await notifications.Last().FindAsync(id, cancellationToken) is { } found && found.Municipality == Town.Slug ? found : null;
        return await ShowAsync(before, cancellationToken);
    }

    public async Task<IActionResult> OnPostResendAsync(string? municipality, string? state, long delivery, CancellationToken cancellationToken)
    {
        // Of another municipality's log nothing exists for them.
        if (!Begin(municipality, state) || await notifications.Last().FindAsync(delivery, cancellationToken) is not { } found || found.Municipality != Town.Slug)
        {
            return this.Missing();
        }

        await audits.NoteAsync(
            Town.Slug, "notification-resend", string.Create(CultureInfo.InvariantCulture, $"delivery {found.Id}"), RulesModel.ByOf(User),
            new { found.Key, Channel = found.Channel.ToString().ToLowerInvariant(), found.Target, found.State, found.Attempts, found.Answer });
        try
        {
            await notifications.Last().ResendAsync(delivery, cancellationToken);
            return Redirect(string.Create(CultureInfo.InvariantCulture, $"{Address}&sent={delivery}#done"));
        }
        catch (Exception refused) when (refused is InvalidOperationException or KeyNotFoundException)
        {
            Problem = refused.Message;
            Response.StatusCode = 409;
            return await ShowAsync(null, cancellationToken);
        }
    }

    private bool Begin(string? municipality, string? state)
    {
        if (!notifications.Any() || Municipalities.FirstOrDefault(one => string.IsNullOrEmpty(municipality) || one.Slug == municipality) is not { } town)
        {
            return false;
        }

        Town = town;
        scope.Municipality = town.Slug;
        State = Enum.TryParse<DeliveryState>(state, ignoreCase: true, out var wanted) && Enum.IsDefined(wanted) ? wanted : null;
        return true;
    }

    private async Task<IActionResult> ShowAsync(long? before, CancellationToken cancellationToken)
    {
        var found = await notifications.Last().SearchAsync(Town.Slug, State, before, CountMax + 1, cancellationToken);
        (Rows, IsLater) = ([.. found.Take(CountMax)], before is not null);
        Older = found.Count > CountMax ? string.Create(CultureInfo.InvariantCulture, $"{Address}&before={Rows[^1].Id}") : null;
        return Page();
    }
}
