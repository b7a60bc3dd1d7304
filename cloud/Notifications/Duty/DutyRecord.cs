namespace Hub.Cloud.Notifications;

/// <summary>A roster as the record of who changed what (Audit) keeps it, with the members and words of the API: one for everybody who changes rosters. Kept for years: members are added, never changed.</summary>
/// <param name="SeverityMin">Alarms at least this serious go by the roster: <c>information</c>, <c>warning</c> or <c>alert</c>.</param>
/// <param name="RepeatCount">How often all steps are gone through again.</param>
/// <param name="Steps">In order.</param>
public sealed record DutyRecord(string SeverityMin, int RepeatCount, IReadOnlyList<DutyStepRecord> Steps)
{
    /// <summary>What is kept of a roster.</summary>
    public static DutyRecord Of(DutyRoster roster)
    {
        ArgumentNullException.ThrowIfNull(roster);
        return new(
            roster.SeverityMin.ToString().ToLowerInvariant(), roster.RepeatCount,
            [.. roster.Steps.Select(step => new DutyStepRecord((int)step.After.TotalMinutes, [.. step.Entries.Select(entry => new DutyPersonRecord(entry.Subscriber, entry.Schedule))]))]);
    }
}

/// <summary>A step of a roster on record.</summary>
/// <param name="AfterMinutes">Whole minutes after the alarm was told first.</param>
/// <param name="OnDuty">Who is told.</param>
public sealed record DutyStepRecord(int AfterMinutes, IReadOnlyList<DutyPersonRecord> OnDuty);

/// <summary>Somebody on a step on record.</summary>
/// <param name="Subscriber">Identifier.</param>
/// <param name="Schedule">When; empty for always.</param>
public sealed record DutyPersonRecord(int Subscriber, string Schedule);
