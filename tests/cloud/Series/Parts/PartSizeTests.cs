using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>What a reading costs on disk in a settled day.</summary>
public sealed class PartSizeTests(ITestOutputHelper output)
{
    [Fact]
    public void A_reading_of_the_city_costs_at_most_0_7_bytes()
    {
        using var folder = new TempFolder();
        var summary = PartSamples.Write(folder.File("day.parquet"), PartSamples.City(400));
        var size = (double)summary.Bytes / summary.Rows;
        output.WriteLine($"{summary.Rows:N0} readings in {summary.Bytes:N0} bytes: {size:F3} bytes each");
        Assert.InRange(size, 0.1, 0.70);
    }

    [Fact]
    public void Raw_value_calibration_coverage_and_flags_come_at_their_price()
    {
        using var folder = new TempFolder();
        var summary = PartSamples.Write(folder.File("day.parquet"), PartSamples.City(100, isDetailed: true));
        var size = (double)summary.Bytes / summary.Rows;
        output.WriteLine($"{summary.Rows:N0} readings in {summary.Bytes:N0} bytes: {size:F3} bytes each");
        Assert.InRange(size, 0.1, 2.5);
    }
}
