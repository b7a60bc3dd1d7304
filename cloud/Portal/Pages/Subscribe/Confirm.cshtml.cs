using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Subscribe;

/// <summary>Confirms a request for alerts; asks first, because programs that look through mail follow every link.</summary>
internal sealed class ConfirmModel(IEnumerable<ISignUp> signUps, SignUpChoices choices) : PageModel
{
    public PendingSignUp? Pending { get; private set; }

    public SignUpChoices Choices => choices;

    /// <summary>Whether there is no room for another subscription.</summary>
    public bool IsFull { get; private set; }

    [BindProperty(SupportsGet = true, Name = "t")]
    public string? Token { get; set; }

    public async Task OnGetAsync(CancellationToken cancellationToken)
    {
        this.KeepSecret();
        Pending = signUps.LastOrDefault() is { } signUp ? await signUp.FindPendingAsync(Token, cancellationToken) : null;
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken cancellationToken)
    {
        this.KeepSecret();
        if (signUps.LastOrDefault() is { } signUp)
        {
            var (outcome, preferences) = await signUp.ConfirmAsync(Token, cancellationToken);
            if (outcome == ConfirmOutcome.Confirmed)
            {
                return Redirect("/subscriptions?done=confirmed&t=" + preferences);
            }

            IsFull = outcome == ConfirmOutcome.Full;
        }

        return Page();
    }
}
