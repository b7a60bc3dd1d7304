using CsCheck;

namespace Hub.Edge.Calibrations.Tests;

public sealed class StableReadingTests
{
    [Fact]
    public void Steady_values_are_stable_as_soon_as_there_are_enough()
    {
        var reading = new StableReading(Sample.Quantity("co2"), 12);
        for (int n = 1; n <= 12; n++)
        {
            Assert.False(reading.IsStable);
            reading.Add(400 + (n % 2), Sample.Noon.AddSeconds(n));
        }

        Assert.True(reading.IsStable);
        RawStatistics raw = reading.Statistics();
        Assert.Equal((12, 400.5, 400.0, 401.0), (raw.Count, raw.Mean, raw.Min, raw.Max));
        Assert.Equal(0.5222, raw.Deviation, 1e-4);
        Assert.Equal((Sample.Noon.AddSeconds(1), Sample.Noon.AddSeconds(12)), (raw.From, raw.To));
    }

    /// <summary>A gas that is still coming, with time constants as the parts have them (six looks and more): what is taken for its end is near it.</summary>
    [Fact]
    public void A_reading_that_still_moves_is_not_stable() =>
        Gen.Select(Gen.Double[100, 1000], Gen.Double[1, 20], Gen.Double[0, 1]).Sample((height, looks, noise) =>
        {
            var reading = new StableReading(Sample.Quantity("no2"), 12);
            var random = new Random(5);
            for (int n = 0; n < 1000 && !reading.IsStable; n++)
            {
                reading.Add((height * (1 - Math.Exp(-n / looks))) + (noise * random.NextDouble()), Sample.Noon.AddSeconds(n));
            }

            Assert.True(reading.IsStable);
            Assert.InRange(reading.Statistics().Mean, height * 0.92, height * 1.02);
        });

    [Fact]
    public void One_spike_keeps_it_from_being_stable_until_it_is_past()
    {
        var reading = new StableReading(Sample.Quantity("no2"), 5);
        foreach (double value in (double[])[10, 10, 100, 10, 10, 10, 10])
        {
            reading.Add(value, Sample.Noon);
            Assert.False(reading.IsStable);
        }

        reading.Add(10, Sample.Noon);
        Assert.True(reading.IsStable);
        reading.Clear();
        Assert.False(reading.IsStable);
        Assert.Equal(0, reading.Count);
    }

    [Fact]
    public void The_mean_of_levels_is_one_of_energy() =>
        Assert.Equal(97.4, StableReading.Of([(90, Sample.Noon), (100, Sample.Noon)], energy: true).Mean, 0.01);
}
