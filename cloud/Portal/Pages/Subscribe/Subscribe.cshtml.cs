using Hub.Cloud.Notifications;
using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Portal.Show;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Subscribe;

/// <summary>Asks for alerts in three steps: where, what, how. The first two are in the address, so that the way back works; what is personal is only ever posted.</summary>
internal sealed class SubscribeModel(IEnumerable<ISignUp> signUps, SignUpChoices choices, PageScope scope) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public SignUpForm Form { get; set; } = new();

    public SignUpChoices Choices => choices;

    /// <summary>How people can be told, in the order it is offered.</summary>
    public IReadOnlyList<ChannelKind> Channels => SignUp?.Channels ?? [];

    /// <summary>Address that opens the chat in which the request is confirmed; null on other ways.</summary>
    public string? ChatLink { get; private set; }

    /// <summary>1 to 3; 4 when the message is on its way, or the chat can be opened.</summary>
    public int Step { get; private set; } = 1;

    public SignUpOffer? Offer => SignUp?.Offer;

    /// <summary>The place chosen; known from the second step on.</summary>
    public SignUpPlace? Place { get; private set; }

    /// <summary>The wish so far; known from the second step on.</summary>
    public Wish? Wish { get; private set; }

    /// <summary>Text key of what went wrong with the whole; null when nothing did.</summary>
    public string? Problem { get; private set; }

    /// <summary>Address of the second step with what was chosen so far.</summary>
    public string Previous => "/subscribe" + QueryString.Create(
        new Dictionary<string, string?> { ["place"] = Form.Place, ["radius"] = Form.Radius, ["latitude"] = Form.Latitude, ["longitude"] = Form.Longitude, ["what"] = Form.What, ["level"] = Form.Level, ["step"] = "2" }
            .Where(static one => !string.IsNullOrEmpty(one.Value)));

    private ISignUp? SignUp => signUps.LastOrDefault(static one => one.Offer.Enabled);

    public void OnGet(string? step)
    {
        if (step is "sent" or "sent-sms")
        {
            (Step, Form.Channel) = (4, step == "sent" ? "mail" : "sms");
            return;
        }

        // Personal fields in an address are not taken from there.
        (Form.Email, Form.Phone, Form.Channel, Form.Website, Form.Language) = (null, null, null, null, scope.Speech.Code);
        Form.Show(null);
        if (step is "2" or "3")
        {
            Reach(step == "3" ? 3 : 2);
        }
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken cancellationToken)
    {
        if (SignUp is not { } signUp)
        {
            return Page();
        }

        Reach(3);
        var quiet = Form.ReadQuiet();
        if (Speech.Find(Form.Language) is not { } say)
        {
            Form.Problems["language"] = "subscribe.bad.language";
            return Page();
        }

        if (Step < 3 || Form.Problems.Count > 0)
        {
            return Page();
        }

        if (!string.IsNullOrEmpty(Form.Website))
        {
            // A program gets the same answer as people, and nothing else.
            return Redirect("/subscribe?step=sent");
        }

        var municipality = Place!.Municipality;
        var channel = Form.ReadChannel(signUp.Channels);
        var request = new SignUpRequest(municipality.Slug, municipality.Name, channel, Form.TargetOf(channel), say.Code, Wish!, quiet, choices.Summary(say, municipality.Slug, Wish!));
        try
        {
            if (channel == ChannelKind.Telegram)
            {
                this.KeepSecret();
                ChatLink = await signUp.RequestChatAsync(request, this.Source(), cancellationToken);
                Step = ChatLink is null ? Step : 4;
            }
            else if (await signUp.RequestAsync(request, this.Source(), cancellationToken) == RequestOutcome.Taken)
            {
                return Redirect(channel == ChannelKind.Sms ? "/subscribe?step=sent-sms" : "/subscribe?step=sent");
            }
        }
        catch (ArgumentException refused) when (refused.ParamName == nameof(SignUpRequest.Target))
        {
            var field = channel == ChannelKind.Sms ? "phone" : "email";
            Form.Problems[field] = "subscribe.bad." + field;
            return Page();
        }

        if (ChatLink is null)
        {
            Response.StatusCode = 429;
            Problem = "subscribe.busy";
        }

        return Page();
    }

    /// <summary>Goes to a step as far as the ones before it can be read.</summary>
    private void Reach(int wanted)
    {
        if (Form.Read(choices, withWhat: wanted > 2) is { } read)
        {
            ((Place, Wish), Step) = (read, wanted);
            return;
        }

        // Back to the step that has the problem.
        Step = Form.Problems.Keys.Any(static field => field is "what" or "level") ? 2 : 1;
        if (Step == 2 && choices.TryPlace(Form.Place, out var place))
        {
            Place = place;
        }
    }
}
