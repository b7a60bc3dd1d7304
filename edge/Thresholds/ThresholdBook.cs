using Hub.Edge.Contract.Readings;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Thresholds;

/// <summary>Whether the alarm of a rule is on, and the reading that last changed it.</summary>
/// <param name="On">True while any series of the rule is in alarm.</param>
/// <param name="At">Event time of that reading, UTC; null when none changed it yet.</param>
/// <param name="Sensor">Its sensor.</param>
/// <param name="Property">Its property.</param>
/// <param name="Value">Its value, canonical unit; NaN when there is none.</param>
internal readonly record struct AlarmWord(bool On, DateTime? At, string? Sensor, string? Property, double Value)
{
    /// <summary>No such rule, or nothing seen.</summary>
    public static AlarmWord Off { get; } = new(false, null, null, null, double.NaN);
}

/// <summary>An alarm that was on when the agent was last heard of. Written to a file: never rename.</summary>
/// <param name="Rule">The rule as it was.</param>
/// <param name="Sensor">Sensor of the series.</param>
/// <param name="PeriodSeconds">Averaging period of the series.</param>
/// <param name="Since">Event time at which the condition began to hold, UTC.</param>
/// <param name="Value">Latest value then.</param>
internal sealed record ActiveAlarm(EdgeRule Rule, string Sensor, long PeriodSeconds, DateTime Since, double Value);

/// <summary>What a reading caused.</summary>
/// <param name="Changed">True when any alarm began or ended.</param>
/// <param name="Late">Series that had a later reading already.</param>
/// <param name="Refused">Series that could not be taken up: too many.</param>
internal readonly record struct BookStep(bool Changed, int Late, int Refused);

/// <summary>All rules with the series they have seen. Safe for concurrent callers; nothing waits, and a reading of a known series allocates nothing.</summary>
internal sealed class ThresholdBook(TimeSpan pendingGapMax)
{
    /// <summary>Most series of one rule: 64 sensors with several parts or periods.</summary>
    public const int SeriesMax = 256;

    private readonly Lock gate = new();
    private Dictionary<string, Watched[]> byProperty = [];
    private List<Watched> all = [];
    private List<ActiveAlarm> waiting = [];

    /// <summary>Gives the alarms that were on before a restart; each goes on when its rule is set as it was.</summary>
    public void Restore(IReadOnlyList<ActiveAlarm> alarms)
    {
        lock (gate)
        {
            waiting = [.. alarms];
        }
    }

    /// <summary>Sets the rules. One that did not change goes on where it stood.</summary>
    /// <param name="rules">The rules, each slug once.</param>
    /// <param name="complete">True when no rule is still to come: alarms of before the restart that found no rule are forgotten.</param>
    /// <returns>True when any rule came, went or changed.</returns>
    public bool Set(IReadOnlyList<EdgeRule> rules, bool complete)
    {
        lock (gate)
        {
            bool differ = !rules.SequenceEqual(all.Select(watched => watched.Rule));
            List<Watched> next = [];
            foreach (EdgeRule rule in rules)
            {
                if (all.Find(watched => watched.Rule == rule) is not { } known)
                {
                    known = new Watched(rule);
                    foreach (ActiveAlarm alarm in waiting.Where(alarm => alarm.Rule == rule).Take(SeriesMax))
                    {
                        var period = TimeSpan.FromSeconds(alarm.PeriodSeconds);

                        // Its last reading is not known: the first that comes is taken, be it by a clock that does not know the time yet.
                        known.Series[(alarm.Sensor, period)] = new Series(Machine(rule, period)) { Position = new ThresholdPosition(ThresholdPhase.Active, alarm.Since, default, alarm.Value) };
                        known.Word = new AlarmWord(true, alarm.Since, alarm.Sensor, rule.Property, alarm.Value);
                    }
                }

                next.Add(known);
            }

            all = next;
            byProperty = next.GroupBy(watched => watched.Rule.Property).ToDictionary(rulesOf => rulesOf.Key, rulesOf => rulesOf.ToArray());
            waiting = complete ? [] : [.. waiting.Where(alarm => !rules.Contains(alarm.Rule))];
            return differ;
        }
    }

