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

    /// <summary><c>time</c>: a question for the hub's time, up.</summary>
    Time,

    /// <summary><c>reply</c>: answers to commands, up.</summary>
    Reply,
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

    /// <summary>Most characters of a slug.</summary>
    public const int SlugCharactersMax = 64;

    /// <summary>The level that stands where a station could, and therefore names none.</summary>
    public const string Alarms = "alarms";

    private const string CommandLevel = "command/";

    // Root, three slugs, the words between: whatever is longer cannot match.
    private const int TopicCharactersMax = 256;

    private static readonly System.Buffers.SearchValues<char> SlugCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary><c>hub/v1/{municipality}/{station}/readings</c>.</summary>
    public static string Readings(string municipality, string station) => $"{Root}/{municipality}/{station}/readings";

    /// <summary><c>hub/v1/{municipality}/{station}/status</c>.</summary>
    public static string Status(string municipality, string station) => $"{Root}/{municipality}/{station}/status";

    /// <summary><c>hub/v1/{municipality}/{station}/time</c>.</summary>
    public static string Time(string municipality, string station) => $"{Root}/{municipality}/{station}/time";

    /// <summary><c>hub/v1/{municipality}/{station}/config/desired</c>.</summary>
    public static string ConfigDesired(string municipality, string station) => $"{Root}/{municipality}/{station}/config/desired";

    /// <summary><c>hub/v1/{municipality}/{station}/config/reported</c>.</summary>
    public static string ConfigReported(string municipality, string station) => $"{Root}/{municipality}/{station}/config/reported";

    /// <summary><c>hub/v1/{municipality}/{station}/reply</c>.</summary>
    public static string Reply(string municipality, string station) => $"{Root}/{municipality}/{station}/reply";

    /// <summary><c>hub/v1/{municipality}/{station}/command/{name}</c>.</summary>
    public static string CommandTopic(string municipality, string station, string name) => $"{Root}/{municipality}/{station}/{CommandLevel}{name}";

    /// <summary><c>hub/v1/{municipality}/alarms/{rule}/{station}</c>.</summary>
    public static string Alarm(string municipality, string rule, string station) => $"{Root}/{municipality}/alarms/{rule}/{station}";

    /// <summary>True for 1 to 64 of <c>a-z 0-9 -</c> with an alphanumeric first and last character.</summary>
    public static bool IsSlug(ReadOnlySpan<char> text) =>
        text.Length is >= 1 and <= SlugCharactersMax && text[0] != '-' && text[^1] != '-' && !text.ContainsAnyExcept(SlugCharacters);

    /// <summary>
    /// Parses a full topic name; false for anything that is not exactly a station topic of this version (a filter with wildcards, an alarm
    /// topic, another letter case, an empty or further level). The name of a command is a slug too.
    /// </summary>
    public static bool TryParse(string topic, out HubTopic parsed)
    {
        parsed = default;
        if (topic is null || topic.Length > TopicCharactersMax || !topic.StartsWith(Root + "/", StringComparison.Ordinal))
        {
            return false;
        }

        ReadOnlySpan<char> rest = topic.AsSpan(Root.Length + 1);
        if (!TryLevel(ref rest, out ReadOnlySpan<char> municipality) || !IsSlug(municipality)
            || !TryLevel(ref rest, out ReadOnlySpan<char> station) || !IsSlug(station) || station.SequenceEqual(Alarms))
        {
            return false;
        }

        TopicKind kind;
        string? command = null;
        switch (rest)
        {
            case "readings":
                kind = TopicKind.Readings;
                break;
            case "status":
                kind = TopicKind.Status;
                break;
            case "time":
                kind = TopicKind.Time;
                break;
            case "reply":
                kind = TopicKind.Reply;
                break;
            case "config/desired":
                kind = TopicKind.ConfigDesired;
                break;
            case "config/reported":
                kind = TopicKind.ConfigReported;
                break;
            default:
                if (!rest.StartsWith(CommandLevel, StringComparison.Ordinal) || !IsSlug(rest[CommandLevel.Length..]))
                {
                    return false;
                }

                kind = TopicKind.Command;
                command = rest[CommandLevel.Length..].ToString();
                break;
        }

        parsed = new HubTopic(municipality.ToString(), station.ToString(), kind, command);
        return true;
    }

    private static bool TryLevel(ref ReadOnlySpan<char> rest, out ReadOnlySpan<char> level)
    {
        int slash = rest.IndexOf('/');
        level = slash < 0 ? default : rest[..slash];
        rest = slash < 0 ? default : rest[(slash + 1)..];
        return slash >= 0;
    }
}
