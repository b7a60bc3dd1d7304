using Hub.Cloud.Notifications;

namespace Hub.Cloud.Alerts;

/// <summary>On which side of the level the condition holds.</summary>
public enum Crossing
{
    /// <summary>At or above the set level; clears at or below the clear level.</summary>
    Above = 1,

    /// <summary>At or below the set level; clears at or above the clear level.</summary>
    Below = 2,
}

/// <summary>A threshold condition on every datastream of a municipality with an observed property (optionally of one station, one sensor, one period).</summary>
/// <param name="Municipality">Slug.</param>
/// <param name="Slug">Slug within the municipality.</param>
/// <param name="NamePt">Name in Portuguese.</param>
/// <param name="NameEn">Name in English.</param>
/// <param name="Severity">How serious.</param>
/// <param name="Property">Identifier of the observed property.</param>
/// <param name="Station">Only this station, or null for all.</param>
/// <param name="Sensor">Only this sensor, or null for all.</param>
/// <param name="PeriodSeconds">Only datastreams with this averaging period, or null for all.</param>
/// <param name="Crossing">Above or below.</param>
/// <param name="SetLevel">Level at which the condition begins to hold, canonical unit.</param>
/// <param name="ClearLevel">Level at which it ends; on the other side of the set level or equal to it (hysteresis).</param>
/// <param name="For">How long, in event time, the condition must hold before the alarm starts; zero or more.</param>
/// <param name="Enabled">A rule that is off neither starts nor ends alarms.</param>
/// <param name="Edge">Whether the stations it concerns watch it themselves too, so that something happens on the spot while the hub is out of reach.</param>
public sealed record Rule(
    string Municipality,
    string Slug,
    string NamePt,
    string NameEn,
    Severity Severity,
    string Property,
    string? Station,
    string? Sensor,
    int? PeriodSeconds,
    Crossing Crossing,
    double SetLevel,
    double ClearLevel,
    TimeSpan For,
    bool Enabled = true,
    bool Edge = false);

/// <summary>One episode of one rule on one datastream, in event time.</summary>
/// <param name="Id">Stable identifier, a function of rule, datastream and start.</param>
/// <param name="Municipality">Slug.</param>
/// <param name="Rule">Slug of the rule.</param>
/// <param name="Station">Slug of the station.</param>
/// <param name="Datastream">The datastream.</param>
/// <param name="Severity">How serious.</param>
/// <param name="ConditionAt">When the condition began to hold.</param>
/// <param name="StartedAt">When it had held for the rule's duration: the alarm's start.</param>
/// <param name="EndedAt">Phenomenon time of the observation that ended it; null while active.</param>
/// <param name="StartValue">Value at the start.</param>
/// <param name="Peak">Most extreme value during the episode.</param>
/// <param name="LastValue">Latest value evaluated in the episode.</param>
/// <param name="DetectedAt">Processing time at which the hub first knew.</param>
/// <param name="Past">True when it was known only after it had ended, or long after it began: revealed by late data.</param>
/// <param name="Withdrawn">True when later data showed that it never was.</param>
public sealed record Alarm(
    string Id,
    string Municipality,
    string Rule,
    string Station,
    int Datastream,
    Severity Severity,
    DateTime ConditionAt,
    DateTime StartedAt,
    DateTime? EndedAt,
    double StartValue,
    double Peak,
    double LastValue,
    DateTime DetectedAt,
    bool Past,
    bool Withdrawn)
{
    /// <summary>What it has in common with the alarms it came out of, or became, when late data moved its start: identifier of the first of them.</summary>
    public string Thread { get; init; } = Id;
}

/// <summary>Rules and the alarm history, which is a function of the observations, in event time. Safe for concurrent callers.</summary>
public interface IAlerts
{
    /// <summary>The rules of a municipality, or all (null), by slug.</summary>
    IReadOnlyList<Rule> Rules(string? municipality);

    /// <summary>Adds or changes a rule and re-evaluates what it concerns from the start of its evaluation horizon.</summary>
    /// <exception cref="ArgumentException">A field breaks its rule; the message names it.</exception>
    ValueTask<Rule> SaveAsync(Rule rule, CancellationToken cancellationToken);

    /// <summary>Removes a rule; its history stays, its open alarms end as withdrawn.</summary>
    ValueTask RemoveAsync(string municipality, string slug, CancellationToken cancellationToken);

    /// <summary>Alarms that are active now, newest first.</summary>
    IReadOnlyList<Alarm> Active(string? municipality);

    /// <summary>Alarms whose episode touches [from, to), newest first, at most <paramref name="countMax"/>; withdrawn ones included and marked.</summary>
    ValueTask<IReadOnlyList<Alarm>> HistoryAsync(string? municipality, DateTime from, DateTime to, int countMax, CancellationToken cancellationToken);

    /// <summary>Completes when everything committed to the series up to a commit number has been evaluated and handed to Notifications.</summary>
    ValueTask CaughtUpAsync(long commit, CancellationToken cancellationToken);

    /// <summary>Raised after alarms changed; handlers return at once.</summary>
    event Action<IReadOnlyList<Alarm>>? Changed;

    /// <summary>Raised after a rule was saved or removed; handlers return at once.</summary>
    event Action? RulesChanged;
}
