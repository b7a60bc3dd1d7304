using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>The page for addresses that do not exist.</summary>
[IgnoreAntiforgeryToken]
internal sealed class MissingModel : PageModel
{
    public IActionResult OnGet() => this.Missing();

    public IActionResult OnPost() => this.Missing();
}
