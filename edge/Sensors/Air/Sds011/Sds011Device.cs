using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;

namespace Hub.Edge.Sensors.Air.Sds011;

/// <summary>
/// Nova Fitness SDS011: mass of particles up to 2.5 and 10 um, a frame each second while it works. Set to working, speaking by itself and without a period of its own
/// (which it would keep, so it is only set where it differs). A part whose receiving line is not connected is read all the same, as long as it may work all the time.
/// </summary>
/// <param name="open">Opens the port, 9600 baud.</param>
/// <param name="where">Name of the port.</param>
/// <param name="sleeps">True to let it sleep between looks.</param>
/// <param name="time">Clock of the waits.</param>
internal sealed class Sds011Device(Func<ISerialPort> open, string where, bool sleeps, TimeProvider time) : IDevice
{
    private const byte Mode = 2;
    private const byte SleepOrWork = 6;
    private const byte Period = 8;
    private const byte Working = 1;
    private const byte Sleeping = 0;
    private const double TenthMicrograms = 10;

    // The largest it can say (data sheet: 0.0 to 999.9 ug/m3).
    private const int CountMax = 9999;
    private const int FramesAfterSleep = 10;
    private const int AttemptsMax = 3;

    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FramePatience = TimeSpan.FromSeconds(3);

    /// <summary>Time that the fan must blow before values are right (data sheet).</summary>
    public static readonly TimeSpan SpinUp = TimeSpan.FromSeconds(30);

    private ISerialPort? port;
    private FrameStream<Sds011Frame>? frames;

    /// <summary>Sleeping between looks it takes the values of the spin-up for none, so that there are none to flag.</summary>
    public TimeSpan WarmUp => sleeps ? TimeSpan.Zero : SpinUp;

    /// <inheritdoc/>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        port = open();
        frames = new FrameStream<Sds011Frame>(port, Sds011Frames.TryCut, time);
        bool obeys = await TellAsync(SleepOrWork, Working, cancellationToken).ConfigureAwait(false);
        if (obeys)
        {
            await EnsureAsync(Mode, 0, cancellationToken).ConfigureAwait(false);
            await EnsureAsync(Period, 0, cancellationToken).ConfigureAwait(false);
            return;
        }

        try
        {
            await frames.OneAsync(FramePatience, frame => frame.Command == 0, cancellationToken).ConfigureAwait(false);
        }
        catch (NoSampleException exception)
        {
            throw new SensorException(
                $"No SDS011 answers at {where} ({exception.Message}): check its 5 V, that RX and TX are crossed, and that no other part is on this port.", exception);
        }

        if (sleeps)
        {
            throw new SensorException($"The SDS011 at {where} measures but does not obey, so it cannot be put to sleep: connect its RX line, or leave out sds011:sleep.");
        }
    }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(IList<Sample> samples, CancellationToken cancellationToken)
    {
        if (!sleeps)
        {
            Sds011Frame frame = await frames!.NewestAsync(FramePatience, frame => frame.Command == 0, cancellationToken).ConfigureAwait(false);
            Add(samples, frame.First, frame.Second, Saturated(frame));
            return;
        }

        if (!await TellAsync(SleepOrWork, Working, cancellationToken).ConfigureAwait(false))
        {
            throw new NoSampleException("silent", $"the SDS011 at {where} does not wake up");
        }

        try
        {
            await Task.Delay(SpinUp, time, cancellationToken).ConfigureAwait(false);
            frames!.Discard();
            (double fine, double coarse, Quality quality) = (0, 0, Quality.Good);
            for (int taken = 0; taken < FramesAfterSleep; taken++)
            {
                Sds011Frame frame = await frames.OneAsync(FramePatience, frame => frame.Command == 0, cancellationToken).ConfigureAwait(false);
                (fine, coarse, quality) = (fine + frame.First, coarse + frame.Second, quality | Saturated(frame));
            }

            Add(samples, fine / FramesAfterSleep, coarse / FramesAfterSleep, quality);
        }
        finally
        {
            // It obeyed a moment ago; should it not hear this, the next look wakes what is awake.
            port!.Write(Sds011Frames.Command(SleepOrWork, set: true, Sleeping));
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        port?.Dispose();
        return ValueTask.CompletedTask;
    }

    private static void Add(IList<Sample> samples, double fine, double coarse, Quality quality)
    {
        samples.Add(new Sample("pm2_5", fine / TenthMicrograms, quality));
        samples.Add(new Sample("pm10", coarse / TenthMicrograms, quality));
    }

    private static Quality Saturated(Sds011Frame frame) => frame.First >= CountMax || frame.Second >= CountMax ? Quality.Saturated : Quality.Good;

    // A setting is kept in the part's flash: written only where it differs.
    private async ValueTask EnsureAsync(byte command, byte value, CancellationToken cancellationToken)
    {
        if (await AskAsync(command, set: false, 0, cancellationToken).ConfigureAwait(false) is not { } answer || answer.First >> 8 != value)
        {
            await AskAsync(command, set: true, value, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<bool> TellAsync(byte command, byte value, CancellationToken cancellationToken)
    {
        // Asleep it may lose the first command.
        for (int attempt = 0; attempt < AttemptsMax; attempt++)
        {
            if (await AskAsync(command, set: true, value, cancellationToken).ConfigureAwait(false) is not null)
            {
                return true;
            }
        }

        return false;
    }

    private async ValueTask<Sds011Frame?> AskAsync(byte command, bool set, byte value, CancellationToken cancellationToken)
    {
        frames!.Discard();
        port!.Write(Sds011Frames.Command(command, set, value));
        try
        {
            return await frames.OneAsync(AnswerPatience, frame => frame.Command == command, cancellationToken).ConfigureAwait(false);
        }
        catch (NoSampleException)
        {
            return null;
        }
    }
}
