using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Stations;

namespace Hub.Cloud.Alerts.Evaluation;

/// <summary>Every pair in memory, found by datastream. Touched by the evaluator's worker only.</summary>
internal sealed class PairBook(IStations stations, PlaceBook places, IMunicipalityDirectory municipalities, AlertsOptions options)
{
    private readonly SortedSet<Pair> waiting = new(Comparer<Pair>.Create(static (one, other) =>
        (one.DueAt, one.Rule.Id, one.Datastream.Id, one.Level).CompareTo((other.DueAt, other.Rule.Id, other.Datastream.Id, other.Level))));

    // All levels of a rule on a datastream, the most serious first: what is told of one hangs on what is told of those before it.
    private readonly Dictionary<(int Rule, int Datastream), Pair[]> pairs = [];
    private readonly Dictionary<int, Pair[]> byDatastream = [];
    private readonly AcrossBook across = new(stations, municipalities);
    private readonly Dictionary<(int Rule, int Datastream), AcrossNote> pending = [];
    private IReadOnlyList<RuleRow> rules = [];

    /// <summary>Processing time at which the next pair is due, UTC; null when none waits.</summary>
    public DateTime? NextDue => waiting.Min?.DueAt;

    /// <summary>
    /// Pairs for which something waits to be told that are due at an instant, processing time, each with the other levels of its rule, the most serious first; all for <see cref="DateTime.MaxValue"/>.
    /// </summary>
    public List<Pair[]> DueBy(DateTime instant) =>
        [.. waiting.TakeWhile(pair => pair.DueAt <= instant).Select(pair => (pair.Rule.Id, pair.Datastream.Id)).Distinct().Select(key => pairs[key])];

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
        foreach (var (key, levels) in pairs.ToList())
        {
            if (byId.TryGetValue(key.Rule, out var rule) && rule.Version == levels[0].Rule.Version)
            {
                foreach (var pair in levels)
                {
                    pair.Rule = rule;
                }
            }
            else
            {
                Forget(key);
            }
        }

