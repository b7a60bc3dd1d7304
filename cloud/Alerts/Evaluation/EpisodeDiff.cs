using System.Globalization;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>One change of the stored history.</summary>
/// <param name="Row">The row as it must be stored.</param>
/// <param name="Kind">What happened to it.</param>
/// <param name="IsNew">Whether the row is not in the store yet.</param>
internal readonly record struct AlarmChange(AlarmRow Row, TransitionKind Kind, bool IsNew);

/// <summary>What every new row of a pair starts with.</summary>
/// <param name="Municipality">Slug.</param>
/// <param name="Rule">Slug of the rule.</param>
/// <param name="Station">Slug of the station.</param>
/// <param name="Datastream">The datastream.</param>
/// <param name="Severity">How serious.</param>
/// <param name="Level">Which level of the rule: see <see cref="RuleRow.AllLevels"/>.</param>
internal sealed record AlarmOrigin(string Municipality, string Rule, string Station, int Datastream, Severity Severity, byte Level);

/// <summary>Compares what was stored of a stretch with what has come out of it now. Pure.</summary>
internal static class EpisodeDiff
{
    /// <summary>Identifier of an alarm: readable, and a function of rule, station, datastream, start and level alone. That of a rule's first level does not name it.</summary>
    public static string IdOf(AlarmOrigin origin, DateTime startedAt)
    {
        var format = startedAt.Ticks % TimeSpan.TicksPerSecond == 0 ? "yyyyMMdd'T'HHmmss'Z'" : "yyyyMMdd'T'HHmmss.ffffff'Z'";
        var level = origin.Level == 0 ? "" : "-" + ((Severity)origin.Level).ToString().ToLowerInvariant();
        return string.Create(CultureInfo.InvariantCulture, $"{origin.Rule}-{origin.Station}-{origin.Datastream}-{startedAt.ToString(format, CultureInfo.InvariantCulture)}{level}");
    }

    /// <summary>
    /// The changes that turn the stored rows into the episodes found. An alarm whose start moved becomes a new row that goes on in the thread of the old one.
    /// </summary>
    /// <param name="origin">The pair.</param>
    /// <param name="stored">Rows of the pair whose start lies in the stretch, withdrawn ones too.</param>
    /// <param name="found">Episodes of the stretch, in order of start.</param>
    /// <param name="now">Processing time, UTC.</param>
    /// <param name="pastBefore">An episode that started before this instant when first found is marked as past.</param>
    /// <param name="cause">Why.</param>
    public static IReadOnlyList<AlarmChange> Compare(
        AlarmOrigin origin, IEnumerable<AlarmRow> stored, IReadOnlyList<Episode> found, DateTime now, DateTime pastBefore, Cause cause)
    {
        var changes = new List<AlarmChange>();
        var byId = stored.ToDictionary(row => row.Id, StringComparer.Ordinal);
        var appeared = new List<AlarmChange>();
        foreach (var episode in found)
        {
            if (!byId.Remove(IdOf(origin, episode.StartedAt), out var row))
            {
                appeared.Add(new AlarmChange(New(origin, episode, now, pastBefore, cause), TransitionKind.Found, IsNew: true));
            }
            else if (row.Withdrawn)
            {
                appeared.Add(new AlarmChange(Changed(row, episode, cause), TransitionKind.Restored, IsNew: false));
            }
            else if (row.ToEpisode() != episode)
            {
                var ended = row.EndedAt is null && episode.EndedAt is not null;
                changes.Add(new AlarmChange(Changed(row, episode, cause), ended ? TransitionKind.Ended : TransitionKind.Changed, IsNew: false));
            }
        }

        var gone = byId.Values.Where(row => !row.Withdrawn).OrderBy(row => row.StartedAt).ToList();
        foreach (var change in appeared)
        {
            var before = gone.Find(old => Overlaps(old, change.Row));
            if (before is null)
            {
                changes.Add(change);
                continue;
            }

            gone.Remove(before);
            TakeThread(change.Row, before);
            changes.Add(new AlarmChange(Withdrawn(before, cause, handOver: true), TransitionKind.Withdrawn, IsNew: false));
            changes.Add(change.IsNew ? change with { Kind = TransitionKind.Changed } : change);
        }

        changes.AddRange(gone.Select(row => new AlarmChange(Withdrawn(row, cause, handOver: false), TransitionKind.Withdrawn, IsNew: false)));
        return changes;
    }

    /// <summary>The row, withdrawn.</summary>
    /// <param name="row">The row; not changed.</param>
    /// <param name="cause">Why.</param>
    /// <param name="handOver">Whether another row goes on in its thread, so that nothing of this one has to be told any more.</param>
    public static AlarmRow Withdrawn(AlarmRow row, Cause cause, bool handOver)
    {
        var changed = row.Copy();
        changed.Withdrawn = true;
        changed.Cause = cause;
        changed.Unsettled = !handOver;
        if (handOver)
        {
            // The successor has the thread.
            changed.Told = Told.Nothing;
        }

        return changed;
    }

    private static AlarmRow Changed(AlarmRow row, Episode episode, Cause cause)
    {
        var changed = row.Copy();
        changed.Set(episode);
        changed.Withdrawn = false;
        changed.Cause = cause;
        changed.Unsettled = true;
        return changed;
    }

    /// <summary>The row of an episode found first.</summary>
    public static AlarmRow New(AlarmOrigin origin, Episode episode, DateTime now, DateTime pastBefore, Cause cause)
    {
        var row = new AlarmRow
        {
            Id = IdOf(origin, episode.StartedAt),
            Municipality = origin.Municipality,
            Rule = origin.Rule,
            Station = origin.Station,
            Datastream = origin.Datastream,
            Level = origin.Level,
            Severity = origin.Severity,
            DetectedAt = now,
            Past = episode.EndedAt is not null || episode.StartedAt < pastBefore,
            Cause = cause,
            Unsettled = true,
        };
        row.Thread = row.Id;
        row.Set(episode);
        return row;
    }

    private static void TakeThread(AlarmRow row, AlarmRow before)
    {
        (row.Thread, row.Incident) = (before.Thread, before.Incident);
        row.DetectedAt = before.DetectedAt;
        row.Past = before.Past;
        (row.Told, row.ToldPeak) = (before.Told, before.ToldPeak);
        row.ToldCount = Math.Max(row.ToldCount, before.ToldCount);
        (row.ToldConditionAt, row.ToldStartedAt, row.ToldEndedAt) = (before.ToldConditionAt, before.ToldStartedAt, before.ToldEndedAt);
    }

    private static bool Overlaps(AlarmRow one, AlarmRow other) =>
        one.ConditionAt <= (other.EndedAt ?? DateTime.MaxValue) && other.ConditionAt <= (one.EndedAt ?? DateTime.MaxValue);
}
