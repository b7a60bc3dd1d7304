using System.Text.Json;

namespace Hub.Edge.Commands;

/// <summary>What the commands need of the program around them. The agent registers one. Any thread.</summary>
public interface IAgentDesk
{
    /// <summary>Name and version of the program.</summary>
    string Agent { get; }

    /// <summary>The settings in force, one a line, secrets hidden.</summary>
    IReadOnlyList<string> Settings { get; }

    /// <summary>What <c>hub-agent status</c> shows.</summary>
    JsonElement Status { get; }

    /// <summary>The last lines of the log, oldest first, without any secret.</summary>
    /// <param name="count">Most lines, 0 or more.</param>
    IReadOnlyList<string> Log(int count);

    /// <summary>Begins to stop in good order, to be started again; returns at once.</summary>
    void Restart();
}

/// <summary>The last thing asked of the station, for its status.</summary>
/// <param name="Name">Name of the command; null when none came.</param>
/// <param name="Count">Commands done since the stage was built.</param>
public sealed record CommandsState(string? Name, long Count);

/// <summary>
/// Does what the hub commands: <c>restart</c>, <c>read-now</c>, <c>identify</c>, <c>diagnostics</c>, <c>rotate-credentials</c>. Uplink hands them over one at a time; nobody else calls it, it is
/// only looked at.
/// </summary>
public interface ICommands
{
    /// <summary>The state now; from any thread.</summary>
    CommandsState State { get; }
}
