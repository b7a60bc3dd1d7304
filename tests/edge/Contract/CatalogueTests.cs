using System.Globalization;
using System.Text;
using Hub.Edge.Contract.Quantities;

namespace Hub.Edge.Contract.Tests;

/// <summary>The quantity catalogue is part of the wire: what a released agent has learnt of it must stay true.</summary>
public sealed class CatalogueTests
{
    [Fact]
    public void Ids_units_and_rules_are_those_of_the_golden_file()
    {
        var json = new StringBuilder("[\n");
        foreach (Quantity q in QuantityCatalogue.All)
        {
            json.Append(CultureInfo.InvariantCulture, $"  {{ \"id\": \"{q.Id}\", \"senml\": \"{q.SenmlUnit}\", \"ucum\": \"{q.UcumUnit}\", \"averaging\": {(int)q.Averaging}, \"rule\": \"{q.Averaging}\"{(q.LiveFor is { } live ? $", \"liveForSeconds\": {live.TotalSeconds}" : "")} }},\n");
        }

        Golden.AssertText("catalogue.json", json.ToString().TrimEnd('\n', ',') + "\n]\n");
    }

    [Fact]
    public void Every_quantity_says_what_it_is_in_both_languages()
    {
        Assert.Equal(QuantityCatalogue.All.Count, QuantityCatalogue.All.Select(static q => q.Id).Distinct().Count());
        Assert.Equal(QuantityCatalogue.All.Count, QuantityCatalogue.All.Select(static q => q.NamePt).Distinct().Count());
        Assert.Equal(QuantityCatalogue.All.Count, QuantityCatalogue.All.Select(static q => q.NameEn).Distinct().Count());
        foreach (Quantity q in QuantityCatalogue.All)
        {
            Assert.Matches("^[a-z][a-z0-9_]*[a-z0-9]$", q.Id);
            Assert.All([q.NamePt, q.NameEn, q.UcumUnit, q.Source], static text => Assert.False(string.IsNullOrWhiteSpace(text)));
            Assert.True(q.Description.Length > 30 && q.Description.EndsWith('.'), q.Id);
            Assert.True(q.PlausibleMin < q.PlausibleMax, q.Id);
            Assert.True(SenmlUnits.TryGet(q.SenmlUnit, out _), q.Id);
            Assert.True(q.LiveFor is null || q.LiveFor >= TimeSpan.FromMinutes(1), q.Id);
        }
    }

    [Fact]
    public void A_quantity_is_found_by_text_and_by_bytes_exactly()
    {
        foreach (Quantity q in QuantityCatalogue.All)
        {
            Assert.True(QuantityCatalogue.TryGet(q.Id, out Quantity? byText));
            Assert.True(QuantityCatalogue.TryGet(System.Text.Encoding.UTF8.GetBytes(q.Id), out Quantity? byBytes));
            Assert.Same(q, byText);
            Assert.Same(q, byBytes);
            Assert.False(QuantityCatalogue.TryGet(q.Id.ToUpperInvariant(), out _));
            Assert.False(QuantityCatalogue.TryGet(q.Id + "_", out _));
            Assert.False(QuantityCatalogue.TryGet(q.Id[..^1] + "ç", out _));
        }

        Assert.False(QuantityCatalogue.TryGet("", out _));
        Assert.False(QuantityCatalogue.TryGet(new string('a', 1000), out _));
    }

    [Theory]
    [InlineData("laeq", AveragingRule.EnergyMean)]
    [InlineData("la10", AveragingRule.None)]
    [InlineData("v85", AveragingRule.None)]
    [InlineData("wind_direction", AveragingRule.CircularMean)]
    [InlineData("vehicle_count", AveragingRule.Sum)]
    [InlineData("lafmin", AveragingRule.Min)]
    public void Quantities_average_as_their_physics_asks(string id, AveragingRule rule)
    {
        Assert.True(QuantityCatalogue.TryGet(id, out Quantity? quantity));
        Assert.Equal(rule, quantity.Averaging);
    }

    /// <summary>Extremes of measured street data; true values must not be flagged, and noise around zero is true.</summary>
    [Theory]
    [InlineData("pm10", -27.64, 135.4)]
    [InlineData("pm2_5", 0, 549.4)]
    [InlineData("nox", -8.9, 801)]
    [InlineData("no2", -1.6, 236)]
    [InlineData("so2", -0.16, 13)]
    [InlineData("o3", 0, 292)]
    [InlineData("co", 0, 2.5)]
    [InlineData("particle_number", 1198, 112_030)]
    [InlineData("pressure", 911, 1026)]
    [InlineData("temperature", -9.7, 34.1)]
    [InlineData("wind_direction", 0, 359.94)]
    [InlineData("solar_radiation", 0, 1060)]
    [InlineData("laeq", 30.1, 95.6)]
    [InlineData("v85", 4, 122)]
    [InlineData("mean_speed", 1, 150)]
    [InlineData("vehicle_count", 0, 631)]
    public void Measured_extremes_are_plausible(string id, double min, double max)
    {
        Assert.True(QuantityCatalogue.TryGet(id, out Quantity? quantity));
        Assert.InRange(min, quantity.PlausibleMin, quantity.PlausibleMax);
        Assert.InRange(max, quantity.PlausibleMin, quantity.PlausibleMax);
    }

    [Theory]
    [InlineData("pm10", -99)]
    [InlineData("temperature", -99)]
    [InlineData("temperature", 85)]
    [InlineData("relative_humidity", 101)]
    [InlineData("co2", 0)]
    [InlineData("laeq", 0)]
    [InlineData("vehicle_count", -1)]
    public void Well_known_nonsense_is_not_plausible(string id, double value)
    {
        Assert.True(QuantityCatalogue.TryGet(id, out Quantity? quantity));
        Assert.False(value >= quantity.PlausibleMin && value <= quantity.PlausibleMax);
    }
}
