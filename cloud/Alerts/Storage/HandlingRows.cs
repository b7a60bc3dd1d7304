namespace Hub.Cloud.Alerts.Storage;

/// <summary>One thing that a person, or the end of a time, did to an alarm, a rule at a station or a station. Added, never changed.</summary>
internal sealed class HandlingRow
{
    public long Id { get; set; }
    public string Municipality { get; set; } = "";
    public string Station { get; set; } = "";

    /// <summary>Slug of the rule; null for the whole station.</summary>
    public string? Rule { get; set; }

    /// <summary>Thread of the alarm; null when it is done to the rule at the station or to the station.</summary>
    public string? Thread { get; set; }

    public AlarmEventKind Kind { get; set; }
    public AlarmEventCause Cause { get; set; }

    /// <summary>When it took effect, UTC.</summary>
    public DateTime EventAt { get; set; }

    /// <summary>Processing time, UTC.</summary>
    public DateTime ProcessedAt { get; set; }

    /// <summary>The person; null when it was none.</summary>
    public string? By { get; set; }

    public string? Comment { get; set; }

    /// <summary>End of a shelving, UTC.</summary>
    public DateTime? Until { get; set; }

    public string? AssignedTo { get; set; }

    public AlarmEvent ToEvent() => new(Kind, Cause, EventAt, ProcessedAt, By, Comment, Until, AssignedTo, WholeStation: Rule is null);
}

/// <summary>How people stand to the alarms of a thread: what the events about it come to.</summary>
internal sealed class ThreadRow
{
    public string Thread { get; set; } = "";
    public DateTime? AcknowledgedAt { get; set; }
    public string? AcknowledgedBy { get; set; }
    public string? AssignedTo { get; set; }

    /// <summary>Processing time of the last change, UTC.</summary>
    public DateTime ChangedAt { get; set; }

    public ThreadRow Copy() => (ThreadRow)MemberwiseClone();
}

/// <summary>What is shelved or out of service: what the events about it come to.</summary>
internal sealed class SuppressionRow
{
    public int Id { get; set; }
    public string Municipality { get; set; } = "";
    public string Station { get; set; } = "";

    /// <summary>Slug of the rule; empty for the whole station, so that there can be only one.</summary>
    public string Rule { get; set; } = "";

    public SuppressionKind Kind { get; set; }
    public DateTime Since { get; set; }
    public DateTime? Until { get; set; }
    public string By { get; set; } = "";
    public string? Comment { get; set; }

    public Suppression ToSuppression() => new(Kind, Municipality, Station, Rule.Length == 0 ? null : Rule, Since, Until, By, Comment);
}
