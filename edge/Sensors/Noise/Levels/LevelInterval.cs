namespace Hub.Edge.Sensors.Noise.Levels;

/// <summary>What one step of the meter adds to the intervals that are open: sums and extremes of squared samples, full scale being 1.</summary>
internal struct LevelStep
{
    public double EnergyA;
    public double EnergyC;
    public double EnergyZ;
    public double FMax;
    public double FMin;
    public double SMax;
    public double SMin;
    public double PeakC;
    public double PeakZ;
}

/// <summary>Sums of an interval that is open. Energies and extremes only: no sample is kept.</summary>
internal sealed class LevelInterval(int rate, bool percentiles, int bandCount)
{
    private readonly LevelHistogram? histogram = percentiles ? new LevelHistogram() : null;
    private readonly double[] bands = new double[bandCount];
    private LevelStep sum = Empty;
    private bool overload;
    private long measured;
    private long lost;

    private static LevelStep Empty => new() { FMin = double.PositiveInfinity, SMin = double.PositiveInfinity };

    /// <summary>Seconds of sound in it so far.</summary>
    public double MeasuredSeconds => (double)measured / rate;

    /// <summary>Energy of each band, to be added to.</summary>
    public Span<double> Bands => bands;

    public void Add(in LevelStep step, int samples, bool overloaded)
    {
        sum.EnergyA += step.EnergyA;
        sum.EnergyC += step.EnergyC;
        sum.EnergyZ += step.EnergyZ;
        sum.FMax = Math.Max(sum.FMax, step.FMax);
        sum.FMin = Math.Min(sum.FMin, step.FMin);
        sum.SMax = Math.Max(sum.SMax, step.SMax);
        sum.SMin = Math.Min(sum.SMin, step.SMin);
        sum.PeakC = Math.Max(sum.PeakC, step.PeakC);
        measured += samples;
        overload |= overloaded;
    }

    public void AddF(double level) => histogram?.Add(level);

    public void Lose(long samples) => lost += samples;

    /// <summary>Its levels so far.</summary>
    /// <param name="offset">dB to add to 10 lg of a mean square.</param>
    public SoundLevels Levels(double offset) => measured == 0
        ? new SoundLevels
        {
            LAeq = double.NaN, LCeq = double.NaN, LZeq = double.NaN, LAFmax = double.NaN, LAFmin = double.NaN, LASmax = double.NaN, LASmin = double.NaN,
            LCpeak = double.NaN, LA10 = double.NaN, LA50 = double.NaN, LA90 = double.NaN, Lost = lost,
        }
        : new SoundLevels
        {
            LAeq = Level(sum.EnergyA / measured, offset),
            LCeq = Level(sum.EnergyC / measured, offset),
            LZeq = Level(sum.EnergyZ / measured, offset),
            LAFmax = Level(sum.FMax, offset),
            LAFmin = Level(sum.FMin, offset),
            LASmax = Level(sum.SMax, offset),
            LASmin = Level(sum.SMin, offset),
            LCpeak = Level(sum.PeakC * sum.PeakC, offset),
            LA10 = histogram?.Exceeded(0.10) ?? double.NaN,
            LA50 = histogram?.Exceeded(0.50) ?? double.NaN,
            LA90 = histogram?.Exceeded(0.90) ?? double.NaN,
            Overload = overload,
            Measured = measured,
            Lost = lost,
        };

    /// <summary>Its band levels so far, dB; NaN where nothing was measured.</summary>
    public void BandLevels(double offset, Span<double> levels)
    {
        for (int band = 0; band < levels.Length; band++)
        {
            levels[band] = measured == 0 ? double.NaN : Level(bands[band] / measured, offset);
        }
    }

    /// <summary>Begins afresh.</summary>
    public void Clear()
    {
        sum = Empty;
        overload = false;
        measured = 0;
        lost = 0;
        histogram?.Clear();
        Array.Clear(bands);
    }

    private static double Level(double square, double offset) => (10 * Math.Log10(square)) + offset;
}
