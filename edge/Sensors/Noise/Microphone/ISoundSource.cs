namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>What one read gave.</summary>
/// <param name="Frames">Samples written to the buffer; 0 when there was nothing yet.</param>
/// <param name="Overrun">True if sound was lost before these samples, or before the next ones if there are none.</param>
internal readonly record struct SoundRead(int Frames, bool Overrun);

/// <summary>Where sound comes from: one channel, full scale being 1. Used by one thread.</summary>
internal interface ISoundSource : IDisposable
{
    /// <summary>Opens the device with exactly the rate, format and channels asked for.</summary>
    /// <exception cref="SensorException">It is not there, busy, or cannot do it; the message says which and what to do.</exception>
    void Open();

    /// <summary>Waits for sound, at most a fifth of a second, and reads what is there.</summary>
    /// <exception cref="SensorException">The device is gone or broken: dispose and open another.</exception>
    SoundRead Read(Span<double> samples);
}
