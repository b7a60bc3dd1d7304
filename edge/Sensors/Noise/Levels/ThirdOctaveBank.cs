using System.Numerics;

namespace Hub.Edge.Sensors.Noise.Levels;

/// <summary>
/// The 28 third-octave bands from 25 Hz to 12.5 kHz: Butterworth band-passes of 6th order (class 1 of IEC 61260-1:2014), base ten, bilinear with middle and edges put
/// on their frequencies. Bands lie side by side in vector registers.
/// </summary>
/// <remarks>
/// Without decimation: in double precision the 25 Hz band loses nothing at 48 kHz, and the whole bank costs less than one would save and then pay again
/// in anti-alias filters, latency and state.
/// </remarks>
internal sealed class ThirdOctaveBank
{
    /// <summary>Lowest rate, samples a second: at 44 100 the lower skirt of the 12.5 kHz band is 1 dB short of class 1 at a third of its frequency.</summary>
    public const int RateMin = 48_000;

    /// <summary>Number of bands.</summary>
    public const int BandCount = 28;

    private const int FirstIndex = -16;
    private const int SectionCount = 3;

    // A Butterworth band-pass of this order lets pi/3 times the noise of its -3 dB width through: 0.2 dB too much. Narrowed by that, its effective width is
    // a third of an octave (3.6 dB at the edges, where class 1 asks for 1.2 to 5.3), and the lower skirt of the top bands becomes steep enough.
    private const double EffectiveWidth = 3 / Math.PI;
    private const double Vanishing = 1e-25;

    private readonly int lanes = (BandCount + Vector<double>.Count - 1) / Vector<double>.Count * Vector<double>.Count;

    // By section, then by band: gain g of g(1 - 1/z²), then A1 and A2.
    private readonly double[] gains;
    private readonly double[] a1;
    private readonly double[] a2;
    private readonly double[] s1;
    private readonly double[] s2;

    public ThirdOctaveBank(int rate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rate, RateMin);
        gains = new double[SectionCount * lanes];
        a1 = new double[SectionCount * lanes];
        a2 = new double[SectionCount * lanes];
        s1 = new double[SectionCount * lanes];
        s2 = new double[SectionCount * lanes];
        Span<Section> sections = stackalloc Section[SectionCount];
        for (int band = 0; band < BandCount; band++)
        {
            Design(band, rate, sections);
            for (int section = 0; section < SectionCount; section++)
            {
                int place = (section * lanes) + band;
                gains[place] = sections[section].B0;
                a1[place] = sections[section].A1;
                a2[place] = sections[section].A2;
            }
        }
    }

    /// <summary>Exact centre of a band, hertz: 1000 x 10^(n/10).</summary>
    public static double Centre(int band) => 1000 * Math.Pow(10, (band + FirstIndex) / 10.0);

    /// <summary>The three sections of a band, each with 0 dB at the middle.</summary>
    public static void Design(int band, int rate, Span<Section> sections)
    {
        // Edges half a third of an octave away, the octave being 10^0.3.
        double half = Math.Pow(10, 0.05);
        double lower = Math.Tan(Math.PI * Centre(band) / half / rate);
        double upper = Math.Tan(Math.PI * Centre(band) * half / rate);
        double width = (upper - lower) * EffectiveWidth;
        double middle = Math.Sqrt(upper * lower);
        double middleHertz = Math.Atan(middle) * rate / Math.PI;

        // Each pole p of the low-pass prototype of third order becomes the two roots of s² - p width s + middle².
        Complex p = Complex.FromPolarCoordinates(1, 2 * Math.PI / 3);
        Complex root = Complex.Sqrt((p * p * width * width) - (4 * middle * middle));
        ReadOnlySpan<Complex> poles =
        [
            ((-width) + Complex.Sqrt((width * width) - (4 * middle * middle))) / 2,
            ((p * width) + root) / 2,
            ((p * width) - root) / 2,
        ];
        for (int section = 0; section < SectionCount; section++)
        {
            Complex z = (1 + poles[section]) / (1 - poles[section]);
            var plain = new Section(1, 0, -1, -2 * z.Real, (z.Real * z.Real) + (z.Imaginary * z.Imaginary));
            sections[section] = plain.Times(1 / plain.Magnitude(middleHertz, rate));
        }
    }

    /// <summary>Filters samples and adds each band's energy to both sums, each <see cref="BandCount"/> long or empty.</summary>
    public void Run(ReadOnlySpan<double> samples, Span<double> energies1, Span<double> energies2)
    {
        Span<double> sums = stackalloc double[Vector<double>.Count];
        for (int band = 0; band < BandCount; band += Vector<double>.Count)
        {
            Group(samples, band).CopyTo(sums);
            for (int lane = 0; lane < sums.Length && band + lane < BandCount && energies1.Length > 0; lane++)
            {
                energies1[band + lane] += sums[lane];
                energies2[band + lane] += sums[lane];
            }
        }
    }

    /// <summary>Forgets the sound so far.</summary>
    public void Clear()
    {
        Array.Clear(s1);
        Array.Clear(s2);
    }

    private Vector<double> Group(ReadOnlySpan<double> samples, int band)
    {
        (int first, int second, int third) = (band, lanes + band, (2 * lanes) + band);
        Vector<double> g1 = new(gains, first), g2 = new(gains, second), g3 = new(gains, third);
        Vector<double> p1 = -new Vector<double>(a1, first), p2 = -new Vector<double>(a1, second), p3 = -new Vector<double>(a1, third);
        Vector<double> q1 = -new Vector<double>(a2, first), q2 = -new Vector<double>(a2, second), q3 = -new Vector<double>(a2, third);
        Vector<double> t1 = new(s1, first), t2 = new(s1, second), t3 = new(s1, third);
        Vector<double> u1 = new(s2, first), u2 = new(s2, second), u3 = new(s2, third);
        Vector<double> energy = Vector<double>.Zero;
        foreach (double sample in samples)
        {
            Vector<double> x = g1 * new Vector<double>(sample);
            Vector<double> y = x + t1;
            t1 = Vector.MultiplyAddEstimate(p1, y, u1);
            u1 = Vector.MultiplyAddEstimate(q1, y, -x);

            x = g2 * y;
            y = x + t2;
            t2 = Vector.MultiplyAddEstimate(p2, y, u2);
            u2 = Vector.MultiplyAddEstimate(q2, y, -x);

            x = g3 * y;
            y = x + t3;
            t3 = Vector.MultiplyAddEstimate(p3, y, u3);
            u3 = Vector.MultiplyAddEstimate(q3, y, -x);

            energy = Vector.MultiplyAddEstimate(y, y, energy);
        }

        Keep(t1, s1, first);
        Keep(t2, s1, second);
        Keep(t3, s1, third);
        Keep(u1, s2, first);
        Keep(u2, s2, second);
        Keep(u3, s2, third);
        return energy;
    }

    private static void Keep(Vector<double> value, double[] states, int place) =>
        Vector.ConditionalSelect(Vector.LessThan(Vector.Abs(value), new Vector<double>(Vanishing)), Vector<double>.Zero, value).CopyTo(states, place);
}
