using Hub.Edge.Sensors.Noise.Levels;
using Xunit;

namespace Hub.Edge.Sensors.Tests.Noise;

/// <summary>IEC 61672-1: tone bursts of 4 kHz, decay of F and S, linearity, C peaks.</summary>
public sealed class TimeWeightingTests
{
    private const int Rate = 48_000;

    [Theory]
    [InlineData(1000, 0.0)]
    [InlineData(500, -0.1)]
    [InlineData(200, -1.0)]
    [InlineData(100, -2.6)]
    [InlineData(50, -4.8)]
    [InlineData(20, -8.3)]
    [InlineData(10, -11.1)]
    [InlineData(5, -14.1)]
    [InlineData(2, -18.0)]
    [InlineData(1, -21.0)]
    [InlineData(0.5, -24.0)]
    [InlineData(0.25, -27.0)]
    public void F_answers_tone_bursts_as_the_standard_says(double milliseconds, double expected)
    {
        // A single cycle has energy beside 4 kHz, which A weighs differently: the standard allows +1.3/-3.3 dB there.
        Assert.Equal(expected, Burst(milliseconds).LAFmax - Steady, milliseconds < 1 ? 0.5 : 0.15);
    }

    [Theory]
    [InlineData(1000, -2.0)]
    [InlineData(500, -4.1)]
    [InlineData(200, -7.4)]
    [InlineData(100, -10.2)]
    [InlineData(50, -13.1)]
    [InlineData(20, -17.0)]
    [InlineData(10, -20.0)]
    [InlineData(5, -23.0)]
    [InlineData(2, -27.0)]
    public void S_answers_tone_bursts_as_the_standard_says(double milliseconds, double expected) => Assert.Equal(expected, Burst(milliseconds).LASmax - Steady, 0.15);

    [Fact]
    public void F_and_S_fall_at_their_rates()
    {
        var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate));
        // S begins with the level that was there while settling, so it need not be waited for.
        meter.Add(Signals.Sine(4000, 0.5, Rate, 3));
        meter.Add(Signals.Silence(Rate, 0.1));
        (double fast, double slow) = (meter.Fast, meter.Slow);
        meter.Add(Signals.Silence(Rate, 1));

        // 10 lg e / time constant.
        Assert.Equal(34.74, fast - meter.Fast, 0.05);
        Assert.Equal(4.343, slow - meter.Slow, 0.01);
    }

    [Fact]
    public void Steady_sound_has_one_level_whatever_the_time_weighting()
    {
        var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate));
        meter.Add(Signals.Sine(1000, 0.1, Rate, 5));
        SoundLevels levels = meter.Period;
        Assert.All(
            [levels.LAeq, levels.LCeq, levels.LZeq, levels.LAFmax, levels.LAFmin, levels.LASmax, levels.LASmin, levels.LA10, levels.LA50, levels.LA90],
            level => Assert.Equal(-23.01, level, 0.06));
        
        // The crest of a wave of 48 samples may lie between two of them.
        Assert.Equal(-20, levels.LCpeak, 0.02);
    }

    /// <summary>What a 24-bit microphone of -26 dBFS gives at 45 to 115 dB: the level may be off by 1.1 dB in class 1, differences of 1 to 10 dB by 0.6 dB.</summary>
    [Theory]
    [InlineData(31.622776601683793)]
    [InlineData(1000)]
    [InlineData(7943.282347242815)]
    public void Level_is_linear_over_more_than_60_dB(double hertz)
    {
        double weight = Signals.Decibels(Signals.A(hertz));
        for (int level = 45; level <= 115; level += 10)
        {
            var meter = new SoundLevelMeter(new MeterSettings(Rate, -26) { Settle = TimeSpan.FromMilliseconds(400) });
            double amplitude = Math.Pow(10, (level - 94 - 26) / 20.0);
            meter.Add([.. Signals.Sine(hertz, amplitude, Rate, 1.4).Select(x => Math.Round(x * 8_388_607) / 8_388_608)]);
            Assert.Equal(level + weight, meter.Period.LAeq, 0.1);
            Assert.Equal(level, meter.Period.LZeq, 0.05);
        }
    }

    /// <summary>LCpeak less the LC of the steady sine, from the standard's table with its class 1 limits.</summary>
    [Theory]
    [InlineData(31.5, 1, 1, 2.5, 2.4)]
    [InlineData(500, 1, 1, 3.5, 1.4)]
    [InlineData(8000, 1, 1, 3.4, 2.4)]
    [InlineData(500, 0.5, 1, 2.4, 1.4)]
    [InlineData(500, 0.5, -1, 2.4, 1.4)]
    public void C_peaks_of_single_cycles_are_within_class_1(double hertz, double cycles, int sign, double expected, double allowed)
    {
        var steady = new SoundLevelMeter(Signals.RelativeToRms(Rate));
        steady.Add(Signals.Sine(hertz, 0.5, Rate, 4));

        var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate));
        meter.Add(Signals.Silence(Rate, 1.5));
        double[] burst = Signals.Sine(hertz, 0.5 * sign, Rate, cycles / hertz);
        meter.Add(burst);
        meter.Add(Signals.Silence(Rate, 0.5));
        Assert.Equal(expected, meter.Period.LCpeak - steady.Period.LCeq, allowed);
    }

    private static double Steady
    {
        get
        {
            var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate));
            meter.Add(Signals.Sine(4000, 0.5, Rate, 3));
            return meter.Period.LAeq;
        }
    }

    private static SoundLevels Burst(double milliseconds)
    {
        var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate));
        meter.Add(Signals.Silence(Rate, 2));
        meter.Add(Signals.Sine(4000, 0.5, Rate, milliseconds / 1000));
        meter.Add(Signals.Silence(Rate, 0.5));
        return meter.Period;
    }
}
