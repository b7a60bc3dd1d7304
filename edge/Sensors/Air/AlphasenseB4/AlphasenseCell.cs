namespace Hub.Edge.Sensors.Air.AlphasenseB4;

/// <summary>
/// The arithmetic of one cell: two voltages and a temperature make a concentration (Alphasense application note AAN 803, "Correcting for background currents in four
/// electrode toxic gas sensors"). Pure; safe for concurrent callers.
/// </summary>
internal sealed class AlphasenseCell(AlphasenseCellOptions options)
{
    /// <summary>Temperatures that the factors are given for.</summary>
    public static readonly double[] FactorsAt = [-30, -20, -10, 0, 10, 20, 30, 40, 50];

    /// <summary>Mass concentration of 1 ppb at 20 °C and 1013 hPa (Directive (EU) 2024/2881), in the canonical unit of each gas: ug/m3, and mg/m3 for carbon monoxide.</summary>
    public static readonly IReadOnlyDictionary<string, double> MassOfPpb =
        new Dictionary<string, double> { ["no2"] = 1.9125, ["o3"] = 1.9953, ["co"] = 1.1644 / 1000, ["so2"] = 2.6633 };

    private readonly double[] factors = [.. options.Factors];

    /// <summary>True when the factors are known at this temperature.</summary>
    public static bool IsCompensated(double celsius) => celsius >= FactorsAt[0] && celsius <= FactorsAt[^1];

    /// <summary>Concentration of what the cell sees, ppb; of an OX cell both gases, as if all were ozone.</summary>
    /// <param name="working">Voltage of the working electrode (OP1), mV.</param>
    /// <param name="auxiliary">Voltage of the auxiliary electrode (OP2), mV.</param>
    /// <param name="celsius">Temperature of the cell; beyond the table the factor at its end holds.</param>
    public double Ppb(double working, double auxiliary, double celsius)
    {
        double we = working - options.WorkingElectronicZero!.Value;
        double ae = auxiliary - options.AuxiliaryElectronicZero!.Value;
        double weZero = options.WorkingSensorZero ?? 0;
        double aeZero = options.AuxiliarySensorZero ?? 0;
        double factor = Factor(celsius);
        double corrected = options.Algorithm switch
        {
            1 => we - (factor * ae),
            2 => we - (factor * (weZero / aeZero) * ae),
            3 => we - (weZero - aeZero) - (factor * ae),
            _ => we - weZero - factor,
        };
        return corrected / options.Sensitivity!.Value;
    }

    /// <summary>Ozone alone, ppb.</summary>
    /// <param name="both">What the OX cell saw, as if all were ozone, ppb.</param>
    /// <param name="no2">Nitrogen dioxide, ppb.</param>
    public double Ozone(double both, double no2) => both - (no2 * options.SensitivityNo2!.Value / options.Sensitivity!.Value);

    /// <summary>The factor at a temperature: straight lines between the table's points.</summary>
    public double Factor(double celsius)
    {
        double place = Math.Clamp((celsius - FactorsAt[0]) / 10, 0, factors.Length - 1);
        int below = Math.Min((int)place, factors.Length - 2);
        return factors[below] + ((place - below) * (factors[below + 1] - factors[below]));
    }

    /// <summary>Temperature of a thermistor, degrees Celsius; null when it is open or shorted.</summary>
    /// <param name="millivolts">Voltage across it.</param>
    /// <param name="thermistor">The divider.</param>
    public static double? Celsius(double millivolts, ThermistorOptions thermistor)
    {
        double volts = millivolts / 1000;
        double ohm = thermistor.SeriesOhm * volts / (thermistor.Supply - volts);
        double celsius = (1 / ((1 / 298.15) + (Math.Log(ohm / thermistor.Ohm25) / thermistor.Beta))) - 273.15;
        return celsius is >= -55 and <= 125 ? celsius : null;
    }
}
