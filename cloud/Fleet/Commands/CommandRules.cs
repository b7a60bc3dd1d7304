using System.Text;
using System.Text.Json;
using Hub.Edge.Contract.Commands;

namespace Hub.Cloud.Fleet.Commands;

/// <summary>Which commands there are, and what they take. Pure functions.</summary>
internal static class CommandRules
{
    /// <summary>Largest arguments, bytes.</summary>
    public const int ArgumentsBytesMax = 16 * 1024;

    public static readonly IReadOnlyList<string> Names =
        [CommandNames.ReadNow, CommandNames.Identify, CommandNames.Diagnostics, CommandNames.Restart, CommandNames.RotateCredentials];

    /// <summary>The arguments as they are stored and sent; null for none.</summary>
    /// <exception cref="ArgumentException">No such command, or wrong arguments.</exception>
    public static string? Arguments(string name, JsonElement? arguments)
    {
        if (!Names.Contains(name))
        {
            throw new ArgumentException($"There is no command '{(name.Length <= 64 ? name : name[..64])}'; there are {string.Join(", ", Names)}.", nameof(name));
        }

        if (arguments is not { } given)
        {
            return null;
        }

        if (name == CommandNames.RotateCredentials)
        {
            throw new ArgumentException("rotate-credentials takes no arguments: the hub makes the secret.", nameof(arguments));
        }

        if (given.ValueKind != JsonValueKind.Object)
        {
            throw new ArgumentException("The arguments of a command are a JSON object.", nameof(arguments));
        }

        var text = JsonSerializer.Serialize(given);
        return Encoding.UTF8.GetByteCount(text) <= ArgumentsBytesMax
            ? text
            : throw new ArgumentException($"The arguments have more than {ArgumentsBytesMax} bytes.", nameof(arguments));
    }
}

/// <summary>What to do about a rotation of which it is not known which secret the station will use.</summary>
internal enum RotationVerdict
{
    /// <summary>It is too early to tell.</summary>
    Wait,

    /// <summary>The station uses the new one.</summary>
    Keep,

    /// <summary>It does not: the old one must not end.</summary>
    TakeBack,
}

/// <summary>
/// Decides the end of a rotation. Taking back is safe whatever the station has done: one that is refused with its new secret goes on with its old one (FORMAT.md, Commands). Letting the
/// old one end is safe only when the new one has been used. Pure functions.
/// </summary>
internal static class Rotation
{
    /// <summary>How long a station that said yes may take to connect with its new secret before its use of the old one counts.</summary>
    public static readonly TimeSpan SwitchTime = TimeSpan.FromMinutes(10);

    public static RotationVerdict Judge(Stations.SecretUse use, CommandStep step, DateTime sentAt, DateTime answerDueAt, TimeSpan overlap, DateTime now) => use switch
    {
        Stations.SecretUse.Current => RotationVerdict.Keep,
        _ when step is CommandStep.Refused or CommandStep.Failed => RotationVerdict.TakeBack,
        Stations.SecretUse.Previous when now >= answerDueAt + SwitchTime => RotationVerdict.TakeBack,
        _ when now >= sentAt + (overlap * 0.9) => RotationVerdict.TakeBack,
        _ => RotationVerdict.Wait,
    };
}
