using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>Which datastreams the rules whose measures need several put together, and which of them a datastream reaches. Touched by one caller at a time.</summary>
internal sealed class AcrossBook(IStations stations, IMunicipalityDirectory municipalities)
{
    private readonly Dictionary<RuleRow, IReadOnlyList<AcrossGroup>> groups = new(ReferenceEqualityComparer.Instance);
    private Dictionary<int, List<(AcrossGroup Group, Datastream Changed)>>? reached;
    private readonly Dictionary<(int Rule, int Version), HashSet<int>> members = [];
    private readonly HashSet<int> joined = [];
    private readonly HashSet<int> lost = [];
    private IReadOnlyList<RuleRow> rules = [];

    /// <summary>Takes over the rules, and puts together anew what they need from the stations of now.</summary>
    public void Use(IReadOnlyList<RuleRow> current)
    {
        rules = current;
        groups.Clear();
        reached = null;
        var before = new Dictionary<(int Rule, int Version), HashSet<int>>(members);
        members.Clear();
        foreach (var rule in rules.Where(rule => rule.Enabled && rule.Measure.IsOfSeveral()))
        {
            var ids = members[(rule.Id, rule.Version)] = [.. GroupsOf(rule).SelectMany(group => group.Ids)];
            if (before.TryGetValue((rule.Id, rule.Version), out var known))
            {
                joined.UnionWith(ids.Except(known));
                if (rule.Measure.IsDifference() && known.Except(ids).Any())
                {
                    lost.Add(rule.Id);
                }
            }
        }
    }

    /// <summary>The datastreams that have joined a group since the last question: what was observed by them before nobody has heeded.</summary>
    public List<int> TakeJoined()
    {
        List<int> taken = [.. joined.Order()];
        joined.Clear();
        return taken;
    }

    /// <summary>The rules that compare stations of which one has gone since the last question: what they said of the others may have changed.</summary>
    public List<RuleRow> TakeLost()
    {
        List<RuleRow> taken = [.. rules.Where(rule => lost.Contains(rule.Id))];
        lost.Clear();
        return taken;
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
            ? members.Where(member => (rule.Station is null || rule.Station == member.Station.Slug) && (rule.Tag is null || member.Station.HasTag(rule.Tag))).Select(member => new AcrossGroup(rule, [member], [member.Datastreams[0]], zone))
            : [new AcrossGroup(rule, members, [.. members.SelectMany(member => member.Datastreams).Where(datastream => Pair.Matches(rule, datastream)).OrderBy(datastream => datastream.Id)], zone)];
    }
}
