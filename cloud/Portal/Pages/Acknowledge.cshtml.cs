using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>Acknowledging by the link in a mail. Following it only shows the alarm and a button, for programs that check mails follow every link.</summary>
internal sealed class AcknowledgeModel(AcknowledgeLinks links, IAlarmHandling handling, Reader reader, IEnumerable<IAudit> audits) : PageModel
{
    public string Token { get; private set; } = "";

    /// <summary>In whose name; null when the link is not good.</summary>
    public string? Person { get; private set; }

    public AlarmView? View { get; private set; }

    /// <summary>Whether it has been done by this request.</summary>
    public bool Done { get; private set; }

    /// <summary>Why it was not done, in the hub's words; null when it was, or was not asked for.</summary>
    public string? Problem { get; private set; }

    public async Task<IActionResult> OnGetAsync(string? token, CancellationToken cancellationToken)
    {
        await FindAsync(token, cancellationToken);
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(string? token, CancellationToken cancellationToken)
    {
        if (await FindAsync(token, cancellationToken) is not { } grant)
        {
            return Page();
        }

        try
        {
            if (await handling.AcknowledgeAsync(grant.Alarm, new HandledBy(grant.Person, AlarmEventCause.MailLink), null, cancellationToken))
            {
                await AlarmModel.NoteAsync(audits, grant.Municipality, "alarm-acknowledged", $"alarm {grant.Alarm}", grant.Person, new { by = "mail link" });
            }

            await FindAsync(token, cancellationToken);
            Done = true;
        }
        catch (HandlingRefusedException refused)
        {
            Problem = refused.Message;
        }

        return Page();
    }

    private async Task<AcknowledgeLinks.Grant?> FindAsync(string? token, CancellationToken cancellationToken)
    {
        // The token is worth something: no cache keeps the page, and no other page is told of its address.
        Response.Headers.CacheControl = "no-cache, no-store";
        Response.Headers["Referrer-Policy"] = "no-referrer";
        var grant = await links.ReadAsync(token, cancellationToken);
        var found = grant is null ? null : await reader.AlarmForAsync(grant.Alarm, grant.Municipality, cancellationToken);
        if (grant is null || found is null)
        {
            Response.StatusCode = 410;
            return null;
        }

        (Token, Person, View) = (token!, grant.Person, found);
        return grant;
    }
}
