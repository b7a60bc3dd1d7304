using System.Globalization;
using System.Text;
using Hub.Cloud.Alerts;
using Hub.Cloud.Notifications;
using Hub.Cloud.Portal.Show;
using Microsoft.AspNetCore.Mvc.ModelBinding;

namespace Hub.Cloud.Portal.Serving;

/// <summary>A length of time as it is typed: a number and its unit, <c>s</c>, <c>m</c>, <c>h</c> or <c>d</c>.</summary>
internal sealed class DurationFields
{
    /// <summary>Units offered, with their seconds.</summary>
    public static readonly IReadOnlyList<(string Unit, int Seconds)> Units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];

    public string? Number { get; set; }

    public string? Unit { get; set; }

    public bool IsEmpty => string.IsNullOrWhiteSpace(Number);

    /// <summary>Fields for a length, in the largest unit of which it is a whole number.</summary>
    public static DurationFields Of(TimeSpan? length, Speech say, string unit = "m")
    {
        if (length is not { } given)
        {
            return new() { Unit = unit };
        }

        var seconds = given.TotalSeconds;
        var (name, each) = seconds == 0 ? Units.First(one => one.Unit == unit) : Units.Last(one => one.Seconds == 1 || seconds % one.Seconds == 0);
        return new() { Number = RuleWords.Number(say, seconds / each), Unit = name };
    }

    /// <summary>The length; zero when nothing is typed, null when it cannot be read.</summary>
    public TimeSpan? Read()
    {
        if (IsEmpty)
        {
            return TimeSpan.Zero;
        }

        var each = Units.FirstOrDefault(one => one.Unit == Unit).Seconds;
        return each > 0 && RuleForm.ReadNumber(Number) is { } number && Math.Abs(number * each) < 1e9 ? TimeSpan.FromSeconds(Math.Round(number * each, 3)) : null;
    }
}

/// <summary>One level as it is typed. A further one that is left empty is none.</summary>
internal sealed class LevelFields
{
    /// <summary>1 to 3; empty for none.</summary>
    public string? Severity { get; set; }

    public string? Set { get; set; }

    public string? Clear { get; set; }

    public DurationFields For { get; set; } = new();

    public DurationFields OffFor { get; set; } = new();

    public bool IsEmpty => string.IsNullOrEmpty(Severity) && string.IsNullOrWhiteSpace(Set) && string.IsNullOrWhiteSpace(Clear) && For.IsEmpty && OffFor.IsEmpty;
}

/// <summary>What is wrong with a field.</summary>
/// <param name="Key">Text key of what is expected.</param>
/// <param name="Detail">The reason in the hub's own words (English); null when the key says it.</param>
internal sealed record FieldProblem(string Key, string? Detail = null);

/// <summary>The fields of a rule as they are typed; what cannot be taken is named by its field, which is the id of its input.</summary>
internal sealed class RuleForm
{
    /// <summary>Rows for levels: the first and two further ones. Each is more serious than the one before it and there are three severities, so that there can be no more.</summary>
    public const int LevelsMax = 3;

    public string? NamePt { get; set; }

    public string? NameEn { get; set; }

    /// <summary>Of a new rule only; empty: made from the name.</summary>
    public string? Slug { get; set; }

    public string? Property { get; set; }

    public string? Station { get; set; }

    public string? Sensor { get; set; }

    /// <summary>Only stations with this tag; empty: all.</summary>
    public string? Tag { get; set; }

    public DurationFields Period { get; set; } = new();

    /// <summary>Corners of an area, a line each with longitude and latitude; empty: the whole municipality.</summary>
    public string? Area { get; set; }

    /// <summary>Slugs of the rules that suppress it, of each box that is ticked one.</summary>
    public string[] SuppressedBy { get; set; } = [];

    public string? Measure { get; set; }

    public DurationFields Window { get; set; } = new();

    public string? OnClock { get; set; }

    public string? Percent { get; set; }

    /// <summary>Of exceedances, in the unit of the quantity; empty otherwise.</summary>
    public string? Limit { get; set; }

    /// <summary>Percent.</summary>
    public string? Coverage { get; set; }

    public string? Crossing { get; set; }

    public LevelFields[] Levels { get; set; } = [];

    public string? Schedule { get; set; }

    public string? Source { get; set; }

    public string? Edge { get; set; }

    public string? Enabled { get; set; }

    /// <summary>Which state of the rule the fields were filled from; empty for none.</summary>
    public string? Version { get; set; }

    /// <summary>What is wrong, by field.</summary>
    [BindNever]
    public Dictionary<string, FieldProblem> Problems { get; } = [];

