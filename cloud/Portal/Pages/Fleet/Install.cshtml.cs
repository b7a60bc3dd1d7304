using Hub.Cloud.Fleet;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Fleet;

/// <summary>What to do with a label: the page that a phone opens when it reads the QR code. The claim code stands behind the # of the address: only the script in the browser sees it, the hub never does.</summary>
internal sealed class InstallModel(IEnumerable<IFleet> fleets, PageScope scope) : PageModel
{
    /// <summary>Stands where the code goes until the script, or the reader, puts it there.</summary>
    public const string NoCode = "XXXX-XXXX-XXXX";

    public string Hub => scope.HubAddress;

    public IActionResult OnGet()
    {
        if (!fleets.Any())
        {
            return this.Missing();
        }

        this.KeepSecret();
        scope.Scripts.Add("fleet");
        scope.Scripts.Add("qr");
        return Page();
    }
}
