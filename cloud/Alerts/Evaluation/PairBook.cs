using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>Every pair in memory, found by datastream. Touched by the evaluator's worker only.</summary>
internal sealed class PairBook(IStations stations, IMunicipalityDirectory municipalities, AlertsOptions options)
{
    private readonly SortedSet<Pair> waiting = new(Comparer<Pair>.Create(static (one, other) =>
        (one.DueAt, one.Rule.Id, one.Datastream.Id).CompareTo((other.DueAt, other.Rule.Id, other.Datastream.Id))));

    private readonly Dictionary<(int Rule, int Datastream), Pair> pairs = [];
    private readonly Dictionary<int, Pair[]> byDatastream = [];
    private IReadOnlyList<RuleRow> rules = [];

    /// <summary>Processing time at which the next pair is due, UTC; null when none waits.</summary>
    public DateTime? NextDue => waiting.Min?.DueAt;

    /// <summary>Pairs for which something waits to be told that are due at an instant, processing time; all for <see cref="DateTime.MaxValue"/>.</summary>
    public List<Pair> DueBy(DateTime instant) => [.. waiting.TakeWhile(pair => pair.DueAt <= instant)];

    /// <summary>Takes over the rules; pairs of rules that are gone, off or changed are forgotten.</summary>
    public void Use(IReadOnlyList<RuleRow> current)
    {
        if (ReferenceEquals(rules, current))
        {
            return;
        }

        rules = current;
        byDatastream.Clear();
        var byId = current.Where(rule => rule.Enabled).ToDictionary(rule => rule.Id);
        foreach (var (key, pair) in pairs.ToList())
        {
            if (byId.TryGetValue(key.Rule, out var rule) && rule.Version == pair.Rule.Version)
            {
                pair.Rule = rule;
            }
            else
            {
                pairs.Remove(key);
                Forget(pair);
            }
        }
    }

    /// <summary>The pairs of a datastream; null when the datastream is not known to the Stations stage.</summary>
    public Pair[]? Of(int datastream)
    {
        if (byDatastream.TryGetValue(datastream, out var known))
        {
            return known;
        }

        if (!stations.TryGetDatastream(datastream, out var found))
        {
            return null;
        }

        return byDatastream[datastream] = Match(found);
    }

    /// <summary>Fresh pairs of a rule on every datastream it concerns now; what was in memory of them is forgotten.</summary>
    public List<Pair> Renew(RuleRow rule)
    {
        foreach (var (key, pair) in pairs.Where(pair => pair.Key.Rule == rule.Id).ToList())
        {
            pairs.Remove(key);
            Forget(pair);
        }

        byDatastream.Clear();
        return rule.Enabled ? [.. Concerned(rule).Select(datastream => PairOf(rule, datastream))] : [];
    }

    /// <summary>Every datastream a rule concerns now.</summary>
    public IEnumerable<Datastream> Concerned(RuleRow rule) =>
        stations.All.Where(station => station.Municipality == rule.Municipality).SelectMany(station => stations.DatastreamsOf(station.Id)).Where(datastream => Pair.Matches(rule, datastream));

    /// <summary>A pair that is not kept: to try a rule, or to withdraw what it said.</summary>
    public Pair Loose(RuleRow rule, Datastream datastream) => new(rule, datastream, options, ZoneOf(rule.Municipality));

    /// <summary>Takes over what an evaluation found, after it was stored.</summary>
    public void Apply(PairOutcome outcome)
    {
        var pair = outcome.Pair;
        if (pair.DueAt != outcome.DueAt)
        {
            Forget(pair);
        }

        (pair.Loaded, pair.State, pair.SeenTo, pair.CheckpointAt) = (outcome.Loaded, outcome.State, outcome.SeenTo, outcome.CheckpointAt);
        (pair.HeardAt, pair.DueAt) = (outcome.HeardAt, outcome.DueAt);
        pair.Rows = outcome.Rows.Count == 0 ? Pair.NoRows : outcome.Rows;
        if (pair.DueAt is not null)
        {
            waiting.Add(pair);
        }
    }

    private void Forget(Pair pair)
    {
        if (pair.DueAt is not null)
        {
            waiting.Remove(pair);
        }
    }

    private TimeZoneInfo ZoneOf(string municipality) => TimeZoneInfo.TryFindSystemTimeZoneById(municipalities.Of(municipality).Zone, out var zone) ? zone : TimeZoneInfo.Utc;

    private Pair[] Match(Datastream datastream) => [.. rules.Where(rule => rule.Enabled && Pair.Matches(rule, datastream)).Select(rule => PairOf(rule, datastream))];

    private Pair PairOf(RuleRow rule, Datastream datastream)
    {
        if (!pairs.TryGetValue((rule.Id, datastream.Id), out var pair))
        {
            pairs[(rule.Id, datastream.Id)] = pair = Loose(rule, datastream);
        }

        return pair;
    }
}
