using CsCheck;
using Hub.Edge.Contract.Quantities;

namespace Hub.Edge.Calibrations.Tests;

public sealed class LinearCalibrationTests
{
    private static readonly Quantity No2 = Sample.Quantity("no2");

    private static readonly Gen<CalibrationTerms> Before = Gen.Select(Gen.Int[0, 9], Gen.Double[0.3, 3], Gen.Double[-100, 100], (version, gain, offset) => version == 0 ? CalibrationTerms.None : new CalibrationTerms(version, gain, offset, null));

    /// <summary>The inverse: what the instrument said at the references becomes the references, whatever it was before.</summary>
    [Fact]
    public void Applied_to_the_raw_values_a_zero_and_span_gives_the_references() =>
        Gen.Select(Before, Gen.Double[-40, 40], Gen.Double[100, 1500], Gen.Double[0.25, 4.5], Gen.Double[-200, 200]).Sample((before, low, high, gain, offset) =>
        {
            // An instrument that really has this gain and offset.
            double Raw(double truth) => (truth - offset) / gain;
            LinearResult result = LinearCalibration.Solve(No2, before, Sample.Point(CalibrationAct.Zero, low, Raw(low)), Sample.Point(CalibrationAct.Span, high, Raw(high)));
            Assert.NotEqual(LinearOutcome.Refused, result.Outcome);
            var applied = new AppliedCalibration(result.Gain, result.Offset, 1, null);
            Assert.Equal(low, applied.Apply(Raw(low)), 1e-6);
            Assert.Equal(high, applied.Apply(Raw(high)), 1e-6);
            Assert.Equal(gain, result.Gain, 1e-6);
            Assert.Equal(offset, result.Offset, 1e-4);
        });

    [Fact]
    public void A_zero_alone_meets_its_point_and_leaves_the_gain() =>
        Gen.Select(Before, Gen.Double[-40, 40], Gen.Double[-100, 100]).Sample((before, reference, raw) =>
        {
            LinearResult result = LinearCalibration.Solve(No2, before, Sample.Point(CalibrationAct.Zero, reference, raw), null);
            Assert.NotEqual(LinearOutcome.Refused, result.Outcome);
            Assert.Equal(before.Gain, result.Gain);
            Assert.Equal(reference, (raw * result.Gain) + result.Offset, 1e-6);
        });

    [Fact]
    public void A_span_alone_meets_its_point_and_leaves_the_zero() =>
        Gen.Select(Before, Gen.Double[100, 1500], Gen.Double[0.5, 2]).Sample((before, reference, off) =>
        {
            double zero = -before.Offset / before.Gain;
            double raw = zero + (reference / before.Gain * off);
            LinearResult result = LinearCalibration.Solve(No2, before, null, Sample.Point(CalibrationAct.Span, reference, raw));
            if (result.Outcome == LinearOutcome.Refused)
            {
                Assert.True(before.Gain / off is < LinearCalibration.GainMin or > LinearCalibration.GainMax, result.Problem);
                return;
            }

            Assert.Equal(reference, (raw * result.Gain) + result.Offset, 1e-6);
            Assert.Equal(0, (zero * result.Gain) + result.Offset, 1e-6);
        });

    [Fact]
    public void Doing_it_again_changes_nothing() =>
        Gen.Select(Gen.Double[-20, 20], Gen.Double[100, 1500], Gen.Double[0.25, 4.5], Gen.Double[-200, 200]).Sample((low, high, gain, offset) =>
        {
            CalibrationPoint zero = Sample.Point(CalibrationAct.Zero, low, (low - offset) / gain);
            CalibrationPoint span = Sample.Point(CalibrationAct.Span, high, (high - offset) / gain);
            LinearResult first = LinearCalibration.Solve(No2, CalibrationTerms.None, zero, span);
            LinearResult again = LinearCalibration.Solve(No2, new CalibrationTerms(1, first.Gain, first.Offset, null), zero, span);
            Assert.Equal(LinearOutcome.Good, again.Outcome);
            Assert.Equal(0, again.Deviation, 1e-6);
            Assert.Equal((first.Gain, first.Offset), (Math.Round(again.Gain, 9), again.Offset), (a, b) => Math.Abs(a.Item1 - b.Item1) < 1e-6 && Math.Abs(a.Item2 - b.Item2) < 1e-6);
        });

    [Theory]
    [InlineData(0, 3, 0, 200, "too near")]
    [InlineData(0, 3, 10, 200, "too near")]
    [InlineData(0, 100, 200, 100, "hardly tells")]
    [InlineData(0, 100, 200, 100.0001, "gain would be")]
    [InlineData(0, 0, 200, 2000, "gain would be 0.1")]
    [InlineData(0, 200, 200, 100, "gain would be -2")]
    [InlineData(0, 900, 200, 950, "offset would be")]
    [InlineData(0, 3, 2001, 200, "outside what no2 can be")]
    [InlineData(-51, 3, 200, 200, "outside what no2 can be")]
    [InlineData(0, 3, double.NaN, 200, "outside what no2 can be")]
    [InlineData(0, double.NaN, 200, 200, "no number")]
    [InlineData(0, 3, 200, double.PositiveInfinity, "no number")]
    public void Nonsense_is_refused_and_named(double low, double rawLow, double high, double rawHigh, string expected)
    {
        LinearResult result = LinearCalibration.Solve(No2, CalibrationTerms.None, Sample.Point(CalibrationAct.Zero, low, rawLow), Sample.Point(CalibrationAct.Span, high, rawHigh));
        Assert.Equal((LinearOutcome.Refused, 1.0, 0.0), (result.Outcome, result.Gain, result.Offset));
        Assert.Contains(expected, result.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_vary_as_much_as_span_and_zero_differ_are_refused()
    {
        LinearResult result = LinearCalibration.Solve(No2, CalibrationTerms.None, Sample.Point(CalibrationAct.Zero, 0, 0, 30), Sample.Point(CalibrationAct.Span, 100, 100));
        Assert.Contains("hardly tells", result.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Far_from_the_last_calibration_is_said_and_far_from_the_first_is_not()
    {
        CalibrationPoint zero = Sample.Point(CalibrationAct.Zero, 0, 60);
        Assert.Equal(LinearOutcome.Good, LinearCalibration.Solve(No2, CalibrationTerms.None, zero, null).Outcome);
        LinearResult drifted = LinearCalibration.Solve(No2, new CalibrationTerms(3, 1, 0, Sample.Noon), zero, null);
        Assert.Equal((LinearOutcome.Drifted, 1.0, -60.0, 60.0), (drifted.Outcome, drifted.Gain, drifted.Offset, drifted.Deviation));
        Assert.Equal(LinearOutcome.Good, LinearCalibration.Solve(No2, new CalibrationTerms(3, 1, -50, Sample.Noon), zero, null).Outcome);
        CalibrationPoint span = Sample.Point(CalibrationAct.Span, 400, 290);
        Assert.Equal(LinearOutcome.Drifted, LinearCalibration.Solve(No2, new CalibrationTerms(3, 1, 0, Sample.Noon), null, span).Outcome);
    }

    [Theory]
    [InlineData("no2", true)]
    [InlineData("temperature", true)]
    [InlineData("laeq", false)]
    [InlineData("wind_direction", false)]
    [InlineData("vehicle_count", false)]
    [InlineData("rain", false)]
    [InlineData("lafmax", false)]
    public void Only_what_is_averaged_arithmetically_has_a_zero_and_a_span(string quantity, bool suits) => Assert.Equal(suits, LinearCalibration.Suits(Sample.Quantity(quantity)));
}
