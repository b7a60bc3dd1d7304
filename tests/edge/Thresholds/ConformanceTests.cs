using CsCheck;
using Hub.Cloud.Alerts;
using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Contract.Twin;

namespace Hub.Edge.Thresholds.Tests;

/// <summary>The station and the hub must mean the same by a rule: the same readings, in order, through both, give the same alarms to the microsecond.</summary>
public sealed class ConformanceTests
{
    private static readonly Quality[] Flags =
    [
        Quality.Good, Quality.Good, Quality.Good, Quality.Good, Quality.Saturated, Quality.UnderRange, Quality.Stuck, Quality.OutOfRange, Quality.WarmingUp, Quality.ClockUncertain, Quality.CalibrationDue,
        Quality.SuspectHumidity, Quality.Incomplete, Quality.Saturated | Quality.UnderRange, Quality.Saturated | Quality.Stuck,
    ];

    // Whole numbers around the levels, so that equality is common; gaps around For and around the longest gap.
    private static readonly Gen<(EdgeRule Rule, int Period, (int Gap, int Value, int Flag)[] Steps)> Runs = Gen.Select(
        Gen.Bool, Gen.Int[4, 10], Gen.Int[0, 3], One(0, 60, 61, 600, 1800), One(0, 60, 300, 900),
        Gen.Select(One(1, 30, 60, 299, 300, 899, 900, 901, 2700, 2701), Gen.Int[0, 14], Gen.Int[0, Flags.Length - 1]).Array[0, 80],
        (above, set, hysteresis, lasting, period, steps) => (
            new EdgeRule("r", "pm10", above ? EdgeCrossing.Above : EdgeCrossing.Below, set, above ? set - hysteresis : set + hysteresis, lasting), period, steps));

    [Fact]
    public void What_is_passed_over_and_the_longest_gap_are_the_hubs()
    {
        Assert.Equal(ThresholdMachine.Ignored, new AlertsOptions().IgnoreQuality);
        Assert.Equal(new AlertsOptions().PendingGapMax, new ThresholdsOptions().PendingGapMax);
    }

    [Fact]
    public void The_same_readings_in_order_make_the_same_alarms_as_in_the_hub()
    {
        long alarms = 0;
        Runs.Sample(
            run =>
            {
                DateTime at = Sample.Noon;
                List<Reading> readings = [];
                foreach ((int gap, int value, int flag) in run.Steps)
                {
                    at = at.AddSeconds(gap);
                    readings.Add(new Reading("air", "pm10", at, value) { Period = TimeSpan.FromSeconds(run.Period), Quality = Flags[flag] });
                }

                List<(DateTime, DateTime?)> hub = Hub(run.Rule, run.Period, readings);
                Assert.Equal(hub, Station(run.Rule, readings));
                Interlocked.Add(ref alarms, hub.Count);
            },
            iter: 3000);
        Assert.True(alarms > 1000, $"The sequences made only {alarms} alarms.");
    }

    /// <summary>What comes late the hub takes into account and the station does not: it makes what the hub would make of the readings that came in order.</summary>
    [Fact]
    public void Late_readings_change_nothing() =>
        Gen.Select(Runs, Gen.Int[0, 3000].Array[80]).Sample((run, delays) =>
        {
            DateTime at = Sample.Noon;
            List<(DateTime Arrives, Reading Reading)> sent = [];
            for (int n = 0; n < run.Steps.Length; n++)
            {
                at = at.AddSeconds(run.Steps[n].Gap);
                sent.Add((at.AddSeconds(n % 3 == 0 ? delays[n] : 0), new Reading("air", "pm10", at, run.Steps[n].Value) { Period = TimeSpan.FromSeconds(run.Period), Quality = Flags[run.Steps[n].Flag] }));
            }

            Reading[] arriving = [.. sent.OrderBy(entry => entry.Arrives).Select(entry => entry.Reading)];
            var machine = new ThresholdMachine(run.Rule, TimeSpan.Zero);
            List<Reading> inOrder = [];
            DateTime newest = default;
            foreach (Reading reading in arriving.Where(reading => machine.Counts(reading.Value, reading.Quality)))
            {
                if (reading.PhenomenonTime > newest)
                {
                    newest = reading.PhenomenonTime;
                    inOrder.Add(reading);
                }
            }

            Assert.Equal(Hub(run.Rule, run.Period, inOrder), Station(run.Rule, arriving));
        });

    private static Gen<int> One(params int[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static List<(DateTime Started, DateTime? Ended)> Hub(EdgeRule rule, int period, IReadOnlyList<Reading> readings)
    {
        var options = new AlertsOptions();
        TimeSpan gap = 3 * TimeSpan.FromSeconds(period);
        var machine = new AlarmMachine(
            rule.Crossing == EdgeCrossing.Above ? Crossing.Above : Crossing.Below, rule.SetLevel, rule.ClearLevel, TimeSpan.FromSeconds(rule.ForSeconds), gap > options.PendingGapMax ? gap : options.PendingGapMax,
            options.IgnoreQuality);
        FoldResult result = Fold.Over(machine, Signal.Plain, new FoldStart(default, Sample.Noon.Date), [.. readings.Select(reading => new Observation(1, reading.PhenomenonTime, reading.Value, reading.Quality))]);
        return [.. result.Episodes.Select(episode => (episode.StartedAt, episode.EndedAt))];
    }

    private static List<(DateTime Started, DateTime? Ended)> Station(EdgeRule rule, IReadOnlyList<Reading> readings)
    {
        ThresholdBook book = Sample.Book(rule);
        List<(DateTime, DateTime?)> alarms = [];
        foreach (Reading reading in readings)
        {
            if (!book.Take(reading).Changed)
            {
                continue;
            }

            AlarmWord word = book.Word(rule.Slug);
            Assert.Equal(reading.PhenomenonTime, word.At);
            if (word.On)
            {
                alarms.Add((word.At!.Value, null));
            }
            else
            {
                alarms[^1] = (alarms[^1].Item1, word.At);
            }
        }

        return alarms;
    }
}
