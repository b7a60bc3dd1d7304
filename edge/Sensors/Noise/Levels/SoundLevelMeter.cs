using System.Numerics;
using System.Runtime.InteropServices;

namespace Hub.Edge.Sensors.Noise.Levels;

/// <summary>
/// A sound level meter: samples in, levels of the open second and of the open period out. Pure arithmetic, no clock, no input or output, and no memory
/// of a sample beyond its filters. Nothing is allocated after construction. One caller at a time.
/// </summary>
internal sealed class SoundLevelMeter
{
    /// <summary>A sample at or above this share of full scale is clipped, for 16 bits (0.99997) and for the 18 true bits of some microphones alike.</summary>
    public const double ClippedAt = 0.9999;

    /// <summary>F levels counted for the percentiles, a second.</summary>
    public const int LevelsPerSecond = 100;

    private const double FastSeconds = 0.125;
    private const double SlowSeconds = 1;

    // A first-order high-pass for what an ADC adds: -0.04 dB at 10 Hz. A and C have zeros at 0 Hz of their own.
    private const double DirectHertz = 1;

    // What a decaying filter is cut off at: numbers that small (-500 dB) are slow on many processors.
    private const double Vanishing = 1e-25;

    private readonly Section highPass;
    private readonly Section lowPass;
    private readonly Section fromCToA;
    private readonly double directShare;
    private readonly double fastShare;
    private readonly double slowShare;
    private readonly double offset;
    private readonly double overloadAt;
    private readonly int settleFilters;
    private readonly int settleAverage;
    private readonly int stepSamples;
    private readonly LevelInterval second;
    private readonly LevelInterval period;
    private readonly ThirdOctaveBank? bank;
    private readonly double[] steady;
    private State state;
    private int filtersLeft;
    private int averageLeft;
    private double averageEnergy;
    private int stepLeft;
    private bool seeded;

    public SoundLevelMeter(MeterSettings settings)
    {
        var weightings = new Weightings(settings.Rate);
        Rate = settings.Rate;
        highPass = weightings.HighPass;
        lowPass = weightings.LowPass;
        fromCToA = weightings.FromCToA;
        directShare = 1 - Math.Exp(-2 * Math.PI * DirectHertz / Rate);
        fastShare = 1 - Math.Exp(-1 / (FastSeconds * Rate));
        slowShare = 1 - Math.Exp(-1 / (SlowSeconds * Rate));
        offset = settings.Offset;

        // The level of a sine is 3 dB below that of its peak.
        overloadAt = settings.Overload is { } level ? Math.Pow(10, (level + (10 * Math.Log10(2)) - offset) / 20) : double.PositiveInfinity;
        settleAverage = (int)(FastSeconds * Rate);
        settleFilters = Math.Max((int)(settings.Settle.TotalSeconds * Rate) - settleAverage, Rate / 10);
        stepSamples = Rate / LevelsPerSecond;
        bank = settings.Bands ? new ThirdOctaveBank(Rate) : null;

        // Pinned, so that the collector leaves no copies of sound behind when it compacts.
        steady = GC.AllocateArray<double>(bank is null ? 0 : stepSamples, pinned: true);
        second = new LevelInterval(Rate, percentiles: false, bankCount());
        period = new LevelInterval(Rate, percentiles: true, bankCount());
        Restart();

        int bankCount() => bank is null ? 0 : ThirdOctaveBank.BandCount;
    }

    /// <summary>Samples a second.</summary>
    public int Rate { get; }

    /// <summary>The open second.</summary>
    public SoundLevels Second => second.Levels(offset);

    /// <summary>The open period.</summary>
    public SoundLevels Period => period.Levels(offset);

    /// <summary>The F level now, dB.</summary>
    public double Fast => (10 * Math.Log10(state.F)) + offset;

    /// <summary>The S level now, dB.</summary>
    public double Slow => (10 * Math.Log10(state.S)) + offset;