    /// <summary>The fields of a new rule.</summary>
    public static RuleForm New(Speech say)
    {
        var level = new LevelFields { Severity = "2", For = DurationFields.Of(null, say), OffFor = DurationFields.Of(null, say) };
        return new() { Measure = "value", Coverage = "75", Crossing = "above", Enabled = "on", Levels = [level], Window = DurationFields.Of(null, say, "h"), Period = DurationFields.Of(null, say), Version = "" };
    }

    /// <summary>The fields of a rule.</summary>
    public static RuleForm Of(Rule rule, Speech say) => new()
    {
        NamePt = rule.NamePt,
        NameEn = rule.NameEn,
        Slug = rule.Slug,
        Property = rule.Property,
        Station = rule.Station,
        Sensor = rule.Sensor,
        Tag = rule.Tag,
        Period = DurationFields.Of(rule.PeriodSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null, say),
        Area = string.Join("\n", rule.Area.Select(corner => string.Create(CultureInfo.InvariantCulture, $"{corner.Longitude:R}, {corner.Latitude:R}"))),
        SuppressedBy = [.. rule.SuppressedBy],
        Measure = RuleWords.Low(rule.Measure),
        Window = DurationFields.Of(rule.Window == TimeSpan.Zero ? null : rule.Window, say, "h"),
        OnClock = rule.OnClock ? "on" : null,
        Percent = rule.Percent == 0 ? null : RuleWords.Number(say, rule.Percent),
        Limit = rule.Limit is { } limit ? RuleWords.Number(say, limit) : null,
        Coverage = RuleWords.Number(say, Math.Round(rule.CoverageMin * 100, 9)),
        Crossing = rule.Crossing.ToString().ToLowerInvariant(),
        Levels = [Fields(new(rule.Severity, rule.SetLevel, rule.ClearLevel, rule.For, rule.OffFor), say), .. rule.Levels.Select(level => Fields(level, say))],
        Schedule = rule.Schedule,
        Source = rule.Source,
        Edge = rule.Edge ? "on" : null,
        Enabled = rule.Enabled ? "on" : null,
        Version = RuleDesk.VersionOf(rule),
    };

    /// <summary>As many rows of levels as are shown.</summary>
    public void Complete(Speech say) =>
        Levels = [.. Levels.Take(LevelsMax), .. Enumerable.Range(0, Math.Max(0, LevelsMax - Levels.Length)).Select(_ => new LevelFields { For = DurationFields.Of(null, say), OffFor = DurationFields.Of(null, say) })];

    /// <summary>Measure chosen; that of each value when none is.</summary>
    public Measure MeasureChosen => Enum.TryParse<Measure>(Measure, ignoreCase: true, out var measure) && Enum.IsDefined(measure) ? measure : Alerts.Measure.Value;

    /// <summary>A slug made of a name: <c>Ruído à noite</c> becomes <c>ruido-a-noite</c>.</summary>
    public static string SlugOf(string? name)
    {
        StringBuilder slug = new();
        foreach (var c in (name ?? "").Normalize(NormalizationForm.FormD).ToLowerInvariant())
        {
            if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
            {
                slug.Append(c);
            }
            else if (CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark && slug.Length > 0 && slug[^1] != '-')
            {
                slug.Append('-');
            }
        }

        return slug.ToString(0, Math.Min(slug.Length, 64)).TrimEnd('-');
    }

