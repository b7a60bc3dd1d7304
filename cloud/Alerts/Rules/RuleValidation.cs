using System.Globalization;
using Hub.Cloud.Notifications;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Topics;

namespace Hub.Cloud.Alerts.Rules;

/// <summary>What a rule must be.</summary>
internal static class RuleValidation
{
    /// <summary>Longest duration a condition may have to hold.</summary>
    public static readonly TimeSpan ForMax = TimeSpan.FromDays(7);

    /// <summary>Most rules that may suppress one.</summary>
    private const int ParentsMax = 10;

    private static readonly TimeSpan WindowMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WindowMax = TimeSpan.FromDays(7);

    /// <summary>Refuses a rule that breaks one, naming the field and the reason.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule.</exception>
    public static void Check(Rule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        Require(HubTopic.IsSlug(rule.Municipality), nameof(rule.Municipality), SlugText(rule.Municipality));
        Require(HubTopic.IsSlug(rule.Slug), nameof(rule.Slug), SlugText(rule.Slug));
        Require(IsName(rule.NamePt), nameof(rule.NamePt), "must be 1 to 200 characters without control characters");
        Require(IsName(rule.NameEn), nameof(rule.NameEn), "must be 1 to 200 characters without control characters");
        Require(Enum.IsDefined(rule.Severity), nameof(rule.Severity), "must be Information, Warning or Alert");
        Require(
            rule.Measure.IsOfStation() ? rule.Property is "" : rule.Property is not null && QuantityCatalogue.TryGet(rule.Property, out _), nameof(rule.Property),
            rule.Measure.IsOfStation() ? $"must be empty for {rule.Measure}, which is of the station as a whole; '{Short(rule.Property)}' is given" : $"must be an observed property of the catalogue; '{Short(rule.Property)}' is unknown");
        Require(rule.Station is null || HubTopic.IsSlug(rule.Station), nameof(rule.Station), SlugText(rule.Station));
        Require(rule.Sensor is null || HubTopic.IsSlug(rule.Sensor), nameof(rule.Sensor), SlugText(rule.Sensor));
        Require(rule.PeriodSeconds is null or (>= 0 and <= 366 * 86_400), nameof(rule.PeriodSeconds), "must be 0 seconds to 366 days");
        Require(Enum.IsDefined(rule.Crossing), nameof(rule.Crossing), "must be Above or Below");
        CheckLevel(rule.Crossing, new RuleLevel(rule.Severity, rule.SetLevel, rule.ClearLevel, rule.For, rule.OffFor), "");
        CheckMeasure(rule);
        CheckSchedule(rule);
        Require(rule.Source is { Length: <= 500 } source && !source.Any(char.IsControl), nameof(rule.Source), "must be at most 500 characters without control characters");
        Require(
            !rule.Edge || (rule.Measure == Measure.Value && rule.OffFor == TimeSpan.Zero && rule.Schedule.Length == 0), nameof(rule.Edge),
            "must be false: stations watch only single values at all times, without a measure over a window and without a wait before the end");
        FigureRules.Check(rule);
        CheckLevels(rule);
        CheckParents(rule);
        if (rule.Area.Count > 0 && RuleArea.WrongOf(rule.Area) is var (corner, reason))
        {
            Require(false, corner < 0 ? nameof(rule.Area) : string.Create(CultureInfo.InvariantCulture, $"{nameof(rule.Area)}[{corner}]"), reason);
        }
    }

    /// <summary>Refuses a rule that would suppress itself, by way of others or not.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="others">The others of its municipality; one of its own name does not count.</param>
    /// <exception cref="ArgumentException">It would.</exception>
    public static void CheckCycle(Rule rule, IEnumerable<Rule> others)
    {
        var parents = others.Where(other => other.Slug != rule.Slug).ToDictionary(other => other.Slug, other => other.SuppressedBy, StringComparer.Ordinal);
        var (seen, next) = (new HashSet<string>(StringComparer.Ordinal), new Stack<string>(rule.SuppressedBy));
        while (next.TryPop(out var slug))
        {
            Require(slug != rule.Slug, nameof(rule.SuppressedBy), $"must not come round to the rule '{rule.Slug}' itself");
            foreach (var parent in seen.Add(slug) ? parents.GetValueOrDefault(slug, []) : [])
            {
                next.Push(parent);
            }
        }
    }

