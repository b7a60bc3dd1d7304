using System.Globalization;
using System.Text.RegularExpressions;
using Hub.Cloud.Alerts;
using Hub.Cloud.Notifications;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Portal.Show;

/// <summary>Rules in words for people.</summary>
internal static partial class RuleWords
{
    /// <summary>Measures in the order in which they are offered.</summary>
    public static readonly IReadOnlyList<Measure> Measures =
        [Measure.Value, Measure.Mean, Measure.Sum, Measure.Max, Measure.Min, Measure.Percentile, Measure.Count, Measure.Change, Measure.Spread, Measure.GoodShare, Measure.NoData, Measure.Offline,
            Measure.Lden, Measure.Ln, Measure.Exceedances, Measure.DifferenceToMunicipality, Measure.DifferenceToNeighbours, Measure.AirIndex];

    /// <summary>What a rule compares, up to its first level, in one sentence: <c>Mean over 1 h of nitrogen dioxide (NO2) at or above 200 µg/m³ for 2 h; at night</c>.</summary>
    public static string Sentence(Speech say, Rule rule)
    {
        var what = say.Of("rules.sentence." + Low(rule.Measure), NameInside(say, rule.Property), WindowOf(say, rule), say.Figure(rule.Percent, double.IsInteger(rule.Percent) ? 0 : 1), LimitOf(say, rule),
            say[rule.Window >= TimeSpan.FromDays(1) ? "rules.sentence.days" : "rules.sentence.hours"]);
        if (!rule.Measure.IsSilence())
        {
            what += " " + Beyond(say, rule, rule.SetLevel, rule.For);
        }

        return Kept(rule.Schedule.Length == 0 ? what : what + "; " + Schedule(say, rule.Schedule));
    }

    /// <summary>A level: <c>at or above 200 µg/m³ for 2 h</c>.</summary>
    public static string Beyond(Speech say, Rule rule, double level, TimeSpan holds)
    {
        // Of what is allowed, so much is allowed.
        var text = rule.Measure == Measure.Exceedances ? say.Of("rules.beyond.allowed", Number(say, level)) : say.Of(rule.Crossing == Crossing.Above ? "rules.beyond.above" : "rules.beyond.below", Number(say, level), UnitOf(rule.Property, rule.Measure)).TrimEnd();
        return Kept(holds == TimeSpan.Zero ? text : say.Of("rules.beyond.for", text, say.Duration(holds)));
    }

    /// <summary>What a pack holds.</summary>
    public static string TitleOf(Speech say, RulePack pack) => say.Code == "pt" ? pack.TitlePt : pack.TitleEn;

    /// <summary>Where a rule looks: a station, those with a tag, a sensor, a period, or all of the municipality.</summary>
    /// <param name="say">Language.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="station">Name of its station.</param>
    public static string Where(Speech say, Rule rule, string? station)
    {
        List<string> parts = [station ?? say["rules.where.all"]];
        if (rule.Sensor is { } sensor)
        {
            parts.Add(say.Of("rules.where.sensor", sensor));
        }

        if (rule.Tag is { } tag)
        {
            parts.Add(say.Of("rules.where.tag", tag));
        }

        if (rule.PeriodSeconds is { } seconds)
        {
            parts.Add(say.Of("rules.where.period", say.Period(TimeSpan.FromSeconds(seconds))));
        }

        if (rule.Area.Count > 0)
        {
            parts.Add(say.Of("rules.where.area", rule.Area.Count));
        }

        return string.Join(" · ", parts);
    }

    /// <summary>When a rule is in force: <c>at night</c>, <c>Mon–Fri 08:00–18:30, except holidays</c>.</summary>
    public static string Schedule(Speech say, string schedule)
    {
        var parts = schedule.Split(';', StringSplitOptions.TrimEntries);
        var stretches = parts[0].Split(',', StringSplitOptions.TrimEntries)
            .Select(one => one is "day" or "evening" or "night" ? say["rules.when." + one] : Day().Replace(one, day => say["rules.day." + day.Value]).Replace('-', '–'));
        var text = string.Join(", ", stretches);
        return parts is [_, "no holidays"] ? say.Of("rules.when.no.holidays", text) : parts is [_, "holidays"] ? say.Of("rules.when.holidays", text) : text;
    }

    /// <summary>The unit of a rule's levels as people write it; empty when they have none.</summary>
    public static string UnitOf(string? property, Measure measure) =>
        measure == Measure.GoodShare ? "%" : measure is Measure.Count or Measure.NoData or Measure.Exceedances || measure.IsOfStation() || property is null || !QuantityCatalogue.TryGet(property, out var quantity) ? "" : Units.Of(quantity);

    /// <summary>A quantity's name, or its identifier when it is unknown.</summary>
    public static string NameOf(Speech say, string? property) => property is not null && QuantityCatalogue.TryGet(property, out var quantity) ? say.NameOf(quantity) : property ?? "";

    /// <summary>A number without rounding, with the decimal sign of the language: <c>0,75</c>.</summary>
    public static string Number(Speech say, double value) => value.ToString("R", CultureInfo.InvariantCulture).Replace(".", say.Culture.NumberFormat.NumberDecimalSeparator, StringComparison.Ordinal);

    /// <summary>A severity's word.</summary>
    public static string Of(Speech say, Severity severity) => say["alarms.severity." + ((int)severity).ToString(CultureInfo.InvariantCulture)];

    /// <summary>Part of a text key.</summary>
    public static string Low(Measure measure) => measure.ToString().ToLowerInvariant();

    /// <summary>A name as it is written inside a sentence: with a small letter, unless it is an abbreviation (<c>PM2.5</c>) or a name with a sign.</summary>
    private static string NameInside(Speech say, string property)
    {
        var name = NameOf(say, property);
        return name.Length > 1 && char.IsUpper(name[0]) && char.IsLower(name[1]) ? char.ToLower(name[0], say.Culture) + name[1..] : name;
    }

    private static string LimitOf(Speech say, Rule rule) =>
        rule.Limit is { } limit ? (Number(say, limit) + " " + UnitOf(rule.Property, Measure.Value)).TrimEnd() : "";

    private static string WindowOf(Speech say, Rule rule)
    {
        var window = rule.Measure == Measure.Value ? "" : say.Period(rule.Window);
        return rule.OnClock ? say.Of("rules.sentence.clock", window) : window;
    }

    /// <summary>A number stays on one line with its unit.</summary>
    private static string Kept(string text) => NumberAndUnit().Replace(text, "\u00A0");

    [GeneratedRegex("(?<=[0-9]) (?=(?:s|min|h|d|µg/m³|mg/m³|dB\\S*|°C|%|km/h|hPa|ppm)(?![a-z]))", RegexOptions.CultureInvariant)]
    private static partial Regex NumberAndUnit();

    [GeneratedRegex("\\b(mo|tu|we|th|fr|sa|su)\\b", RegexOptions.CultureInvariant)]
    private static partial Regex Day();
}
