namespace Hub.Edge.Contract.Topics;

/// <summary>What a topic under <c>hub/v1/{municipality}/{station}/</c> carries.</summary>
public enum TopicKind
{
    /// <summary><c>readings</c>: SenML packs, up.</summary>
    Readings,

    /// <summary><c>status</c>: retained birth; the last will says offline.</summary>
    Status,

    /// <summary><c>config/desired</c>: retained, down.</summary>
    ConfigDesired,

    /// <summary><c>config/reported</c>: retained, up.</summary>
    ConfigReported,

    /// <summary><c>command/{name}</c>: down, with response topic and correlation data.</summary>
    Command,
}

/// <summary>One parsed station topic.</summary>
/// <param name="Municipality">Slug of the municipality, 1 to 64 of <c>a-z 0-9 -</c>, first and last one alphanumeric.</param>
/// <param name="Station">Slug of the station within its municipality; same grammar, and never <c>alarms</c>.</param>
/// <param name="Kind">What the topic carries.</param>
/// <param name="Command">Name of the command for <see cref="TopicKind.Command"/>, otherwise null.</param>
public readonly record struct HubTopic(string Municipality, string Station, TopicKind Kind, string? Command = null)
{
    /// <summary>First levels of every topic of this version of the contract.</summary>
    public const string Root = "hub/v1";

    /// <summary><c>hub/v1/{municipality}/{station}/readings</c>.</summary>
    public static string Readings(string municipality, string station) => $"{Root}/{municipality}/{station}/readings";

    /// <summary><c>hub/v1/{municipality}/{station}/status</c>.</summary>
    public static string Status(string municipality, string station) => $"{Root}/{municipality}/{station}/status";

    /// <summary><c>hub/v1/{municipality}/alarms/{rule}/{station}</c>.</summary>
    public static string Alarm(string municipality, string rule, string station) => $"{Root}/{municipality}/alarms/{rule}/{station}";

    /// <summary>True for 1 to 64 of <c>a-z 0-9 -</c> with an alphanumeric first and last character.</summary>
    public static bool IsSlug(ReadOnlySpan<char> text) => throw new NotImplementedException();

    /// <summary>Parses a full topic name; false for anything that is not exactly a station topic of this version.</summary>
    public static bool TryParse(string topic, out HubTopic parsed) => throw new NotImplementedException();
}
