using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>Open alarms, and those that ended lately.</summary>
internal sealed class AlarmsModel(Reader reader, IMunicipalities municipalities, PageScope scope) : PageModel
{
    public IReadOnlyList<Municipality> Municipalities => municipalities.All;

    public Municipality? Chosen { get; private set; }

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

        Open = reader.OpenAlarms(User, Chosen?.Slug);
        Recent = await reader.RecentAlarmsAsync(User, Chosen?.Slug, null, cancellationToken);
        scope.Live = true;
        scope.Municipality = Chosen?.Slug;
        return Page();
    }
}
