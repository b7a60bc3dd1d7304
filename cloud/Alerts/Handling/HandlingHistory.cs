using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Alerts.Storage;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Alerts.Handling;

/// <summary>Reads what happened to an alarm: what evaluation stored of its thread, what people did to it, and what was shelved or out of service meanwhile.</summary>
internal static class HandlingHistory
{
    /// <summary>Most lines of each kind of source, the latest: late data can change an alarm many times.</summary>
    private const int CountMax = 500;

    /// <summary>Reads the history in order of processing.</summary>
    /// <param name="db">The database.</param>
    /// <param name="row">The alarm asked for.</param>
    /// <param name="living">The one that lives in its thread.</param>
    /// <param name="now">Processing time, UTC.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<IReadOnlyList<AlarmEvent>> ReadAsync(AlertsContext db, AlarmRow row, AlarmRow living, DateTime now, CancellationToken cancellationToken)
    {
        var (thread, municipality, station, rule) = (row.Thread, row.Municipality, row.Station, row.Rule);
        var ids = db.Alarms.Where(other => other.Thread == thread).Select(other => other.Id);

        // That it was acknowledged is what a person did, and stands there as such.
        var transitions = await db.Transitions.AsNoTracking().Where(one => ids.Contains(one.Alarm) && (one.Key == null || !one.Key.EndsWith(HandlingBook.AcknowledgedKey)))
            .OrderByDescending(one => one.Id).Take(CountMax).ToListAsync(cancellationToken).ConfigureAwait(false);
        var handled = await db.Handling.AsNoTracking().Where(one => one.Thread == thread)
            .OrderByDescending(one => one.Id).Take(CountMax).ToListAsync(cancellationToken).ConfigureAwait(false);

        // What was shelved or out of service when the alarm became known, and from then until nothing happened to it any more.
        var from = living.DetectedAt;
        var to = living.IsOpen ? now : Latest(living.EndedAt ?? from, transitions.Select(one => one.ProcessedAt), handled.Select(one => one.ProcessedAt));
        var around = await db.Handling.AsNoTracking()
            .Where(one => one.Municipality == municipality && one.Station == station && one.Thread == null && (one.Rule == null || one.Rule == rule) && one.EventAt <= to)
            .OrderByDescending(one => one.EventAt).ThenByDescending(one => one.Id).Take(CountMax).ToListAsync(cancellationToken).ConfigureAwait(false);
        var before = around.Where(one => one.EventAt < from).GroupBy(one => (one.Rule, IsShelving(one.Kind))).Select(group => group.First())
            .Where(one => one.Kind is AlarmEventKind.Shelved or AlarmEventKind.OutOfService);
        return
        [
            .. transitions.Select(one => (Order: one.Id, Event: Of(one)))
                .Concat(handled.Concat(around.Where(one => one.EventAt >= from)).Concat(before).Select(one => (Order: one.Id, Event: one.ToEvent())))
                .OrderBy(one => one.Event.ProcessedAt).ThenBy(one => one.Event.Kind >= AlarmEventKind.Acknowledged).ThenBy(one => one.Order).Select(one => one.Event),
        ];
    }

    private static AlarmEvent Of(TransitionRow row) => new(
        (AlarmEventKind)row.Kind, (AlarmEventCause)row.Cause, row.EventAt, row.ProcessedAt, Told: row.Message is null ? null : AlarmMessages.FromJson(row.Message).Kind);

    private static bool IsShelving(AlarmEventKind kind) => kind is AlarmEventKind.Shelved or AlarmEventKind.Unshelved;

    private static DateTime Latest(DateTime first, IEnumerable<DateTime> some, IEnumerable<DateTime> others) => some.Concat(others).Append(first).Max();
}
