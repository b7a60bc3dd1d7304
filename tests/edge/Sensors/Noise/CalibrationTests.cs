using Hub.Edge.Sensors.Noise.Levels;
using Xunit;

namespace Hub.Edge.Sensors.Tests.Noise;

public sealed class CalibrationTests
{
    [Theory]
    [InlineData(94)]
    [InlineData(114)]
    public void A_calibration_makes_the_meter_say_the_calibrator(double calibrator)
    {
        // The microphone gives -24.3 dBFS at 94 dB, the station file says -26.
        double amplitude = Math.Pow(10, (-24.3 + calibrator - 94) / 20);
        double[] seconds = Levels(amplitude, -26);
        CalibrationResult result = AcousticCalibration.Evaluate(seconds, calibrator, -26, null);
        Assert.Equal(CalibrationOutcome.Good, result.Outcome);
        Assert.Equal(-24.3, result.Sensitivity, 0.01);
        Assert.Equal(calibrator + 1.7, result.Level, 0.01);
        Assert.Null(result.Deviation);

        double[] again = Levels(amplitude, result.Sensitivity);
        Assert.All(again, level => Assert.Equal(calibrator, level, 0.01));
    }

    [Fact]
    public void Deviation_is_from_the_last_calibration_and_a_large_one_is_said()
    {
        double[] levels = [.. Enumerable.Repeat(94.4, 12)];
        CalibrationResult close = AcousticCalibration.Evaluate(levels, 94, -26, -26.1);
        Assert.Equal((CalibrationOutcome.Good, 0.5), (close.Outcome, Math.Round(close.Deviation!.Value, 9)));
        CalibrationResult far = AcousticCalibration.Evaluate(levels, 94, -26, -27.2);
        Assert.Equal((CalibrationOutcome.Drifted, -25.6), (far.Outcome, Math.Round(far.Sensitivity, 9)));
    }

    [Fact]
    public void What_is_not_steady_or_not_the_calibrator_changes_nothing()
    {
        static CalibrationResult Of(params double[] levels) => AcousticCalibration.Evaluate(levels, 94, -26, -26);
        double[] good = [.. Enumerable.Repeat(94.1, 10)];
        Assert.Equal(CalibrationOutcome.TooShort, Of(good[..9]).Outcome);
        Assert.Equal(CalibrationOutcome.TooShort, Of([.. good[..9], double.NaN]).Outcome);
        Assert.Equal(CalibrationOutcome.TooShort, Of([.. good[..9], double.NegativeInfinity]).Outcome);
        Assert.Equal(CalibrationOutcome.Unstable, Of([.. good[..9], 94.4]).Outcome);
        Assert.Equal(CalibrationOutcome.OtherLevel, Of([.. good.Select(level => level + 20)]).Outcome);
        Assert.Equal(CalibrationOutcome.TooFar, Of([.. good.Select(level => level - 35)]).Outcome);
        Assert.All([Of(good[..9]), Of([.. good[..9], 94.4]), Of([.. good.Select(level => level + 20)])], result => Assert.Equal(-26, result.Sensitivity));

        // Only the last seconds count: putting the calibrator on is loud.
        Assert.Equal(CalibrationOutcome.Good, Of([60, 110, 101, .. good]).Outcome);
    }

    private static double[] Levels(double amplitude, double sensitivity)
    {
        var meter = new SoundLevelMeter(new MeterSettings(48_000, sensitivity));
        meter.Add(Signals.Sine(1000, amplitude, 48_000, 1));
        var levels = new List<double>();
        for (int second = 0; second < 10; second++)
        {
            meter.ClearSecond();
            meter.Add(Signals.Sine(1000, amplitude, 48_000, 1));
            levels.Add(meter.Second.LAeq);
        }

        return [.. levels];
    }
}