    /// <summary>Seconds of sound in the open period.</summary>
    public double PeriodSeconds => period.MeasuredSeconds;

    /// <summary>The band levels of the open period, dB, lowest band first; nothing if bands are off.</summary>
    /// <param name="levels"><see cref="ThirdOctaveBank.BandCount"/> of them.</param>
    public void PeriodBands(Span<double> levels)
    {
        if (bank is not null)
        {
            period.BandLevels(offset, levels);
        }
    }

    /// <summary>Takes samples that follow the last ones without a gap.</summary>
    /// <param name="samples">Full scale is 1.</param>
    public void Add(ReadOnlySpan<double> samples)
    {
        if (!seeded && samples.Length > 0)
        {
            // The filters begin as if the constant part had been there for ever.
            double mean = 0;
            ReadOnlySpan<double> head = samples[..Math.Min(samples.Length, stepSamples)];
            foreach (double sample in head)
            {
                mean += sample;
            }

            state.Direct = mean / head.Length;
            seeded = true;
        }

        while (samples.Length > 0)
        {
            int count = Math.Min(samples.Length, stepLeft);
            if (filtersLeft > 0)
            {
                count = Math.Min(count, filtersLeft);
            }
            else if (averageLeft > 0)
            {
                count = Math.Min(count, averageLeft);
            }

            Step(samples[..count]);
            samples = samples[count..];
        }
    }

    /// <summary>Says that samples are missing here: they count against the coverage of the open intervals. What follows a gap needs <see cref="Restart"/>.</summary>
    public void Lose(long samples) => Lose(samples, samples);

    /// <summary>The same where the open second and the open period lack different numbers of samples: at the start, both began before.</summary>
    public void Lose(long ofSecond, long ofPeriod)
    {
        second.Lose(ofSecond);
        period.Lose(ofPeriod);
    }

    /// <summary>Forgets the sound so far (not the open intervals): the next samples do not continue it, and the settling time is dropped again.</summary>
    public void Restart()
    {
        state = default;
        filtersLeft = settleFilters;
        averageLeft = settleAverage;
        averageEnergy = 0;
        stepLeft = stepSamples;
        seeded = false;
        bank?.Clear();
        ClearScratch();
    }

    /// <summary>Begins a new second.</summary>
    public void ClearSecond() => second.Clear();

    /// <summary>Begins a new period.</summary>
    public void ClearPeriod() => period.Clear();

    private void Step(ReadOnlySpan<double> samples)
    {
        LevelStep step = Run(samples, bank is null ? [] : steady);
        stepLeft -= samples.Length;
        bool stepEnds = stepLeft == 0;
        if (stepEnds)
        {
            stepLeft = stepSamples;
        }

        if (filtersLeft > 0)
        {
            bank?.Run(steady.AsSpan(0, samples.Length), [], []);
            filtersLeft -= samples.Length;
            Lose(samples.Length);
        }
        else if (averageLeft > 0)
        {
            bank?.Run(steady.AsSpan(0, samples.Length), [], []);
            averageLeft -= samples.Length;
            averageEnergy += step.EnergyA;
            Lose(samples.Length);
            if (averageLeft == 0)
            {
                // F and S begin with what was there, not with silence: a first minimum of silence would be a lie.
                state.F = averageEnergy / settleAverage;
                state.S = state.F;
            }
        }
        else
        {
            bool overloaded = LargestMagnitude(samples) >= ClippedAt || step.PeakZ >= overloadAt;
            second.Add(step, samples.Length, overloaded);
            period.Add(step, samples.Length, overloaded);
            bank?.Run(steady.AsSpan(0, samples.Length), second.Bands, period.Bands);
            if (stepEnds)
            {
                period.AddF(Fast);
            }
        }

        ClearScratch();
    }

    private void ClearScratch() => Array.Clear(steady);

