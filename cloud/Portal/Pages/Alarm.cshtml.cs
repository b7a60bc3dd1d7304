using System.Globalization;
using System.Text.Json;
using Hub.Cloud.Alerts;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages;

/// <summary>One alarm: how it stands, what happened to it, and for operators of its municipality what can be done with it. Works by forms alone.</summary>
internal sealed class AlarmModel(Reader reader, IAlarmHandling handling, IEnumerable<IRoles> roles, IEnumerable<IAudit> audits, PageScope scope) : PageModel
{
    /// <summary>Lengths for which an operator can shelve, minutes.</summary>
    public static readonly IReadOnlyList<int> ShelveMinutes = [30, 120, 480, 1_440];

    public AlarmView View { get; private set; } = null!;

    public AlarmStory Story { get; private set; } = null!;

    /// <summary>Whom the alarm can be given to: the operators of the municipality.</summary>
    public IReadOnlyList<string> Operators { get; private set; } = [];

    /// <summary>What was typed where that could not be taken.</summary>
    public string Comment { get; private set; } = "";

    /// <summary>What went wrong, in the hub's words; null when nothing did.</summary>
    public string? Problem { get; private set; }

    /// <summary>Address of the charts of the station over a span that reaches back to the alarm.</summary>
    public string ChartAddress
    {
        get
        {
            var reach = scope.Now - View.Alarm.ConditionAt;
            var span = ChartSpans.All(scope.Options.ChartSpan).FirstOrDefault(one => one.Span > reach);
            return string.Create(
                CultureInfo.InvariantCulture, $"/stations/{View.Alarm.Municipality}/{View.Alarm.Station}{(span.Name is null ? "" : "?span=" + span.Name)}#ds-{View.Alarm.Datastream}");
        }
    }

    private string By => User.Identity?.Name is { Length: > 0 and <= 256 } name ? name : "portal";

    /// <summary>Puts on record what a visitor does with alarms.</summary>
    public static async Task NoteAsync(IEnumerable<IAudit> audits, string municipality, string action, string subject, string by, object details)
    {
        // The visitor may leave; what is done is noted all the same.
        if (audits.LastOrDefault() is { } audit)
        {
            await audit.NoteAsync(new AuditNote(municipality, action, subject, by.Length <= 200 ? by : by[..200], JsonSerializer.Serialize(details, JsonSerializerOptions.Web)), CancellationToken.None);
        }
    }

    public async Task<IActionResult> OnGetAsync(string id, CancellationToken cancellationToken) => await FindAsync(id, cancellationToken) ? Page() : this.Missing();

    public Task<IActionResult> OnPostAcknowledgeAsync(string id, string? comment, string? back, CancellationToken cancellationToken) =>
        DoAsync(id, "alarm-acknowledged", comment, back, new { comment }, () => handling.AcknowledgeAsync(id, new HandledBy(By), comment, cancellationToken), cancellationToken);

    public Task<IActionResult> OnPostCommentAsync(string id, string? comment, string? back, CancellationToken cancellationToken) =>
        DoAsync(id, "alarm-commented", comment, back, new { comment }, () => handling.CommentAsync(id, new HandledBy(By), comment ?? "", cancellationToken), cancellationToken);

    public Task<IActionResult> OnPostAssignAsync(string id, string? person, string? back, CancellationToken cancellationToken)
    {
        var whom = string.IsNullOrEmpty(person) ? null : person;
        return DoAsync(
            id, "alarm-assigned", null, back, new { person = whom },
            () => whom is null || Operators.Contains(whom) ? handling.AssignAsync(id, new HandledBy(By), whom, null, cancellationToken) : throw new ArgumentException($"{whom} is no operator of {View.Alarm.Municipality}."),
            cancellationToken);
    }

    public Task<IActionResult> OnPostShelveAsync(string id, int minutes, string? comment, string? back, CancellationToken cancellationToken)
    {
        var until = reader.Now.AddMinutes(minutes);
        return DoAsync(
            id, "alarm-shelved", comment, back, new { until, comment },
            () => handling.ShelveAsync(View.Alarm.Municipality, View.Alarm.Rule, View.Alarm.Station, until, new HandledBy(By), comment, cancellationToken), cancellationToken);
    }

    public Task<IActionResult> OnPostUnshelveAsync(string id, string? back, CancellationToken cancellationToken) => DoAsync(
        id, "alarm-unshelved", null, back, new { },
        () => handling.UnshelveAsync(View.Alarm.Municipality, View.Alarm.Rule, View.Alarm.Station, new HandledBy(By), null, cancellationToken), cancellationToken);

    private async Task<bool> FindAsync(string id, CancellationToken cancellationToken)
    {
        if (await reader.AlarmAsync(User, id, cancellationToken) is not var (view, story))
        {
            return false;
        }

        (View, Story) = (view, story);
        if (view.MayHandle)
        {
            var known = roles.LastOrDefault() is { } people ? await people.ListAsync(cancellationToken) : [];
            Operators =
            [
                .. known.Where(one => one.Roles.Any(held => held.Role >= Role.Operator && (held.Municipality is null || held.Municipality == view.Alarm.Municipality))).Select(one => one.UserName)
                    .Append(By).Distinct().Order(StringComparer.OrdinalIgnoreCase),
            ];
        }

        scope.Municipality = view.Alarm.Municipality;
        scope.Live = true;
        return true;
    }

    /// <summary>Does it, notes it for the record when it changed anything, and goes back to where the form was; or shows why not.</summary>
    private async Task<IActionResult> DoAsync(string id, string action, string? comment, string? back, object details, Func<ValueTask<bool>> act, CancellationToken cancellationToken)
    {
        if (!await FindAsync(id, cancellationToken) || !View.MayHandle)
        {
            return this.Missing();
        }

        try
        {
            if (await act())
            {
                await NoteAsync(audits, View.Alarm.Municipality, action, $"alarm {id}", By, details);
            }

            return Redirect(Url.IsLocalUrl(back) ? back! : $"/alarms/{Uri.EscapeDataString(Story.GoesOnAs ?? id)}");
        }
        catch (Exception exception) when (exception is HandlingRefusedException or KeyNotFoundException or ArgumentException)
        {
            (Problem, Comment) = (exception.Message.Split(" (Parameter ")[0], comment ?? "");
            return Page();
        }
    }
}
