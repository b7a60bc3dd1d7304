using Hub.Cloud.Alerts.Storage;

namespace Hub.Cloud.Alerts.Handling;

/// <summary>The state table of ISA-18.2. Pure.</summary>
internal static class AlarmStates
{
    /// <summary>
    /// State of an alarm. One that was over when it became known was never announced as active, so nobody has to acknowledge it; a withdrawn one never was.
    /// </summary>
    public static AlarmState Of(Alarm alarm, bool acknowledged)
    {
        if (alarm.Withdrawn || WasOverWhenKnown(alarm))
        {
            return AlarmState.Normal;
        }

        return (alarm.EndedAt is null, acknowledged) switch
        {
            (true, false) => AlarmState.ActiveUnacknowledged,
            (true, true) => AlarmState.ActiveAcknowledged,
            (false, false) => AlarmState.ReturnedUnacknowledged,
            (false, true) => AlarmState.Normal,
        };
    }

    /// <summary>Whether it had ended before the hub first knew of it.</summary>
    public static bool WasOverWhenKnown(Alarm alarm) => alarm.Past && alarm.EndedAt <= alarm.DetectedAt;

    /// <summary>How an alarm stands.</summary>
    /// <param name="alarm">The alarm.</param>
    /// <param name="thread">What people did to its thread; null for nothing.</param>
    /// <param name="suppressions">What holds for its station, or more.</param>
    /// <param name="now">Processing time, UTC.</param>
    public static AlarmHandling Of(Alarm alarm, ThreadRow? thread, IEnumerable<Suppression> suppressions, DateTime now)
    {
        Suppression? shelved = null, outOfService = null;
        foreach (var one in suppressions.Where(one => Holds(one, alarm.Municipality, alarm.Rule, alarm.Station, now)))
        {
            if (one.Kind == SuppressionKind.Shelved)
            {
                shelved = one;
            }
            else if (outOfService?.Rule is not null || outOfService is null)
            {
                outOfService = one;
            }
        }

        return new AlarmHandling(Of(alarm, thread?.AcknowledgedAt is not null), thread?.AcknowledgedAt, thread?.AcknowledgedBy, thread?.AssignedTo, shelved, outOfService);
    }

    /// <summary>Whether a suppression holds for a rule at a station at an instant.</summary>
    public static bool Holds(Suppression one, string municipality, string rule, string station, DateTime now) =>
        one.Station == station && one.Municipality == municipality && (one.Rule is null || one.Rule == rule) && !(one.Until <= now);
}