    private static void CheckParents(Rule rule)
    {
        Require(rule.SuppressedBy.Count <= ParentsMax, nameof(rule.SuppressedBy), $"must have at most {ParentsMax} rules, but has {rule.SuppressedBy.Count}");
        for (var i = 0; i < rule.SuppressedBy.Count; i++)
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"{nameof(rule.SuppressedBy)}[{i}]");
            Require(HubTopic.IsSlug(rule.SuppressedBy[i]), path, SlugText(rule.SuppressedBy[i]));
            Require(!rule.SuppressedBy.Take(i).Contains(rule.SuppressedBy[i]), path, $"must not be there twice: '{rule.SuppressedBy[i]}' is");
        }

        CheckCycle(rule, []);
    }

    private static void CheckLevels(Rule rule)
    {
        Require(rule.Levels.Count == 0 || !rule.Measure.IsSilence(), nameof(rule.Levels), $"must be empty for {rule.Measure}: silence has no levels");
        var before = new RuleLevel(rule.Severity, rule.SetLevel, rule.ClearLevel);
        for (var i = 0; i < rule.Levels.Count; i++)
        {
            var (level, path) = (rule.Levels[i], string.Create(CultureInfo.InvariantCulture, $"{nameof(rule.Levels)}[{i}]"));
            Require(level is not null, path, "must be a level, but is empty");
            Require(Enum.IsDefined(level!.Severity), $"{path}.{nameof(level.Severity)}", "must be Information, Warning or Alert");
            Require(level.Severity > before.Severity, $"{path}.{nameof(level.Severity)}", $"must be more serious than the level before it ({before.Severity}), but is {level.Severity}");
            CheckLevel(rule.Crossing, level, path + ".");
            Require(
                rule.Crossing == Crossing.Above ? level.SetLevel >= before.SetLevel : level.SetLevel <= before.SetLevel, $"{path}.{nameof(level.SetLevel)}",
                string.Create(CultureInfo.InvariantCulture, $"must not be {(rule.Crossing == Crossing.Above ? "below" : "above")} that of the level before it ({before.SetLevel}), but is {level.SetLevel}"));
            before = level;
        }
    }

    private static void CheckLevel(Crossing crossing, RuleLevel level, string path)
    {
        Require(double.IsFinite(level.SetLevel), path + nameof(level.SetLevel), "must be a finite number");
        Require(double.IsFinite(level.ClearLevel), path + nameof(level.ClearLevel), "must be a finite number");
        Require(
            crossing == Crossing.Above ? level.ClearLevel <= level.SetLevel : level.ClearLevel >= level.SetLevel,
            path + nameof(level.ClearLevel),
            string.Create(CultureInfo.InvariantCulture, $"must not be {(crossing == Crossing.Above ? "above" : "below")} the set level {level.SetLevel}, but is {level.ClearLevel}"));
        Require(level.For >= TimeSpan.Zero && level.For <= ForMax, path + nameof(level.For), $"must be zero to {ForMax:c}, but is {level.For:c}");
        Require(level.OffFor >= TimeSpan.Zero && level.OffFor <= ForMax, path + nameof(level.OffFor), $"must be zero to {ForMax:c}, but is {level.OffFor:c}");
    }

    private static void CheckSchedule(Rule rule)
    {
        Require(rule.Schedule is not null, nameof(rule.Schedule), "must be a text; an empty one for always");
        Require(rule.Schedule!.Length == 0 || !rule.Measure.IsSilence(), nameof(rule.Schedule), $"must be empty for {rule.Measure}: silence is the same at any time");
        Require(rule.Schedule.Length == 0 || !rule.OnClock || rule.Window <= TimeSpan.FromHours(1), nameof(rule.Schedule), "must be empty for a day of the clock: no day lies in it as a whole");
        try
        {
            RuleSchedule.Parse(rule.Schedule);
        }
        catch (FormatException e)
        {
            Require(false, nameof(rule.Schedule), e.Message);
        }
    }

    private static void CheckMeasure(Rule rule)
    {
        Require(Enum.IsDefined(rule.Measure), nameof(rule.Measure), $"must be one of {string.Join(", ", Enum.GetNames<Measure>())}");
        if (rule.Measure == Measure.Value)
        {
            Require(rule.Window == TimeSpan.Zero, nameof(rule.Window), "must be zero for single values; choose a measure such as Mean");
            Require(!rule.OnClock, nameof(rule.OnClock), "must be false for single values");
        }
        else
        {
            Require(rule.Window >= WindowMin && rule.Window <= WindowMax, nameof(rule.Window), $"must be {WindowMin:c} to {WindowMax:c}, but is {rule.Window:c}");
        }

        CheckSeveral(rule);
        QuantityCatalogue.TryGet(rule.Property, out var quantity);
        if (!rule.Measure.IsOfStation())
        {
            FigureRules.CheckQuantity(rule, quantity!.Averaging);
        }

        Require(rule.Measure.IsOfStation() || IsPossible(rule.Measure, quantity!.Averaging), nameof(rule.Measure), $"{rule.Measure} says nothing of '{rule.Property}'; possible are {string.Join(", ", Enum.GetValues<Measure>().Where(measure => quantity is not null && IsPossible(measure, quantity.Averaging)))}");
        Require(
            !rule.OnClock || (rule.Measure is not (Measure.Change or Measure.NoData or Measure.Offline) && (rule.Window == TimeSpan.FromDays(1) || (rule.Window <= TimeSpan.FromHours(1) && TimeSpan.FromHours(1).Ticks % rule.Window.Ticks == 0))),
            nameof(rule.OnClock), "needs a window of 1 day, or one of which there is a whole number in the hour, and no Change, NoData or Offline");
        Require(
            rule.Measure == Measure.Percentile ? rule.Percent is > 0 and < 100 : rule.Percent == 0, nameof(rule.Percent),
            string.Create(CultureInfo.InvariantCulture, $"must be {(rule.Measure == Measure.Percentile ? "more than 0 and less than 100" : "0 for a measure other than Percentile")}, but is {rule.Percent}"));
        if (rule.Measure == Measure.GoodShare)
        {
            foreach (var (field, level) in rule.Levels.SelectMany((further, i) => new[] { ($"Levels[{i}].SetLevel", further.SetLevel), ($"Levels[{i}].ClearLevel", further.ClearLevel) })
                .Prepend((nameof(rule.ClearLevel), rule.ClearLevel)).Prepend((nameof(rule.SetLevel), rule.SetLevel)))
            {
                Require(level is >= 0 and <= 100, field, string.Create(CultureInfo.InvariantCulture, $"must be 0 to 100 for GoodShare, percent, but is {level}"));
            }
        }

        Require(rule.CoverageMin is >= 0 and <= 1, nameof(rule.CoverageMin), string.Create(CultureInfo.InvariantCulture, $"must be 0 to 1, but is {rule.CoverageMin}"));
        Require(!rule.Measure.IsSilence() || (rule.For == TimeSpan.Zero && rule.OffFor == TimeSpan.Zero), nameof(rule.For), $"must be zero for {rule.Measure}, as OffFor: its window says how long");
    }

    /// <summary>Of measures that need several datastreams.</summary>
    private static void CheckSeveral(Rule rule)
    {
        if (rule.Measure.IsOfStation())
        {
            Require(rule.Sensor is null, nameof(rule.Sensor), $"must be empty for {rule.Measure}, which is of the station as a whole");
            Require(rule.PeriodSeconds is null, nameof(rule.PeriodSeconds), $"must be empty for {rule.Measure}, which is of the station as a whole");
        }

        if (rule.Measure.IsDifference())
        {
            Require(rule.OnClock, nameof(rule.OnClock), $"must be true for {rule.Measure}: stations are compared over the same windows of the clock");
            Require(rule.Window >= TimeSpan.FromMinutes(10), nameof(rule.Window), $"must be 10 minutes to 1 day for {rule.Measure}, but is {rule.Window:c}");
        }

        if (rule.Measure == Measure.AirIndex)
        {
            Require(rule.Window == TimeSpan.FromHours(1), nameof(rule.Window), $"must be 1 hour for AirIndex, but is {rule.Window:c}");
            Require(rule.OnClock, nameof(rule.OnClock), "must be true for AirIndex: it is of the hours of the clock");
            var i = -1;
            foreach (var level in rule.EachLevel())
            {
                var path = i < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"Levels[{i}].");
                Require(IsClass(level.SetLevel), path + nameof(level.SetLevel), string.Create(CultureInfo.InvariantCulture, $"must be a class, 1 (good) to 6 (extremely poor), but is {level.SetLevel}"));
                Require(
                    IsClass(level.ClearLevel) && !level.ClearLevel.Equals(level.SetLevel), path + nameof(level.ClearLevel),
                    string.Create(CultureInfo.InvariantCulture, $"must be another class than the set level, 1 to 6: at the same one an alarm would begin and end by turns; but is {level.ClearLevel}"));
                i++;
            }
        }

        static bool IsClass(double level) => level is >= 1 and <= 6 && double.IsInteger(level);
    }

    /// <summary>What can be made of a quantity: no mean of maxima, nothing of directions but how many there are.</summary>
    private static bool IsPossible(Measure measure, AveragingRule averaging) => measure switch
    {
        Measure.Lden or Measure.Ln or Measure.Exceedances => FigureRules.IsPossible(measure, averaging),
        Measure.Value or Measure.Count or Measure.NoData or Measure.GoodShare => true,
        _ when averaging == AveragingRule.CircularMean => false,
        Measure.Offline or Measure.AirIndex => false,
        Measure.Mean or Measure.DifferenceToMunicipality or Measure.DifferenceToNeighbours => averaging is AveragingRule.Mean or AveragingRule.EnergyMean or AveragingRule.Sum,
        Measure.Sum => averaging == AveragingRule.Sum,
        _ => true,
    };

    private static bool IsName(string? name) => name is { Length: >= 1 and <= 200 } && !string.IsNullOrWhiteSpace(name) && !name.Any(char.IsControl);

    private static string SlugText(string? slug) =>
        $"must be 1 to 64 of a-z, 0-9 and '-', beginning and ending with a letter or digit; '{Short(slug)}' is not";

    /// <summary>What was given, fit to be quoted.</summary>
    internal static string Short(string? text) => string.Concat((text ?? "").Take(64).Select(c => char.IsControl(c) ? ' ' : c));

    /// <summary>Refuses when something does not hold.</summary>
    internal static void Require(bool holds, string field, string reason)
    {
        if (!holds)
        {
            throw new ArgumentException($"{field} {reason}.", field);
        }
    }
}
