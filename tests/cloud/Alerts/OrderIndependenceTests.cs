using CsCheck;
using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Alerts.Storage;
using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>
/// Promise 2: alarm history is a function of the set of observations. Each case makes a set, delivers it shuffled, delayed, duplicated and in batches, with stops, starts and crashes
/// in between, and compares the history with one run of the pure machine over the set in order; measures over windows are worked out from their definition, each by itself. A long run: tests/README.md.
/// </summary>
public sealed class OrderIndependenceTests
{
    private static readonly Gen<Observation> AnyObservation =
        from datastream in Gen.Int[1, 2]
        from minute in Gen.OneOf(Gen.Int[0, 90], Gen.Int[0, (4 * 24 * 60) - 60])
        from level in Gen.OneOf(Gen.Int[55, 85], Gen.Int[64, 71])
        from quality in Gen.Frequency((12, Gen.Const(Quality.Good)), (1, Gen.Const(Quality.Stuck)), (1, Gen.Const(Quality.Saturated)), (1, Gen.Const(Quality.UnderRange)), (1, Gen.Const(Quality.Incomplete)))
        from revision in Gen.Frequency((5, Gen.Const(0)), (1, Gen.Const(1)))
        select Obs.At(datastream, AlertsBench.T0.AddDays(-4).AddMinutes(minute), level, quality, revision);

    /// <summary>What happens between two batches.</summary>
    internal enum Between
    {
        Nothing,
        CatchUp,
        Restart,
        Crash,
        Wait,
    }

    private static readonly Gen<(Observation[] Delivery, int[] BatchSizes, Between[] Betweens)> AnyDelivery =
        from set in AnyObservation.Array[5, 70]
        from inOrder in Gen.Bool
        from shuffled in Gen.Shuffle(set)
        from again in Gen.Int[0, set.Length - 1].Array[0, 10]
        from sizes in Gen.Int[1, 25].Array[1, 12]
        from betweens in Gen.Frequency(
            (6, Gen.Const(Between.Nothing)), (6, Gen.Const(Between.CatchUp)), (1, Gen.Const(Between.Restart)), (1, Gen.Const(Between.Crash)), (2, Gen.Const(Between.Wait))).Array[1, 12]
        select (
            (Observation[])[.. inOrder ? set.OrderBy(o => o.PhenomenonTime) : (IEnumerable<Observation>)shuffled, .. again.Select(index => set[index])],
            sizes, betweens);

    internal static readonly Rule[] AllRules =
    [
        AlertsBench.NoiseRule(slug: "at-once"),
        AlertsBench.NoiseRule(set: 68, clear: 68, forMinutes: 12, slug: "held"),
        AlertsBench.NoiseRule(set: 60, clear: 66, slug: "quiet") with { Crossing = Crossing.Below },
        AlertsBench.NoiseRule(set: 69, clear: 69, slug: "slow-end") with { OffFor = TimeSpan.FromMinutes(9) },
        AlertsBench.NoiseRule(set: 69, clear: 67, slug: "half-hour") with { Measure = Measure.Mean, Window = TimeSpan.FromMinutes(30), CoverageMin = 0.1 },
        AlertsBench.NoiseRule(set: 68, clear: 66, forMinutes: 60, slug: "two-hours") with { Measure = Measure.Mean, Window = TimeSpan.FromHours(1), OnClock = true, CoverageMin = 0.03 },
        AlertsBench.NoiseRule(set: 70, clear: 69, slug: "day") with { Measure = Measure.Percentile, Percent = 60, Window = TimeSpan.FromDays(1), OnClock = true, CoverageMin = 0 },
        AlertsBench.NoiseRule(set: 12, clear: 4, slug: "rise") with { Measure = Measure.Change, Window = TimeSpan.FromMinutes(20), CoverageMin = 0.3, OffFor = TimeSpan.FromMinutes(3) },
        AlertsBench.NoiseRule(set: 4, clear: 3, slug: "often") with { Measure = Measure.Count, Window = TimeSpan.FromMinutes(12) },
        AlertsBench.NoiseRule(set: 67, clear: 60, slug: "morning") with { Schedule = "mo-sa 08:00-10:30, 13:00-14:00" },
        AlertsBench.NoiseRule(set: 66, clear: 64, slug: "noon") with { Schedule = "11:00-15:20", Measure = Measure.Mean, Window = TimeSpan.FromMinutes(20), CoverageMin = 0 },
        AlertsBench.NoiseRule(set: 80, clear: 70, slug: "loudest") with { Measure = Measure.Max, Window = TimeSpan.FromMinutes(15), OnClock = true, CoverageMin = 0 },
        AlertsBench.NoiseRule(set: 2, clear: 5, slug: "stuck") with { Measure = Measure.Spread, Crossing = Crossing.Below, Window = TimeSpan.FromMinutes(25), CoverageMin = 0.05 },
        AlertsBench.NoiseRule(set: 70, clear: 85, slug: "faulty") with { Measure = Measure.GoodShare, Crossing = Crossing.Below, Window = TimeSpan.FromMinutes(40), CoverageMin = 0 },
    ];

