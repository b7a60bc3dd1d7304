using CsCheck;
using Hub.Edge.Sensors.Noise.Levels;
using Xunit;

namespace Hub.Edge.Sensors.Tests.Noise;

public sealed class MeterTests
{
    private const int Rate = 48_000;

    /// <summary>
    /// The independent reference: noise without a seam, weighted exactly in the frequency domain in double precision, then squared and averaged there.
    /// </summary>
    [Theory]
    [InlineData(44_100, 1)]
    [InlineData(48_000, 2)]
    [InlineData(48_000, 3)]
    public void Noise_measures_what_the_frequency_domain_says(int rate, int seed)
    {
        double[] noise = Signals.PinkPeriod(65_536, rate, seed);
        double[] a = Signals.Weighted(noise, rate, Signals.A);
        double[] c = Signals.Weighted(noise, rate, Signals.C);
        var meter = new SoundLevelMeter(Signals.RelativeToRms(rate));
        foreach (int _ in Enumerable.Range(0, 3))
        {
            meter.Add(noise);
        }

        meter.ClearPeriod();
        meter.Add(noise);
        SoundLevels levels = meter.Period;
        Assert.Equal(Signals.Energy(a), levels.LAeq, 0.03);
        Assert.Equal(Signals.Energy(c), levels.LCeq, 0.03);
        Assert.Equal(Signals.Energy(noise), levels.LZeq, 0.02);

        List<double> fast = Fast(a, rate, 4);
        Assert.Equal(fast.Max(), levels.LAFmax, 0.05);
        Assert.Equal(fast.Min(), levels.LAFmin, 0.05);
        fast.Sort();
        Assert.Equal(fast[(int)(0.9 * fast.Count)], levels.LA10, 0.1);
        Assert.Equal(fast[(int)(0.5 * fast.Count)], levels.LA50, 0.1);
        Assert.Equal(fast[(int)(0.1 * fast.Count)], levels.LA90, 0.1);
    }

    [Fact]
    public void Sensitivity_is_what_a_sine_of_94_dB_gives()
    {
        // A full-scale sine is 0 dBFS, so at -26 dBFS for 94 dB it is 120 dB.
        var meter = new SoundLevelMeter(new MeterSettings(Rate, -26));
        meter.Add(Signals.Sine(1000, 0.99, Rate, 3));
        Assert.Equal(120 + Signals.Decibels(0.99), meter.Period.LAeq, 0.001);
    }

    /// <summary>10 % of the time 80, 40 % 70, 40 % 60 and 10 % 50 dB: L10 is where 80 begins, the median between 60 and 70, L90 where 50 ends.</summary>
    [Fact]
    public void LA10_is_the_90th_percentile_and_LA90_the_10th()
    {
        var histogram = new LevelHistogram();
        foreach ((double level, int count) in new[] { (80.0, 100), (70.0, 400), (60.0, 400), (50.0, 100) })
        {
            for (int n = 0; n < count; n++)
            {
                histogram.Add(level);
            }
        }

        Assert.Equal(80, histogram.Exceeded(0.099), 0.05);
        Assert.Equal(70, histogram.Exceeded(0.101), 0.05);
        Assert.Equal(70, histogram.Exceeded(0.499), 0.05);
        Assert.Equal(60, histogram.Exceeded(0.501), 0.05);
        Assert.Equal(50, histogram.Exceeded(0.901), 0.05);
        histogram.Add(double.NegativeInfinity);
        histogram.Add(double.PositiveInfinity);
        Assert.Equal(60, histogram.Exceeded(0.501), 0.05);
        histogram.Clear();
        Assert.True(double.IsNaN(histogram.Exceeded(0.5)));
    }

    [Fact]
    public void Percentiles_agree_with_sorting() =>
        Gen.Double[30, 110].Array[20, 400].Sample(levels =>
        {
            var histogram = new LevelHistogram();
            foreach (double level in levels)
            {
                histogram.Add(level);
            }

            double[] sorted = [.. levels.Order()];
            foreach (double share in new[] { 0.1, 0.5, 0.9 })
            {
                // Between the two samples around the rank, give or take a step.
                double found = histogram.Exceeded(share);
                int rank = (int)(share * sorted.Length);
                Assert.InRange(found, sorted[Math.Max(0, sorted.Length - 1 - rank)] - 0.051, sorted[Math.Min(sorted.Length - 1, sorted.Length - rank)] + 0.051);
            }
        });

