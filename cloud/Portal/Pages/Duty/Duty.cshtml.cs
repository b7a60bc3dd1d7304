using System.Globalization;
using Hub.Cloud.Audit;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal.Pages.Rules;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Duty;

/// <summary>The duty roster of a municipality, for its operators: who is called now, which calls run and ran, and the roster by form; for anybody else there is no such page. Works by forms alone.</summary>
internal sealed class DutyModel(
    IEnumerable<IDuty> duties, IEnumerable<INotifications> notifications, IEnumerable<IDutyHours> hours, IEnumerable<IAudit> audits, IMunicipalities municipalities, Reader reader, PageScope scope) : PageModel
{
    /// <summary>Calls shown, of those that run and of those that are over.</summary>
    public const int CallsMax = 10;

    /// <summary>Channels by which people are added here; a webhook's secret is told by the API.</summary>
    public static readonly IReadOnlyList<ChannelKind> Channels = [ChannelKind.Mail, ChannelKind.Sms, ChannelKind.Telegram];

    /// <summary>Roles whose holders can be called; they are chosen in the place of a channel.</summary>
    public static readonly IReadOnlyList<StaffRole> Roles = [StaffRole.Operator, StaffRole.Administrator];

    /// <summary>Somebody on a step as shown.</summary>
    /// <param name="Subscriber">Who; null when removed meanwhile.</param>
    /// <param name="Schedule">When; empty for always.</param>
    /// <param name="IsThere">Whether they would be called now.</param>
    public sealed record Person(Subscriber? Subscriber, string Schedule, bool IsThere);

    [BindProperty]
    public DutyForm Form { get; set; } = new();

    public Municipality Town { get; private set; } = null!;

    public IReadOnlyList<Municipality> Municipalities => [.. municipalities.All.Where(one => User.Holds(Role.Operator, one.Slug))];

    public TimeZoneInfo Zone => reader.ZoneOf(Town.Slug);

    /// <summary>The roster as it is stored; null when there is none.</summary>
    public DutyRoster? Current { get; private set; }

    /// <summary>Its steps with their people.</summary>
    public IReadOnlyList<IReadOnlyList<Person>> Steps { get; private set; } = [];

    /// <summary>The step that would be called first now; null when nobody would be.</summary>
    public int? Now => Steps.Select(static (step, i) => step.Any(static one => one.IsThere) ? i : (int?)null).FirstOrDefault(static i => i is not null);

    /// <summary>Whom a roster can call.</summary>
    public IReadOnlyList<Subscriber> Subscribers { get; private set; } = [];

    /// <summary>Of subscribers by role, whom they reach now.</summary>
    public IReadOnlyDictionary<StaffRole, RoleAudience> Audiences { get; private set; } = new Dictionary<StaffRole, RoleAudience>();

    public IReadOnlyList<DutyCall> Running { get; private set; } = [];

    public IReadOnlyList<DutyCall> Over { get; private set; } = [];

    /// <summary>Text key of what was done; null when nothing was.</summary>
    public string? Done { get; private set; }

    /// <summary>Whether somebody else changed the roster since the form was filled; nothing was saved.</summary>
    public bool Overtaken { get; private set; }

    public string Address => AddressOf(Town.Slug);

    /// <summary>Address of a roster.</summary>
    public static string AddressOf(string municipality) => "/duty?municipality=" + Uri.EscapeDataString(municipality);

    public async Task<IActionResult> OnGetAsync(string? municipality, string? done, CancellationToken cancellationToken)
    {
        if (!await BeginAsync(municipality, cancellationToken))
        {
            return this.Missing();
        }

        Done = done is "saved" or "removed" ? "duty.done." + done : null;
        Form = DutyForm.Of(Current, scope.Speech);
        return Show(null);
    }

    public async Task<IActionResult> OnPostSaveAsync(string? municipality, CancellationToken cancellationToken)
    {
        if (!await BeginAsync(municipality, cancellationToken))
        {
            return this.Missing();
        }

        if (Form.Read(Town.Slug) is { } wanted)
        {
            try
            {
                if (await duties.Last().SaveOverAsync(wanted, Form.Version ?? "", cancellationToken))
                {
                    await audits.NoteAsync(Town.Slug, "duty-saved", Town.Slug, RulesModel.ByOf(User), DutyRecord.Of(wanted));
                    return Redirect($"{Address}&done=saved#done");
                }

                Overtake();
            }
            catch (ArgumentException refused)
            {
                Form.Refuse(refused);
            }
        }

        return Show(null);
    }

    /// <summary>Shows the form with another row; nothing is saved.</summary>
    public async Task<IActionResult> OnPostRowAsync(string? municipality, string? add, CancellationToken cancellationToken) =>
        await BeginAsync(municipality, cancellationToken) ? Show(add) : this.Missing();

    /// <summary>Adds somebody whom the roster can call; what is typed of the roster stays in the form.</summary>
    public async Task<IActionResult> OnPostPersonAsync(string? municipality, CancellationToken cancellationToken)
    {
        if (!await BeginAsync(municipality, cancellationToken))
        {
            return this.Missing();
        }

        var channel = Enum.TryParse<ChannelKind>(Form.Channel, out var known) && Channels.Contains(known) ? known : ChannelKind.Mail;
        StaffRole? role = Enum.TryParse<StaffRole>(Form.Channel, out var held) && Roles.Contains(held) ? held : null;
        var target = role is null ? (Form.Target ?? "").Trim() : "";
        if (Subscribers.Any(one => one.Channel == channel && one.Role == role && string.Equals(one.Target, target, StringComparison.OrdinalIgnoreCase)))
        {
            Form.Problems["target"] = new("duty.bad.known");
            return Show(null);
        }

        try
        {
            // Of what the roster is not for they are not told: who is to hear of more is a subscriber of another kind.
            var severity = Enum.TryParse<Severity>(Form.Severity, out var least) && Enum.IsDefined(least) ? least : Severity.Alert;
            var saved = await notifications.Last().SaveAsync(new Subscriber(0, Town.Slug, channel, target, Form.Language == "en" ? "en" : "pt", null, severity, "") { Role = role }, cancellationToken);
            await audits.NoteAsync(
                Town.Slug, "subscriber-added", string.Create(CultureInfo.InvariantCulture, $"subscriber {saved.Id}"), RulesModel.ByOf(User),
                new { subscriber = saved.Id, municipality = Town.Slug, channel = Low(saved.Channel), target = saved.TargetMasked, role = saved.Role is { } kept ? Low(kept) : null, saved.Language, severityMin = Low(saved.SeverityMin) });
            Form.Target = "";
            ModelState.Remove("Form.Target");
            ModelState.Remove(nameof(Form.Target));
            Subscribers = [.. Subscribers, saved];
            await LookAtRolesAsync(cancellationToken);
            Done = "duty.done.person";
        }
        catch (ArgumentException refused)
        {
            var isChannel = refused.ParamName is nameof(Subscriber.Channel) or nameof(Subscriber.Role);
            Form.Problems[isChannel ? "channel" : "target"] = new(isChannel ? "duty.bad.channel" : "duty.bad.target", refused.Message.Split(" (Parameter ")[0]);
        }

        return Show(null);
    }

    public async Task<IActionResult> OnPostRemoveAsync(string? municipality, string? sure, CancellationToken cancellationToken)
    {
        if (!await BeginAsync(municipality, cancellationToken))
        {
            return this.Missing();
        }

        if (string.IsNullOrEmpty(sure))
        {
            Form = DutyForm.Of(Current, scope.Speech);
            Form.Problems["sure"] = new("duty.bad.sure");
            return Show(null);
        }

        await duties.Last().RemoveAsync(Town.Slug, cancellationToken);
        await audits.NoteAsync(Town.Slug, "duty-removed", Town.Slug, RulesModel.ByOf(User), new { });
        return Redirect($"{Address}&done=removed#done");
    }

    /// <summary>What somebody is called by in lists: the channel and the address.</summary>
    public string NameOf(Subscriber one) => one.Role is { } role ? scope.Speech["duty.role." + Low(role)] : scope.Speech["duty.channel." + Low(one.Channel)] + " · " + one.Target;

    /// <summary>Part of a text key.</summary>
    public static string Low(Enum value) => value.ToString().ToLowerInvariant();

    private async Task<bool> BeginAsync(string? municipality, CancellationToken cancellationToken)
    {
        if (!duties.Any() || !notifications.Any() || Municipalities.FirstOrDefault(one => string.IsNullOrEmpty(municipality) || one.Slug == municipality) is not { } town)
        {
            return false;
        }

        Town = town;
        scope.Municipality = town.Slug;
        Current = await duties.Last().FindAsync(town.Slug, cancellationToken);
        var all = await notifications.Last().SubscribersAsync(town.Slug, cancellationToken);
        Subscribers = [.. all.Where(static one => one.Channel is not (ChannelKind.Mqtt or ChannelKind.Off))];
        await LookAtRolesAsync(cancellationToken);
        var (clock, severity) = (hours.LastOrDefault(), Current?.SeverityMin ?? default);
        Steps = Current is null ? [] :
        [
            .. Current.Steps.Select(step => step.Entries.Select(entry =>
            {
                var who = all.FirstOrDefault(one => one.Id == entry.Subscriber);
                var isThere = who is { DisabledBecause: null } && (who.Role is not { } role || Audiences[role].Addresses.Count > 0) && (entry.Schedule.Length == 0 || clock is null || clock.IsWithin(entry.Schedule, town.Zone, scope.Now));
                return new Person(who, entry.Schedule, isThere);
            }).ToArray()),
        ];
        var calls = await duties.Last().CallsAsync(town.Slug, CallsMax, cancellationToken);
        (Running, Over) = ([.. calls.Where(static call => call.End is null)], [.. calls.Where(static call => call.End is not null)]);
        return true;
    }

    private async Task LookAtRolesAsync(CancellationToken cancellationToken)
    {
        Dictionary<StaffRole, RoleAudience> found = [];
        foreach (var role in Subscribers.Select(static one => one.Role).OfType<StaffRole>().Distinct())
        {
            found[role] = await notifications.Last().AudienceAsync(role, Town.Slug, cancellationToken);
        }

        Audiences = found;
    }

    private PageResult Show(string? add)
    {
        Form.Complete(add);
        if (Form.Problems.Count > 0)
        {
            Response.StatusCode = 400;
        }

        return Page();
    }

    /// <summary>Somebody was faster: what is stored now is shown above, and saving again puts what is typed in its place.</summary>
    private void Overtake()
    {
        Overtaken = true;
        Form.Version = DutyRoster.VersionOf(Current);
        ModelState.Remove(nameof(DutyForm.Version));
        ModelState.Remove("Form.Version");
    }
}
