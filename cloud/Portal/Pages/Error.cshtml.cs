using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>The page shown when the hub failed to make another one.</summary>
[IgnoreAntiforgeryToken]
[ResponseCache(NoStore = true)]
internal sealed class ErrorModel : PageModel
{
    /// <summary>Number under which the failure is in the log.</summary>
    public new string Request => HttpContext.TraceIdentifier;

    public IActionResult OnGet() => Answer();

    public IActionResult OnPost() => Answer();

    private IActionResult Answer() => HttpContext.Features.Get<IExceptionHandlerFeature>() is null ? this.Missing() : Page();
}
