using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>When something may be told.</summary>
/// <param name="PresentWithin">Data that ends no longer ago than this has reached the present: what it says is true now.</param>
/// <param name="StaleAfter">Data that ends longer ago than this says nothing about now.</param>
/// <param name="SettleFor">Processing time without news of the datastream after which a stretch of the past counts as known.</param>
internal readonly record struct TellingTerms(TimeSpan PresentWithin, TimeSpan StaleAfter, TimeSpan SettleFor)
{
    /// <summary>While nothing new may be told; null: it may.</summary>
    public Silence? Silence { get; init; }

    /// <summary>Whether subscribers believe an alarm of a more serious level active: nothing of an open alarm is told beside it.</summary>
    public bool IsMasked { get; init; }

    /// <summary>Whether they have just been told that the last such alarm is over: that this one is still active is told then, once more if it was before.</summary>
    public bool IsFreed { get; init; }
}

/// <summary>A time in which a rule at a station is shelved or out of service.</summary>
/// <param name="From">UTC.</param>
/// <param name="Until">UTC; the end of time when somebody has to end it.</param>
internal readonly record struct Silence(DateTime From, DateTime Until);

/// <summary>Circumstances of a decision.</summary>
/// <param name="Now">Processing time, UTC.</param>
/// <param name="DataTo">End of the period of the latest observation evaluated, UTC.</param>
/// <param name="Period">Averaging period of the datastream.</param>
/// <param name="Quiet">Processing time since the datastream was last heard of.</param>
/// <param name="Flush">Somebody waits to have everything told: the past counts as known.</param>
/// <param name="RuleSavedAt">When the rule was last changed, UTC.</param>
internal readonly record struct TellingCircumstances(DateTime Now, DateTime DataTo, TimeSpan Period, TimeSpan Quiet, bool Flush, DateTime RuleSavedAt);

/// <summary>What to do about an alarm now.</summary>
/// <param name="Tell">Tell this; null: nothing.</param>
/// <param name="Hush">Take note without telling.</param>
/// <param name="Wait">Decide again after this time, or when data comes; null: settled.</param>
/// <param name="Hold">Decide again when what is told of a more serious level has changed.</param>
internal readonly record struct TellingDecision(NotificationKind? Tell, bool Hush, TimeSpan? Wait, bool Hold = false)
{
    public static TellingDecision Settled => default;

    public static TellingDecision Say(NotificationKind kind) => new(kind, false, null);

    public static TellingDecision Later(TimeSpan wait) => new(null, false, wait);

    public static TellingDecision Held => new(null, false, null, Hold: true);

    public static TellingDecision HushUp => new(null, true, null);
}

/// <summary>
/// Decides what subscribers hear of an alarm, from what they were told and what is. Pure. What is true now is told at once; what concerns the past is told when its stretch is
/// known, that is, when its datastream has been quiet for a moment; what was active when old data stopped is never an emergency.
/// </summary>
internal static class Telling
{
    /// <summary>
    /// Decides for one alarm. In a silence nothing new is told; what was told as active before is still closed when it is over. What began and was over within the silence stays untold;
    /// the rest is decided when the silence ends. The same holds of an open alarm while one of a more serious level masks it.
    /// </summary>
    public static TellingDecision Decide(AlarmRow alarm, in TellingCircumstances at, in TellingTerms terms)
    {
        var decision = DecideAloud(alarm, at, terms);
        if (decision is { Tell: null, Wait: null } || Closes(alarm))
        {
            return decision;
        }

        if (terms.Silence is not { } silence || silence.Until <= at.Now)
        {
            return terms.IsMasked && alarm.IsOpen ? TellingDecision.Held : decision;
        }

        return alarm is { Told: Told.Nothing or Told.Covered, Withdrawn: false, EndedAt: { } endedAt } && endedAt >= silence.From ? TellingDecision.HushUp : TellingDecision.Later(silence.Until - at.Now);
    }

