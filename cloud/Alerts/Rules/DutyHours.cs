using Hub.Cloud.Notifications;

namespace Hub.Cloud.Alerts.Rules;

/// <summary>Rosters are written like the schedules of rules.</summary>
internal sealed class DutyHours : IDutyHours
{
    /// <inheritdoc/>
    public void Check(string schedule) => RuleSchedule.Parse(schedule);

    /// <inheritdoc/>
    public bool IsWithin(string schedule, string zone, DateTime instant) =>
        RuleSchedule.Parse(schedule) is not { } parsed || parsed.Covers(instant, TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) ? found : TimeZoneInfo.Utc);
}
