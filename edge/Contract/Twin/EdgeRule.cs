using System.Text.Json.Serialization;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Topics;

namespace Hub.Edge.Contract.Twin;

/// <summary>On which side of the level a condition holds.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EdgeCrossing>))]
public enum EdgeCrossing
{
    /// <summary>At or above the set level; clears at or below the clear level.</summary>
    [JsonStringEnumMemberName("above")]
    Above = 1,

    /// <summary>At or below the set level; clears at or above the clear level.</summary>
    [JsonStringEnumMemberName("below")]
    Below = 2,
}

/// <summary>A threshold that the station watches itself, so that something happens on the spot while the hub is out of reach: a rule of the hub marked <c>edge: true</c>.</summary>
/// <param name="Slug">Name of the rule in its municipality.</param>
/// <param name="Property">Identifier of the observed property.</param>
/// <param name="Crossing">Above or below.</param>
/// <param name="SetLevel">Level at which the condition begins to hold, canonical unit of the property.</param>
/// <param name="ClearLevel">Level at which it ends; on the other side of the set level or equal to it (hysteresis).</param>
/// <param name="ForSeconds">How long, in event time, the condition must hold before the alarm starts, 0 to 31 days.</param>
/// <param name="Sensor">Only this sensor; null for each that gives the property.</param>
/// <param name="PeriodSeconds">Only readings with this averaging period, seconds; null for each.</param>
public sealed record EdgeRule(string Slug, string Property, EdgeCrossing Crossing, double SetLevel, double ClearLevel, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int ForSeconds = 0, string? Sensor = null, int? PeriodSeconds = null)
{
    /// <summary>Longest <see cref="ForSeconds"/>.</summary>
    public const int ForSecondsMax = 31 * 86_400;

    /// <summary>Null when the rule is good; otherwise what is wrong, beginning with the field's name.</summary>
    public string? Mistake() => this switch
    {
        _ when Slug is null || !HubTopic.IsSlug(Slug) => $"slug is '{Slug}'; give 1 to 64 of a-z 0-9 -.",
        _ when Property is null || !QuantityCatalogue.TryGet(Property, out Quantity? _) => $"property is '{Property}', which this agent does not know.",
        _ when !Enum.IsDefined(Crossing) => "crossing is neither above nor below.",
        _ when !double.IsFinite(SetLevel) || !double.IsFinite(ClearLevel) => "setLevel and clearLevel must be numbers.",
        _ when (Crossing == EdgeCrossing.Above && ClearLevel > SetLevel) || (Crossing == EdgeCrossing.Below && ClearLevel < SetLevel) => FormattableString.Invariant($"clearLevel is {ClearLevel}, on the wrong side of setLevel {SetLevel}."),
        { ForSeconds: < 0 or > ForSecondsMax } => $"forSeconds is {ForSeconds}; give 0 to {ForSecondsMax}.",
        { PeriodSeconds: < 0 } => $"periodSeconds is {PeriodSeconds}; give 0 or more.",
        _ => null,
    };
}
