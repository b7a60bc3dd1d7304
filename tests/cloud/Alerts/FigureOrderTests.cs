using CsCheck;
using Hub.Cloud.Alerts.Evaluation;
using Hub.Cloud.Indicators;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;
using Between = Hub.Cloud.Alerts.Tests.OrderIndependenceTests.Between;

namespace Hub.Cloud.Alerts.Tests;

/// <summary>Noise figures and exceedances are functions of the set of observations too: as in <see cref="OrderIndependenceTests"/>, worked out here from their definitions, over changes of the clock and the year.</summary>
public sealed class FigureOrderTests
{
    private static readonly TimeZoneInfo Lisbon = TimeZoneInfo.FindSystemTimeZoneById("Europe/Lisbon");

    private static readonly Gen<Quality> AnyQuality =
        Gen.Frequency((12, Gen.Const(Quality.Good)), (1, Gen.Const(Quality.Stuck)), (1, Gen.Const(Quality.Incomplete)));

    /// <summary>Around the change of the clock of 29 March 2026, with as many in the short evening as elsewhere.</summary>
    private static readonly Gen<Observation> AroundTheChange =
        from datastream in Gen.Int[1, 2]
        from day in Gen.Int[0, 4]
        from minute in Gen.OneOf(Gen.Int[0, (24 * 60) - 1], Gen.Int[19 * 60, 24 * 60])
        from level in Gen.Int[50, 80]
        from quality in AnyQuality
        from revision in Gen.Frequency((5, Gen.Const(0)), (1, Gen.Const(1)))
        select Obs.At(datastream, new DateTime(2026, 3, 26, 0, 0, 0, DateTimeKind.Utc).AddDays(day).AddMinutes(minute), level, quality, revision);

    /// <summary>A spring beyond the horizon, and the days around the new year.</summary>
    private static readonly Gen<Observation> AroundNewYear =
        from datastream in Gen.Int[1, 2]
        from begin in Gen.Frequency((1, Gen.Const(new DateTime(2026, 3, 29, 0, 0, 0, DateTimeKind.Utc))), (2, Gen.Const(new DateTime(2026, 12, 30, 0, 0, 0, DateTimeKind.Utc))))
        from quarter in Gen.Int[0, (4 * 24 * 4) - 1]
        from level in Gen.Int[60, 75]
        from quality in AnyQuality
        from revision in Gen.Frequency((5, Gen.Const(0)), (1, Gen.Const(1)))
        select Obs.At(datastream, begin.AddMinutes(15 * quarter), level, quality, revision);

    private static readonly Rule[] NoiseFigures =
    [
        Figure(Measure.Lden, 72, 70, "lden") with { CoverageMin = 0 },
        Figure(Measure.Ln, 66, 66, "ln") with { CoverageMin = 0 },
        Figure(Measure.Ln, 62, 60, "ln-covered") with { CoverageMin = 0.006 },
        Figure(Measure.Lden, 75, 75, "two-days") with { CoverageMin = 0, For = TimeSpan.FromHours(23) },
        Figure(Measure.Lden, 68, 66, "quiet") with { CoverageMin = 0, Crossing = Crossing.Below, ClearLevel = 70 },
    ];

    private static readonly Rule[] Counts =
    [
        Count(3, TimeSpan.FromHours(1), 67.5, "hours") with { CoverageMin = 0 },
        Count(0, TimeSpan.FromHours(1), 72.5, "never") with { CoverageMin = 0, Levels = [new(Notifications.Severity.Alert, 2, 1)] },
        Count(1, TimeSpan.FromDays(1), 68.5, "days") with { CoverageMin = 0, Levels = [new(Notifications.Severity.Alert, 2, 2)] },
        Count(1, TimeSpan.FromHours(1), 65.5, "covered") with { CoverageMin = 0.02 },
    ];

    [Fact]
    public async Task Any_delivery_of_the_same_levels_ends_in_the_same_noise_figures() =>
        await Gen.Select(Delivery(AroundTheChange, 10, 120), Gen.Shuffle(NoiseFigures)).SampleAsync(CheckAsync, iter: Repeats.Of(25, 5_000), threads: 2);

    [Fact]
    public async Task Any_delivery_of_the_same_observations_ends_in_the_same_counts_of_the_year() =>
        await Gen.Select(Delivery(AroundNewYear, 5, 90), Gen.Shuffle(Counts)).SampleAsync(CheckAsync, iter: Repeats.Of(25, 5_000), threads: 2);

    internal static Rule Figure(Measure measure, double set, double clear, string slug) =>
        AlertsBench.NoiseRule(set, clear, slug: slug) with { Measure = measure, Window = TimeSpan.FromDays(1), OnClock = true };

    internal static Rule Count(int allowed, TimeSpan window, double limit, string slug) =>
        AlertsBench.NoiseRule(allowed, allowed, slug: slug) with { Measure = Measure.Exceedances, Window = window, OnClock = true, Limit = limit };

    private static Gen<(Observation[] Delivery, int[] BatchSizes, Between[] Betweens)> Delivery(Gen<Observation> any, int least, int most) =>
        from set in any.Array[least, most]
        from inOrder in Gen.Bool
        from shuffled in Gen.Shuffle(set)
        from again in Gen.Int[0, set.Length - 1].Array[0, 10]
        from sizes in Gen.Int[1, 25].Array[1, 12]
        from betweens in Gen.Frequency(
            (6, Gen.Const(Between.Nothing)), (6, Gen.Const(Between.CatchUp)), (1, Gen.Const(Between.Restart)), (1, Gen.Const(Between.Crash)), (2, Gen.Const(Between.Wait))).Array[1, 12]
        select (
            (Observation[])[.. inOrder ? set.OrderBy(o => o.PhenomenonTime) : (IEnumerable<Observation>)shuffled, .. again.Select(index => set[index])],
            sizes, betweens);

