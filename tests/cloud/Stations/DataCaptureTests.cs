using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Stations.Tests;

/// <summary>The numbers of Directive 2008/50/EC, Annex XI.</summary>
public sealed class DataCaptureTests
{
    [Theory]
    [InlineData("no2", 1, 45.0 / 60, true)]
    [InlineData("no2", 1, 44.0 / 60, false)]
    [InlineData("o3", 8, 6.0 / 8, true)]
    [InlineData("o3", 8, 5.9 / 8, false)]
    [InlineData("pm10", 24, 18.0 / 24, true)]
    [InlineData("pm2_5", 24, 17.0 / 24, false)]
    [InlineData("so2", 365 * 24, 0.9, true)]
    [InlineData("co", 366 * 24, 0.899, false)]
    public void Air_needs_three_quarters_of_a_period_and_nine_tenths_of_a_year(string quantity, int hours, double coverage, bool valid) =>
        Assert.Equal(valid, DataCapture.IsValid(Of(quantity), TimeSpan.FromHours(hours), coverage));

    [Fact]
    public void A_share_that_is_a_hair_below_by_rounding_is_the_share()
    {
        var minutes = Enumerable.Range(0, 45).Aggregate(0.0, (sum, _) => sum + (1.0 / 60));
        Assert.True(DataCapture.IsValid(Of("no2"), TimeSpan.FromHours(1), minutes));
        Assert.True(DataCapture.IsValid(Of("no2"), TimeSpan.FromHours(1), Math.BitDecrement(0.75)));
    }

    [Theory]
    [InlineData("laeq", 60, 0.1)]
    [InlineData("vehicle_count", 60, 0.1)]
    [InlineData("temperature", 1440, 0.1)]
    [InlineData("pm1", 60, 0.1)]
    [InlineData("no2", 59, 0.1)]
    [InlineData("no2", 60, double.NaN)]
    public void Where_the_law_asks_nothing_or_nothing_is_known_nothing_is_said(string quantity, int minutes, double coverage) =>
        Assert.Null(DataCapture.IsValid(Of(quantity), TimeSpan.FromMinutes(minutes), coverage));

    private static Quantity Of(string id) => QuantityCatalogue.TryGet(id, out var found) ? found : throw new InvalidOperationException(id);
}
