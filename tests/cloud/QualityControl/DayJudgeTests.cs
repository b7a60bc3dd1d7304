using CsCheck;
using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.QualityControl.Tests;

/// <summary>
/// What makes the findings a function of the set: judging day by day, with no more than the declared reach of data, finds what one pass over everything finds.
/// </summary>
public sealed class DayJudgeTests
{
    private const int Days = 4;

    private static readonly CheckParameters Parameters = new()
    {
        Range = new RangeParameters(0, 90),
        Step = new StepParameters(Change: 25, PerHour: 10, GapSeconds: 2 * 3_600),
        FlatLine = new FlatLineParameters(ForSeconds: 5 * 3_600, Tolerance: 1, GapSeconds: 3 * 3_600, NaturalBelow: 2),
        Spike = new SpikeParameters(Floor: 15, Deviations: 2, WithinSeconds: 3 * 3_600),
        Humidity = new HumidityParameters(85, 3_600, ["sds011"]),
        Drift = new DriftParameters("reference", Difference: 8, Days: 2),
    };

    private static readonly StreamPlace Place = new(1, AveragingRule.Mean, "sds011", [([2], 10), ([3, 4], 100), ([5], 200), ([6], 9_000)], [7], _ => 5);

    private static readonly Gen<Observation> AnyObservation =
        from datastream in Gen.Frequency((8, Gen.Const(1)), (6, Gen.Int[2, 7]))
        from quarter in Gen.Int[0, (Days * 96) - 1]
        from value in Gen.Frequency((3, Gen.Const(20.0)), (3, Gen.Const(21.0)), (1, Gen.Double[0, 100]), (1, Gen.Const(1.0)))
        from quality in Gen.Frequency((15, Gen.Const(Quality.Good)), (1, Gen.Const(Quality.WarmingUp)), (1, Gen.Const(Quality.UnderRange)))
        select new Observation(datastream, DateTime.UnixEpoch.AddMinutes(quarter * 15), datastream == 7 ? value + 60 : value, quality);

    [Fact]
    public async Task Day_by_day_finds_what_one_pass_finds() => await AnyObservation.Array[50, 700].SampleAsync(
        async set =>
        {
            var source = new ListSource(set);
            var found = new SortedSet<(QualityCheck, long)>();
            for (var day = -1; day <= Days; day++)
            {
                var history = new ParameterHistory([], Parameters);
                var (findings, dropped, _) = await DayJudge.JudgeAsync(Place, day, history.Within(Instants.Begin(day), Instants.Begin(day + 1)), source, default);
                Assert.Equal(0, dropped);
                foreach (var finding in findings)
                {
                    var covered = source.Of(1).Times.Where(time => time >= Instants.Micros(finding.From) && time < Instants.Micros(finding.To)).ToList();
                    Assert.Equal(finding.Count, covered.Count);
                    Assert.Equal(day, Instants.Day(Instants.Micros(finding.From)));
                    Assert.All(covered, time => Assert.True(found.Add((finding.Check, time))));
                }
            }

            Assert.Equal(OnePass(source), found);
        },
        iter: 1_000,
        threads: 2);

    [Fact]
    public async Task Another_version_from_a_date_judges_what_came_since()
    {
        var source = new ListSource([.. Enumerable.Range(0, 96).Select(quarter => new Observation(1, DateTime.UnixEpoch.AddMinutes(quarter * 15), quarter, Quality.Good))]);
        var history = new ParameterHistory(
            [new CheckDeclaration("braga", "pm10", 1, DateTime.UnixEpoch.AddHours(12), new CheckParameters { Range = new RangeParameters(0, 80) }, "ana", DateTime.UnixEpoch)],
            new CheckParameters { Range = new RangeParameters(10, 95) });
        var (findings, _, judged) = await DayJudge.JudgeAsync(Place, 0, history.Within(0, Instants.PerDay), source, TestContext.Current.CancellationToken);
        Assert.Equal(96, judged);
        Assert.Equal(
            [(0, 10, 0, 0.0, 10.0), (81, 15, 1, 95.0, 80.0)],
            findings.Select(finding => ((int)(finding.From - DateTime.UnixEpoch).TotalMinutes / 15, finding.Count, finding.Version, finding.Value, finding.Limit)));
    }

