namespace Hub.Cloud.Indicators;

/// <summary>A period of the day of the Portuguese noise regulation, by local legal time (RGR, Decreto-Lei 9/2007, article 3).</summary>
public enum NoisePeriod
{
    /// <summary>07:00 to 20:00.</summary>
    Day = 0,

    /// <summary>20:00 to 23:00.</summary>
    Evening = 1,

    /// <summary>23:00 to 07:00 of the next day. It belongs to the day on which it begins; no source at hand says so, so that is not verified.</summary>
    Night = 2,
}

/// <summary>
/// The levels of one noise day, gathered period by period. Levels are taken to stand for equal times, so that the mean of a period's energies is its equivalent level over as long as it really lasted: a night on which
/// the clock changes has 7 or 9 hours. What it says hangs on the levels and their order alone. Used by one caller at a time.
/// </summary>
public sealed class NoiseDay
{
    private readonly double[] _energies = new double[3];
    private readonly long[] _counts = new long[3];

    /// <summary>When each period begins, by the local clock.</summary>
    public static TimeSpan BeginOf(NoisePeriod period) => TimeSpan.FromHours(period switch { NoisePeriod.Day => 7, NoisePeriod.Evening => 20, _ => 23 });

    /// <summary>Levels gathered in a period.</summary>
    public long CountOf(NoisePeriod period) => _counts[(int)period];

    /// <summary>Equivalent level of a period, dB(A): Ld, Le or Ln (ISO 1996-1: ten times the logarithm of the mean of the energies); NaN when nothing was gathered in it.</summary>
    public double LevelOf(NoisePeriod period) => CountOf(period) == 0 ? double.NaN : 10 * Math.Log10(_energies[(int)period] / CountOf(period));

    /// <summary>Lden of the day, dB(A), by <see cref="DayEveningNight.Lden"/>; NaN when a period has no level.</summary>
    public double Lden => DayEveningNight.Lden(LevelOf(NoisePeriod.Day), LevelOf(NoisePeriod.Evening), LevelOf(NoisePeriod.Night));

    /// <summary>Adds a level, dB(A).</summary>
    public void Add(NoisePeriod period, double level)
    {
        _energies[(int)period] += Math.Pow(10, level / 10);
        _counts[(int)period]++;
    }

    /// <summary>Adds the energy mean of several levels, dB(A), as if each had been added: an hour of a rollup stands for the levels in it.</summary>
    /// <param name="period">The period in which all of them lie.</param>
    /// <param name="level">Their energy mean, dB(A).</param>
    /// <param name="count">How many they are, 1 or more.</param>
    public void Add(NoisePeriod period, double level, long count)
    {
        _energies[(int)period] += count * Math.Pow(10, level / 10);
        _counts[(int)period] += count;
    }

    /// <summary>Forgets all levels.</summary>
    public void Clear()
    {
        Array.Clear(_energies);
        Array.Clear(_counts);
    }
}
