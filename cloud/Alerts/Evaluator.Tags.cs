using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Stations;
using Microsoft.EntityFrameworkCore;

namespace Hub.Cloud.Alerts;

/// <summary>
/// Tags say nothing of the past: a station that gets the tag of a rule is evaluated over the horizon as if the rule were new there, and one that loses it has its open alarms withdrawn; what was over stays.
/// </summary>
internal sealed partial class Evaluator
{
    /// <summary>Evaluates rules with a tag at stations whose tags have changed since they were looked at.</summary>
    private async Task HeedTagsAsync(CancellationToken cancellationToken)
    {
        var now = StationsById();
        var changed = now.Values.Where(station => !station.Tags.SequenceEqual(tagsHeeded.GetValueOrDefault(station.Id)?.Tags ?? [])).ToList();
        foreach (var rule in book.RuleRows.Where(rule => rule is { Enabled: true, Tag: not null }).ToList())
        {
            var at = changed.Where(station => station.Municipality == rule.Municipality && station.HasTag(rule.Tag!) != (tagsHeeded.GetValueOrDefault(station.Id)?.HasTag(rule.Tag!) ?? false))
                .Select(station => station.Id).ToHashSet();
            if (at.Count > 0)
            {
                await LockedAsync(() => ReevaluateAsync(rule, at, cancellationToken), cancellationToken).ConfigureAwait(false);
            }
        }

        // Only when all of it is stored: what fails in between is looked at again.
        tagsHeeded = now;
    }

    /// <summary>Looks for what happened to tags while the hub was off: checkpoints of stations without the tag are forgotten, and those with an open alarm are looked at as if they had just lost it.</summary>
    private async Task HeedTagsAtStartAsync(AlertsContext db, CancellationToken cancellationToken)
    {
        var now = StationsById();
        HashSet<int> stale = [];
        foreach (var rule in book.RuleRows.Where(rule => rule is { Enabled: true, Tag: not null }))
        {
            var concerned = pairs.Concerned(rule).Select(datastream => datastream.Id).ToList();
            await db.Checkpoints.Where(row => row.RuleId == rule.Id && !concerned.Contains(row.Datastream)).ExecuteDeleteAsync(cancellationToken).ConfigureAwait(false);
            var open = await db.Alarms.Where(row => row.Municipality == rule.Municipality && row.Rule == rule.Slug && row.EndedAt == null && !row.Withdrawn && !concerned.Contains(row.Datastream))
                .Select(row => row.Datastream).Distinct().ToListAsync(cancellationToken).ConfigureAwait(false);
            foreach (var datastream in open)
            {
                if (stations.TryGetDatastream(datastream, out var known) && now.TryGetValue(known.Station.Id, out var station))
                {
                    now[station.Id] = station with { Tags = [.. station.Tags, rule.Tag!] };
                    stale.Add(station.Id);
                }
            }
        }

        tagsHeeded = now;
        if (stale.Count > 0)
        {
            OnStationsChanged();
        }
    }

    private Dictionary<int, Station> StationsById() => stations.All.ToDictionary(station => station.Id);
}