    /// <summary>A rule with one to three levels: the further ones lie anywhere at or beyond those before, and hold and end after waits of their own.</summary>
    private static readonly Gen<Func<Rule, Rule>> AnyLevels =
        from count in Gen.Int[0, 2]
        from skip in Gen.Bool
        from steps in Gen.Select(Gen.Int[0, 6], Gen.Int[0, 6], Gen.Frequency((2, Gen.Const(0)), (1, Gen.Int[1, 12])), Gen.Frequency((2, Gen.Const(0)), (1, Gen.Int[1, 12]))).Array[2]
        select (Func<Rule, Rule>)(rule =>
        {
            var (levels, set, side) = (new List<RuleLevel>(), rule.SetLevel, rule.Crossing == Crossing.Above ? 1 : -1);
            for (var i = 0; i < count; i++)
            {
                var (step, hysteresis, forMinutes, offMinutes) = steps[i];
                set += side * step;
                levels.Add(new RuleLevel(count == 1 && skip ? Severity.Alert : Severity.Warning + i, set, set - (side * hysteresis), TimeSpan.FromMinutes(forMinutes), TimeSpan.FromMinutes(offMinutes)));
            }

            return rule with { Severity = Severity.Information, Levels = levels };
        });

    internal static readonly Gen<Rule[]> SomeRules =
        from rules in Gen.Shuffle(AllRules)
        from one in AnyLevels
        from other in AnyLevels
        select (Rule[])[one(rules[0]), other(rules[1])];

    [Fact]
    public async Task Any_delivery_of_the_same_observations_ends_in_the_same_history() =>
        await Gen.Select(AnyDelivery, SomeRules).SampleAsync((delivery, rules) => CheckAsync(delivery, rules), iter: Repeats.Of(500, 40_000), threads: 2);

    [Fact]
    public async Task Silence_is_a_function_of_the_observations_and_of_how_far_time_has_come() =>
        await AnyDelivery.SampleAsync(CheckSilenceAsync, iter: Repeats.Of(60, 10_000), threads: 2);

    private static async Task CheckAsync((Observation[] Delivery, int[] BatchSizes, Between[] Betweens) sample, Rule[] rules)
    {
        await using var bench = await AlertsBench.StartAsync();
        await DeliverAsync(bench, sample, rules, TimeSpan.FromSeconds(30));
        var expected = await ExpectedAsync(bench.Series, rules);
        var found = await bench.EpisodesAsync();
        Assert.Equal(expected, found);
        await CheckToldAsync(bench);
    }

    private static async Task CheckSilenceAsync((Observation[] Delivery, int[] BatchSizes, Between[] Betweens) sample)
    {
        // Time goes on further than the window: what is heard of meanwhile is silent for a while, until more comes.
        var rule = AlertsBench.NoiseRule(slug: "silent") with { Measure = Measure.NoData, Window = TimeSpan.FromMinutes(20) };
        await using var bench = await AlertsBench.StartAsync();
        await DeliverAsync(bench, sample, [rule], TimeSpan.FromMinutes(25));
        bench.Time.Advance(TimeSpan.FromMinutes(21));
        await bench.CaughtUpAsync();

        var expected = new List<string>();
        foreach (var (datastream, station) in Streams)
        {
            DateTime? last = null;
            await foreach (var observation in bench.Series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, default))
            {
                Add(observation.PhenomenonTime);
                last = observation.PhenomenonTime;
            }

            Add(null);

            // A minute's average, and then 20 minutes.
            void Add(DateTime? next)
            {
                if (last is { } from && (next is null || next - from > TimeSpan.FromMinutes(21)))
                {
                    var minutes = next is { } to ? (to - from).TotalMinutes : 21;
                    expected.Add($"silent-{station}-{datastream}-{from.AddMinutes(21):yyyyMMdd'T'HHmmss'Z'} {from:O} {from.AddMinutes(21):O} {next:O} {21d} {minutes} {minutes}");
                }
            }
        }

