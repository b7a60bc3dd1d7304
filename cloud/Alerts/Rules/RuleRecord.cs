using System.Text.Json;
using System.Xml;
using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Alerts;

/// <summary>A rule as the record of who changed what (Audit) keeps it: with the members and words of the API's document, which a test of Api compares. One for everybody who changes rules, so that the records do not differ.</summary>
public static class RuleRecord
{
    /// <summary>What is kept of a rule, to be written as JSON with camel-case members. Kept for years: members are added, never changed.</summary>
    public static object Of(Rule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return new
        {
            rule.Municipality,
            Rule = rule.Slug,
            rule.NamePt,
            rule.NameEn,
            Severity = Word(rule.Severity),
            rule.Property,
            Unit = QuantityCatalogue.TryGet(rule.Property, out var quantity) ? quantity.SenmlUnit : null,
            rule.Station,
            rule.Sensor,
            Period = rule.PeriodSeconds is { } seconds ? Long(TimeSpan.FromSeconds(seconds)) : null,
            Crossing = Word(rule.Crossing),
            rule.SetLevel,
            rule.ClearLevel,
            For = Long(rule.For),
            rule.Enabled,
            rule.Edge,
            Measure = Word(rule.Measure),
            Window = rule.Measure == Measure.Value ? null : Long(rule.Window),
            rule.OnClock,
            Percent = rule.Measure == Measure.Percentile ? rule.Percent : (double?)null,
            CoverageMin = rule.Measure is Measure.Value or Measure.NoData or Measure.Offline or Measure.Count ? (double?)null : rule.CoverageMin,
            OffFor = Long(rule.OffFor),
            rule.Schedule,
            rule.Source,
            Levels = rule.Levels.Select(level => new { Severity = Word(level.Severity), level.SetLevel, level.ClearLevel, For = Long(level.For), OffFor = Long(level.OffFor) }).ToArray(),
            Area = rule.Area.Count == 0 ? null : new { Type = "Polygon", Coordinates = new[] { rule.Area.Append(rule.Area[0]).Select(corner => new[] { corner.Longitude, corner.Latitude }).ToArray() } },
            rule.SuppressedBy,
            rule.Tag,
            rule.Limit,
        };
    }

    private static string Word(Enum value) => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    private static string Long(TimeSpan duration) => duration == TimeSpan.Zero ? "PT0S" : XmlConvert.ToString(duration);
}