    /// <summary>Takes a reading.</summary>
    public BookStep Take(in Reading reading)
    {
        lock (gate)
        {
            if (!byProperty.TryGetValue(reading.Property, out Watched[]? rules))
            {
                return default;
            }

            (bool changed, int late, int refused) = (false, 0, 0);
            foreach (Watched watched in rules)
            {
                EdgeRule rule = watched.Rule;
                if ((rule.Sensor is not null && rule.Sensor != reading.Sensor) || (rule.PeriodSeconds is { } seconds && TimeSpan.FromSeconds(seconds) != reading.Period))
                {
                    continue;
                }

                if (!watched.Series.TryGetValue((reading.Sensor, reading.Period), out Series? series))
                {
                    if (watched.Series.Count == SeriesMax)
                    {
                        refused++;
                        continue;
                    }

                    watched.Series.Add((reading.Sensor, reading.Period), series = new Series(Machine(rule, reading.Period)));
                }

                if (!series.Machine.Counts(reading.Value, reading.Quality))
                {
                    continue;
                }

                if (reading.PhenomenonTime <= series.Position.LastAt)
                {
                    // The hub goes back and looks again; here it is now that counts.
                    late++;
                    continue;
                }

                ThresholdPosition position = series.Position;
                ThresholdStep step = series.Machine.Take(ref position, reading.PhenomenonTime, reading.Value);
                series.Position = position;
                if (step != ThresholdStep.None)
                {
                    changed = true;
                    watched.Word = new AlarmWord(watched.Series.Values.Any(other => other.Position.Phase == ThresholdPhase.Active), reading.PhenomenonTime, reading.Sensor, reading.Property, reading.Value);
                }
            }

            return new BookStep(changed, late, refused);
        }
    }

    /// <summary>The alarm of a rule; off for a rule there is not.</summary>
    public AlarmWord Word(string slug)
    {
        lock (gate)
        {
            return all.Find(watched => watched.Rule.Slug == slug)?.Word ?? AlarmWord.Off;
        }
    }

    /// <summary>Alarms that are on, those of before the restart whose rule has not come yet included.</summary>
    public IReadOnlyList<ActiveAlarm> Active()
    {
        lock (gate)
        {
            return
            [
                .. waiting,
                .. all.SelectMany(watched => watched.Series.Where(series => series.Value.Position.Phase == ThresholdPhase.Active).Select(series => new ActiveAlarm(
                    watched.Rule, series.Key.Sensor, (long)series.Key.Period.TotalSeconds, series.Value.Position.Since, series.Value.Position.LastValue))),
            ];
        }
    }

    /// <summary>Every series of every rule.</summary>
    public IReadOnlyList<ThresholdState> States()
    {
        lock (gate)
        {
            return
            [
                .. all.SelectMany(watched => watched.Series.Select(series => (watched.Rule, series.Key, series.Value.Position))).Select(entry => new ThresholdState(
                    entry.Rule.Slug, entry.Rule.Property, entry.Key.Sensor, entry.Key.Period, entry.Position.Phase,
                    entry.Position.Phase == ThresholdPhase.Normal ? null : entry.Position.Since,
                    entry.Position.LastAt == default ? null : entry.Position.LastAt,
                    entry.Position == default ? double.NaN : entry.Position.LastValue)),
            ];
        }
    }

    private ThresholdMachine Machine(EdgeRule rule, TimeSpan period) => new(rule, 3 * period > pendingGapMax ? 3 * period : pendingGapMax);

    private sealed class Watched(EdgeRule rule)
    {
        public EdgeRule Rule => rule;

        public Dictionary<(string Sensor, TimeSpan Period), Series> Series { get; } = [];

        public AlarmWord Word { get; set; } = AlarmWord.Off;
    }

    private sealed class Series(ThresholdMachine machine)
    {
        public ThresholdMachine Machine => machine;

        public ThresholdPosition Position { get; set; }
    }
}