    // One pass for all weightings: each section waits for its own last value, not for the others, so the processor runs them side by side; splitting
    // the pass to use vector instructions for the squares was slower.
    private LevelStep Run(ReadOnlySpan<double> samples, Span<double> z)
    {
        State s = state;
        var step = new LevelStep { FMin = double.PositiveInfinity, SMin = double.PositiveInfinity };
        Section h = highPass;
        Section l = lowPass;
        Section a = fromCToA;
        double direct = directShare;
        double fast = fastShare;
        double slow = slowShare;
        for (int index = 0; index < samples.Length; index++)
        {
            double x = samples[index] - s.Direct;
            s.Direct = double.MultiplyAddEstimate(direct, x, s.Direct);
            if (index < z.Length)
            {
                z[index] = x;
            }

            double y = double.MultiplyAddEstimate(h.B0, x, s.H1);
            s.H1 = double.MultiplyAddEstimate(h.B1, x, double.MultiplyAddEstimate(-h.A1, y, s.H2));
            s.H2 = double.MultiplyAddEstimate(h.B2, x, -h.A2 * y);

            double c = double.MultiplyAddEstimate(l.B0, y, s.L1);
            s.L1 = double.MultiplyAddEstimate(l.B1, y, double.MultiplyAddEstimate(-l.A1, c, s.L2));
            s.L2 = double.MultiplyAddEstimate(l.B2, y, -l.A2 * c);

            double w = double.MultiplyAddEstimate(a.B0, c, s.A1);
            s.A1 = double.MultiplyAddEstimate(a.B1, c, double.MultiplyAddEstimate(-a.A1, w, s.A2));
            s.A2 = double.MultiplyAddEstimate(a.B2, c, -a.A2 * w);

            double square = w * w;
            step.EnergyZ = double.MultiplyAddEstimate(x, x, step.EnergyZ);
            step.EnergyC = double.MultiplyAddEstimate(c, c, step.EnergyC);
            step.EnergyA += square;
            step.PeakC = Larger(step.PeakC, Math.Abs(c));
            step.PeakZ = Larger(step.PeakZ, Math.Abs(x));

            s.F = double.MultiplyAddEstimate(fast, square - s.F, s.F);
            s.S = double.MultiplyAddEstimate(slow, square - s.S, s.S);
            step.FMax = Larger(step.FMax, s.F);
            step.FMin = s.F < step.FMin ? s.F : step.FMin;
            step.SMax = Larger(step.SMax, s.S);
            step.SMin = s.S < step.SMin ? s.S : step.SMin;
        }

        s.CutOff();
        state = s;
        return step;
    }

    private static double Larger(double one, double other) => one > other ? one : other;

    private static double LargestMagnitude(ReadOnlySpan<double> samples)
    {
        ReadOnlySpan<Vector<double>> vectors = MemoryMarshal.Cast<double, Vector<double>>(samples);
        Vector<double> largest = Vector<double>.Zero;
        foreach (Vector<double> vector in vectors)
        {
            largest = Vector.Max(largest, Vector.Abs(vector));
        }

        double result = 0;
        for (int lane = 0; lane < Vector<double>.Count; lane++)
        {
            result = Larger(result, largest[lane]);
        }

        foreach (double sample in samples[(vectors.Length * Vector<double>.Count)..])
        {
            result = Larger(result, Math.Abs(sample));
        }

        return result;
    }

    private struct State
    {
        public double Direct;
        public double H1;
        public double H2;
        public double L1;
        public double L2;
        public double A1;
        public double A2;
        public double F;
        public double S;

        public void CutOff()
        {
            CutOff(ref H1);
            CutOff(ref H2);
            CutOff(ref L1);
            CutOff(ref L2);
            CutOff(ref A1);
            CutOff(ref A2);
            CutOff(ref F);
            CutOff(ref S);
        }

        private static void CutOff(ref double value) => value = Math.Abs(value) < Vanishing ? 0 : value;
    }
}
