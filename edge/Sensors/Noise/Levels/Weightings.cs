namespace Hub.Edge.Sensors.Noise.Levels;

/// <summary>
/// The A and C frequency weightings of IEC 61672-1 for one sample rate, from the analogue poles: C is a double high-pass pole at f1 and a double low-pass
/// pole at f4; A is C with one high-pass pole more at f2 and at f3. So A is made from C's output by one section.
/// </summary>
internal sealed class Weightings
{
    // IEC 61672-1, the pole frequencies in hertz.
    private const double F1 = 20.598997;
    private const double F2 = 107.65265;
    private const double F3 = 737.86223;
    private const double F4 = 12194.217;
    private const double ReferenceHertz = 1000;

    private readonly int rate;

    /// <summary>Designs the filters.</summary>
    /// <param name="rate">Samples a second, 32 000 or more: below, the pole at 12.2 kHz cannot be matched.</param>
    public Weightings(int rate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rate, 32_000);
        this.rate = rate;
        LowPass = Section.LowPassTwice(F4, rate);
        Section low = Section.HighPass(F1, F1, rate);
        Section middle = Section.HighPass(F2, F3, rate);

        // Both weightings are 0 dB at 1 kHz, whatever the poles say.
        HighPass = low.Times(1 / (low.Magnitude(ReferenceHertz, rate) * LowPass.Magnitude(ReferenceHertz, rate)));
        FromCToA = middle.Times(1 / middle.Magnitude(ReferenceHertz, rate));
    }

    /// <summary>First section of C.</summary>
    public Section HighPass { get; }

    /// <summary>Second section of C.</summary>
    public Section LowPass { get; }

    /// <summary>What makes A from C.</summary>
    public Section FromCToA { get; }

    /// <summary>C weighting at a frequency, dB.</summary>
    public double C(double hertz) => 20 * Math.Log10(HighPass.Magnitude(hertz, rate) * LowPass.Magnitude(hertz, rate));

    /// <summary>A weighting at a frequency, dB.</summary>
    public double A(double hertz) => C(hertz) + (20 * Math.Log10(FromCToA.Magnitude(hertz, rate)));
}
