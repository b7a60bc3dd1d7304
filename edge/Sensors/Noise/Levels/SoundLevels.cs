namespace Hub.Edge.Sensors.Noise.Levels;

/// <summary>
/// What an interval was, in dB re 20 uPa; NaN where nothing was measured, minus infinity for digital silence. Coverage says how much of the interval
/// the numbers stand for.
/// </summary>
internal readonly record struct SoundLevels
{
    /// <summary>Equivalent continuous level, A.</summary>
    public double LAeq { get; init; }

    /// <summary>Equivalent continuous level, C.</summary>
    public double LCeq { get; init; }

    /// <summary>Equivalent continuous level, Z (nothing but DC removed).</summary>
    public double LZeq { get; init; }

    /// <summary>Largest level, A and F (125 ms).</summary>
    public double LAFmax { get; init; }

    /// <summary>Smallest level, A and F.</summary>
    public double LAFmin { get; init; }

    /// <summary>Largest level, A and S (1 s).</summary>
    public double LASmax { get; init; }

    /// <summary>Smallest level, A and S.</summary>
    public double LASmin { get; init; }

    /// <summary>Largest instantaneous C-weighted pressure.</summary>
    public double LCpeak { get; init; }

    /// <summary>Exceeded 10 % of the time: the 90th percentile of F levels.</summary>
    public double LA10 { get; init; }

    /// <summary>Exceeded half of the time.</summary>
    public double LA50 { get; init; }

    /// <summary>Exceeded 90 % of the time: the 10th percentile of F levels.</summary>
    public double LA90 { get; init; }

    /// <summary>True if the input was at the end of its range at least once.</summary>
    public bool Overload { get; init; }

    /// <summary>Samples the levels are made of.</summary>
    public long Measured { get; init; }

    /// <summary>Samples of the interval that were lost or dropped: before the start, while settling, in an overrun.</summary>
    public long Lost { get; init; }

    /// <summary>Share of the interval really measured, 0 to 1; only 1 when nothing at all was lost (rounded down to 0.0001).</summary>
    public double Coverage => Measured == 0 ? 0 : Math.Floor(Measured * 10_000.0 / (Measured + Lost)) / 10_000;

    /// <summary>The level of a combined time: energies add, decibels do not.</summary>
    /// <param name="levels">Levels of times of equal length, dB.</param>
    public static double EnergyMean(ReadOnlySpan<double> levels)
    {
        double sum = 0;
        foreach (double level in levels)
        {
            sum += Math.Pow(10, level / 10);
        }

        return 10 * Math.Log10(sum / levels.Length);
    }
}
