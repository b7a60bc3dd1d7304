using Hub.Edge.Sensors.Noise.Microphone;
using Microsoft.Extensions.Time.Testing;

namespace Hub.Edge.Sensors.Tests.Noise;

/// <summary>A sound card that plays a script: each read takes one step, and time passes with the sound. At the end of the script it gives nothing more.</summary>
internal sealed class FakeSound(FakeTimeProvider clock, int rate, IEnumerable<FakeSound.Step> script) : ISoundSource
{
    private readonly IEnumerator<Step> steps = script.GetEnumerator();
    private readonly ManualResetEventSlim never = new();

    /// <summary>One read: samples, or a failure, or an overrun; and how long it took besides the sound's own time.</summary>
    public readonly record struct Step(double[] Samples, TimeSpan Extra = default, bool Overrun = false, Exception? Failure = null);

    public Exception? OpenFailure { get; init; }

    /// <summary>Time that passes at each read once the script is over.</summary>
    public TimeSpan Idle { get; init; }

    public bool Opened { get; private set; }

    public bool Disposed { get; private set; }

    /// <summary>True when all of the script was taken.</summary>
    public volatile bool Over;

    public void Open()
    {
        if (OpenFailure is not null)
        {
            throw OpenFailure;
        }

        Opened = true;
    }

    public SoundRead Read(Span<double> samples)
    {
        if (!steps.MoveNext())
        {
            Over = true;
            clock.Advance(Idle);
            never.Wait(5);
            return default;
        }

        Step step = steps.Current;
        if (step.Failure is not null)
        {
            throw step.Failure;
        }

        clock.Advance(step.Extra + TimeSpan.FromTicks(step.Samples.Length * TimeSpan.TicksPerSecond / rate));
        step.Samples.CopyTo(samples);
        return new SoundRead(step.Samples.Length, step.Overrun);
    }

    public void Dispose()
    {
        Disposed = true;
        never.Dispose();
        steps.Dispose();
    }

    /// <summary>A tone in blocks of a tenth of a second.</summary>
    public static IEnumerable<Step> Tone(double hertz, double amplitude, int rate, double seconds)
    {
        // Whole waves fit into a block, so all blocks are the same.
        double[] block = Signals.Sine(hertz, amplitude, rate, 0.1);
        return Enumerable.Repeat(new Step(block), (int)Math.Round(seconds * 10));
    }
}
