using Hub.Edge.Contract.Topics;

namespace Hub.Cloud.Ingest.Mqtt;

/// <summary>What may be done with a published message.</summary>
internal enum PublishRight
{
    /// <summary>Nothing: the topic is not the publisher's.</summary>
    Refused,

    /// <summary>It is a pack of readings: hand it to the pipeline.</summary>
    Readings,

    /// <summary>It asks for the time: answer it.</summary>
    Time,

    /// <summary>It is the station's own state: keep it (retained) and pass it on.</summary>
    State,

    /// <summary>It answers a command: hand it to whoever asked, keep nothing.</summary>
    Reply,
}

/// <summary>Who may publish and subscribe where. Pure functions.</summary>
internal static class BrokerRules
{
    /// <summary>What a station may do with a message on a topic: its own readings, status and reported configuration, answers to commands, and the question for the time.</summary>
    public static PublishRight Publish(string municipality, string station, string topic)
    {
        if (!HubTopic.TryParse(topic, out var parsed)
            || !string.Equals(parsed.Municipality, municipality, StringComparison.Ordinal)
            || !string.Equals(parsed.Station, station, StringComparison.Ordinal))
        {
            return PublishRight.Refused;
        }

        return parsed.Kind switch
        {
            TopicKind.Readings => PublishRight.Readings,
            TopicKind.Time => PublishRight.Time,
            TopicKind.Status or TopicKind.ConfigReported => PublishRight.State,
            TopicKind.Reply => PublishRight.Reply,
            _ => PublishRight.Refused,
        };
    }

    /// <summary>True when a station may subscribe to a filter: its own configuration and commands, and the alarms of its municipality.</summary>
    public static bool StationMaySubscribe(string municipality, string station, string filter) =>
        Covers($"{HubTopic.Root}/{municipality}/{station}/config/desired", filter)
        || Covers($"{HubTopic.Root}/{municipality}/{station}/command/#", filter)
        || ReaderMaySubscribe(municipality, filter);

    /// <summary>True when a reader of a municipality may subscribe to a filter: its alarms.</summary>
    public static bool ReaderMaySubscribe(string municipality, string filter) => Covers($"{HubTopic.Root}/{municipality}/alarms/#", filter);

    /// <summary>
    /// True when every topic that matches <paramref name="filter"/> also matches <paramref name="allowed"/>. Filters that are not well-formed, and those that begin
    /// with <c>$</c> (shared subscriptions, system topics), are never covered.
    /// </summary>
    public static bool Covers(string allowed, string filter)
    {
        if (filter.Length is 0 or > 512 || filter[0] == '$')
        {
            return false;
        }

        var (wide, narrow) = (allowed.Split('/'), filter.Split('/'));
        for (var i = 0; i < narrow.Length; i++)
        {
            if ((narrow[i].AsSpan().IndexOfAny('+', '#') >= 0 && narrow[i].Length > 1) || (narrow[i] == "#" && i < narrow.Length - 1))
            {
                return false;
            }
        }

        for (var i = 0; i < wide.Length; i++)
        {
            if (wide[i] == "#")
            {
                // "a/#" also matches "a" itself, which nobody publishes to; a filter that stops there is not worth a special case.
                return narrow.Length > i;
            }

            if (i >= narrow.Length || narrow[i] == "#" || (wide[i] != "+" && wide[i] != narrow[i]))
            {
                return false;
            }
        }

        return narrow.Length == wide.Length;
    }
}
