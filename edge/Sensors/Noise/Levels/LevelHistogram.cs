namespace Hub.Edge.Sensors.Noise.Levels;

/// <summary>
/// Levels counted in steps of 0.05 dB from -30 to 170 dB: percentiles in bounded memory, however long the interval (16 kB). Levels outside count
/// in the first or last step.
/// </summary>
internal sealed class LevelHistogram
{
    private const double StepsPerDecibel = 20;
    private const double Lowest = -30;
    private const double Highest = 170;

    private readonly int[] counts = new int[(int)((Highest - Lowest) * StepsPerDecibel)];
    private int total;

    /// <summary>Counts one level, dB.</summary>
    public void Add(double level)
    {
        double step = (level - Lowest) * StepsPerDecibel;

        // A silent input is minus infinity, which no cast survives.
        int place = step >= 0 ? (int)Math.Min(step, counts.Length - 1) : 0;
        counts[place]++;
        total++;
    }

    /// <summary>The level exceeded during a share of the time, dB; NaN without any. LA10 is <c>Exceeded(0.10)</c>, the 90th percentile.</summary>
    /// <param name="share">Above 0, below 1.</param>
    public double Exceeded(double share)
    {
        if (total == 0)
        {
            return double.NaN;
        }

        double above = share * total;
        double seen = 0;
        for (int place = counts.Length - 1; place >= 0; place--)
        {
            if (counts[place] > 0 && seen + counts[place] >= above)
            {
                // Within a step the levels are taken as evenly spread.
                double part = (above - seen) / counts[place];
                return Lowest + ((place + 1 - part) / StepsPerDecibel);
            }

            seen += counts[place];
        }

        return Lowest;
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        Array.Clear(counts);
        total = 0;
    }
}
