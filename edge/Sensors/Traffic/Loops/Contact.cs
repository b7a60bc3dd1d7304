namespace Hub.Edge.Sensors.Traffic.Loops;

/// <summary>A change of a contact that has lasted long enough.</summary>
/// <param name="Line">Which contact.</param>
/// <param name="On">Covered after the change.</param>
/// <param name="At">UTC instant of the change itself, not of its confirmation.</param>
internal readonly record struct ContactChange(int Line, bool On, DateTime At);

/// <summary>
/// One contact without its bounce: a change counts when the new level has lasted for the debounce time, and then as of when it came; a shorter one never was, and is counted as
/// chatter. One caller at a time, times in order.
/// </summary>
/// <param name="line">Which contact.</param>
/// <param name="on">Its state at the start.</param>
/// <param name="debounce">How long a level must last.</param>
internal sealed class Contact(int line, bool on, TimeSpan debounce)
{
    private DateTime? pendingAt;

    /// <summary>The state that counts.</summary>
    public bool On { get; private set; } = on;

    /// <summary>Levels that did not last.</summary>
    public long Chatter { get; private set; }

    /// <summary>The line was seen at a level.</summary>
    /// <param name="level">Covered or not.</param>
    /// <param name="at">UTC instant.</param>
    /// <param name="changes">Where changes go that have become certain.</param>
    public void Seen(bool level, DateTime at, List<ContactChange> changes)
    {
        Advance(at, changes);
        if (level == On)
        {
            if (pendingAt is not null)
            {
                pendingAt = null;
                Chatter++;
            }
        }
        else if (pendingAt is null)
        {
            pendingAt = at;
            Advance(at, changes);
        }
    }

    /// <summary>Time has passed.</summary>
    public void Advance(DateTime now, List<ContactChange> changes)
    {
        if (pendingAt is { } at && now - at >= debounce)
        {
            On = !On;
            pendingAt = null;
            changes.Add(new ContactChange(line, On, at));
        }
    }
}
