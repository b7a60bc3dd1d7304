namespace Hub.Edge.Sensors.Air.AlphasenseB4;

/// <summary>Alphasense B4 cells on their individual sensor boards, read through one or more ADS1115.</summary>
public sealed class AlphasenseB4Options
{
    /// <summary>Input range of the converters, V: 6.144, 4.096, 2.048, 1.024, 0.512 or 0.256; default 4.096. Smaller resolves better, and saturates sooner.</summary>
    public double FullScale { get; set; } = 4.096;

    /// <summary>Time after a start during which values are flagged as warming up, zero to 1 day; default 30 min. Cells that were without supply take hours to settle.</summary>
    public TimeSpan WarmUp { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>The cells, 1 to 8, one for each gas.</summary>
    public IList<AlphasenseCellOptions> Cells { get; } = [];

    /// <summary>The thermistor beside the cells. Required: their zero wanders with temperature.</summary>
    public ThermistorOptions? Thermistor { get; set; }
}

/// <summary>One cell, with what stands on its certificate.</summary>
public sealed class AlphasenseCellOptions
{
    /// <summary><c>no2</c>, <c>o3</c> (the OX cell, which needs an <c>no2</c> cell beside it), <c>co</c> or <c>so2</c>. Required.</summary>
    public string Gas { get; set; } = "";

    /// <summary>I2C address of its converter, <c>0x48</c> to <c>0x4b</c>; default that of the bus.</summary>
    public string? Adc { get; set; }

    /// <summary>Input of the converter on OP1 (working electrode), 0 to 3.</summary>
    public int WorkingChannel { get; set; }

    /// <summary>Input of the converter on OP2 (auxiliary electrode), 0 to 3; default 1.</summary>
    public int AuxiliaryChannel { get; set; } = 1;

    /// <summary>WE electronic zero, mV. Required.</summary>
    public double? WorkingElectronicZero { get; set; }

    /// <summary>AE electronic zero, mV. Required.</summary>
    public double? AuxiliaryElectronicZero { get; set; }

    /// <summary>WE sensor zero, mV. Required for algorithms 2, 3 and 4.</summary>
    public double? WorkingSensorZero { get; set; }

    /// <summary>AE sensor zero, mV. Required for algorithms 2 and 3.</summary>
    public double? AuxiliarySensorZero { get; set; }

    /// <summary>Sensitivity, mV/ppb. Required.</summary>
    public double? Sensitivity { get; set; }

    /// <summary>Sensitivity of the OX cell to nitrogen dioxide, mV/ppb. Required for <c>o3</c>.</summary>
    public double? SensitivityNo2 { get; set; }

    /// <summary>Which formula of application note AAN 803 compensates the temperature, 1 to 4; default 1. The note says which suits a cell.</summary>
    public int Algorithm { get; set; } = 1;

    /// <summary>
    /// The factor of that formula at -30, -20, -10, 0, 10, 20, 30, 40 and 50 °C, from the table of the note for this type of cell. Required: the editions of the note differ,
    /// so no table is built in.
    /// </summary>
    public IList<double> Factors { get; } = [];
}

/// <summary>A thermistor (NTC) from a converter's input to ground, with a resistor from the input to the supply.</summary>
public sealed class ThermistorOptions
{
    /// <summary>I2C address of its converter; default that of the bus.</summary>
    public string? Adc { get; set; }

    /// <summary>Input of the converter, 0 to 3.</summary>
    public int Channel { get; set; }

    /// <summary>Supply of the divider, V; default 3.3.</summary>
    public double Supply { get; set; } = 3.3;

    /// <summary>Resistor to the supply, ohm; default 10 000.</summary>
    public double SeriesOhm { get; set; } = 10_000;

    /// <summary>Resistance at 25 °C, ohm; default 10 000.</summary>
    public double Ohm25 { get; set; } = 10_000;

    /// <summary>B value, K; default 3950.</summary>
    public double Beta { get; set; } = 3950;
}