    /// <summary>Whether subscribers believe it active, and it is over.</summary>
    private static bool Closes(AlarmRow alarm) => !alarm.IsOpen && alarm.IsBelieved;

    private static TellingDecision DecideAloud(AlarmRow alarm, in TellingCircumstances at, in TellingTerms terms)
    {
        var byRule = alarm.Cause is Cause.RuleChanged or Cause.RuleRemoved;
        if (alarm.Withdrawn)
        {
            return alarm.Told switch
            {
                Told.Started => alarm.Cause == Cause.RuleRemoved ? TellingDecision.Say(NotificationKind.Corrected) : WhenKnown(NotificationKind.Corrected, at, terms),
                Told.Ended or Told.Past => byRule ? TellingDecision.HushUp : WhenKnown(NotificationKind.Corrected, at, terms),
                _ => TellingDecision.Settled,
            };
        }

        if (alarm.EndedAt is not { } endedAt)
        {
            return DecideOpen(alarm, at, terms);
        }

        var endIsPresent = at.Now - (endedAt + at.Period) <= terms.PresentWithin;
        switch (alarm.Told)
        {
            case Told.Nothing or Told.Covered:
                return byRule && endedAt <= at.RuleSavedAt ? TellingDecision.HushUp : WhenKnown(NotificationKind.Past, at, terms);
            case Told.Hushed:
                return TellingDecision.Settled;
            case Told.Withdrawn:
                return WhenKnown(NotificationKind.Corrected, at, terms);
            case Told.Started:
            case Told.Past when alarm.ToldEndedAt is null:
                return endIsPresent ? TellingDecision.Say(NotificationKind.Ended) : WhenKnown(NotificationKind.Ended, at, terms);
            default:
                var same = alarm.ToldEndedAt == endedAt && StartIsAsTold(alarm) && alarm.ToldPeak.Equals(alarm.Peak);
                return same ? TellingDecision.Settled : byRule ? TellingDecision.HushUp : WhenKnown(NotificationKind.Corrected, at, terms);
        }
    }

    private static TellingDecision DecideOpen(AlarmRow alarm, in TellingCircumstances at, in TellingTerms terms)
    {
        var lag = at.Now - at.DataTo;
        switch (alarm.Told)
        {
            case Told.Started:
                return !StartIsAsTold(alarm) ? WhenKnown(NotificationKind.Corrected, at, terms)
                    : terms.IsFreed && lag <= terms.StaleAfter ? TellingDecision.Say(NotificationKind.Started) : TellingDecision.Settled;
            case Told.Ended:
            case Told.Past when alarm.ToldEndedAt is not null:
                return lag <= terms.PresentWithin ? TellingDecision.Say(NotificationKind.Corrected) : WhenKnown(NotificationKind.Corrected, at, terms);
            default:
                if (lag <= terms.PresentWithin)
                {
                    return TellingDecision.Say(NotificationKind.Started);
                }

                if (lag <= terms.StaleAfter)
                {
                    // Perhaps the rest of a backlog is on its way and ends it: one moment.
                    return at.Quiet >= terms.SettleFor ? TellingDecision.Say(NotificationKind.Started) : TellingDecision.Later(terms.SettleFor - at.Quiet);
                }

                if (alarm.Told == Told.Past)
                {
                    return TellingDecision.Settled;
                }

                return at.Quiet >= terms.StaleAfter ? TellingDecision.Say(NotificationKind.Past) : TellingDecision.Later(terms.StaleAfter - at.Quiet);
        }
    }

    private static bool StartIsAsTold(AlarmRow alarm) => alarm.ToldConditionAt == alarm.ConditionAt && alarm.ToldStartedAt == alarm.StartedAt;

    private static TellingDecision WhenKnown(NotificationKind kind, in TellingCircumstances at, in TellingTerms terms) =>
        at.Flush || at.Quiet >= terms.SettleFor ? TellingDecision.Say(kind) : TellingDecision.Later(terms.SettleFor - at.Quiet);
}