    private static async Task CheckAsync((Observation[] Delivery, int[] BatchSizes, Between[] Betweens) sample, Rule[] all)
    {
        var rules = all[..2];
        await using var bench = await AlertsBench.StartAsync(prepare: bench =>
        {
            bench.Settings["Hub:Alerts:Horizon"] = all[0].Measure == Measure.Exceedances ? "30.00:00:00" : "60.00:00:00";
            bench.Time.SetUtcNow(all[0].Measure == Measure.Exceedances ? new DateTime(2027, 1, 9, 12, 0, 0, DateTimeKind.Utc) : AlertsBench.T0);
        });
        await OrderIndependenceTests.DeliverAsync(bench, sample, rules, TimeSpan.FromSeconds(30));
        var expected = new List<string>();
        foreach (var (rule, suffix) in rules.SelectMany(rule => rule.Levels.Select(level => (rule with { SetLevel = level.SetLevel, ClearLevel = level.ClearLevel }, "-alert")).Prepend((rule, ""))))
        {
            foreach (var (datastream, station) in OrderIndependenceTests.Streams)
            {
                expected.AddRange((await EpisodesAsync(bench.Series, rule, datastream)).Select(e =>
                    $"{rule.Slug}-{station}-{datastream}-{e.StartedAt:yyyyMMdd'T'HHmmss'Z'}{suffix} {e.ConditionAt:O} {e.StartedAt:O} {e.EndedAt:O} {e.StartValue} {e.Peak} {e.LastValue}"));
            }
        }

        Assert.Equal(expected.Order(StringComparer.Ordinal), await bench.EpisodesAsync());
        await OrderIndependenceTests.CheckToldAsync(bench);
    }

    private static async Task<IReadOnlyList<Episode>> EpisodesAsync(MemorySeries series, Rule rule, int datastream)
    {
        var machine = new AlarmMachine(rule.Crossing, rule.SetLevel, rule.ClearLevel, rule.For, TimeSpan.FromHours(26), new AlertsOptions().IgnoreQuality) { IsStrict = rule.Measure == Measure.Exceedances };
        var taken = new List<Observation>();
        await foreach (var observation in series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, default))
        {
            if ((observation.Quality & new AlertsOptions().IgnoreQuality) == 0)
            {
                taken.Add(observation);
            }
        }

        var (state, episodes, year) = (default(MachineState), new List<Episode>(), 0);
        foreach (var (at, of, value) in rule.Measure == Measure.Exceedances ? Counted(rule, taken) : Figures(rule, taken).Select(figure => (figure.At, 0, figure.Value)))
        {
            if (of != year && year != 0 && AlarmMachine.Rest(ref state, at, value, out var last) == Step.Ended)
            {
                episodes.Add(last);
            }

            year = of;
            if (machine.Take(ref state, at, value, out var ended) == Step.Ended)
            {
                episodes.Add(ended);
            }
        }

        return state.Phase == Phase.Active ? [.. episodes, state.Open] : episodes;
    }

    private static DateTime Local(DateTime at) => at + Lisbon.GetUtcOffset(at);

    /// <summary>The instant of a local time that the clock shows once.</summary>
    private static DateTime Instant(DateTime local) => TimeZoneInfo.ConvertTimeToUtc(DateTime.SpecifyKind(local, DateTimeKind.Unspecified), Lisbon);

    private static double Leq(IEnumerable<Observation> some) => 10 * Math.Log10(some.Aggregate(0.0, (sum, o) => sum + Math.Pow(10, o.Result / 10)) / some.Count());

    private static IEnumerable<(DateTime At, double Value)> Figures(Rule rule, List<Observation> taken)
    {
        foreach (var day in taken.GroupBy(o => Local(o.PhenomenonTime).AddHours(-7).Date))
        {
            var end = Instant(day.Key.AddDays(1).AddHours(7));
            var periods = day.ToLookup(o => Local(o.PhenomenonTime).Hour switch { >= 7 and < 20 => 'd', >= 20 and < 23 => 'e', _ => 'n' });
            var hours = (end - Instant(day.Key.AddHours(23))).TotalHours;
            if (taken[^1].PhenomenonTime < end || !periods.Contains('n') || periods['n'].Count() < hours * 60 * rule.CoverageMin)
            {
                continue;
            }

            if (rule.Measure == Measure.Ln)
            {
                yield return (end, Leq(periods['n']));
            }
            else if (periods.Contains('d') && periods.Contains('e'))
            {
                yield return (end, DayEveningNight.Lden(Leq(periods['d']), Leq(periods['e']), Leq(periods['n'])));
            }
        }
    }

    private static IEnumerable<(DateTime At, int Year, double Value)> Counted(Rule rule, List<Observation> taken)
    {
        var windows = taken.GroupBy(o => new DateTime(Local(o.PhenomenonTime).Ticks / rule.Window.Ticks * rule.Window.Ticks)).ToList();
        var counts = new Dictionary<int, int>();
        foreach (var window in windows.SkipLast(1).Where(window => window.Count() >= rule.Window.TotalMinutes * rule.CoverageMin))
        {
            var year = window.Key.Year;
            counts[year] = counts.GetValueOrDefault(year) + (Leq(window) > rule.Limit ? 1 : 0);
            yield return (rule.Window == TimeSpan.FromHours(1) ? Instant(window.Key) + rule.Window : Instant(window.Key + rule.Window), year, counts[year]);
        }
    }
}
