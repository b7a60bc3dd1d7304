using System.Diagnostics.Metrics;
using Hub.Edge.Contract.Commands;

namespace Hub.Edge.Commands;

/// <summary>Counters of the commands; meter <c>Hub.Edge.Commands</c>.</summary>
internal sealed class CommandsInstruments : IDisposable
{
    private static readonly string[] Names = [CommandNames.Restart, CommandNames.ReadNow, CommandNames.Identify, CommandNames.Diagnostics, CommandNames.RotateCredentials];

    private readonly Meter _meter = new("Hub.Edge.Commands");
    private readonly Counter<long> _done;

    public CommandsInstruments() => _done = _meter.CreateCounter<long>("hub.commands.done", "{command}", "Commands by name and outcome; those there are not as other.");

    // Names come from outside: only those there are become labels.
    public void Done(string name, CommandOutcome outcome) =>
        _done.Add(1, new KeyValuePair<string, object?>("command", Names.Contains(name) ? name : "other"), new KeyValuePair<string, object?>("outcome", outcome.ToString()));

    public void Dispose() => _meter.Dispose();
}
