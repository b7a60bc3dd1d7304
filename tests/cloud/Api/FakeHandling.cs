using Hub.Cloud.Alerts;

namespace Hub.Tests.Fakes;

/// <summary>Handling of alarms in memory, for the pages and the API: the same answers and refusals as the real one, without the rest.</summary>
internal sealed class FakeHandling(TimeProvider time, Func<IReadOnlyList<Alarm>> alarms, Action<IReadOnlyList<Alarm>> announce) : IAlarmHandling
{
    private readonly List<(string? Thread, string Station, string? Rule, AlarmEvent Event)> events = [];
    private readonly List<Suppression> suppressions = [];

    public TimeSpan ShelveMax => TimeSpan.FromDays(3);

    private DateTime Now => time.GetUtcNow().UtcDateTime;

    public ValueTask<IReadOnlyList<AlarmHandling>> OfAsync(IReadOnlyList<Alarm> some, CancellationToken cancellationToken) => new([.. some.Select(Of)]);

    public ValueTask<AlarmStory?> FindAsync(string alarm, CancellationToken cancellationToken)
    {
        if (alarms().FirstOrDefault(one => one.Id == alarm) is not { } found)
        {
            return new((AlarmStory?)null);
        }

        List<AlarmEvent> lines = [new(AlarmEventKind.Found, AlarmEventCause.Observation, found.StartedAt, found.DetectedAt)];
        if (!found.Past)
        {
            lines.Add(new(AlarmEventKind.Told, AlarmEventCause.Observation, found.StartedAt, found.DetectedAt, Told: Cloud.Notifications.NotificationKind.Started));
        }

        if (found.EndedAt is { } endedAt)
        {
            lines.Add(new(AlarmEventKind.Ended, AlarmEventCause.Observation, endedAt, endedAt));
        }

        lines.AddRange(events.Where(one => one.Thread == found.Thread || (one.Thread is null && one.Station == found.Station && (one.Rule is null || one.Rule == found.Rule))).Select(one => one.Event));
        return new(new AlarmStory(found, null, Of(found), lines));
    }

    public IReadOnlyList<Suppression> Suppressions(string? municipality) => [.. suppressions.Where(one => (municipality is null || one.Municipality == municipality) && !(one.Until <= Now))];

    public ValueTask<bool> AcknowledgeAsync(string alarm, HandledBy by, string? comment, CancellationToken cancellationToken)
    {
        var found = Find(alarm);
        if (found.Withdrawn)
        {
            throw new HandlingRefusedException($"The alarm {alarm} was withdrawn: later data showed that it never was. There is nothing to acknowledge.");
        }

        return new(Of(found).AcknowledgedAt is null && Add(found, by, AlarmEventKind.Acknowledged, comment));
    }

    public ValueTask<bool> CommentAsync(string alarm, HandledBy by, string comment, CancellationToken cancellationToken) => string.IsNullOrWhiteSpace(comment)
        ? throw new ArgumentException("The comment is empty; expected are 1 to 1000 characters.", nameof(comment))
        : new(Add(Find(alarm), by, AlarmEventKind.Commented, comment));

    public ValueTask<bool> AssignAsync(string alarm, HandledBy by, string? person, string? comment, CancellationToken cancellationToken)
    {
        var found = Find(alarm);
        return new(Of(found).AssignedTo != person && Add(found, by, AlarmEventKind.Assigned, comment, person));
    }

    public ValueTask<bool> ShelveAsync(string municipality, string rule, string station, DateTime until, HandledBy by, string? comment, CancellationToken cancellationToken)
    {
        if (until <= Now || until > Now + ShelveMax)
        {
            throw new HandlingRefusedException($"Shelving may last at most {ShelveMax:c} (Hub:Alerts:ShelveMax) and must end later than now; asked for is {until:u}.");
        }

        return new(Suppress(new Suppression(SuppressionKind.Shelved, municipality, station, rule, Now, until, by.Person, comment), by, AlarmEventKind.Shelved));
    }

