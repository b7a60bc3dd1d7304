using System.Globalization;
using Hub.Cloud.Notifications;
using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Subscribe;

/// <summary>Everything kept about a person behind a link of theirs, to see, change and delete; without one, a form that sends it.</summary>
internal sealed class SubscriptionsModel(IEnumerable<ISignUp> signUps, SignUpChoices choices, PageScope scope) : PageModel
{
    private static readonly Dictionary<string, TimeSpan> Pauses = new() { ["1"] = TimeSpan.FromDays(1), ["7"] = TimeSpan.FromDays(7), ["30"] = TimeSpan.FromDays(30) };

    [BindProperty]
    public SignUpForm Form { get; set; } = new();

    public SignUpChoices Choices => choices;

    public Preferences? Preferences { get; private set; }

    public SignUpOffer? Offer => signUps.LastOrDefault()?.Offer;

    /// <summary>Text key of what has been done; null when nothing has.</summary>
    public string? Done { get; private set; }

    /// <summary>Text key of what went wrong with the whole; null when nothing did.</summary>
    public string? Problem { get; private set; }

    [BindProperty(SupportsGet = true, Name = "t")]
    public string? Token { get; set; }

    /// <summary>Days of a pause that can be chosen, as the form writes them.</summary>
    public static IEnumerable<string> PauseDays => Pauses.Keys;

    /// <summary>The subscription that is being changed; null for none.</summary>
    public Subscription? Editing { get; private set; }

    /// <summary>Slug of the municipality whose quantities and rules can be chosen: that of the place chosen.</summary>
    public string EditingMunicipality => choices.TryPlace(Form.Place, out var place) ? place.Municipality.Slug : Editing!.Municipality;

    /// <summary>Address of this page.</summary>
    public string PageAddress => "/subscriptions?t=" + Uri.EscapeDataString(Token ?? "");

    /// <summary>Address of this page with one subscription to change.</summary>
    public string EditAddress(string subscription) => $"{PageAddress}&edit={Uri.EscapeDataString(subscription)}#change";

    public async Task OnGetAsync(string? done, string? edit, CancellationToken cancellationToken)
    {
        Done = done is "confirmed" or "changed" or "removed" or "sent" or "forgotten" ? "subscriptions.done." + done : null;
        await LoadAsync(cancellationToken);
        if (Preferences is { } found)
        {
            Form.Show(found.Quiet);
            Form.Language = found.Language;
            Editing = found.Subscriptions.FirstOrDefault(one => one.Id == edit);
            if (Editing is { } one)
            {
                Form.Show(one.Municipality, one.Wish, choices);
            }
        }
    }

    public async Task<IActionResult> OnPostLinkAsync(CancellationToken cancellationToken)
    {
        this.KeepSecret();
        if (Offer is not { Enabled: true })
        {
            return Page();
        }

        if (!string.IsNullOrEmpty(Form.Website))
        {
            return Redirect("/subscriptions?done=sent");
        }

        try
        {
            if (await signUps.Last().RequestLinkAsync(ChannelKind.Mail, (Form.Email ?? "").Trim(), scope.Speech.Code, this.Source(), cancellationToken) == RequestOutcome.Taken)
            {
                return Redirect("/subscriptions?done=sent");
            }

            Response.StatusCode = 429;
            Problem = "subscribe.busy";
        }
        catch (ArgumentException refused) when (refused.ParamName == nameof(SignUpRequest.Target))
        {
            Form.Problems["email"] = "subscribe.bad.email";
        }

        return Page();
    }

    public async Task<IActionResult> OnPostChangeAsync(string? pause, CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        var quiet = Form.ReadQuiet();
        if (Preferences is null || Form.Problems.Count > 0)
        {
            return Page();
        }

        DateTime? until = pause switch
        {
            "keep" => Preferences.PausedUntil,
            "always" => DateTime.MaxValue,
            { } days when Pauses.TryGetValue(days, out var length) => scope.Now + length,
            _ => null,
        };
        return Back(await signUps.Last().ChangeAsync(Token, Form.Language is "en" ? "en" : "pt", quiet, until, cancellationToken), "changed");
    }

    /// <summary>Changes what one subscription asks for, checked as at sign-up.</summary>
    public async Task<IActionResult> OnPostSubscriptionAsync(string? subscription, CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        if (Preferences is null)
        {
            return Page();
        }

        Editing = Preferences.Subscriptions.FirstOrDefault(one => one.Id == subscription);
        if (Form.Read(choices, withWhat: true) is not var (place, wish) || Editing is null)
        {
            // The other form of the page shows what is stored.
            Form.Show(Preferences.Quiet);
            return Page();
        }

        var (outcome, token) = await signUps.Last().ChangeSubscriptionAsync(Token, Editing.Id, place.Municipality.Slug, wish, cancellationToken);
        if (outcome == ConfirmOutcome.Full)
        {
            Problem = "subscriptions.full";
            Form.Show(Preferences.Quiet);
            return Page();
        }

        Token = token ?? Token;
        return Back(outcome == ConfirmOutcome.Confirmed, "changed");
    }

    public async Task<IActionResult> OnPostRemoveAsync(string? subscription, CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        if (Preferences is null)
        {
            return Page();
        }

        await signUps.Last().RemoveSubscriptionAsync(Token, subscription ?? "", cancellationToken);
        return Back(Preferences.Subscriptions.Count > 1, "removed");
    }

    public async Task<IActionResult> OnPostForgetAsync(string? sure, CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        if (Preferences is null)
        {
            return Page();
        }

        if (string.IsNullOrEmpty(sure))
        {
            Form.Problems["sure"] = "subscriptions.bad.sure";
            Form.Show(Preferences.Quiet);
            return Page();
        }

        await signUps.Last().ForgetAsync(Token, cancellationToken);
        return Back(false, "forgotten");
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        this.KeepSecret();
        Preferences = Token is { Length: > 0 } && signUps.LastOrDefault() is { } signUp ? await signUp.FindPreferencesAsync(Token, cancellationToken) : null;
        Form.Language ??= Preferences?.Language;
    }

    /// <summary>Shows the page again, so that going back or loading again repeats nothing.</summary>
    private RedirectResult Back(bool withToken, string done) => Redirect($"/subscriptions?done={done}" + (withToken ? "&t=" + Uri.EscapeDataString(Token!) : ""));
}
