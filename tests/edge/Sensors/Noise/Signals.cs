using System.Numerics;
using Hub.Edge.Sensors.Noise.Levels;

namespace Hub.Edge.Sensors.Tests.Noise;

/// <summary>Signals with known levels, and the references of IEC 61672-1, all computed without the code under test.</summary>
internal static class Signals
{
    /// <summary>Levels come out relative to an rms of 1.</summary>
    public static MeterSettings RelativeToRms(int rate) => new(rate, 94 + (10 * Math.Log10(2))) { Settle = TimeSpan.FromSeconds(1) };

    public static double[] Sine(double hertz, double amplitude, int rate, double seconds, double phase = 0) =>
        [.. Enumerable.Range(0, (int)Math.Round(rate * seconds)).Select(n => amplitude * Math.Sin((2 * Math.PI * hertz * n / rate) + phase))];

    public static double[] Silence(int rate, double seconds) => new double[(int)Math.Round(rate * seconds)];

    /// <summary>The C weighting of the standard's formula, as a factor.</summary>
    public static double C(double f)
    {
        double c(double x) => 12194.217 * 12194.217 * x * x / (((x * x) + (20.598997 * 20.598997)) * ((x * x) + (12194.217 * 12194.217)));
        return c(f) / c(1000);
    }

    /// <summary>The A weighting of the standard's formula, as a factor.</summary>
    public static double A(double f)
    {
        double more(double x) => x * x / Math.Sqrt(((x * x) + (107.65265 * 107.65265)) * ((x * x) + (737.86223 * 737.86223)));
        return C(f) * more(f) / more(1000);
    }

    public static double Decibels(double factor) => 20 * Math.Log10(factor);

    /// <summary>One period of noise that falls by 3 dB an octave from 20 Hz to 20 kHz, with an rms of 0.1; repeated it has no seam. A power of two long.</summary>
    public static double[] PinkPeriod(int length, int rate, int seed)
    {
        var random = new Random(seed);
        var spectrum = new Complex[length];
        for (int k = 1; k < length / 2; k++)
        {
            double f = (double)k * rate / length;
            if (f is >= 20 and <= 20_000)
            {
                spectrum[k] = Complex.FromPolarCoordinates(1 / Math.Sqrt(f), random.NextDouble() * 2 * Math.PI);
                spectrum[length - k] = Complex.Conjugate(spectrum[k]);
            }
        }

        Fourier(spectrum);
        double rms = Math.Sqrt(spectrum.Average(x => x.Real * x.Real));
        return [.. spectrum.Select(x => x.Real / rms * 0.1)];
    }

    /// <summary>A periodic signal weighted exactly, in the frequency domain.</summary>
    public static double[] Weighted(double[] period, int rate, Func<double, double> weighting)
    {
        Complex[] spectrum = [.. period.Select(x => new Complex(x, 0))];
        Fourier(spectrum);
        int length = period.Length;
        for (int k = 0; k < length; k++)
        {
            double f = (double)Math.Min(k, length - k) * rate / length;

            // Conjugate and scale: a second forward transform is then the inverse one.
            spectrum[k] = k == 0 ? 0 : Complex.Conjugate(spectrum[k]) * weighting(f) / length;
        }

        Fourier(spectrum);
        return [.. spectrum.Select(x => x.Real)];
    }

    public static double Energy(IEnumerable<double> samples) => 10 * Math.Log10(samples.Average(x => x * x));

    /// <summary>Radix-2 discrete Fourier transform, in place.</summary>
    public static void Fourier(Complex[] x)
    {
        for (int i = 1, j = 0; i < x.Length; i++)
        {
            int bit = x.Length >> 1;
            for (; (j & bit) != 0; bit >>= 1)
            {
                j ^= bit;
            }

            j ^= bit;
            if (i < j)
            {
                (x[i], x[j]) = (x[j], x[i]);
            }
        }

        for (int size = 2; size <= x.Length; size *= 2)
        {
            for (int start = 0; start < x.Length; start += size)
            {
                for (int k = 0; k < size / 2; k++)
                {
                    Complex turn = Complex.FromPolarCoordinates(1, -2 * Math.PI * k / size) * x[start + k + (size / 2)];
                    (x[start + k], x[start + k + (size / 2)]) = (x[start + k] + turn, x[start + k] - turn);
                }
            }
        }
    }
}