    public ValueTask<bool> UnshelveAsync(string municipality, string rule, string station, HandledBy by, string? comment, CancellationToken cancellationToken) =>
        new(End(SuppressionKind.Shelved, municipality, station, rule, by, AlarmEventKind.Unshelved, comment));

    public ValueTask<bool> TakeOutOfServiceAsync(string municipality, string station, string? rule, HandledBy by, string? comment, CancellationToken cancellationToken) => rule == "unknown"
        ? throw new KeyNotFoundException($"There is no rule {rule} at the station {station} of {municipality}.")
        : new(Suppress(new Suppression(SuppressionKind.OutOfService, municipality, station, rule, Now, null, by.Person, comment), by, AlarmEventKind.OutOfService));

    public ValueTask<bool> ReturnToServiceAsync(string municipality, string station, string? rule, HandledBy by, string? comment, CancellationToken cancellationToken) =>
        new(End(SuppressionKind.OutOfService, municipality, station, rule, by, AlarmEventKind.Returned, comment));

    private Alarm Find(string alarm) => alarms().FirstOrDefault(one => one.Id == alarm) ?? throw new KeyNotFoundException($"There is no alarm {alarm}.");

    private AlarmHandling Of(Alarm alarm)
    {
        var acknowledged = events.Find(one => one.Thread == alarm.Thread && one.Event.Kind == AlarmEventKind.Acknowledged).Event;
        var assigned = events.FindLast(one => one.Thread == alarm.Thread && one.Event.Kind == AlarmEventKind.Assigned).Event;
        var state = alarm.Withdrawn || (alarm.Past && alarm.EndedAt is not null) ? AlarmState.Normal
            : alarm.EndedAt is null ? acknowledged is null ? AlarmState.ActiveUnacknowledged : AlarmState.ActiveAcknowledged
            : acknowledged is null ? AlarmState.ReturnedUnacknowledged : AlarmState.Normal;
        Suppression? Holding(SuppressionKind kind) =>
            Suppressions(alarm.Municipality).FirstOrDefault(one => one.Kind == kind && one.Station == alarm.Station && (one.Rule is null || one.Rule == alarm.Rule));
        return new AlarmHandling(state, acknowledged?.EventAt, acknowledged?.By, assigned?.AssignedTo, Holding(SuppressionKind.Shelved), Holding(SuppressionKind.OutOfService));
    }

    private bool Add(Alarm alarm, HandledBy by, AlarmEventKind kind, string? comment, string? assignedTo = null)
    {
        events.Add((alarm.Thread, alarm.Station, alarm.Rule, new AlarmEvent(kind, by.Cause, Now, Now, by.Person, comment, AssignedTo: assignedTo)));
        announce([alarm]);
        return true;
    }

    private bool Suppress(Suppression wanted, HandledBy by, AlarmEventKind kind)
    {
        var known = suppressions.Find(one => one.Kind == wanted.Kind && one.Municipality == wanted.Municipality && one.Station == wanted.Station && one.Rule == wanted.Rule);
        if (known is not null && known.Until == wanted.Until)
        {
            return false;
        }

        suppressions.RemoveAll(one => one == known);
        suppressions.Add(wanted);
        events.Add((null, wanted.Station, wanted.Rule, new AlarmEvent(kind, by.Cause, Now, Now, by.Person, wanted.Comment, wanted.Until, WholeStation: wanted.Rule is null)));
        return true;
    }

    private bool End(SuppressionKind kind, string municipality, string station, string? rule, HandledBy by, AlarmEventKind what, string? comment)
    {
        if (suppressions.RemoveAll(one => one.Kind == kind && one.Municipality == municipality && one.Station == station && one.Rule == rule) == 0)
        {
            return false;
        }

        events.Add((null, station, rule, new AlarmEvent(what, by.Cause, Now, Now, by.Person, comment, WholeStation: rule is null)));
        return true;
    }
}
