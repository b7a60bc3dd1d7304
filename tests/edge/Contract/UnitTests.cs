using Hub.Edge.Contract.Quantities;

namespace Hub.Edge.Contract.Tests;

/// <summary>The unit registry: RFC 8428 and RFC 8798, with the scales as their tables give them.</summary>
public sealed class UnitTests
{
    [Theory]
    [InlineData(100, "ms", "s", 0.1)]
    [InlineData(10, "dBm", "dBW", -20)]
    [InlineData(-20, "dBW", "dBm", 10)]
    [InlineData(1, "min", "s", 60)]
    [InlineData(1, "h", "min", 60)]
    [InlineData(1, "kWh", "J", 3_600_000)]
    [InlineData(1, "VAh", "VAs", 3600)]
    [InlineData(1, "Wh/km", "J/m", 3.6)]
    [InlineData(1, "KiB", "B", 1024)]
    [InlineData(2, "MB/s", "bit/s", 16_000_000)]
    [InlineData(12, "ug/m3", "kg/m3", 1.2e-8)]
    [InlineData(1.2e-8, "kg/m3", "ug/m3", 12)]
    [InlineData(1, "mg/l", "ug/l", 1000)]
    [InlineData(420, "ppm", "/", 0.00042)]
    [InlineData(420, "ppm", "ppb", 420_000)]
    [InlineData(1, "/", "ppt", 1e12)]
    [InlineData(50, "/100", "/", 0.5)]
    [InlineData(50, "/100", "/1000", 500)]
    [InlineData(1013.25, "hPa", "Pa", 101_325)]
    [InlineData(36, "km/h", "m/s", 10)]
    [InlineData(10, "m/s", "km/h", 36)]
    [InlineData(3.6, "mm/h", "m/s", 1e-6)]
    [InlineData(3600, "m/h", "m/s", 1)]
    [InlineData(25, "mm", "cm", 2.5)]
    [InlineData(1, "km", "mm", 1_000_000)]
    [InlineData(1, "%", "/100", 100)]
    [InlineData(1000, "g", "kg", 1)]
    [InlineData(60, "1/min", "1/s", 1)]
    public void Units_convert_as_the_registry_says(double value, string from, string to, double expected)
    {
        Assert.True(SenmlUnit.TryConvert(value, Unit(from), Unit(to), out double converted));
        Assert.Equal(expected, converted);
    }

    [Theory]
    [InlineData("ug/m3", "/")]
    [InlineData("dB", "dBW")]
    [InlineData("%RH", "/100")]
    [InlineData("K", "Cel")]
    [InlineData("count", "/")]
    public void Different_things_do_not_convert(string from, string to) => Assert.False(SenmlUnit.TryConvert(1, Unit(from), Unit(to), out _));

    [Theory]
    [InlineData("dB(A)")]
    [InlineData("db")]
    [InlineData("UG/M3")]
    [InlineData("ug/m³")]
    [InlineData("°C")]
    [InlineData("C°")]
    [InlineData("km/hr")]
    [InlineData("")]
    public void A_symbol_that_is_not_registered_is_unknown(string symbol) => Assert.False(SenmlUnits.TryGet(symbol, out _));

    [Fact]
    public void Every_unit_leads_to_a_primary_one_and_back()
    {
        Assert.Equal(SenmlUnits.All.Count, SenmlUnits.All.Select(static u => u.Symbol).Distinct().Count());
        foreach (SenmlUnit unit in SenmlUnits.All)
        {
            SenmlUnit primary = Unit(unit.Primary);
            Assert.Equal((primary.Symbol, 1L, 1L, 0d), (primary.Primary, primary.Numerator, primary.Denominator, primary.Offset));
            Assert.True(unit.Symbol.Length <= 8);
            Assert.True(SenmlUnit.TryConvert(7.25, unit, primary, out double there));
            Assert.True(SenmlUnit.TryConvert(there, primary, unit, out double back));
            Assert.Equal(7.25, back, 1e-12);
        }
    }

    [Fact]
    public void Secondary_units_are_those_of_the_second_registry_and_our_two()
    {
        string[] secondary = [.. SenmlUnits.All.Where(static u => u.NeedsSecondaryUnits).Select(static u => u.Symbol)];
        Assert.Equal(
            ["ms", "min", "h", "MHz", "kW", "kVA", "kvar", "Ah", "Wh", "kWh", "varh", "kvarh", "VAh", "kVAh", "Wh/km", "KiB", "GB", "Mbit/s", "B/s",
             "MB/s", "mV", "mA", "dBm", "ug/m3", "mg/l", "ug/l", "g/l", "mm/h", "m/h", "/100", "/1000", "ppm", "ppb", "ppt", "hPa", "mm", "cm", "km",
             "km/h", "mg/m3", "1/cm3"],
            secondary);
    }

    private static SenmlUnit Unit(string symbol)
    {
        Assert.True(SenmlUnits.TryGet(symbol, out SenmlUnit? unit), symbol);
        return unit;
    }
}
