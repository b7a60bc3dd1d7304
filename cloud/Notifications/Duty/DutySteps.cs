namespace Hub.Cloud.Notifications.Duty;

/// <summary>What a step comes to.</summary>
/// <param name="Subscribers">Who is told now.</param>
/// <param name="Next">The step that follows; null when there is none.</param>
/// <param name="NextAt">When, UTC, if nobody acknowledges.</param>
internal sealed record DutyTurn(IReadOnlyList<int> Subscribers, int? Next, DateTime NextAt);

/// <summary>Decides whose turn it is. Pure.</summary>
internal static class DutySteps
{
    /// <summary>
    /// The turn of a step, or, when nobody of it is on duty, of the next one with somebody: an alarm waits for nobody who is not there. The step after it comes as much later as the roster says, so that everybody has their time.
    /// </summary>
    /// <param name="steps">The roster's steps in order.</param>
    /// <param name="step">The step whose turn it is, 0 or more; past the last one nobody is told.</param>
    /// <param name="now">UTC.</param>
    /// <param name="isThere">Whether somebody is on duty and can be told.</param>
    public static DutyTurn Of(IReadOnlyList<DutyStep> steps, int step, DateTime now, Func<DutyEntry, bool> isThere)
    {
        for (var turn = step; turn < steps.Count; turn++)
        {
            List<int> told = [.. steps[turn].Entries.Where(isThere).Select(entry => entry.Subscriber).Distinct()];
            if (told.Count > 0)
            {
                return turn + 1 < steps.Count ? new(told, turn + 1, now + (steps[turn + 1].After - steps[turn].After)) : new(told, null, default);
            }
        }

        return new([], null, default);
    }
}
