using Hub.Cloud.Portal.Read;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.Portal.Show;

/// <summary>How stations fare, in signs and words.</summary>
internal static class FleetWords
{
    /// <summary>Colour of a health, as <c>data-status</c> says it.</summary>
    public static string StatusOf(Health health) => health switch
    {
        Health.Reporting => "fresh",
        Health.Late => "stale",
        Health.Faulty => "alarm",
        _ => "silent",
    };

    /// <summary>Shape of a health: each has its own, so that colour is never the only sign.</summary>
    public static string SignOf(Health health) => health switch
    {
        Health.Reporting => "fresh",
        Health.Late => "stale",
        Health.Faulty => "service",
        Health.Unclaimed => "new",
        _ => "silent",
    };

    /// <summary>What is known against a sensor, in one line without its name.</summary>
    public static string Of(SensorFault fault, Speech say)
    {
        List<string> words = [];
        if (fault.Condition is { } condition)
        {
            words.Add(say["fleet.fault." + condition]);
        }

        if (fault.Flags != Quality.Good)
        {
            words.Add(say.QualityWords(fault.Flags));
        }

        if (fault.Missing.Count > 0)
        {
            words.Add(say.Of("fleet.fault.missing", string.Join(", ", fault.Missing.Take(3).Select(say.NameOf)) + (fault.Missing.Count > 3 ? ", …" : "")));
        }

        return string.Join("; ", words);
    }
}