    [Fact]
    public void Levels_of_seconds_combine_as_energy()
    {
        Assert.Equal(84.397, SoundLevels.EnergyMean([90, 30, 60, 80]), 0.001);
        double[] noise = Signals.PinkPeriod(32_768, Rate, 7);
        var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate));
        double[] gains = [1, 0.01, 0.3, 2, 0.001];
        meter.Add(Signals.Sine(500, 0.1, Rate, 1));
        meter.ClearPeriod();
        var seconds = new List<double>();
        foreach (double gain in gains)
        {
            meter.ClearSecond();
            meter.Add([.. Enumerable.Range(0, Rate).Select(n => gain * noise[n % noise.Length])]);
            seconds.Add(meter.Second.LAeq);
        }

        Assert.Equal(SoundLevels.EnergyMean([.. seconds]), meter.Period.LAeq, 6);
        Assert.True(meter.Period.LAeq - seconds.Average() > 10, "The arithmetic mean of decibels is another number.");
    }

    [Fact]
    public void How_samples_are_cut_into_blocks_makes_no_difference() =>
        Gen.Int[1, 5000].Array[5, 40].Sample(
            cuts =>
            {
                double[] noise = Signals.PinkPeriod(32_768, Rate, 5);
                var whole = new SoundLevelMeter(Signals.RelativeToRms(Rate) with { Settle = TimeSpan.FromMilliseconds(300), Bands = true });
                var cut = new SoundLevelMeter(Signals.RelativeToRms(Rate) with { Settle = TimeSpan.FromMilliseconds(300), Bands = true });

                // The first block seeds the removal of DC: it is the same for both.
                whole.Add(noise.AsSpan(0, 480));
                cut.Add(noise.AsSpan(0, 480));
                whole.Add(noise.AsSpan(480));
                int place = 480;
                for (int index = 0; place < noise.Length; index++)
                {
                    int length = Math.Min(cuts[index % cuts.Length], noise.Length - place);
                    cut.Add(noise.AsSpan(place, length));
                    place += length;
                }

                Assert.Equal(whole.Period.LAeq, cut.Period.LAeq, 9);
                Assert.Equal(whole.Period.LA50, cut.Period.LA50, 9);
                Assert.Equal(whole.Period.LAFmin, cut.Period.LAFmin, 9);
                Assert.Equal((whole.Period.Measured, whole.Period.Lost), (cut.Period.Measured, cut.Period.Lost));
                var bands = new double[2 * ThirdOctaveBank.BandCount];
                whole.PeriodBands(bands.AsSpan(0, ThirdOctaveBank.BandCount));
                cut.PeriodBands(bands.AsSpan(ThirdOctaveBank.BandCount));
                Assert.All(Enumerable.Range(0, ThirdOctaveBank.BandCount), band => Assert.Equal(bands[band], bands[band + ThirdOctaveBank.BandCount], 9));
            },
            iter: 10);

    [Fact]
    public void Settling_time_is_dropped_and_counts_as_lost()
    {
        var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate) with { Settle = TimeSpan.FromMilliseconds(500) });

        // A microphone that wakes up: a step of DC as large as the loudest sound, decaying, under a quiet tone.
        double[] tone = Signals.Sine(1000, 0.001, Rate, 2);
        meter.Add([.. tone.Select((x, n) => x + 0.3 + (0.6 * Math.Exp(-n / (0.02 * Rate))))]);
        SoundLevels levels = meter.Period;
        Assert.Equal(Rate / 2, levels.Lost);
        Assert.Equal(Rate * 3 / 2, levels.Measured);
        Assert.Equal(0.75, levels.Coverage);
        Assert.Equal(-63.01, levels.LAeq, 0.02);
        Assert.Equal(-63.01, levels.LAFmin, 0.05);
        Assert.Equal(-63.01, levels.LAFmax, 0.05);
        Assert.False(levels.Overload);
    }

    [Fact]
    public void Direct_current_is_not_sound()
    {
        var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate));
        meter.Add([.. Signals.Sine(1000, 0.001, Rate, 3).Select(x => x - 0.4)]);
        Assert.Equal(-63.01, meter.Period.LAeq, 0.01);
        Assert.Equal(-63.01, meter.Period.LZeq, 0.05);
    }

    [Fact]
    public void Lost_samples_lower_the_coverage_and_nothing_else()
    {
        var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate) with { Settle = TimeSpan.FromMilliseconds(500) });
        meter.Add(Signals.Sine(1000, 0.1, Rate, 1.5));
        meter.ClearPeriod();
        meter.Add(Signals.Sine(1000, 0.1, Rate, 1));
        Assert.Equal(1, meter.Period.Coverage);
        meter.Lose(1);
        Assert.True(meter.Period.Coverage < 1, "One lost sample is not full coverage.");
        meter.Lose(Rate - 1);
        Assert.Equal(0.5, meter.Period.Coverage);

        // What follows a gap does not continue the sound: a jump of the wave must be no bang.
        meter.Restart();
        meter.Add(Signals.Sine(1000, 0.1, Rate, 1.5, phase: 1.3));
        Assert.Equal(Rate * 2, meter.Period.Measured);
        Assert.Equal(Rate * 1.5, meter.Period.Lost);
        Assert.Equal(-23.01, meter.Period.LAeq, 0.001);
        Assert.Equal(-20, meter.Period.LCpeak, 0.05);
        Assert.Equal(-23.01, meter.Period.LAFmax, 0.02);
    }

    [Theory]
    [InlineData(0.99, null, false)]
    [InlineData(1.2, null, true)]
    [InlineData(0.5, 114.2, false)]
    [InlineData(0.5, 113.8, true)]
    public void End_of_the_range_is_overload(double amplitude, double? overload, bool expected)
    {
        // Half of full scale is 113.98 dB for this microphone.
        var meter = new SoundLevelMeter(new MeterSettings(Rate, -26) { Overload = overload });
        meter.Add(Signals.Sine(200, 0.1, Rate, 2));
        Assert.False(meter.Period.Overload);
        meter.Add([.. Signals.Sine(200, amplitude, Rate, 0.5).Select(x => Math.Clamp(x, -1, 32_767 / 32_768.0))]);
        Assert.Equal(expected, meter.Period.Overload);
        meter.ClearPeriod();
        meter.Add(Signals.Sine(200, 0.1, Rate, 1));
        Assert.False(meter.Period.Overload);
    }

    [Fact]
    public void Nothing_measured_is_no_level_and_silence_is_minus_infinity()
    {
        var meter = new SoundLevelMeter(new MeterSettings(Rate, -26));
        Assert.True(double.IsNaN(meter.Period.LAeq));
        Assert.Equal(0, meter.Period.Coverage);
        meter.Add(Signals.Silence(Rate, 2));
        Assert.Equal(double.NegativeInfinity, meter.Period.LAeq);
        Assert.Equal(double.NegativeInfinity, meter.Period.LCpeak);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_block_allocates_nothing(bool bands)
    {
        var meter = new SoundLevelMeter(new MeterSettings(Rate, -26) { Bands = bands });
        double[] block = Signals.PinkPeriod(4096, Rate, 1);
        var levels = new double[ThirdOctaveBank.BandCount];
        Run();

        long before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Run()
        {
            for (int n = 0; n < 40; n++)
            {
                meter.Add(block);
            }

            Assert.True(meter.Second.LAeq < meter.Period.LAFmax);
            meter.PeriodBands(levels);
            meter.ClearSecond();
            meter.ClearPeriod();
            meter.Lose(3);
            meter.Restart();
        }
    }

    private static List<double> Fast(double[] period, int rate, int repeats)
    {
        double share = 1 - Math.Exp(-1 / (0.125 * rate));
        double average = 0;
        var levels = new List<double>();
        for (int n = 0; n < period.Length * repeats; n++)
        {
            double sample = period[n % period.Length];
            average += share * ((sample * sample) - average);
            if (n >= period.Length * (repeats - 1))
            {
                levels.Add(10 * Math.Log10(average));
            }
        }

        return levels;
    }
}
