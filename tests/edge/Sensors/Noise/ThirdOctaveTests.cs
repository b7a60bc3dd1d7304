using Hub.Edge.Sensors.Noise.Levels;
using Xunit;

namespace Hub.Edge.Sensors.Tests.Noise;

/// <summary>IEC 61260-1:2014, class 1, for every band from 25 Hz to 12.5 kHz.</summary>
public sealed class ThirdOctaveTests
{
    /// <summary>Octaves from the middle of an octave filter, least and most attenuation; for third octaves the frequencies are mapped.</summary>
    private static readonly (double Octaves, double Least, double Most)[] Limits =
    [
        (0, -0.4, 0.4), (1 / 8.0, -0.4, 0.5), (1 / 4.0, -0.4, 0.7), (3 / 8.0, -0.4, 1.4), (0.4999, -0.4, 5.3), (0.5, 1.2, 5.3), (1, 16.6, double.PositiveInfinity),
        (2, 40.5, double.PositiveInfinity), (3, 60, double.PositiveInfinity), (4, 70, double.PositiveInfinity),
    ];

    [Theory]
    [InlineData(48_000)]
    [InlineData(96_000)]
    public void Every_band_is_within_class_1(int rate)
    {
        var sections = new Section[3];
        double octave = Math.Pow(10, 0.3);
        for (int band = 0; band < ThirdOctaveBank.BandCount; band++)
        {
            ThirdOctaveBank.Design(band, rate, sections);
            foreach ((double octaves, double least, double most) in Limits)
            {
                double ratio = 1 + ((Math.Pow(octave, 1 / 6.0) - 1) / (Math.Pow(octave, 0.5) - 1) * (Math.Pow(octave, octaves) - 1));
                foreach (double hertz in new[] { ThirdOctaveBank.Centre(band) * ratio, ThirdOctaveBank.Centre(band) / ratio })
                {
                    if (hertz < rate / 2.0)
                    {
                        double attenuation = -sections.Sum(section => Signals.Decibels(section.Magnitude(hertz, rate)));

                        // At the edge itself the least attenuation steps from -0.4 to 1.2.
                        Assert.InRange(attenuation, least - 1e-9, most + 1e-9);
                    }
                }
            }
        }
    }

    [Fact]
    public void At_44_100_there_are_no_bands_because_the_highest_would_not_be_class_1() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SoundLevelMeter(Signals.RelativeToRms(44_100) with { Bands = true }));

    [Fact]
    public void Bands_are_the_28_from_25_Hz_to_12500_Hz()
    {
        Assert.Equal(25.119, ThirdOctaveBank.Centre(0), 0.001);
        Assert.Equal(1000, ThirdOctaveBank.Centre(16), 9);
        Assert.Equal(12_589.25, ThirdOctaveBank.Centre(27), 0.01);
    }

    [Fact]
    public void A_tone_is_in_its_band_and_noise_is_shared_out_whole()
    {
        const int Rate = 48_000;
        var tone = new SoundLevelMeter(Signals.RelativeToRms(Rate) with { Bands = true });
        var levels = new double[ThirdOctaveBank.BandCount];
        tone.Add(Signals.Sine(ThirdOctaveBank.Centre(10), 0.1, Rate, 4));
        tone.PeriodBands(levels);
        Assert.Equal(-23.01, levels[10], 0.05);
        Assert.All(levels.Where((_, band) => Math.Abs(band - 10) == 1), level => Assert.InRange(level, -50, -39));
        Assert.All(levels.Where((_, band) => Math.Abs(band - 10) >= 3), level => Assert.True(level < -70));

        // Pink noise: the same in every band, and together all of it, less the ends outside (20-22.4 Hz and 14.1-20 kHz).
        double[] noise = Signals.PinkPeriod(65_536, Rate, 11);
        var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate) with { Bands = true });
        meter.Add(noise);
        meter.Add(noise);
        meter.ClearPeriod();
        meter.Add(noise);
        meter.PeriodBands(levels);
        double sum = 10 * Math.Log10(levels.Sum(level => Math.Pow(10, level / 10)));
        double inside = 10 * Math.Log10(Math.Log(14_125 / 22.387) / Math.Log(20_000 / 20.0));
        Assert.Equal(meter.Period.LZeq + inside, sum, 0.1);
        Assert.InRange(levels.Max() - levels.Min(), 0, 1.2);
    }
}
