using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>Which datastreams the rules whose measures need several put together, and which of them a datastream reaches. Touched by one caller at a time.</summary>
internal sealed class AcrossBook(IStations stations, IMunicipalityDirectory municipalities)
{
    private readonly Dictionary<RuleRow, IReadOnlyList<AcrossGroup>> groups = new(ReferenceEqualityComparer.Instance);
    private Dictionary<int, List<(AcrossGroup Group, Datastream Changed)>>? reached;
    private IReadOnlyList<RuleRow> rules = [];

    /// <summary>Takes over the rules.</summary>
    public void Use(IReadOnlyList<RuleRow> current)
    {
        rules = current;
        Forget();
    }

    /// <summary>Forgets what is put together: it is found anew from the stations of now.</summary>
    public void Forget()
    {
        groups.Clear();
        reached = null;
    }

    /// <summary>Puts everything together anew.</summary>
    /// <returns>The rules that compare stations of which one has gone.</returns>
    public List<RuleRow> Renew(IReadOnlyList<RuleRow> current)
    {
        var before = groups.Where(one => one.Key.Measure.IsDifference()).Select(one => (Rule: one.Key, Ids: one.Value.SelectMany(group => group.Ids).ToList())).ToList();
        Use(current);
        return [.. before.Where(one => current.Contains(one.Rule) && one.Ids.Except(GroupsOf(one.Rule).SelectMany(group => group.Ids)).Any()).Select(one => one.Rule)];
    }

    /// <summary>The groups of a rule that needs several datastreams.</summary>
    public IReadOnlyList<AcrossGroup> GroupsOf(RuleRow rule)
    {
        if (!groups.TryGetValue(rule, out var found))
        {
            groups[rule] = found = [.. Make(rule)];
        }

        return found;
    }

    /// <summary>The group in which a datastream has alarms; null when there is none any more.</summary>
    public AcrossGroup? GroupOf(RuleRow rule, Datastream anchor) =>
        GroupsOf(rule).FirstOrDefault(group => group.Anchors.Any(one => one.Id == anchor.Id));

    /// <summary>The groups in which a datastream is.</summary>
    public IReadOnlyList<(AcrossGroup Group, Datastream Changed)> Reached(int datastream)
    {
        if (reached is null)
        {
            reached = [];
            foreach (var group in rules.Where(rule => rule.Enabled && rule.Measure.IsOfSeveral()).SelectMany(GroupsOf))
            {
                foreach (var one in group.Members.SelectMany(member => member.Datastreams))
                {
                    if (!reached.TryGetValue(one.Id, out var all))
                    {
                        reached[one.Id] = all = [];
                    }

                    all.Add((group, one));
                }
            }
        }

        return reached.TryGetValue(datastream, out var found) ? found : [];
    }

    private IEnumerable<AcrossGroup> Make(RuleRow rule)
    {
        var zone = TimeZoneInfo.TryFindSystemTimeZoneById(municipalities.Of(rule.Municipality).Zone, out var found) ? found : TimeZoneInfo.Utc;
        var members = stations.All.Where(station => station.Municipality == rule.Municipality)
            .Select(station => new Member(station, [.. stations.DatastreamsOf(station.Id).Where(datastream => AcrossGroup.Takes(rule, datastream)).OrderBy(datastream => datastream.Id)]))
            .Where(member => member.Datastreams.Count > 0).OrderBy(member => member.Station.Id).ToList();
        return rule.Measure.IsOfStation()
            ? members.Where(member => rule.Station is null || rule.Station == member.Station.Slug).Select(member => new AcrossGroup(rule, [member], [member.Datastreams[0]], zone))
            : [new AcrossGroup(rule, members, [.. members.SelectMany(member => member.Datastreams).Where(datastream => Pair.Matches(rule, datastream)).OrderBy(datastream => datastream.Id)], zone)];
    }
}
