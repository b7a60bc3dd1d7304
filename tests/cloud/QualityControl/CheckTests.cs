using CsCheck;
using Hub.Cloud.QualityControl.Checks;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;

namespace Hub.Cloud.QualityControl.Tests;

/// <summary>Each check against worked cases and, where it is cleverer than its definition, against the definition.</summary>
public sealed class CheckTests
{
    private const long Minute = 60 * Instants.PerSecond;

    [Theory]
    [InlineData(-1, -1, 0)]
    [InlineData(0, double.NaN, 0)]
    [InlineData(100, double.NaN, 0)]
    [InlineData(100.5, 100.5, 100)]
    public void Beyond_a_bound_is_out_of_range(double value, double found, double limit)
    {
        var verdicts = RangeCheck.Judge(Minutes(value), new RangeParameters(0, 100));
        Assert.Equal(double.IsNaN(found) ? [] : [new Verdict(0, found, limit)], verdicts);
    }

    [Fact]
    public void What_is_flagged_as_out_of_range_is_not_found_again() =>
        Assert.Empty(RangeCheck.Judge(new Samples([At(0, 500, Quality.OutOfRange)]), new RangeParameters(0, 100)));

    [Fact]
    public void A_jump_is_flagged_once_and_the_new_level_is_believed() =>
        Assert.Equal([3], Indices(StepCheck.Judge(Minutes(10, 11, 10, 40, 41, 40), new StepParameters(5, 60), AveragingRule.Mean)));

    [Fact]
    public void The_return_from_an_outlier_is_not_flagged() =>
        Assert.Equal([2], Indices(StepCheck.Judge(Minutes(10, 10, 90, 10, 10), new StepParameters(5, 60), AveragingRule.Mean)));

    [Fact]
    public void What_is_plausible_grows_with_the_time_between()
    {
        var parameters = new StepParameters(5, 60);
        Assert.Empty(StepCheck.Judge(new Samples([At(0, 10), At(30, 44)]), parameters, AveragingRule.Mean));
        Assert.Equal(new Verdict(30 * Minute, 36, 35), Assert.Single(StepCheck.Judge(new Samples([At(0, 10), At(30, 46)]), parameters, AveragingRule.Mean)));
        Assert.Empty(StepCheck.Judge(new Samples([At(0, 10), At(70, 400)]), parameters, AveragingRule.Mean));
    }

    [Fact]
    public void Directions_step_on_the_circle()
    {
        Assert.Empty(StepCheck.Judge(Minutes(355, 5), new StepParameters(30, 0), AveragingRule.CircularMean));
        Assert.Equal(new Verdict(Minute, 180, 30), Assert.Single(StepCheck.Judge(Minutes(355, 175), new StepParameters(30, 0), AveragingRule.CircularMean)));
    }

    [Fact]
    public void Five_equal_values_that_last_are_flat_all_of_them()
    {
        var parameters = new FlatLineParameters(ForSeconds: 240);
        Assert.Equal([1, 2, 3, 4, 5, 6], Indices(FlatLineCheck.Judge(Minutes(6, 7, 7, 7, 7, 7, 7, 8), parameters)));
        Assert.Empty(FlatLineCheck.Judge(Minutes(6, 7, 7, 7, 7, 8), parameters));
        Assert.Empty(FlatLineCheck.Judge(new Samples([At(0, 7), At(60, 7), At(120, 7), At(180, 7)]), new FlatLineParameters(3_600)));
    }

    [Fact]
    public void Silence_of_the_street_is_no_flat_line()
    {
        var parameters = new FlatLineParameters(240, NaturalBelow: 0, NaturalAbove: 100);
        Assert.Empty(FlatLineCheck.Judge(Minutes(0, 0, 0, 0, 0, 0, 0), parameters));
        Assert.Empty(FlatLineCheck.Judge(Minutes(100, 100, 100, 100, 100, 100), parameters));
        Assert.Equal(5, FlatLineCheck.Judge(Minutes(1, 1, 1, 1, 1), parameters).Count);
        Assert.Empty(FlatLineCheck.Judge(Minutes(1, 1, 0, 1, 1, 1), parameters));
    }

    [Fact]
    public void A_gap_ends_a_flat_row() =>
        Assert.Empty(FlatLineCheck.Judge(new Samples([At(0, 7), At(1, 7), At(2, 7), At(9, 7), At(10, 7), At(11, 7)]), new FlatLineParameters(240, GapSeconds: 300)));

