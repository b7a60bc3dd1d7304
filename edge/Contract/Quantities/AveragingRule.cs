namespace Hub.Edge.Contract.Quantities;

/// <summary>How results of one quantity combine into the figure of a longer period. Part of the wire contract: never renumber.</summary>
public enum AveragingRule
{
    /// <summary>Arithmetic mean (concentrations, temperatures, pressures).</summary>
    Mean = 0,

    /// <summary>Mean of the energies, 10 lg(mean of 10^(L/10)): equivalent sound levels (IEC 61672-1).</summary>
    EnergyMean = 1,

    /// <summary>Sum (vehicle counts, rain).</summary>
    Sum = 2,

    /// <summary>Largest value (LAFmax, LCpeak, gusts).</summary>
    Max = 3,

    /// <summary>Smallest value (LAFmin).</summary>
    Min = 4,

    /// <summary>Direction of the mean unit vector, degrees (wind direction).</summary>
    CircularMean = 5,

    /// <summary>Must not be combined: a statistic of a distribution (LA10, LA50, LA90, V85); a longer period shows its spread, not a mean.</summary>
    None = 6,
}
