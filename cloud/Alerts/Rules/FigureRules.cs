using System.Globalization;
using Hub.Cloud.Stations;
using Hub.Edge.Contract.Quantities;
using static Hub.Cloud.Alerts.Rules.RuleValidation;

namespace Hub.Cloud.Alerts.Rules;

/// <summary>What a rule over noise figures or exceedances, or with a tag, must be besides <see cref="RuleValidation"/>.</summary>
internal static class FigureRules
{
    /// <summary>Hours of a leap year: no more windows can exceed.</summary>
    private const int CountMax = 8_784;

    private static readonly TimeSpan OneHour = TimeSpan.FromHours(1);
    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    /// <summary>Refuses a rule whose tag, limit or figure is none, naming the field and the reason.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule.</exception>
    public static void Check(Rule rule)
    {
        Require(
            rule.Tag is null || StationTags.IsTag(rule.Tag), nameof(rule.Tag),
            $"must be 1 to {StationTags.LengthMax} of a-z, 0-9 and '-', beginning and ending with a letter or digit; '{Short(rule.Tag)}' is not");
        Require(rule.Tag is null || !rule.Edge, nameof(rule.Edge), "must be false for a rule with a tag: stations do not know their tags");
        if (rule.Measure is Measure.Lden or Measure.Ln)
        {
            Require(rule is { OnClock: true } && rule.Window == OneDay, nameof(rule.Window), $"must be 1 day of the clock (OnClock) for {rule.Measure}: a noise day is one from 07:00 to 07:00");
        }

        if (rule.Measure != Measure.Exceedances)
        {
            Require(rule.Limit is null, nameof(rule.Limit), "must be empty for a measure other than Exceedances; levels say how much is too much");
            return;
        }

        Require(rule.Limit is { } limit && double.IsFinite(limit), nameof(rule.Limit), "must be a finite number for Exceedances: the mean above which an hour or a day is counted");
        Require(rule is { OnClock: true } && (rule.Window == OneHour || rule.Window == OneDay), nameof(rule.Window), "must be 1 hour or 1 day of the clock (OnClock) for Exceedances");
        Require(rule.Crossing == Crossing.Above, nameof(rule.Crossing), "must be Above for Exceedances: what is judged is whether more are counted than are allowed");
        Require(rule.Schedule.Length == 0, nameof(rule.Schedule), "must be empty for Exceedances: all hours or days of the year count");
        foreach (var (path, level) in rule.Levels.Select((level, i) => (string.Create(CultureInfo.InvariantCulture, $"{nameof(rule.Levels)}[{i}]."), level)).Prepend(("", new RuleLevel(rule.Severity, rule.SetLevel, rule.ClearLevel, rule.For, rule.OffFor))))
        {
            if (level is null)
            {
                continue;
            }

            CheckCount(path + nameof(level.SetLevel), level.SetLevel);
            CheckCount(path + nameof(level.ClearLevel), level.ClearLevel);
            Require(level.For == TimeSpan.Zero, path + nameof(level.For), "must be zero for Exceedances: a count does not fall again within its year");
            Require(level.OffFor == TimeSpan.Zero, path + nameof(level.OffFor), "must be zero for Exceedances: a count does not fall again within its year");
        }
    }

    /// <summary>Refuses a figure that is not made of a quantity, with the reason.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static void CheckQuantity(Rule rule, AveragingRule averaging)
    {
        Require(
            rule.Measure is not (Measure.Lden or Measure.Ln) || averaging == AveragingRule.EnergyMean, nameof(rule.Measure),
            $"must not be {rule.Measure} for '{rule.Property}': it is made of sound levels that combine by energy, such as 'laeq'");
        Require(
            rule.Measure != Measure.Exceedances || averaging is AveragingRule.Mean or AveragingRule.EnergyMean, nameof(rule.Measure),
            $"must not be Exceedances for '{rule.Property}': it has no mean of an hour or a day to be compared with a limit");
    }

    /// <summary>Whether a figure can be made of a quantity.</summary>
    public static bool IsPossible(Measure measure, AveragingRule averaging) =>
        averaging == AveragingRule.EnergyMean || (measure == Measure.Exceedances && averaging == AveragingRule.Mean);

    private static void CheckCount(string field, double count) => Require(
        count is >= 0 and <= CountMax && double.IsInteger(count), field,
        string.Create(CultureInfo.InvariantCulture, $"must be a whole number from 0 to {CountMax} for Exceedances, how many are allowed in a year, but is {count}"));
}