    [Fact]
    public void A_flat_row_is_what_its_definition_says() =>
        (from steps in Gen.Int[1, 4].Array[0, 40]
         from values in Gen.Frequency((5, Gen.Const(3.0)), (3, Gen.Const(3.5)), (1, Gen.Const(4.0)), (1, Gen.Const(0.0))).Array[40]
         from length in Gen.Int[2, 12]
         from gap in Gen.Int[1, 4]
         from tolerance in Gen.OneOf(Gen.Const(0.0), Gen.Const(0.5))
         select (steps, values, new FlatLineParameters(length * 60, tolerance, gap * 60, NaturalBelow: 0))).Sample(
            sample =>
            {
                var (steps, values, parameters) = sample;
                var minute = 0;
                var own = new Samples([.. steps.Select((step, at) => At(minute += step, values[at]))]);
                var flat = new SortedSet<long>();
                for (var begin = 0; begin < own.Count; begin++)
                {
                    for (var end = begin; end < own.Count; end++)
                    {
                        var row = own.Values[begin..(end + 1)];
                        var isRow = row.Max() - row.Min() <= parameters.Tolerance && row.All(value => value > 0)
                            && Enumerable.Range(begin, end - begin).All(at => own.Times[at + 1] - own.Times[at] <= parameters.GapSeconds * Instants.PerSecond);
                        if (isRow && row.Length >= 5 && own.Times[end] - own.Times[begin] >= parameters.ForSeconds * Instants.PerSecond)
                        {
                            flat.UnionWith(own.Times[begin..(end + 1)]);
                        }
                    }
                }

                Assert.Equal([.. flat], FlatLineCheck.Judge(own, parameters).Select(verdict => verdict.Time));
            },
            iter: 20_000);

    [Fact]
    public void A_spike_stands_out_of_its_own_and_of_its_neighbours()
    {
        var parameters = new SpikeParameters(Floor: 20, WithinSeconds: 180);
        var own = Minutes(10, 12, 11, 95, 12, 10, 11);
        Assert.Equal([3], SpikeCheck.Candidates(own, parameters, AveragingRule.Mean));
        Assert.Equal(new Verdict(3 * Minute, 83, 20), Assert.Single(SpikeCheck.Judge(own, [3], [Calm(10), Calm(12), Calm(14)], parameters)));

        // All of the town sees it: smoke, no fault. Or too few are there to say so. Or they disagree too much.
        Assert.Empty(SpikeCheck.Judge(own, [3], [Calm(90), Calm(85), Calm(99)], parameters));
        Assert.Empty(SpikeCheck.Judge(own, [3], [Calm(10), Calm(12)], parameters));
        Assert.Empty(SpikeCheck.Judge(own, [3], [Calm(10), Calm(40), Calm(80)], parameters));
    }

    [Fact]
    public void A_new_level_or_the_newest_value_is_no_spike_yet()
    {
        var parameters = new SpikeParameters(Floor: 20, WithinSeconds: 180);
        Assert.Empty(SpikeCheck.Candidates(Minutes(10, 10, 10, 95, 95, 95, 95, 95), parameters, AveragingRule.Mean));
        Assert.Empty(SpikeCheck.Candidates(Minutes(10, 10, 10, 95), parameters, AveragingRule.Mean));
        Assert.Equal([3, 4], SpikeCheck.Candidates(Minutes(10, 10, 10, 95, 99, 10, 10, 10), parameters, AveragingRule.Mean));
    }

    [Fact]
    public void What_stands_out_is_what_its_definition_says() =>
        (from steps in Gen.Int[1, 4].Array[0, 60]
         from values in Gen.OneOf(Gen.Int[0, 12].Select(value => value / 2.0), Gen.Double[0, 6]).Array[60]
         from within in Gen.Int[2, 40]
         from floor in Gen.OneOf(Gen.Const(0.5), Gen.Const(1.1), Gen.Double[0, 2])
         from between in Gen.Select(Gen.Int[-5, 130], Gen.Int[-5, 130])
         select (steps, values, new SpikeParameters(floor, WithinSeconds: within * 60), between)).Sample(
            sample =>
            {
                var (steps, values, parameters, (from, to)) = sample;
                var minute = 0;
                var own = new Samples([.. steps.Select((step, at) => At(minute += step, values[at]))]);
                var reach = SpikeCheck.Reach(parameters);
                var expected = new List<int>();
                for (var at = 0; at < own.Count; at++)
                {
                    double[] Others(Func<int, bool> side) => [.. Enumerable.Range(0, own.Count).Where(other => side(other) && Math.Abs(own.Times[other] - own.Times[at]) <= reach).Select(other => own.Values[other])];
                    var (before, after) = (Others(other => other < at), Others(other => other > at));
                    if (before.Length > 0 && after.Length > 0 && own.Times[at] >= from * Minute && own.Times[at] < to * Minute)
                    {
                        var (earlier, later) = (SpikeCheck.Median(before, []), SpikeCheck.Median(after, []));
                        if ((own.Values[at] - earlier > parameters.Floor && own.Values[at] - later > parameters.Floor) || (earlier - own.Values[at] > parameters.Floor && later - own.Values[at] > parameters.Floor))
                        {
                            expected.Add(at);
                        }
                    }
                }

                Assert.Equal(expected, SpikeCheck.Candidates(own, parameters, AveragingRule.Mean, from * Minute, to * Minute));
            },
            iter: 5_000);

