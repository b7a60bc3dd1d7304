using Hub.Cloud.Municipalities;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>Sign-in for the people who work with the stations.</summary>
internal sealed class LoginModel(IEnumerable<ISignIn> signIns, PortalInstruments instruments) : PageModel
{
    /// <summary>Longest name or password taken, characters.</summary>
    private const int LengthMax = 256;

    public string Name { get; private set; } = "";

    /// <summary>Where to go afterwards: an address on this hub.</summary>
    public string Back { get; private set; } = "/";

    /// <summary>Text key of what went wrong; null when nothing did.</summary>
    public string? Problem { get; private set; }

    /// <summary>Shows the form.</summary>
    /// <param name="back">Where to go afterwards.</param>
    /// <param name="returnUrl">The same, as the cookie handler names it when it sends somebody here.</param>
    public void OnGet(string? back, string? returnUrl) => Back = Safe(back ?? returnUrl);

    public async Task<IActionResult> OnPostAsync(string? name, string? password, string? back)
    {
        Back = Safe(back);
        Name = name?.Trim() ?? "";
        if (Name.Length is 0 or > LengthMax || password is not { Length: > 0 and <= LengthMax })
        {
            Problem = "login.missing";
            return Page();
        }

        if (signIns.LastOrDefault() is not { } signIn)
        {
            Problem = "login.unavailable";
            return Page();
        }

        var outcome = await signIn.SignInAsync(HttpContext, Name, password, remember: false);
        instruments.SignInTried(outcome);
        if (outcome == SignInOutcome.Accepted)
        {
            return LocalRedirect(Back);
        }

        Problem = outcome == SignInOutcome.Busy ? "login.busy" : "login.refused";
        return Page();
    }

    private string Safe(string? back) => Url.IsLocalUrl(back) ? back! : "/";
}
