namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>Capture from an ALSA device. Takes what the device does by itself: nothing is resampled. Its buffer holds raw sound and is cleared after each read.</summary>
/// <param name="device">ALSA name.</param>
/// <param name="rate">Samples a second.</param>
/// <param name="format">Format of a sample.</param>
/// <param name="channels">Channels of the device.</param>
/// <param name="channel">Channel to take, from 0.</param>
internal sealed class AlsaCapture(string device, int rate, SoundFormat format, int channels, int channel) : ISoundSource
{
    private const int WaitMilliseconds = 200;

    // errno values of Linux, the same on x64 and arm64.
    private const int NotThere = 2;
    private const int NoSuchAddress = 6;
    private const int Again = 11;
    private const int NotAllowed = 13;
    private const int Busy = 16;
    private const int NoDevice = 19;
    private const int Invalid = 22;
    private const int Overrun = 32;
    private const int Suspended = 86;

    // Pinned, so that the collector leaves no copies of sound behind when it compacts. A tenth of a second.
    private readonly byte[] bytes = GC.AllocateArray<byte>(rate / 10 * channels * SampleCodec.BytesOf(format), pinned: true);
    private nint pcm;

    /// <inheritdoc/>
    public void Open()
    {
        try
        {
            Check(LibAsound.Open(out pcm, device, LibAsound.StreamCapture, LibAsound.OpenNonBlocking), "open it");
            SetUp();
            Check(LibAsound.Prepare(pcm), "prepare it");
            Check(LibAsound.Start(pcm), "start it");
        }
        catch (DllNotFoundException missing)
        {
            throw new SensorException("The library libasound.so.2, through which microphones are read, is missing: install it with apt-get install libasound2 (libasound2t64 from Debian 13 on).", missing);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public SoundRead Read(Span<double> samples)
    {
        int ready = LibAsound.Wait(pcm, WaitMilliseconds);
        if (ready == 0)
        {
            return default;
        }

        if (ready < 0)
        {
            return Recover(-ready);
        }

        int frame = channels * SampleCodec.BytesOf(format);
        int wanted = Math.Min(samples.Length, bytes.Length / frame);
        int got = (int)LibAsound.Read(pcm, bytes, (nuint)wanted);
        if (got < 0)
        {
            return Recover(-got);
        }

        Span<byte> raw = bytes.AsSpan(0, got * frame);
        SampleCodec.Decode(raw, format, channels, channel, samples[..got]);
        raw.Clear();
        return new SoundRead(got, false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (pcm != 0)
        {
            // Whatever it says, the device is ours no longer.
            _ = LibAsound.Close(pcm);
            pcm = 0;
        }

        Array.Clear(bytes);
    }

    /// <summary>What went wrong, in words an installer can act on.</summary>
    internal static string Describe(string device, int error, string attempted, string text) => error switch
    {
        NotThere or NoSuchAddress or NoDevice => $"There is no audio device {device} (could not {attempted}: {text}). Is it plugged in, its overlay loaded, its name right? arecord -l lists the devices.",
        Busy => $"The audio device {device} is busy: another program records from it (could not {attempted}). Stop that program; fuser -v /dev/snd/* names it.",
        NotAllowed => $"The audio device {device} may not be read (could not {attempted}: {text}). The agent's user has to be in the group audio.",
        Invalid => $"The audio device {device} cannot {attempted}: {text}. Give it what the hardware does by itself (arecord -D {device} --dump-hw-params shows it); nothing is resampled.",
        _ => $"The audio device {device} failed: could not {attempted}: {text}.",
    };

    private void SetUp()
    {
        Check(LibAsound.ParamsAllocate(out nint parameters), "make its parameters");
        try
        {
            Check(LibAsound.ParamsAny(pcm, parameters), "read its parameters");
            Check(LibAsound.ParamsSetResample(pcm, parameters, 0), "switch resampling off");
            Check(LibAsound.ParamsSetAccess(pcm, parameters, LibAsound.AccessReadInterleaved), "give interleaved samples");
            Check(LibAsound.ParamsSetFormat(pcm, parameters, FormatNumber), $"give {format} samples");
            Check(LibAsound.ParamsSetChannels(pcm, parameters, (uint)channels), $"give {channels} channels");
            Check(LibAsound.ParamsSetRate(pcm, parameters, (uint)rate, 0), $"give {rate} samples a second");

            // A second of buffer carries over a busy moment; a tenth of a second a wake-up is cheap.
            nuint buffer = (nuint)rate;
            nuint period = (nuint)(rate / 10);
            int direction = 0;
            Check(LibAsound.ParamsSetBufferNear(pcm, parameters, ref buffer), "set its buffer");
            Check(LibAsound.ParamsSetPeriodNear(pcm, parameters, ref period, ref direction), "set its period");
            Check(LibAsound.ParamsApply(pcm, parameters), $"record {format} with {channels} channels at {rate} samples a second");
        }
        finally
        {
            LibAsound.ParamsFree(parameters);
        }
    }

    private int FormatNumber => format switch
    {
        SoundFormat.S16 => LibAsound.FormatS16,
        SoundFormat.S24 => LibAsound.FormatS24,
        SoundFormat.S24Packed => LibAsound.FormatS24Packed,
        _ => LibAsound.FormatS32,
    };

    private SoundRead Recover(int error)
    {
        if (error == Again)
        {
            return default;
        }

        if (error is not (Overrun or Suspended))
        {
            throw Failure(error, "read from it");
        }

        // What was in the buffer is gone. Without resuming: a suspended device is started afresh, which all devices can do.
        Check(LibAsound.Prepare(pcm), "prepare it after an overrun");
        Check(LibAsound.Start(pcm), "start it after an overrun");
        return new SoundRead(0, true);
    }

    private void Check(int result, string attempted)
    {
        if (result < 0)
        {
            throw Failure(-result, attempted);
        }
    }

    private SensorException Failure(int error, string attempted) => new(Describe(device, error, attempted, LibAsound.TextOf(-error)));
}
