namespace Hub.Cloud.Notifications.Duty;

/// <summary>What a step comes to.</summary>
/// <param name="Subscribers">Who is told now.</param>
/// <param name="Round">In which round: 0 for the first.</param>
/// <param name="Next">What follows if nobody acknowledges; null when nothing does.</param>
internal sealed record DutyTurn(IReadOnlyList<int> Subscribers, int Round, DutyNext? Next);

/// <summary>What follows a turn.</summary>
/// <param name="Step">The step, 0 or more.</param>
/// <param name="Round">Its round.</param>
/// <param name="At">When, UTC.</param>
internal readonly record struct DutyNext(int Step, int Round, DateTime At);

/// <summary>Decides whose turn it is. Pure.</summary>
internal static class DutySteps
{
    /// <summary>
    /// The turn of a step, or, when nobody of it is on duty, of the next one with somebody: an alarm waits for nobody who is not there. The step after it comes as much later as the roster says, so that everybody has their time.
    /// After the last step the roster begins again, as often as it says, once the last step has had its time too; a whole round with nobody on duty is waited for, for somebody may come on duty.
    /// </summary>
    /// <param name="roster">The roster.</param>
    /// <param name="step">The step whose turn it is, 0 or more.</param>
    /// <param name="round">Its round, 0 or more.</param>
    /// <param name="now">UTC.</param>
    /// <param name="isThere">Whether somebody is on duty and can be told in a round.</param>
    public static DutyTurn Of(DutyRoster roster, int step, int round, DateTime now, Func<int, DutyEntry, bool> isThere)
    {
        var steps = roster.Steps;
        var again = round < roster.RepeatCount;
        for (var turn = step; turn < steps.Count; turn++)
        {
            List<int> told = [.. steps[turn].Entries.Where(entry => isThere(round, entry)).Select(entry => entry.Subscriber).Distinct()];
            if (told.Count > 0)
            {
                return new(
                    told, round,
                    turn + 1 < steps.Count ? new(turn + 1, round, now + (steps[turn + 1].After - steps[turn].After))
                    : again ? new(0, round + 1, now + roster.RepeatPause)
                    : null);
            }
        }

        return !again ? new([], round, null)
            : step == 0 ? new([], round, new(0, round + 1, now + roster.RepeatPause))

            // Who was told last has had their time already.
            : Of(roster, 0, round + 1, now, isThere);
    }
}
