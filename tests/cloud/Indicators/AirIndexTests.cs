using Hub.Cloud.Indicators;

namespace Hub.Cloud.Indicators.Tests;

public sealed class AirIndexTests
{
    [Theory]
    [InlineData("pm2_5", new double[] { 5, 15, 50, 90, 140 })]
    [InlineData("pm10", new double[] { 15, 45, 120, 195, 270 })]
    [InlineData("no2", new double[] { 10, 25, 60, 100, 150 })]
    [InlineData("o3", new double[] { 60, 100, 120, 160, 180 })]
    [InlineData("so2", new double[] { 20, 40, 125, 190, 275 })]
    public void A_bound_of_2024_belongs_to_the_class_below_it(string property, double[] bounds)
    {
        var pollutant = AirIndex.PollutantOf(property)!.Value;
        for (var i = 0; i < bounds.Length; i++)
        {
            Assert.Equal(i + 1, AirIndex.ClassOf(pollutant, bounds[i], AirIndexBands.Eea2024));
            Assert.Equal(i + 2, AirIndex.ClassOf(pollutant, bounds[i] + 0.001, AirIndexBands.Eea2024));
        }

        Assert.Equal(1, AirIndex.ClassOf(pollutant, -2, AirIndexBands.Eea2024));
        Assert.Equal(6, AirIndex.ClassOf(pollutant, 5_000, AirIndexBands.Eea2024));
    }

    [Fact]
    public void The_worst_pollutant_decides_and_those_that_were_known_are_named()
    {
        var found = AirIndex.Of(new AirAverages(Ozone: 61, NitrogenDioxide: 101, Pm25: 60))!;
        Assert.Equal((5, AirPollutant.NitrogenDioxide), (found.Class, found.Worst));
        Assert.Equal([AirPollutant.Ozone, AirPollutant.NitrogenDioxide, AirPollutant.Pm25], found.Known);

        // Of two in the same class the first.
        Assert.Equal(AirPollutant.Ozone, AirIndex.Of(new AirAverages(Ozone: 61, Pm10: 16))!.Worst);
    }

    [Fact]
    public void Without_any_pollutant_it_says_nothing()
    {
        Assert.Null(AirIndex.Of(default));
        Assert.Null(AirIndex.Of(new AirAverages(Ozone: double.NaN)));
        Assert.Equal(2, AirIndex.Of(new AirAverages(Ozone: double.NaN, SulphurDioxide: 40))!.Class);
    }

    [Theory]
    [InlineData("eea-2024", 30, 3, 1)]
    [InlineData("eea-to-2024", 30, 4, 24)]
    [InlineData("qualar-2019", 30, 4, 24)]
    public void Which_bands_are_used_is_a_parameter(string name, double pm25, int expected, int hours)
    {
        var bands = AirIndexBands.All.Single(one => one.Name == name);
        Assert.Equal(expected, AirIndex.Of(new AirAverages(Pm25: pm25), bands)!.Class);
        Assert.Equal(TimeSpan.FromHours(hours), bands.AverageOf(AirPollutant.Pm25));
        Assert.Equal(TimeSpan.FromHours(1), bands.AverageOf(AirPollutant.Ozone));
    }

    [Fact]
    public void Bounds_rise_and_every_version_names_its_source()
    {
        Assert.Same(AirIndexBands.Eea2024, AirIndexBands.All[0]);
        foreach (var bands in AirIndexBands.All)
        {
            Assert.NotEqual("", bands.Source);
            foreach (var pollutant in Enum.GetValues<AirPollutant>())
            {
                Assert.Equal(bands.BoundsOf(pollutant).Order().Distinct(), bands.BoundsOf(pollutant));
                Assert.Equal(bands.ClassCount - 1, bands.BoundsOf(pollutant).Count);
                Assert.Equal(bands.ClassCount, AirIndex.ClassOf(pollutant, 10_000, bands));
            }
        }
    }

    [Fact]
    public void A_mean_of_values_at_a_bound_lies_at_it_whatever_its_last_bits()
    {
        var mean = Enumerable.Repeat(0.1, 10).Sum() * 10 * (1 + 1e-13);
        Assert.NotEqual(10, mean);
        Assert.Equal(1, AirIndex.ClassOf(AirPollutant.NitrogenDioxide, mean, AirIndexBands.Eea2024));
    }

    [Fact]
    public void Only_five_quantities_are_pollutants_of_it() => Assert.Null(AirIndex.PollutantOf("co"));
}