    [Fact]
    public void The_nearest_value_in_time_is_taken_and_of_two_the_earlier()
    {
        var samples = new Samples([At(0, 1), At(10, 2), At(20, 3)]);
        Assert.Equal(2, samples.Nearest(15 * Minute, 60 * Minute));
        Assert.Equal(3, samples.Nearest(16 * Minute, 60 * Minute));
        Assert.Equal(3, samples.Nearest(30 * Minute, 10 * Minute));
        Assert.True(double.IsNaN(samples.Nearest(31 * Minute, 10 * Minute)));
        Assert.True(double.IsNaN(Samples.None.Nearest(0, 10 * Minute)));
    }

    [Fact]
    public void Moist_air_makes_particles_suspect()
    {
        var parameters = new HumidityParameters(85, 600, ["sds011"]);
        Samples[] humidity = [new([At(0, 84), At(20, 86)]), new([At(0, 80)])];
        Assert.Equal([11, 20, 30], HumidityCheck.Judge(new Samples([At(9, 5), At(11, 5), At(20, 5), At(30, 5), At(31, 5)]), humidity, parameters).Select(verdict => verdict.Time / Minute));
        Assert.Empty(HumidityCheck.Judge(new Samples([At(20, 5, Quality.SuspectHumidity)]), humidity, parameters));
    }

    [Theory]
    [InlineData("sds011", true)]
    [InlineData("sds011-1", true)]
    [InlineData("SDS011_north", true)]
    [InlineData("sds0110", true)]
    [InlineData("sds011x", false)]
    [InlineData("gravimetric", false)]
    [InlineData("sds", false)]
    public void Optical_sensors_are_known_by_name(string sensor, bool isOptical) => Assert.Equal(isOptical, HumidityCheck.IsOptical(sensor, new HumidityParameters(85, 600, ["sds011"])));

    [Theory]
    [InlineData(5, 10, 0, false)]
    [InlineData(12, 10, 0, true)]
    [InlineData(-12, 10, 0, true)]
    [InlineData(12, 10, 0.5, false)]
    [InlineData(16, 10, 0.5, true)]
    public void An_instrument_that_has_moved_away_has_drifted(double offset, double difference, double relative, bool hasDrifted)
    {
        var reference = Enumerable.Range(0, 48).Select(hour => new HourFigure(hour, 20 + (10 * (hour % 3)))).ToArray();
        var own = reference.Select(figure => figure with { Value = figure.Value + offset }).ToArray();
        var parameters = new DriftParameters("reference", difference, relative, Days: 2);
        Assert.Equal(hasDrifted, DriftCheck.Judge(own, reference, 1, parameters) is not null);
        Assert.Equal(hasDrifted, DriftCheck.Judge(own[12..], reference, 1, parameters) is not null);
        Assert.Null(DriftCheck.Judge(own[13..], reference, 1, parameters));
        Assert.Null(DriftCheck.Judge(own, reference, 2, parameters));
    }

    [Fact]
    public void The_highest_version_that_is_valid_counts()
    {
        var history = new ParameterHistory(
            [Declared(1, 10, new CheckParameters { Range = new(0, 1) }), Declared(2, 20, null), Declared(3, 15, new CheckParameters { Range = new(0, 3) })], new CheckParameters { Range = new(0, 9) });
        Assert.Equal(
            [(5, 10, 0, 9.0), (10, 15, 1, 1.0), (15, 20, 3, 3.0), (20, 25, 3, 3.0)],
            history.Within(5 * Minute, 25 * Minute).Select(segment => ((int)(segment.From / Minute), (int)(segment.To / Minute), segment.Version, segment.Parameters.Range!.Max)));
    }

    private static CheckDeclaration Declared(int version, int minute, CheckParameters? parameters) =>
        new("braga", "pm10", version, DateTime.UnixEpoch.AddMinutes(minute), parameters, "ana", DateTime.UnixEpoch);

    private static Samples Calm(double level) => new([At(1, level), At(3, level), At(6, level)]);

    private static Samples Minutes(params double[] values) => new([.. values.Select((value, minute) => At(minute, value))]);

    private static Observation At(int minute, double value, Quality quality = Quality.Good) => new(1, DateTime.UnixEpoch.AddMinutes(minute), value, quality);

    private static List<int> Indices(List<Verdict> verdicts) => verdicts.ConvertAll(verdict => (int)(verdict.Time / Minute));
}
