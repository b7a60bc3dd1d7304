using System.Globalization;
using Hub.Cloud.Alerts;
using Hub.Cloud.Municipalities;
using Hub.Cloud.Portal.Read;
using Hub.Cloud.Portal.Serving;
using Hub.Cloud.Portal.Show;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Hub.Cloud.Portal.Pages.Rules;

/// <summary>One rule, or a new one, by form: tried on what is stored as often as wanted, then saved. For operators of its municipality; for anybody else there is no such page.</summary>
internal sealed class RuleModel(IAlerts alerts, IStations stations, RuleDesk desk, Reader reader, LongReads longReads, PageScope scope) : PageModel
{
    /// <summary>Days over which a rule can be tried.</summary>
    public static readonly IReadOnlyList<int> TrialDays = [7, 30, 90];

    /// <summary>Alarms of a trial that are listed.</summary>
    public const int TrialListed = 50;

    /// <summary>Alarms of a trial that are looked at to say on how many datastreams they were.</summary>
    private const int TrialAlarmsMax = 10_000;

    private const string NewSlug = "new";

    /// <summary>What a trial found.</summary>
    /// <param name="Rule">The rule as it was tried.</param>
    /// <param name="Days">Over how many days.</param>
    /// <param name="From">Begin, UTC.</param>
    /// <param name="To">End, UTC.</param>
    /// <param name="Found">What the hub says.</param>
    /// <param name="Touched">Datastreams with an alarm; null when there were too many alarms to say.</param>
    /// <param name="Rows">The newest of them, with where they were.</param>
    public sealed record Trial(Rule Rule, int Days, DateTime From, DateTime To, Rehearsal Found, int? Touched, IReadOnlyList<(Alarm Alarm, string Station, Datastream? Datastream)> Rows);

    [BindProperty]
    public RuleForm Form { get; set; } = new();

    public string Town { get; private set; } = "";

    /// <summary>Slug in the address; null for a new rule.</summary>
    public string? Slug { get; private set; }

    /// <summary>The rule as it is stored; null for a new one, or one that was removed meanwhile.</summary>
    public Rule? Current { get; private set; }

    /// <summary>Whether somebody else changed or removed the rule since the form was filled; nothing was saved.</summary>
    public bool Overtaken { get; private set; }

    /// <summary>Fields that differ from what is stored now: their names and what is stored.</summary>
    public IReadOnlyList<(string Label, string Stored)> Differences { get; private set; } = [];

    public Trial? Tried { get; private set; }

    /// <summary>Why a trial was not made; null when it was, or none was asked for.</summary>
    public FieldProblem? TrialProblem { get; private set; }

    public IReadOnlyList<Station> Stations { get; private set; } = [];

    /// <summary>Quantities that the municipality measures.</summary>
    public IReadOnlyList<Quantity> Measured { get; private set; } = [];

    public IReadOnlyList<Quantity> Others { get; private set; } = [];

    public IReadOnlyList<string> Sensors { get; private set; } = [];

    /// <summary>Tags that stations of the municipality have.</summary>
    public IReadOnlyList<string> Tags { get; private set; } = [];

    public TimeZoneInfo Zone => reader.ZoneOf(Town);

    public string TownName => reader.Municipality(Town)?.Name ?? Town;

    public string Address => RulesModel.AddressOf(Town, Slug ?? NewSlug);

    /// <summary>Unit of the levels.</summary>
    public string Unit => RuleWords.UnitOf(Form.Property, Form.MeasureChosen);

    public IActionResult OnGet(string municipality, string rule)
    {
        if (!Begin(municipality, rule) || (Slug is not null && Current is null))
        {
            return this.Missing();
        }

        Form = Current is null ? RuleForm.New(scope.Speech) : RuleForm.Of(Current, scope.Speech);
        return Show();
    }

    public async Task<IActionResult> OnPostSaveAsync(string municipality, string rule, CancellationToken cancellationToken)
    {
        if (!Begin(municipality, rule))
        {
            return this.Missing();
        }

        if (Read(isTrial: false) is not { } wanted)
        {
            return Show();
        }

        try
        {
            if (await desk.SaveAsync(wanted, Form.Version ?? "", RulesModel.ByOf(User), cancellationToken))
            {
                return Redirect($"{RulesModel.AddressOf(Town)}&done=saved&rule={Uri.EscapeDataString(wanted.Slug)}#done");
            }
        }
        catch (ArgumentException refused)
        {
            Form.Refuse(refused);
            return Show();
        }

        if (Slug is null)
        {
            Form.Problems["slug"] = new("rules.bad.slug.taken");
        }
        else
        {
            Overtake();
        }

        return Show();
    }

