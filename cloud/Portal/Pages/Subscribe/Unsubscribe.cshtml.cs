using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Subscribe;

/// <summary>
/// Ends alerts. A mail program posts here by itself (RFC 8058): without cookies, so there is no form to be forged, for the address itself is what only the receiver has, and without being sent elsewhere.
/// A look changes nothing.
/// </summary>
[IgnoreAntiforgeryToken]
internal sealed class UnsubscribeModel(IEnumerable<ISignUp> signUps, SignUpChoices choices) : PageModel
{
    /// <summary>The field that a mail program posts, and its value.</summary>
    public const string OneClickField = "List-Unsubscribe";

    /// <summary>Its value.</summary>
    public const string OneClick = "One-Click";

    public Unsubscription? Found { get; private set; }

    public SignUpChoices Choices => choices;

    /// <summary>Whether it has been done just now.</summary>
    public bool IsDone { get; private set; }

    [BindProperty(SupportsGet = true, Name = "t")]
    public string? Token { get; set; }

    public async Task OnGetAsync(CancellationToken cancellationToken)
    {
        this.KeepSecret();
        Found = signUps.LastOrDefault() is { } signUp ? await signUp.FindUnsubscriptionAsync(Token, cancellationToken) : null;
    }

    public async Task OnPostAsync(CancellationToken cancellationToken)
    {
        this.KeepSecret();
        if (Request.Form[OneClickField] != OneClick)
        {
            Response.StatusCode = 400;
            await OnGetAsync(cancellationToken);
            return;
        }

        IsDone = signUps.LastOrDefault() is { } signUp && await signUp.UnsubscribeAsync(Request.Query["t"], cancellationToken);
        if (!IsDone)
        {
            Response.StatusCode = 404;
        }
    }
}
