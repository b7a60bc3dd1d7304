namespace Hub.Edge.Sensors.Noise.Levels;

/// <summary>What a meter is told of its microphone.</summary>
/// <param name="Rate">Samples a second, 32 000 or more.</param>
/// <param name="Sensitivity">What the microphone gives at 94 dB SPL, dBFS; 0 dBFS is a sine that reaches full scale, so an rms of 0.7071.</param>
internal sealed record MeterSettings(int Rate, double Sensitivity)
{
    /// <summary>Dropped after each start and each gap: filters and averages are still ringing. At least 225 ms.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Sine level at which the microphone begins to distort, dB SPL; null: only full scale is overload.</summary>
    public double? Overload { get; init; }

    /// <summary>Third-octave bands, 25 Hz to 12.5 kHz, as well.</summary>
    public bool Bands { get; init; }

    /// <summary>dB to add to 10 lg of a mean square, full scale being 1.</summary>
    public double Offset => 94 + (10 * Math.Log10(2)) - Sensitivity;
}