        PutTogether();
    }

    /// <summary>The pairs of a datastream, of each rule the most serious level first; null when the datastream is not known to the Stations stage.</summary>
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

    /// <summary>Fresh pairs of a rule on every datastream it concerns now, of each the most serious level first; what was in memory of them is forgotten.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="at">Only those at these stations; null: all.</param>
    public List<Pair[]> Renew(RuleRow rule, IReadOnlySet<int>? at)
    {
        foreach (var key in pairs.Where(one => one.Key.Rule == rule.Id && at?.Contains(one.Value[0].Datastream.Station.Id) != false).Select(one => one.Key).ToList())
        {
            Forget(key);
        }

        byDatastream.Clear();
        return rule.Enabled ? [.. Concerned(rule).Where(datastream => at?.Contains(datastream.Station.Id) != false).Select(datastream => LevelsOf(rule, datastream))] : [];
    }

    /// <summary>Every datastream a rule concerns: of stations that are, or ever were, in its area. Of a measure of the station as a whole one for each station.</summary>
    public IEnumerable<Datastream> Concerned(RuleRow rule) => rule.Measure.IsOfSeveral()
        ? across.GroupsOf(rule).SelectMany(group => group.Anchors).Where(datastream => PresenceOf(rule, datastream.Station) is not null)
        : stations.All.Where(station => station.Municipality == rule.Municipality)
            .Where(station => PresenceOf(rule, station) is not null)
            .SelectMany(station => stations.DatastreamsOf(station.Id)).Where(datastream => Pair.Matches(rule, datastream));

    /// <summary>The pairs of all levels of a rule on a datastream, the most serious first, that are not kept: to try the rule.</summary>
    public Pair[] Loose(RuleRow rule, Datastream datastream)
    {
        var zone = ZoneOf(rule.Municipality);
        var levels = rule.AllLevels();
        var presence = PresenceOf(rule, datastream.Station);
        presence = presence == Presence.Always ? null : presence;
        var group = rule.Measure.IsOfSeveral() ? across.GroupOf(rule, datastream) : null;
        var found = new Pair[levels.Count];
        for (var i = 0; i < found.Length; i++)
        {
            found[i] = group is null
                ? new Pair(rule, levels[i].Key, levels[i].Level, i == 0 ? null : found[i - 1], datastream, presence, options, zone)
                : new AcrossPair(rule, levels[i].Key, levels[i].Level, i == 0 ? null : (AcrossPair)found[i - 1], datastream, presence, options, group);
        }

        return found;
    }

    /// <summary>A pair that is not kept, to withdraw what it said: of a level that the rule may not have any more.</summary>
    public Pair Loose(RuleRow rule, Datastream datastream, AlarmRow said) =>
        Array.Find(Loose(rule, datastream), pair => pair.Level == said.Level)
        ?? new Pair(rule, said.Level, new RuleLevel(said.Severity, said.StartValue, said.StartValue), null, datastream, null, options, ZoneOf(rule.Municipality));

    /// <summary>Notes for the pairs that are made of several datastreams what has changed in one of them. What is noted waits until it is evaluated.</summary>
    public void Reach(int datastream, ChangeNote note)
    {
        foreach (var (group, changed) in across.Reached(datastream))
        {
            foreach (var anchor in group.Anchors)
            {
                if (PresenceOf(group.Rule, anchor.Station) is null)
                {
                    continue;
                }

                var pair = (AcrossPair)LevelsOf(group.Rule, anchor)[0];
                if (!AcrossNote.Matters(pair, changed, note))
                {
                    continue;
                }

                if (!pending.TryGetValue((group.Rule.Id, anchor.Id), out var waits))
                {
                    pending[(group.Rule.Id, anchor.Id)] = waits = new AcrossNote();
                }

                waits.Take(pair, changed, note);
            }
        }
    }

    /// <summary>The pairs made of several datastreams for which something is noted, each with its levels, the most serious first. What has gone since is forgotten.</summary>
    public List<(Pair[] Levels, AcrossNote Note)> Reached()
    {
        foreach (var gone in pending.Keys.Where(key => !pairs.ContainsKey(key)).ToList())
        {
            pending.Remove(gone);
        }

        return [.. pending.OrderBy(note => note.Key).Select(note => (pairs[note.Key], note.Value))];
    }

    /// <summary>Forgets a note that is evaluated and stored.</summary>
    public void Done(Pair pair) => pending.Remove((pair.Rule.Id, pair.Datastream.Id));

    /// <summary>Takes over that stations have changed: what pairs are made of.</summary>
    /// <returns>The datastreams that have joined others, and the rules that compare stations of which one has gone.</returns>
    public (List<int> Joined, List<RuleRow> Lost) HeedStations()
    {
        PutTogether();
        return (across.TakeJoined(), across.TakeLost());
    }

    private void PutTogether()
    {
        across.Use(rules);
        foreach (var pair in pairs.Values.SelectMany(levels => levels).OfType<AcrossPair>())
        {
            pair.Group = across.GroupOf(pair.Rule, pair.Datastream) ?? pair.Group;
        }
    }

    /// <summary>Takes over what an evaluation found, after it was stored.</summary>
    public void Apply(PairOutcome outcome)
    {
        var pair = outcome.Pair;
        if (pair.DueAt != outcome.DueAt)
        {
            Forget(pair);
        }

        (pair.Loaded, pair.State, pair.SeenTo, pair.CheckpointAt) = (outcome.Loaded, outcome.State, outcome.SeenTo, outcome.CheckpointAt);
        (pair.HeardAt, pair.DueAt, pair.Counted) = (outcome.HeardAt, outcome.DueAt, outcome.Counted);
        pair.Rows = outcome.Rows.Count == 0 ? Pair.NoRows : outcome.Rows;
        if (pair is AcrossPair several)
        {
            several.HeardFrom = outcome.HeardFrom;
        }

        if (pair.DueAt is not null)
        {
            waiting.Add(pair);
        }
    }

    private void Forget((int Rule, int Datastream) key)
    {
        if (pairs.Remove(key, out var levels))
        {
            Array.ForEach(levels, Forget);
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

    /// <summary>When a station was where the rule concerns it; null for never. Of silence only where it is now counts: no observation tells when it begins.</summary>
    private Presence? PresenceOf(RuleRow rule, Station station) => rule.AreaOf() is not { } area ? Presence.Always
        : !rule.Measure.IsSilence() ? places.PresenceOf(area, station)
        : area.Contains(station.Longitude, station.Latitude) ? Presence.Always : null;

    private Pair[] Match(Datastream datastream) => [.. rules.Where(rule => rule.Enabled && !rule.Measure.IsOfSeveral() && Pair.Matches(rule, datastream) && PresenceOf(rule, datastream.Station) is not null).SelectMany(rule => LevelsOf(rule, datastream))];

    private Pair[] LevelsOf(RuleRow rule, Datastream datastream)
    {
        if (!pairs.TryGetValue((rule.Id, datastream.Id), out var levels))
        {
            pairs[(rule.Id, datastream.Id)] = levels = Loose(rule, datastream);
        }

        return levels;
    }
}