        Assert.Equal(expected.Order(StringComparer.Ordinal), await bench.EpisodesAsync());
    }

    internal static readonly (int Datastream, string Station)[] Streams = [(1, "avenida"), (2, "se")];

    internal static async Task DeliverAsync(AlertsBench bench, (Observation[] Delivery, int[] BatchSizes, Between[] Betweens) sample, Rule[] rules, TimeSpan wait)
    {
        foreach (var rule in rules)
        {
            await bench.Alerts.SaveAsync(rule, default);
        }

        await bench.CaughtUpAsync();
        var at = 0;
        for (var batch = 0; at < sample.Delivery.Length; batch++)
        {
            var size = Math.Min(sample.BatchSizes[batch % sample.BatchSizes.Length], sample.Delivery.Length - at);
            await bench.AppendAsync(sample.Delivery[at..(at + size)]);
            at += size;
            switch (sample.Betweens[batch % sample.Betweens.Length])
            {
                case Between.CatchUp:
                    await bench.CaughtUpAsync();
                    break;
                case Between.Restart:
                    await bench.StopEvaluatorAsync();
                    await bench.StartEvaluatorAsync();
                    break;
                case Between.Crash:
                    await bench.CrashAsync(bench.Series.LastCommit / 2);
                    break;
                case Between.Wait:
                    bench.Time.Advance(wait);
                    break;
                default:
                    break;
            }
        }

        await bench.CaughtUpAsync();
    }

    /// <summary>The history by one run of the machine over what the series holds, without checkpoints, diffs or a database.</summary>
    private static async Task<string[]> ExpectedAsync(MemorySeries series, Rule[] rules)
    {
        var lines = new List<string>();
        foreach (var (rule, suffix) in rules.SelectMany(Levels))
        {
            var gap = rule is { OnClock: true, Measure: not Measure.Value } ? (rule.Window == TimeSpan.FromDays(1) ? TimeSpan.FromHours(26) : rule.Window) : TimeSpan.FromMinutes(15);
            var machine = new AlarmMachine(rule.Crossing, rule.SetLevel, rule.ClearLevel, rule.For, gap, new AlertsOptions().IgnoreQuality) { OffFor = rule.OffFor, TakesAll = rule.Measure == Measure.GoodShare };
            foreach (var (datastream, station) in Streams)
            {
                var taken = new List<Observation>();
                await foreach (var observation in series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, default))
                {
                    if (machine.Takes(observation.Result, observation.Quality))
                    {
                        taken.Add(observation);
                    }
                }

                var state = default(MachineState);
                var episodes = new List<Episode>();
                foreach (var (at, value, isInForce) in InForce(rule, taken))
                {
                    Episode ended;
                    if ((isInForce ? machine.Take(ref state, at, value, out ended) : AlarmMachine.Rest(ref state, at, value, out ended)) == Step.Ended)
                    {
                        episodes.Add(ended);
                    }
                }

                if (state.Phase == Phase.Active)
                {
                    episodes.Add(state.Open);
                }

                lines.AddRange(episodes.Select(e =>
                    $"{rule.Slug}-{station}-{datastream}-{e.StartedAt:yyyyMMdd'T'HHmmss'Z'}{suffix} {e.ConditionAt:O} {e.StartedAt:O} {e.EndedAt:O} {e.StartValue} {e.Peak} {e.LastValue}"));
            }
        }

        return [.. lines.Order(StringComparer.Ordinal)];
    }

    /// <summary>Each level of a rule as a rule of its own, and how its alarms are known.</summary>
    private static IEnumerable<(Rule Rule, string Suffix)> Levels(Rule rule) =>
    [
        (rule, ""),
        .. rule.Levels.Select(level => (rule with { SetLevel = level.SetLevel, ClearLevel = level.ClearLevel, For = level.For, OffFor = level.OffFor }, $"-{level.Severity.ToString().ToLowerInvariant()}")),
    ];

    /// <summary>What a rule measures while it is in force, stretch by stretch, and the observations at other times.</summary>
    private static IEnumerable<(DateTime At, double Value, bool IsInForce)> InForce(Rule rule, List<Observation> taken)
    {
        var schedule = Rules.RuleSchedule.Parse(rule.Schedule);
        var stretch = new List<Observation>();
        foreach (var o in taken)
        {
            if (schedule?.Covers(o.PhenomenonTime, TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon")) ?? true)
            {
                stretch.Add(o);
                continue;
            }

            foreach (var (at, value) in Measured(rule, stretch))
            {
                yield return (at, value, true);
            }

            stretch.Clear();
            yield return (o.PhenomenonTime, o.Result, false);
        }

        foreach (var (at, value) in Measured(rule, stretch))
        {
            yield return (at, value, true);
        }
    }

    /// <summary>What a rule measures, by its definition: each window looked for among all observations. Of minutes, in a zone an hour from UTC all those days.</summary>
    private static IEnumerable<(DateTime At, double Value)> Measured(Rule rule, List<Observation> taken)
    {
        if (rule.Measure == Measure.Value)
        {
            return taken.Select(o => (o.PhenomenonTime, o.Result));
        }

        if (!rule.OnClock)
        {
            return from tip in taken
                   let first = tip.PhenomenonTime - rule.Window
                   let inside = taken.Where(o => o.PhenomenonTime <= tip.PhenomenonTime && (rule.Measure == Measure.Change ? o.PhenomenonTime >= first : o.PhenomenonTime > first)).ToList()
                   where rule.Measure switch
                   {
                       Measure.Count => true,
                       Measure.Change => inside.Count > 1 && tip.PhenomenonTime - inside[0].PhenomenonTime >= rule.Window * rule.CoverageMin,
                       _ => inside.Count >= rule.Window.TotalMinutes * rule.CoverageMin,
                   }
                   select (tip.PhenomenonTime, Of(rule, inside));
        }

        var summer = TimeSpan.FromHours(1);
        return from o in taken
               group o by (o.PhenomenonTime + summer).Ticks / rule.Window.Ticks into window
               let end = new DateTime((window.Key + 1) * rule.Window.Ticks, DateTimeKind.Utc) - summer
               where taken[^1].PhenomenonTime >= end && window.Count() >= rule.Window.TotalMinutes * rule.CoverageMin
               orderby end
               select (end, Of(rule, [.. window]));
    }

    private static double Of(Rule rule, List<Observation> inside) => rule.Measure switch
    {
        Measure.Mean => 10 * Math.Log10(inside.Aggregate(0.0, (sum, o) => sum + Math.Pow(10, o.Result / 10)) / inside.Count),
        Measure.Spread => inside.Max(o => o.Result) - inside.Min(o => o.Result),
        Measure.GoodShare => inside.Sum(o => (o.Quality & Quality.Stuck) == 0 ? 100.0 : 0) / inside.Count,
        Measure.Max => inside.Max(o => o.Result),
        Measure.Count => inside.Count,
        Measure.Change => inside[^1].Result - inside[0].Result,
        _ => Percentile([.. inside.Select(o => o.Result).Order()], rule.Percent),
    };

    private static double Percentile(double[] ascending, double percent)
    {
        var place = (ascending.Length - 1) * (percent / 100);
        var below = (int)place;
        return place == below ? ascending[below] : ascending[below] + ((place - below) * (ascending[below + 1] - ascending[below]));
    }

    /// <summary>What subscribers were told, in the end, is what is: each ended alarm as it was, or one of a more serious level that it lies within; nothing that never was, and nothing as an emergency: all of it is of the past.</summary>
    internal static async Task CheckToldAsync(AlertsBench bench)
    {
        await using var db = await bench.Contexts.CreateDbContextAsync();
        var rows = await db.Alarms.AsNoTracking().ToListAsync();
        var threads = bench.Notifications.Messages.ToLookup(message => message.Alarm);
        Assert.All(threads, thread => Assert.Single(thread.Select(message => message.Incident).Distinct()));
        foreach (var row in rows.Where(row => !row.Withdrawn && row.EndedAt is not null))
        {
            if (row.Told == Told.Covered)
            {
                Assert.True(rows.Exists(cover => cover.Rule == row.Rule && cover.Datastream == row.Datastream && cover.Level > row.Level && cover is { Withdrawn: false, Told: not Told.Hushed }
                    && cover.StartedAt <= row.StartedAt && !(cover.EndedAt < row.EndedAt)), $"{row.Id} is not told, and lies within nothing");
                continue;
            }

            Assert.True(
                threads[row.Thread].Any(message => !message.Withdrawn && message.ConditionAt == row.ConditionAt && message.StartedAt == row.StartedAt && message.EndedAt == row.EndedAt && message.Peak.Equals(row.Peak)),
                $"{row.Id} in thread {row.Thread}, told as {row.Told} because of {row.Cause}, unsettled {row.Unsettled}: [{string.Join(", ", threads[row.Thread].Select(message => message.Key))}]");
        }

        var living = rows.Where(row => !row.Withdrawn).Select(row => row.Thread).ToHashSet();
        foreach (var thread in threads.Where(thread => !living.Contains(thread.Key)))
        {
            Assert.True(thread.Last().Withdrawn, $"{thread.Key} was told as {thread.Last().Kind}, but never was");
        }

        Assert.All(bench.Notifications.Messages, message => Assert.NotEqual(NotificationKind.Started, message.Kind));
        Assert.Empty(rows.Where(row => row.Unsettled && row.EndedAt is not null && !row.Withdrawn).Select(row => row.Id));
        Assert.Equal(0, await db.Transitions.CountAsync(row => row.Key != null && row.HandedAt == null));
        Assert.Equal(bench.Alerts.Active(null).Select(alarm => alarm.Id).Order(), rows.Where(row => row.IsOpen).Select(row => row.Id).Order());
    }
}
