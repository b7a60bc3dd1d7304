using Hub.Cloud.Notifications.SignUp;
using Hub.Cloud.Notifications.Storage;

namespace Hub.Cloud.Notifications.Outbox;

/// <summary>When a message goes to one subscriber, and whether by itself.</summary>
/// <param name="NextAt">UTC.</param>
/// <param name="Gathering">Why it is gathered with others; <see cref="Gathering.Not"/>: it goes out by itself.</param>
internal readonly record struct DeliveryPlan(DateTime NextAt, Gathering Gathering)
{
    /// <summary>Decides. Pure.</summary>
    /// <param name="message">What is to be told.</param>
    /// <param name="digest">Whether the subscriber's messages are gathered at all; where not, everything goes at once.</param>
    /// <param name="quiet">The subscriber's quiet hours; null for none.</param>
    /// <param name="sent">Messages that went or go out by themselves in this hour: those about alarms of the highest severity where the message is about one, otherwise all.</param>
    /// <param name="countMax">Most of them.</param>
    /// <param name="waiting">What was decided for an earlier message about the same alarm that has not gone out yet; null when there is none.</param>
    /// <param name="now">UTC.</param>
    public static DeliveryPlan Of(AlarmMessage message, bool digest, QuietHours? quiet, int sent, int countMax, DeliveryPlan? waiting, DateTime now)
    {
        if (!digest)
        {
            return new(now, Gathering.Not);
        }

        var past = message.Kind == NotificationKind.Past;
        var urgent = message.Severity == Severity.Alert && !past;
        var plan = waiting is { Gathering: not Gathering.Not } earlier ? earlier
            : past ? new(HourOf(now).AddHours(1), Gathering.Past)
            : sent >= countMax ? new(HourOf(now).AddHours(1), Gathering.Storm)
            : new DeliveryPlan(now, Gathering.Not);
        if (quiet is null || (urgent && quiet.ExceptHighest))
        {
            return plan;
        }

        return quiet.HeldUntil(plan.NextAt, AlarmWords.ZoneOf(message)) is { } end ? new(end, plan.Gathering == Gathering.Not ? Gathering.Quiet : plan.Gathering) : plan;
    }

    /// <summary>Start of the hour that an instant lies in, UTC: messages are counted from then on.</summary>
    public static DateTime HourOf(DateTime utc) => utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerHour));
}
