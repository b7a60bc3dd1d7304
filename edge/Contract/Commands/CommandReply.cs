using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Contract.Commands;

/// <summary>What became of a command.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CommandOutcome>))]
public enum CommandOutcome
{
    /// <summary>It is done; for <c>restart</c>: it will be done at once.</summary>
    [JsonStringEnumMemberName("done")]
    Done = 1,

    /// <summary>The station will not: unknown command, wrong argument. Do not send it again as it is.</summary>
    [JsonStringEnumMemberName("refused")]
    Refused = 2,

    /// <summary>The station tried and could not.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed = 3,
}

/// <summary>The answer to a command, JSON on the station's <c>reply</c> topic with the correlation data of the command. Immutable.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Problem">Why not, one line in English; null when it is done.</param>
/// <param name="Result">What was asked for; its members are those of the command, see FORMAT.md.</param>
public sealed record CommandReply(CommandOutcome Outcome, string? Problem = null, JsonElement? Result = null)
{
    /// <summary>Largest answer, bytes.</summary>
    public const int BytesMax = 128 * 1024;

    /// <summary>Most bytes of correlation data.</summary>
    public const int CorrelationBytesMax = 64;

    /// <summary>Reads an answer; unknown members are passed over.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out CommandReply? reply, [NotNullWhen(false)] out string? problem) =>
        TwinJson.TryRead(utf8, TwinJson.Default.CommandReply, out reply, out problem);

    /// <summary>The answer as it stands on the wire.</summary>
    public byte[] ToUtf8() => JsonSerializer.SerializeToUtf8Bytes(this, TwinJson.Default.CommandReply);
}

/// <summary>Names of the commands of this version of the contract.</summary>
public static class CommandNames
{
    /// <summary>Stop in good order and start again.</summary>
    public const string Restart = "restart";

    /// <summary>Read a sensor, or all, now.</summary>
    public const string ReadNow = "read-now";

    /// <summary>Blink, so that a person at the pole finds the station.</summary>
    public const string Identify = "identify";

    /// <summary>Settings, counters and the last lines of the log, without secrets.</summary>
    public const string Diagnostics = "diagnostics";

    /// <summary>Take a new secret.</summary>
    public const string RotateCredentials = "rotate-credentials";
}
