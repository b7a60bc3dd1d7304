using Hub.Edge.Contract.Quantities;

namespace Hub.Cloud.Transfer.Import;

/// <summary>From a column's unit to the canonical unit of its quantity.</summary>
internal readonly struct UnitConversion
{
    private const double CelsiusZeroKelvin = 273.15;

    private readonly SenmlUnit? _from;
    private readonly SenmlUnit? _to;

    private UnitConversion(SenmlUnit from, SenmlUnit to)
    {
        _from = from;
        _to = to;
    }

    /// <summary>What is wrong with a quantity and a unit; null when nothing is.</summary>
    public static string? Problem(string quantity, string? unit) => Problem(quantity, unit, out _, out _);

    /// <summary>Finds the quantity and the way to its unit.</summary>
    /// <param name="quantity">Identifier of the catalogue.</param>
    /// <param name="unit">SenML symbol; null for the canonical unit.</param>
    /// <param name="found">The quantity, null when there is none.</param>
    /// <param name="conversion">The way.</param>
    public static string? Problem(string quantity, string? unit, out Quantity? found, out UnitConversion conversion)
    {
        conversion = default;
        if (!QuantityCatalogue.TryGet(quantity, out found))
        {
            return $"the quantity '{quantity}' is not in the catalogue; /api/v1/properties of a hub, or its page of quantities, lists them.";
        }

        if (unit is null || unit == found.SenmlUnit)
        {
            return null;
        }

        if (unit == "%")
        {
            return "the unit % is a ratio in SenML and easily taken for a percentage: write / or /100.";
        }

        if (!SenmlUnits.TryGet(unit, out var from))
        {
            return $"the unit '{unit}' is no SenML symbol; {quantity} is in {found.SenmlUnit}. Where the file has another one, give factor and offset instead.";
        }

        SenmlUnits.TryGet(found.SenmlUnit, out var to);
        var kelvin = unit == "K" && found.SenmlUnit == "Cel";
        if (!kelvin && !SenmlUnit.TryConvert(1, from, to!, out _))
        {
            return $"{unit} is not a unit of {quantity}, which is in {found.SenmlUnit}. A mixing ratio needs a factor to a mass concentration: 1 ppb of NO2 is 1.9125 ug/m3 at 20 Cel.";
        }

        conversion = new UnitConversion(from, to!);
        return null;
    }

    /// <summary>A value in the canonical unit.</summary>
    public double Convert(double value)
    {
        if (_from is null)
        {
            return value;
        }

        return SenmlUnit.TryConvert(value, _from, _to!, out var converted) ? converted : value - CelsiusZeroKelvin;
    }
}
