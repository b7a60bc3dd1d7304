using CsCheck;
using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Notifications;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>
/// Promise 2: alarm history is a function of the set of observations. Each case makes a set, delivers it shuffled, delayed, duplicated and in batches, with stops, starts and crashes
/// in between, and compares the history with one run of the pure machine over the set in order.
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
    private enum Between
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

    private static readonly Rule[] Rules =
    [
        AlertsBench.NoiseRule(slug: "at-once"),
        AlertsBench.NoiseRule(set: 68, clear: 68, forMinutes: 12, slug: "held"),
        AlertsBench.NoiseRule(set: 60, clear: 66, slug: "quiet") with { Crossing = Crossing.Below },
    ];

    [Fact]
    public async Task Any_delivery_of_the_same_observations_ends_in_the_same_history() =>
        await AnyDelivery.SampleAsync(CheckAsync, iter: 500, threads: 2);

    private static async Task CheckAsync((Observation[] Delivery, int[] BatchSizes, Between[] Betweens) sample)
    {
        await using var bench = await AlertsBench.StartAsync();
        foreach (var rule in Rules)
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
                    bench.Time.Advance(TimeSpan.FromSeconds(30));
                    break;
                default:
                    break;
            }
        }

        await bench.CaughtUpAsync();
        var expected = await ExpectedAsync(bench.Series);
        var found = await bench.EpisodesAsync();
        Assert.Equal(expected, found);
        await CheckToldAsync(bench);
    }

    /// <summary>The history by one run of the machine over what the series holds, without checkpoints, diffs or a database.</summary>
    private static async Task<string[]> ExpectedAsync(MemorySeries series)
    {
        var lines = new List<string>();
        foreach (var rule in Rules)
        {
            var machine = new AlarmMachine(rule.Crossing, rule.SetLevel, rule.ClearLevel, rule.For, TimeSpan.FromMinutes(15), new AlertsOptions().IgnoreQuality);
            foreach (var (datastream, station) in new[] { (1, "avenida"), (2, "se") })
            {
                var state = default(MachineState);
                var episodes = new List<Episode>();
                await foreach (var observation in series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, default))
                {
                    if (machine.Takes(observation.Result, observation.Quality) && machine.Take(ref state, observation.PhenomenonTime, observation.Result, out var ended) == Step.Ended)
                    {
                        episodes.Add(ended);
                    }
                }

                if (state.Phase == Phase.Active)
                {
                    episodes.Add(state.Open);
                }

                lines.AddRange(episodes.Select(e =>
                    $"{rule.Slug}-{station}-{datastream}-{e.StartedAt:yyyyMMdd'T'HHmmss'Z'} {e.ConditionAt:O} {e.StartedAt:O} {e.EndedAt:O} {e.StartValue} {e.Peak} {e.LastValue}"));
            }
        }

        return [.. lines.Order(StringComparer.Ordinal)];
    }

    /// <summary>What subscribers were told, in the end, is what is: each ended alarm as it was, nothing that never was, and nothing as an emergency: all of it is of the past.</summary>
    private static async Task CheckToldAsync(AlertsBench bench)
    {
        await using var db = await bench.Contexts.CreateDbContextAsync();
        var rows = await db.Alarms.AsNoTracking().ToListAsync();
        var threads = bench.Notifications.Messages.ToLookup(message => message.Alarm);
        foreach (var row in rows.Where(row => !row.Withdrawn && row.EndedAt is not null))
        {
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