    /// <summary>Shows the area that is typed; nothing is tried or saved.</summary>
    public IActionResult OnPostArea(string municipality, string rule)
    {
        if (!Begin(municipality, rule))
        {
            return this.Missing();
        }

        var show = Show();
        if (RuleForm.ReadArea(Form.Area) is null)
        {
            Form.Problems["area"] = new("rules.bad.area");
        }

        return show;
    }

    /// <summary>The area as it is typed; null when there is none, or it cannot be read.</summary>
    public AreaPicture? Area => RuleForm.ReadArea(Form.Area) is { } corners ? AreaPicture.Draw(corners, Stations) : null;

    /// <summary>The other rules of the municipality, and slugs chosen of which there is no rule.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parents => [.. alerts.Rules(Town).Where(one => one.Slug != Slug).Select(one => KeyValuePair.Create(one.Slug, scope.Speech.NameOf(one)))
        .Concat(Form.SuppressedBy.Where(slug => alerts.Rules(Town).All(one => one.Slug != slug)).Select(static slug => KeyValuePair.Create(slug, slug)))];

    public async Task<IActionResult> OnPostTryAsync(string municipality, string rule, int days, CancellationToken cancellationToken)
    {
        if (!Begin(municipality, rule))
        {
            return this.Missing();
        }

        days = TrialDays.Contains(days) ? days : 30;
        if (Read(isTrial: true) is { } wanted)
        {
            await TryAsync(wanted, days, cancellationToken);
        }

        return Show();
    }

    /// <summary>What is wrong, in the order of the page.</summary>
    public IEnumerable<(string Field, FieldProblem Problem)> ProblemsInOrder
    {
        get
        {
            var order = Fields(Form).Select(static one => one.Field).ToList();
            return Form.Problems.Select(static one => (one.Key, one.Value)).OrderBy(one => order.IndexOf(one.Key));
        }
    }

    /// <summary>The name of a field for people.</summary>
    public string LabelOf(string field)
    {
        var say = scope.Speech;
        var parts = field.Split('-');
        return parts is ["level", var row, var what]
            ? $"{(row == "0" ? say["rules.level.first"] : say.Of("rules.level.further", int.Parse(row, CultureInfo.InvariantCulture) + 1))}: {say["rules.form." + what]}"
            : say["rules.form." + field.ToLowerInvariant()];
    }

    /// <summary>Finds the rule; false when the visitor is no operator of the municipality.</summary>
    private bool Begin(string municipality, string rule)
    {
        if (!User.Holds(Role.Operator, municipality) || reader.Municipality(municipality) is null)
        {
            return false;
        }

        (Town, Slug) = (municipality, rule == NewSlug ? null : rule);
        Current = Slug is null ? null : desk.Find(municipality, Slug);
        Form.Complete(scope.Speech);
        scope.Municipality = municipality;
        return true;
    }

    private PageResult Show()
    {
        Form.Complete(scope.Speech);
        Stations = [.. stations.All.Where(one => one.Municipality == Town).OrderBy(one => one.Name, StringComparer.Create(scope.Speech.Culture, ignoreCase: true))];
        var datastreams = Stations.SelectMany(one => stations.DatastreamsOf(one.Id)).ToArray();
        var measured = datastreams.Select(one => one.Quantity.Id).ToHashSet(StringComparer.Ordinal);
        Measured = [.. QuantityCatalogue.All.Where(one => measured.Contains(one.Id))];
        Others = [.. QuantityCatalogue.All.Where(one => !measured.Contains(one.Id))];
        Sensors = [.. datastreams.Select(one => one.Sensor).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        Tags = [.. Stations.SelectMany(one => one.Tags).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return Page();
    }

    /// <summary>The rule as typed; null, with the reasons in the form, when it cannot be read.</summary>
    private Rule? Read(bool isTrial)
    {
        var slug = Slug ?? (string.IsNullOrWhiteSpace(Form.Slug) ? RuleForm.SlugOf(Form.NamePt) : Form.Slug.Trim());
        if (!isTrial && Slug is null)
        {
            // Shown from then on, so that it can be seen and changed.
            Form.Slug = slug;
            Form.Version = "";
        }

        if (Form.Station is { Length: > 0 } station && !stations.TryGet(Town, station, out _))
        {
            Form.Problems["station"] = new("rules.bad.station");
        }

        // Names can wait until it is saved.
        var rule = Form.Read(Town, isTrial && slug.Length == 0 ? "trial" : slug, withNames: !isTrial);
        if (!isTrial && slug == NewSlug && Slug is null)
        {
            Form.Problems["slug"] = new("rules.bad.slug.taken");
            return null;
        }

        return rule;
    }

    private async Task TryAsync(Rule wanted, int days, CancellationToken cancellationToken)
    {
        var to = scope.Now;
        var from = to.AddDays(-days);
        using var turn = await longReads.TurnAsync(cancellationToken);
        if (turn is null)
        {
            TrialProblem = new("rules.trial.busy");
            return;
        }

        try
        {
            var found = await alerts.RehearseAsync(wanted, from, to, TrialAlarmsMax, cancellationToken);
            var rows = found.Alarms.Take(TrialListed).Select(alarm =>
            {
                var datastream = stations.TryGetDatastream(alarm.Datastream, out var known) ? known : null;
                return (alarm, stations.TryGet(Town, alarm.Station, out var station) ? station.Name : alarm.Station, datastream);
            });
            Tried = new(wanted, days, from, to, found, found.Count > found.Alarms.Count ? null : found.Alarms.Select(alarm => alarm.Datastream).Distinct().Count(), [.. rows]);
        }
        catch (ArgumentException refused)
        {
            Form.Refuse(refused);
        }
        catch (RehearsalTooLargeException refused)
        {
            TrialProblem = new("rules.trial.large", refused.Message);
        }
    }

    /// <summary>Somebody was faster: what is stored now is shown beside what is typed, and saving again puts what is typed in its place.</summary>
    private void Overtake()
    {
        var say = scope.Speech;
        Overtaken = true;
        Current = desk.Find(Town, Slug!);
        Form.Version = RuleDesk.VersionOf(Current);

        // What the browser sent is kept, the hidden field alone is new.
        ModelState.Remove(nameof(RuleForm.Version));
        if (Current is null)
        {
            return;
        }

        var stored = RuleForm.Of(Current, say);
        stored.Complete(say);
        Differences = [.. Fields(Form).Zip(Fields(stored)).Where(pair => pair.First.Value != pair.Second.Value).Select(pair => (LabelOf(pair.First.Field), pair.Second.Value.Length == 0 ? say["rules.overtaken.empty"] : pair.Second.Value))];
    }

    /// <summary>Every field with what is in it, as people read it.</summary>
    private IEnumerable<(string Field, string Value)> Fields(RuleForm form)
    {
        var say = scope.Speech;
        yield return ("namePt", Text(form.NamePt));
        yield return ("nameEn", Text(form.NameEn));
        yield return ("property", RuleWords.NameOf(say, form.Property));
        yield return ("station", string.IsNullOrEmpty(form.Station) ? say["rules.where.all"] : stations.TryGet(Town, form.Station, out var station) ? station.Name : form.Station);
        yield return ("sensor", Text(form.Sensor));
        yield return ("tag", Text(form.Tag));
        yield return ("period", Length(form.Period));
        yield return ("area", Text(form.Area));
        yield return ("suppressedBy", string.Join(", ", form.SuppressedBy.Order(StringComparer.Ordinal)));
        yield return ("measure", say["rules.measure." + RuleWords.Low(form.MeasureChosen)]);
        yield return ("window", Length(form.Window));
        yield return ("onClock", Flag(form.OnClock));
        yield return ("percent", Number(form.Percent));
        yield return ("limit", Number(form.Limit));
        yield return ("coverage", Number(form.Coverage));
        yield return ("crossing", say[form.Crossing == "below" ? "rules.crossing.below" : "rules.crossing.above"]);
        for (var row = 0; row < form.Levels.Length; row++)
        {
            var (level, id) = (form.Levels[row], "level-" + row.ToString(CultureInfo.InvariantCulture));
            yield return (id + "-severity", level.Severity is "1" or "2" or "3" ? say["alarms.severity." + level.Severity] : "");
            yield return (id + "-set", Number(level.Set));
            yield return (id + "-clear", Number(string.IsNullOrWhiteSpace(level.Clear) ? level.Set : level.Clear));
            yield return (id + "-for", Length(level.For));
            yield return (id + "-off", Length(level.OffFor));
        }

        yield return ("schedule", Text(form.Schedule));
        yield return ("source", Text(form.Source));
        yield return ("edge", Flag(form.Edge));
        yield return ("enabled", Flag(form.Enabled));

        static string Text(string? text) => (text ?? "").Trim();

        string Number(string? text) => RuleForm.ReadNumber(text) is { } number ? RuleWords.Number(say, number) : Text(text);

        string Length(DurationFields fields) => fields.IsEmpty ? "" : fields.Read() is { } length ? say.Period(length) : Text(fields.Number);

        string Flag(string? flag) => say[string.IsNullOrEmpty(flag) ? "rules.no" : "rules.yes"];
    }
}
