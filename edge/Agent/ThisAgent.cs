using Hub.Edge.Contract.Twin;
using Hub.Edge.Twin;
using Hub.Edge.Update;

namespace Hub.Edge.Agent;

/// <summary>The agent that runs, as reported to the hub, and what the hub wants of it: between the twin, which outlives the stages, and the update, which is built with them. Safe for concurrent callers.</summary>
internal sealed class ThisAgent : IReportedAgent
{
    private readonly Lock _gate = new();
    private readonly List<Action> _changed = [];
    private ReportedAgent _agent = new(AgentHost.Version[(AgentHost.Version.LastIndexOf(' ') + 1)..], System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier);
    private IUpdate? _update;

    /// <inheritdoc/>
    public ReportedAgent Agent
    {
        get
        {
            lock (_gate)
            {
                // What was known last stands while the stages are built anew.
                return _agent = _update is { } update ? new ReportedAgent(update.Version, update.Runtime, update.State) : _agent;
            }
        }
    }

    /// <inheritdoc/>
    public void OnChange(Action changed)
    {
        lock (_gate)
        {
            _changed.Add(changed);
        }
    }

    /// <summary>Stages were built: this is their update. Null when they end.</summary>
    public void Use(IUpdate? update)
    {
        lock (_gate)
        {
            if (_update is not null)
            {
                _update.Changed -= Tell;
            }

            _update = update;
            if (update is not null)
            {
                update.Changed += Tell;
            }
        }
    }

    /// <summary>Tells the update which agent the hub wants; nothing while settings are on trial: settings first, then the agent.</summary>
    public void Want(DesiredState? settled)
    {
        IUpdate? update;
        lock (_gate)
        {
            update = _update;
        }

        if (update is not null && settled is not null)
        {
            _ = update.WantAsync(settled.Agent, settled.TrialTime).AsTask();
        }
    }

    /// <summary>Tells the update that the hub has acknowledged a report.</summary>
    public void HubReached()
    {
        IUpdate? update;
        lock (_gate)
        {
            update = _update;
        }

        // Not under the lock: what the update says of it comes back here by way of the twin.
        update?.HubReached();
    }

    private void Tell()
    {
        Action[] listeners;
        lock (_gate)
        {
            listeners = [.. _changed];
        }

        foreach (var listener in listeners)
        {
            listener();
        }
    }
}
