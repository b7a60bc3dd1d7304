using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>Ends the session; asks first, because a link alone must not sign anybody out.</summary>
internal sealed class LogoutModel(ISignIn signIn) : PageModel
{
    public async Task<IActionResult> OnPostAsync(CancellationToken cancellationToken)
    {
        await signIn.SignOutAsync(HttpContext, cancellationToken);
        return LocalRedirect("/");
    }
}