    /// <summary>A number with a point or a comma; null when it is none.</summary>
    public static double? ReadNumber(string? text) =>
        double.TryParse((text ?? "").Trim().Replace(',', '.').Replace('−', '-'), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    /// <summary>Reads the rule as far as the fields can be read. Null, with the reasons in <see cref="Problems"/>, when they cannot; whether they fit together is for the hub to say.</summary>
    /// <param name="municipality">Slug.</param>
    /// <param name="slug">Slug of the rule.</param>
    /// <param name="withNames">Whether it must have its names; otherwise a sign stands for one that is missing.</param>
    public Rule? Read(string municipality, string slug, bool withNames)
    {
        var (pt, en) = (Name(NamePt, "namePt"), Name(NameEn, "nameEn"));
        var measure = MeasureChosen;
        var isSilence = measure.IsSilence();
        var crossing = Crossing == "below" ? Alerts.Crossing.Below : Alerts.Crossing.Above;
        List<RuleLevel> levels = [];
        for (var row = 0; row < Levels.Length; row++)
        {
            var level = Levels[row];
            if (row > 0 && level.IsEmpty)
            {
                continue;
            }

            var id = "level-" + row.ToString(CultureInfo.InvariantCulture);
            var severity = Enum.TryParse<Severity>(level.Severity, out var known) && Enum.IsDefined(known) ? known : Bad(id + "-severity", "rules.bad.severity", default(Severity));
            var set = string.IsNullOrWhiteSpace(level.Set) && isSilence ? 0 : ReadNumber(level.Set) ?? Bad(id + "-set", "rules.bad.number", 0d);
            var clear = string.IsNullOrWhiteSpace(level.Clear) ? set : ReadNumber(level.Clear) ?? Bad(id + "-clear", "rules.bad.number", 0d);
            levels.Add(new(severity, set, clear, Length(level.For, id + "-for"), Length(level.OffFor, id + "-off")));
        }

        var window = Length(Window, "window");
        var period = Period.IsEmpty ? (int?)null : (int)Length(Period, "period").TotalSeconds;
        var percent = string.IsNullOrWhiteSpace(Percent) ? 0 : ReadNumber(Percent) ?? Bad("percent", "rules.bad.number", 0d);
        var limit = string.IsNullOrWhiteSpace(Limit) ? (double?)null : ReadNumber(Limit) ?? Bad("limit", "rules.bad.number", 0d);
        var coverage = string.IsNullOrWhiteSpace(Coverage) ? 75 : ReadNumber(Coverage) ?? Bad("coverage", "rules.bad.number", 0d);
        var area = ReadArea(Area);
        if (area is null)
        {
            Problems["area"] = new("rules.bad.area");
        }

        if (string.IsNullOrEmpty(Property) && !measure.IsOfStation())
        {
            Problems["property"] = new("rules.bad.property");
        }

        if (levels.Count == 0)
        {
            Problems["level-0-set"] = new("rules.bad.number");
        }

        return Problems.Count > 0 ? null : new Rule(
            municipality, slug, pt, en, levels[0].Severity, Property ?? "", Text(Station), Text(Sensor), period, crossing, levels[0].SetLevel, levels[0].ClearLevel, levels[0].For,
            !string.IsNullOrEmpty(Enabled), !string.IsNullOrEmpty(Edge))
        {
            Measure = measure,
            Window = window,
            OnClock = !string.IsNullOrEmpty(OnClock),
            Percent = percent,
            Limit = limit,
            Tag = Text(Tag),
            CoverageMin = Math.Round(coverage / 100, 12),
            OffFor = levels[0].OffFor,
            Schedule = (Schedule ?? "").Trim(),
            Source = (Source ?? "").Trim(),
            Levels = [.. levels.Skip(1)],
            Area = area ?? [],
            SuppressedBy = [.. SuppressedBy.SelectMany(static one => (one ?? "").Split([',', ';', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Distinct()],
        };

        string Name(string? text, string field) => Text(text) ?? (withNames ? Bad(field, "rules.bad.name", "") : "?");

        TimeSpan Length(DurationFields fields, string field) => fields.Read() ?? Bad(field, "rules.bad.duration", TimeSpan.Zero);

        T Bad<T>(string field, string key, T instead)
        {
            Problems[field] = new(key);
            return instead;
        }

        static string? Text(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
    }

    /// <summary>The corners; none for an empty text, null when they cannot be read.</summary>
    public static List<AreaPoint>? ReadArea(string? text)
    {
        List<AreaPoint> corners = [];
        foreach (var corner in (text ?? "").Split([';', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            // "-8.42, 41.55", "-8,42 41,55" and "-8.42,41.55" say the same.
            var parts = corner.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            parts = parts is [var whole] && whole.Split(',') is [_, _] pair ? pair : parts;
            if (parts is not [var longitude, var latitude] || ReadNumber(longitude.TrimEnd(',')) is not { } x || ReadNumber(latitude) is not { } y)
            {
                return null;
            }

            corners.Add(new(x, y));
        }

        return corners;
    }

    /// <summary>Takes down what the hub refuses, at the field that it names.</summary>
    public void Refuse(ArgumentException refusal)
    {
        var (name, row) = (refusal.ParamName ?? "", 0);
        if (name.StartsWith("Levels", StringComparison.Ordinal))
        {
            // "Levels[1].SetLevel" is the second of the further rows that are filled in.
            var filled = Enumerable.Range(1, Math.Max(0, Levels.Length - 1)).Where(i => !Levels[i].IsEmpty).ToArray();
            var at = name is ['L', _, _, _, _, _, '[', var digit, ..] && char.IsAsciiDigit(digit) ? digit - '0' : 0;
            row = at < filled.Length ? filled[at] : 1;
            name = name.Split('.') is [_, var member] ? member : nameof(Rule.Severity);
        }

        // Of a list, the place is in what the hub says.
        name = name.StartsWith(nameof(Rule.Area), StringComparison.Ordinal) ? nameof(Rule.Area) : name.StartsWith(nameof(Rule.SuppressedBy), StringComparison.Ordinal) ? nameof(Rule.SuppressedBy) : name;
        var id = "level-" + row.ToString(CultureInfo.InvariantCulture);
        var (isWhole, isClass, isByClock) = (MeasureChosen.IsOfStation(), MeasureChosen == Alerts.Measure.AirIndex, MeasureChosen.IsOfSeveral() && !MeasureChosen.IsSilence());
        var (field, key) = name switch
        {
            nameof(Rule.NamePt) => ("namePt", "rules.bad.name"),
            nameof(Rule.NameEn) => ("nameEn", "rules.bad.name"),
            nameof(Rule.Slug) => ("slug", "rules.bad.slug"),
            nameof(Rule.Property) => ("property", isWhole ? "rules.bad.whole" : "rules.bad.property"),
            nameof(Rule.Station) => ("station", "rules.bad.station"),
            nameof(Rule.Sensor) => ("sensor", isWhole ? "rules.bad.whole" : "rules.bad.sensor"),
            nameof(Rule.Tag) => ("tag", "rules.bad.tag"),
            nameof(Rule.Limit) => ("limit", "rules.bad.limit"),
            nameof(Rule.PeriodSeconds) => ("period", isWhole ? "rules.bad.whole" : "rules.bad.duration"),
            nameof(Rule.Area) => ("area", "rules.bad.area"),
            nameof(Rule.SuppressedBy) => ("suppressedBy", "rules.bad.suppressedby"),
            nameof(Rule.Measure) => ("measure", "rules.bad.measure"),
            nameof(Rule.Window) => ("window", MeasureChosen is Alerts.Measure.Lden or Alerts.Measure.Ln or Alerts.Measure.Exceedances ? "rules.bad.window.figure" : isByClock ? "rules.bad.window.several" : "rules.bad.window"),
            nameof(Rule.OnClock) => ("onClock", isByClock && string.IsNullOrEmpty(OnClock) ? "rules.bad.clock.several" : "rules.bad.clock"),
            nameof(Rule.Percent) => ("percent", "rules.bad.percent"),
            nameof(Rule.CoverageMin) => ("coverage", "rules.bad.coverage"),
            nameof(Rule.Crossing) => ("crossing", "rules.bad.other"),
            nameof(Rule.Schedule) => ("schedule", "rules.bad.schedule"),
            nameof(Rule.Source) => ("source", "rules.bad.source"),
            nameof(Rule.Edge) => ("edge", "rules.bad.edge"),
            nameof(Rule.Severity) => (id + "-severity", MeasureChosen.IsSilence() ? "rules.bad.levels" : "rules.bad.severity.order"),
            nameof(Rule.SetLevel) => (id + "-set", isClass ? "rules.bad.class" : MeasureChosen == Alerts.Measure.Exceedances ? "rules.bad.count" : "rules.bad.set"),
            nameof(Rule.ClearLevel) => (id + "-clear", isClass ? "rules.bad.class" : "rules.bad.clear"),
            nameof(Rule.For) => (id + "-for", MeasureChosen.IsSilence() ? "rules.bad.for.silence" : MeasureChosen == Alerts.Measure.Exceedances ? "rules.bad.for.count" : "rules.bad.for"),
            nameof(Rule.OffFor) => (id + "-off", MeasureChosen == Alerts.Measure.Exceedances ? "rules.bad.for.count" : "rules.bad.for"),
            _ => ("form", "rules.bad.other"),
        };
        Problems[field] = new(key, refusal.Message.Split(" (Parameter ")[0]);
    }

    private static LevelFields Fields(RuleLevel level, Speech say) => new()
    {
        Severity = ((int)level.Severity).ToString(CultureInfo.InvariantCulture),
        Set = RuleWords.Number(say, level.SetLevel),
        Clear = level.ClearLevel.Equals(level.SetLevel) ? null : RuleWords.Number(say, level.ClearLevel),
        For = DurationFields.Of(level.For == TimeSpan.Zero ? null : level.For, say),
        OffFor = DurationFields.Of(level.OffFor == TimeSpan.Zero ? null : level.OffFor, say),
    };
}
