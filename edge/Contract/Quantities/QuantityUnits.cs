using Hub.Edge.Contract.Encoding;

namespace Hub.Edge.Contract.Quantities;

/// <summary>Which units a quantity takes: every one of its kind, and two pairs that the registry keeps apart although they measure the same.</summary>
internal static class QuantityUnits
{
    private static readonly SenmlUnit Kelvin = Unit("K");
    private static readonly SenmlUnit Celsius = Unit("Cel");
    private static readonly SenmlUnit RatioInDisguise = Unit("%");
    private static readonly SenmlUnit BatteryPercent = Unit("%EL");
    private static readonly SenmlUnit Percent = Unit("/100");

    /// <summary>Brings a value to the canonical unit of a quantity; false when the unit is missing or does not fit.</summary>
    public static bool TryConvert(double value, SenmlUnit? from, CatalogueEntry entry, out double converted)
    {
        converted = value;
        if (ReferenceEquals(from, entry.Unit))
        {
            return true;
        }

        // "%" means a ratio (1 is 100 %) in SenML and a percentage to everyone else: which one a sender meant cannot be known.
        if (from is null || ReferenceEquals(from, RatioInDisguise))
        {
            return false;
        }

        if (ReferenceEquals(from, Kelvin) && ReferenceEquals(entry.Unit, Celsius))
        {
            converted = value - 273.15;
            return true;
        }

        if (ReferenceEquals(from, BatteryPercent) && ReferenceEquals(entry.Unit, Percent))
        {
            return entry.Quantity.Id == "battery_level";
        }

        return SenmlUnit.TryConvert(value, from, entry.Unit, out converted);
    }

    public static string Problem(ReadOnlySpan<byte> sent, SenmlUnit? unit, CatalogueEntry entry) => unit switch
    {
        null when sent.IsEmpty => $"The record has no unit; {entry.Quantity.Id} is in {entry.Unit.Symbol}.",
        null => $"The unit {Excerpt.Of(sent)} is not registered; {entry.Quantity.Id} is in {entry.Unit.Symbol}.",
        _ when ReferenceEquals(unit, RatioInDisguise) => "The unit % is a ratio in SenML and easily taken for a percentage: use / or /100.",
        _ => $"{unit.Symbol} is not a unit of {entry.Quantity.Id}, which is in {entry.Unit.Symbol}.",
    };

    private static SenmlUnit Unit(string symbol) =>
        SenmlUnits.TryGet(symbol, out SenmlUnit? unit) ? unit : throw new InvalidOperationException("No unit " + symbol + ".");
}
