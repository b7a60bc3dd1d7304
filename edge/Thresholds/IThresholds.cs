using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Thresholds;

/// <summary>Where a series of readings stands against a rule.</summary>
public enum ThresholdPhase
{
    /// <summary>The condition does not hold.</summary>
    Normal = 0,

    /// <summary>The condition holds, but not yet for as long as the rule wants.</summary>
    Pending = 1,

    /// <summary>The alarm is on.</summary>
    Active = 2,
}

/// <summary>One rule on one series of readings, now.</summary>
/// <param name="Rule">Slug of the rule.</param>
/// <param name="Property">Observed property.</param>
/// <param name="Sensor">Sensor name on the wire.</param>
/// <param name="Period">Averaging period of the series.</param>
/// <param name="Phase">Where it stands.</param>
/// <param name="Since">Event time at which the condition began to hold, UTC; null when normal.</param>
/// <param name="LastAt">Event time of the latest reading that counted, UTC; null before the first.</param>
/// <param name="LastValue">Its value, canonical unit; NaN before the first.</param>
public sealed record ThresholdState(string Rule, string Property, string Sensor, TimeSpan Period, ThresholdPhase Phase, DateTime? Since, DateTime? LastAt, double LastValue);

/// <summary>
/// The thresholds this station watches by itself, with what happens on the spot: an output, a message on the local network. Works without a hub. Safe for concurrent callers.
/// </summary>
public interface IThresholds
{
    /// <summary>
    /// Gives the hub's rules, all of them; they go over those of the station file with the same slug, and take the place of the hub's rules of before. A rule that did not change goes on where it stood, one that
    /// did, or is new, begins anew; the output of one that is gone is switched off. Returns at once.
    /// </summary>
    /// <param name="rules">The rules, each without a mistake (<see cref="EdgeRule.Mistake"/>); one with a mistake is left out, logged and counted. At most <see cref="DesiredState.RulesMax"/>, further ones are left out.</param>
    void Set(IReadOnlyList<EdgeRule> rules);

    /// <summary>The rules that have seen readings, in no order.</summary>
    IReadOnlyList<ThresholdState> States { get; }
}

/// <summary>Whether the hub can be reached now. The agent registers one; without it the hub counts as out of reach.</summary>
public interface IHubLink
{
    /// <summary>True while there is a connection. From any thread, often; must return at once.</summary>
    bool IsConnected { get; }
}
