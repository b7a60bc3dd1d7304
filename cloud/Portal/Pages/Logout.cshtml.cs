using Hub.Cloud.Municipalities;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>Ends the session; asks first, because a link alone must not sign anybody out.</summary>
internal sealed class LogoutModel(IEnumerable<ISignIn> signIns) : PageModel
{
    public async Task<IActionResult> OnPostAsync()
    {
        if (signIns.LastOrDefault() is { } signIn)
        {
            await signIn.SignOutAsync(HttpContext);
        }

        return LocalRedirect("/");
    }
}
