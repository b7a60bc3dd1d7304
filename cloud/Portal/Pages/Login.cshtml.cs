using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>Sign-in for the people who work with the stations.</summary>
internal sealed class LoginModel(ISignIn signIn, PortalInstruments instruments) : PageModel
{
    /// <summary>Longest name or password taken, characters.</summary>
    private const int LengthMax = 256;

    public string Name { get; private set; } = "";

    /// <summary>Where to go afterwards: an address on this hub.</summary>
    public string Back { get; private set; } = "/";

    /// <summary>Text key of what went wrong; null when nothing did.</summary>
    public string? Problem { get; private set; }

    public void OnGet(string? back) => Back = Safe(back);

    public async Task<IActionResult> OnPostAsync(string? name, string? password, string? back, CancellationToken cancellationToken)
    {
        Back = Safe(back);
        Name = name?.Trim() ?? "";
        if (Name.Length is 0 or > LengthMax || password is not { Length: > 0 and <= LengthMax })
        {
            Problem = "login.missing";
            return Page();
        }

        var outcome = await signIn.SignInAsync(HttpContext, Name, password, cancellationToken);
        instruments.SignInTried(outcome);
        if (outcome == SignInOutcome.Done)
        {
            return LocalRedirect(Back);
        }

        Problem = outcome switch
        {
            SignInOutcome.LockedOut => "login.locked",
            SignInOutcome.Unavailable => "login.unavailable",
            _ => "login.refused",
        };
        return Page();
    }

    private string Safe(string? back) => Url.IsLocalUrl(back) ? back! : "/";
}