    [Fact]
    public async Task A_day_of_alternations_has_a_limit()
    {
        var source = new ListSource([.. Enumerable.Range(0, 2_400).Select(at => new Observation(1, DateTime.UnixEpoch.AddSeconds(at), at % 2 == 0 ? 200 : 20, Quality.Good))]);
        var history = new ParameterHistory([], new CheckParameters { Range = new RangeParameters(0, 90) });
        var (findings, dropped, _) = await DayJudge.JudgeAsync(Place, 0, history.Within(0, Instants.PerDay), source, TestContext.Current.CancellationToken);
        Assert.Equal((1_000, 200), (findings.Count, dropped));
    }

    /// <summary>The checks run over whole series, nothing cut anywhere.</summary>
    private static SortedSet<(QualityCheck, long)> OnePass(ListSource source)
    {
        var own = source.Of(1);
        var fit = own.Fit(Flags.Unfit, Parameters.Range);
        var flagged = new SortedSet<(QualityCheck, long)>();
        Add(QualityCheck.Range, RangeCheck.Judge(own, Parameters.Range!));
        Add(QualityCheck.Step, StepCheck.Judge(fit, Parameters.Step!, AveragingRule.Mean));
        Add(QualityCheck.FlatLine, FlatLineCheck.Judge(fit.Fit(FlatLineCheck.Ends, null), Parameters.FlatLine!));
        Samples[] neighbours = [Witness(2), Samples.Merged([Witness(3), Witness(4)]), Witness(5)];
        Add(QualityCheck.Spike, SpikeCheck.Judge(fit, SpikeCheck.Candidates(fit, Parameters.Spike!, AveragingRule.Mean), neighbours, Parameters.Spike!));
        Add(QualityCheck.Humidity, HumidityCheck.Judge(fit, [source.Of(7).Fit(Flags.UnfitWitness & ~Quality.Saturated, null)], Parameters.Humidity!));
        for (var day = 0; day < Days; day++)
        {
            if (DriftCheck.Judge(source.Hours(1), source.Hours(5), day, Parameters.Drift!) is { } drift)
            {
                Add(QualityCheck.Drift, [.. own.Times.Where(time => Instants.Day(time) == day).Select(time => new Verdict(time, drift.Difference, drift.Limit))]);
            }
        }

        return flagged;

        void Add(QualityCheck check, List<Verdict> verdicts) => flagged.UnionWith(verdicts.Select(verdict => (check, verdict.Time)));

        Samples Witness(int datastream) => source.Of(datastream).Fit(Flags.UnfitWitness, Parameters.Range);
    }

    private sealed class ListSource(IReadOnlyList<Observation> set) : ISampleSource
    {
        private readonly ILookup<int, Observation> _streams = set.GroupBy(o => (o.Datastream, o.PhenomenonTime)).Select(same => same.First()).OrderBy(o => o.PhenomenonTime).ToLookup(o => o.Datastream);

        public Samples Of(int datastream) => new([.. _streams[datastream]]);

        public List<HourFigure> Hours(int datastream) =>
            [.. _streams[datastream].Where(o => (o.Quality & Flags.UnfitWitness) == 0).GroupBy(o => Instants.Micros(o.PhenomenonTime) / Instants.PerHour).Select(hour => new HourFigure(hour.Key, hour.Average(o => o.Result)))];

        public ValueTask<Samples> ReadAsync(int datastream, long from, long to, CancellationToken cancellationToken) =>
            new(new Samples([.. _streams[datastream].Where(o => Instants.Micros(o.PhenomenonTime) >= from && Instants.Micros(o.PhenomenonTime) < to)]));

        public ValueTask<IReadOnlyList<HourFigure>> HoursAsync(int datastream, AveragingRule averaging, int fromDay, int toDay, CancellationToken cancellationToken) =>
            new([.. Hours(datastream).Where(figure => figure.Hour >= fromDay * 24L && figure.Hour < toDay * 24L)]);
    }
}
