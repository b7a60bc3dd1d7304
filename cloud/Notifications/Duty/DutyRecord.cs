using System.Text.Json.Serialization;

namespace Hub.Cloud.Notifications;

/// <summary>A roster as the record of who changed what (Audit) keeps it, with the members and words of the API: one for everybody who changes rosters. Kept for years: members are added, never changed.</summary>
/// <param name="SeverityMin">Alarms at least this serious go by the roster: <c>information</c>, <c>warning</c> or <c>alert</c>.</param>
/// <param name="Steps">In order.</param>
/// <param name="RepeatCount">How often all steps are gone through again.</param>
public sealed record DutyRecord(string SeverityMin, IReadOnlyList<DutyStepRecord> Steps, int RepeatCount)
{
    /// <summary>Characters of people on record: a note has at most 16 KiB.</summary>
    private const int PeopleLengthMax = 12_000;

    /// <summary>Characters that a person takes besides the schedule.</summary>
    private const int PersonLength = 48;

    /// <summary>What is kept of a roster. Of one with hundreds of people those that fit, in order, and how many each step has.</summary>
    public static DutyRecord Of(DutyRoster roster)
    {
        ArgumentNullException.ThrowIfNull(roster);
        var left = PeopleLengthMax;
        List<DutyStepRecord> steps = [];
        foreach (var step in roster.Steps)
        {
            List<DutyPersonRecord> people = [.. step.Entries.TakeWhile(entry => (left -= PersonLength + entry.Schedule.Length) >= 0).Select(entry => new DutyPersonRecord(entry.Subscriber, entry.Schedule))];
            steps.Add(new((int)step.After.TotalMinutes, people) { PeopleCount = people.Count < step.Entries.Count ? step.Entries.Count : null });
        }

        return new(roster.SeverityMin.ToString().ToLowerInvariant(), steps, roster.RepeatCount);
    }
}

/// <summary>A step of a roster on record.</summary>
/// <param name="AfterMinutes">Whole minutes after the alarm was told first.</param>
/// <param name="OnDuty">Who is told.</param>
public sealed record DutyStepRecord(int AfterMinutes, IReadOnlyList<DutyPersonRecord> OnDuty)
{
    /// <summary>How many people it has, where not all are named; left out otherwise.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? PeopleCount { get; init; }
}

/// <summary>Somebody on a step on record.</summary>
/// <param name="Subscriber">Identifier.</param>
/// <param name="Schedule">When; empty for always.</param>
public sealed record DutyPersonRecord(int Subscriber, string Schedule);
