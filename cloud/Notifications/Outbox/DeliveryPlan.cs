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
    /// <param name="digestEvery">How often what is gathered goes out.</param>
    /// <param name="now">UTC.</param>
    public static DeliveryPlan Of(AlarmMessage message, bool digest, QuietHours? quiet, int sent, int countMax, DeliveryPlan? waiting, TimeSpan digestEvery, DateTime now)
    {
        if (!digest)
        {
            return new(now, Gathering.Not);
        }

        var past = message.Kind == NotificationKind.Past;
        var urgent = message.Severity == Severity.Alert && !past;
        var plan = waiting is { Gathering: not Gathering.Not } earlier ? earlier
            : past ? new(NextDigest(now, digestEvery, AlarmWords.ZoneOf(message)), Gathering.Past)
            : sent >= countMax ? new(NextDigest(now, digestEvery, AlarmWords.ZoneOf(message)), Gathering.Storm)
            : new DeliveryPlan(now, Gathering.Not);
        if (quiet is null || (urgent && quiet.ExceptHighest))
        {
            return plan;
        }

        return quiet.HeldUntil(plan.NextAt, AlarmWords.ZoneOf(message)) is { } end ? new(end, plan.Gathering == Gathering.Not ? Gathering.Quiet : plan.Gathering) : plan;
    }

    /// <summary>Start of the hour that an instant lies in, UTC: messages are counted from then on.</summary>
    public static DateTime HourOf(DateTime utc) => utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerHour));

    /// <summary>When what is gathered now goes out: the next whole multiple of a time, counted from midnight by the clock on the wall, UTC. Where the clock changes in between, the one it shows then counts. Pure.</summary>
    /// <param name="utc">Now, UTC.</param>
    /// <param name="every">A time that divides a day.</param>
    /// <param name="zone">Of the municipality.</param>
    /// <returns>After <paramref name="utc"/>, at most <paramref name="every"/> and the change of the clock later.</returns>
    public static DateTime NextDigest(DateTime utc, TimeSpan every, TimeZoneInfo zone)
    {
        var offset = zone.GetUtcOffset(utc);
        var local = utc + offset;
        var at = utc.AddTicks(every.Ticks - (local.TimeOfDay.Ticks % every.Ticks));
        var changed = zone.GetUtcOffset(at) - offset;
        if (changed == TimeSpan.Zero || (local + (at - utc) + changed).TimeOfDay.Ticks % every.Ticks == 0)
        {
            return at;
        }

        // Forward, the clock reaches the multiple so much earlier; back, so much later. What the change leaves out is due soon after it.
        var moved = at - changed;
        return moved > utc && zone.GetUtcOffset(moved) == offset + changed ? moved : at;
    }
}
