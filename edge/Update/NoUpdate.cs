using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Update;

/// <summary>Updates that are switched off: a wish is refused with the reason, an agent that runs is confirmed.</summary>
internal sealed class NoUpdate(RunningAgent running, string reason, TimeProvider time) : IUpdate
{
    public event Action? Changed;

    public string Version => running.Version;

    public string Runtime => running.Runtime;

    public ReportedUpdate? State { get; private set; }

    public int? ExitCode => null;

    public ValueTask WantAsync(AgentTarget? target, TimeSpan trial, CancellationToken cancellationToken = default)
    {
        var before = State;
        State = target is null ? null
            : target.Version == running.Version ? new ReportedUpdate(target.Version, UpdateStep.Installed, time.GetUtcNow().UtcDateTime)
            : new ReportedUpdate(target.Version, UpdateStep.Refused, time.GetUtcNow().UtcDateTime, reason);
        if (before?.Version != State?.Version || before?.Step != State?.Step)
        {
            Changed?.Invoke();
        }

        return ValueTask.CompletedTask;
    }

    public void HubReached()
    {
    }
}
