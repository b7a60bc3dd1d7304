using Hub.Cloud.Fleet;
using Hub.Cloud.Portal.Show;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Portal.Read;

/// <summary>How a station fares, the worst first: the order in which an operator wants to see them.</summary>
internal enum Health
{
    /// <summary>No value of what it measures for 24 h, or none yet although its agent has spoken.</summary>
    Silent = 0,

    /// <summary>Values arrive, and a sensor is known to be wrong.</summary>
    Faulty = 1,

    /// <summary>The newest value is older than three of its steps.</summary>
    Late = 2,

    /// <summary>Nothing was ever heard of it.</summary>
    Unclaimed = 3,

    /// <summary>Values arrive as expected.</summary>
    Reporting = 4,
}

/// <summary>What is known against a sensor. One line on the page.</summary>
/// <param name="Sensor">Name of the instrument.</param>
/// <param name="Condition">What its agent says of it, <c>failing</c> or <c>dead</c>; null when it says nothing of the kind.</param>
/// <param name="Flags">Quality flags of its newest values that mean a fault.</param>
/// <param name="Missing">Quantities that stopped although others of the station go on.</param>
internal sealed record SensorFault(string Sensor, string? Condition, Quality Flags, IReadOnlyList<Quantity> Missing);

/// <summary>Decides how a station fares. Pure: time is a parameter.</summary>
internal static class FleetHealth
{
    /// <summary>Flags that mean that an instrument is wrong. The others concern one value (a step, a spike, an overload), the weather, or the clock.</summary>
    public const Quality FaultFlags = Quality.OutOfRange | Quality.Stuck | Quality.Drift;

    /// <summary>A quantity that stopped is missed after so long at the earliest: an instrument may measure once in an hour and say so nowhere.</summary>
    public static readonly TimeSpan MissedAfterMin = TimeSpan.FromHours(1);

    /// <summary>A quantity that stopped longer ago was taken away for good.</summary>
    public static readonly TimeSpan MissedMax = TimeSpan.FromDays(30);

    /// <summary>How a station fares, and what is wrong with its sensors.</summary>
    /// <param name="values">Its datastreams with their latest values.</param>
    /// <param name="newestEnd">End of the newest value that is not of the equipment itself, UTC; null when there never was one.</param>
    /// <param name="staleAfter">Age past which the station is late.</param>
    /// <param name="agent">What is known of its agent.</param>
    /// <param name="now">UTC.</param>
    public static (Health Health, IReadOnlyList<SensorFault> Faults) Of(IReadOnlyList<LatestValue> values, DateTime? newestEnd, TimeSpan staleAfter, AgentView agent, DateTime now)
    {
        var faults = Faults(values, agent, now);
        if (newestEnd is not { } end)
        {
            return (agent.Presence == Presence.Unknown && agent.Status is null ? Health.Unclaimed : Health.Silent, faults);
        }

        return (now - end > Freshness.SilentAfter ? Health.Silent : faults.Length > 0 ? Health.Faulty : Freshness.IsStale(end, staleAfter, now) ? Health.Late : Health.Reporting, faults);
    }

    private static SensorFault[] Faults(IReadOnlyList<LatestValue> values, AgentView agent, DateTime now)
    {
        LatestValue[] measures = [.. values.Where(static value => value.Latest is not null && !Units.IsEquipment(value.Datastream.Quantity))];
        var fresh = measures.Where(static value => !value.Stale).Select(static value => value.Datastream.Quantity.Id).ToHashSet(StringComparer.Ordinal);

        // What an agent said of its sensors before it went away says nothing of now.
        var said = agent.Presence != Presence.Online ? []
            : agent.Sensors.Where(static sensor => sensor.Condition is "failing" or "dead").GroupBy(static sensor => sensor.Name).ToDictionary(static group => group.Key, static group => group.First().Condition!);
        var sensors = measures.Select(static value => value.Datastream.Sensor).Concat(said.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
        List<SensorFault> faults = [];
        foreach (var sensor in sensors)
        {
            var own = measures.Where(value => value.Datastream.Sensor == sensor).ToArray();
            var flags = own.Where(value => now - value.End!.Value <= Freshness.SilentAfter).Aggregate(Quality.Good, static (all, value) => all | value.Latest!.Value.Quality) & FaultFlags;
            Quantity[] missing = fresh.Count == 0 ? [] : [.. own.Where(value => IsMissed(value, fresh, now)).Select(static value => value.Datastream.Quantity).Distinct()];
            var condition = said.GetValueOrDefault(sensor);
            if (condition is not null || flags != Quality.Good || missing.Length > 0)
            {
                faults.Add(new(sensor, condition, flags, missing));
            }
        }

        return [.. faults];
    }

    /// <summary>Whether it stopped while others go on: not when another sensor, or another averaging period, goes on with the same quantity, as after an exchange.</summary>
    private static bool IsMissed(LatestValue value, HashSet<string> fresh, DateTime now)
    {
        var age = now - value.End!.Value;
        return age > value.StaleAfter && age > MissedAfterMin && age <= MissedMax && !fresh.Contains(value.Datastream.Quantity.Id);
    }
}
