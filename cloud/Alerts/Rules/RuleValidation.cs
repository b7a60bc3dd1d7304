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
            rule.Property is not null && QuantityCatalogue.TryGet(rule.Property, out _), nameof(rule.Property), $"must be an observed property of the catalogue; '{rule.Property}' is unknown");
        Require(rule.Station is null || HubTopic.IsSlug(rule.Station), nameof(rule.Station), SlugText(rule.Station));
        Require(rule.Sensor is null || HubTopic.IsSlug(rule.Sensor), nameof(rule.Sensor), SlugText(rule.Sensor));
        Require(rule.PeriodSeconds is null or (>= 0 and <= 366 * 86_400), nameof(rule.PeriodSeconds), "must be 0 seconds to 366 days");
        Require(Enum.IsDefined(rule.Crossing), nameof(rule.Crossing), "must be Above or Below");
        Require(double.IsFinite(rule.SetLevel), nameof(rule.SetLevel), "must be a finite number");
        Require(double.IsFinite(rule.ClearLevel), nameof(rule.ClearLevel), "must be a finite number");
        Require(
            rule.Crossing == Crossing.Above ? rule.ClearLevel <= rule.SetLevel : rule.ClearLevel >= rule.SetLevel,
            nameof(rule.ClearLevel),
            string.Create(CultureInfo.InvariantCulture, $"must not be {(rule.Crossing == Crossing.Above ? "above" : "below")} the set level {rule.SetLevel}, but is {rule.ClearLevel}"));
        Require(rule.For >= TimeSpan.Zero && rule.For <= ForMax, nameof(rule.For), $"must be zero to {ForMax:c}, but is {rule.For:c}");
    }

    private static bool IsName(string? name) => name is { Length: >= 1 and <= 200 } && !string.IsNullOrWhiteSpace(name) && !name.Any(char.IsControl);

    private static string SlugText(string? slug) =>
        $"must be 1 to 64 of a-z, 0-9 and '-', beginning and ending with a letter or digit; '{(slug is { Length: > 64 } ? slug[..64] : slug)}' is not";

    private static void Require(bool holds, string field, string reason)
    {
        if (!holds)
        {
            throw new ArgumentException($"{field} {reason}.", field);
        }
    }
}
