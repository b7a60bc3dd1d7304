using System.Threading.Channels;
using Hub.Edge.Sensors.Noise.Levels;
using Microsoft.Extensions.Logging;

namespace Hub.Edge.Sensors.Noise.Microphone;

/// <summary>
/// The thread of one microphone: reads a block, measures it, wipes it. It waits for nothing but the sound card: levels go into a bounded ring whose oldest
/// are dropped and counted when nobody takes them. Sound exists only in this thread's one block and in the filters' memories.
/// </summary>
internal sealed partial class CaptureThread
{
    /// <summary>Levels kept for a slow consumer: 17 minutes of seconds, or 17 hours of minutes.</summary>
    public const int ReportsMax = 1024;

    // A card that is open gives sound every tenth of a second.
    private static readonly TimeSpan NothingMax = TimeSpan.FromSeconds(5);

    // The noise of the quietest microphone changes the last bit all the time.
    private static readonly TimeSpan FlatMax = TimeSpan.FromSeconds(10);

    private readonly string name;
    private readonly ISoundSource source;
    private readonly int rate;
    private readonly TimeProvider time;
    private readonly MicrophoneInstruments instruments;
    private readonly ILogger logger;
    private readonly Channel<LevelReport> reports;
    private readonly LevelTimeline timeline;
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly double[] samples;
    private volatile bool stopping;
    private double flatValue = double.NaN;
    private long flatSamples;

    public CaptureThread(string name, MicrophoneSensorOptions options, ISoundSource source, TimeProvider time, MicrophoneInstruments instruments, ILogger logger)
    {
        this.name = name;
        this.source = source;
        this.time = time;
        this.instruments = instruments;
        this.logger = logger;
        rate = options.Rate;
        samples = GC.AllocateArray<double>(rate / 10, pinned: true);
        var meter = new SoundLevelMeter(new MeterSettings(options.Rate, options.Sensitivity) { Settle = options.Settle, Overload = options.Overload, Bands = options.Bands });
        reports = Channel.CreateBounded<LevelReport>(
            new BoundedChannelOptions(ReportsMax) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true, SingleWriter = true },
            _ => instruments.ReportDropped(name));
        timeline = new LevelTimeline(meter, options.Period, options.EverySecond, report => reports.Writer.TryWrite(report));
    }

    /// <summary>What was measured; ends with the failure of the device.</summary>
    public ChannelReader<LevelReport> Reports => reports.Reader;

    /// <summary>Starts the thread; once.</summary>
    public void Start() => new Thread(Run) { IsBackground = true, Name = $"microphone {name}" }.Start();

    /// <summary>Asks the thread to end and waits until the device is closed, a fifth of a second at most if the device is well.</summary>
    public Task StopAsync()
    {
        stopping = true;
        return ended.Task;
    }

    private void Run()
    {
        Exception? failure = null;
        try
        {
            source.Open();
            LogOpened(logger, name, rate);
            Capture();
        }
#pragma warning disable CA1031 // Whatever ends the thread is the consumer's to know: nobody else would.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure = exception;
        }
        finally
        {
            source.Dispose();
            Array.Clear(samples);
            reports.Writer.TryComplete(failure);
            ended.TrySetResult();
        }
    }

    private void Capture()
    {
        long origin = time.GetTimestamp();
        TimeSpan last = TimeSpan.Zero;
        bool gap = false;
        while (!stopping)
        {
            SoundRead read = source.Read(samples);
            TimeSpan now = time.GetElapsedTime(origin);
            if (read.Overrun)
            {
                gap = true;
                instruments.Overrun(name);
            }

            if (read.Frames == 0)
            {
                if (now - last >= NothingMax)
                {
                    throw new SensorException($"The audio device has given no sound for {NothingMax.TotalSeconds:0} s.");
                }

                continue;
            }

            last = now;
            Span<double> block = samples.AsSpan(0, read.Frames);
            Flat(block);
            (long lost, long discarded) = (timeline.Lost, timeline.Discarded);
            timeline.Add(block, now.Ticks, time.GetUtcNow().UtcDateTime, gap);
            block.Clear();
            gap = false;
            instruments.Took(name, read.Frames);
            Count(timeline.Lost - lost, timeline.Discarded - discarded);
        }
    }

    private void Count(long lost, long discarded)
    {
        if (lost > 0)
        {
            instruments.LostSamples(name, lost);
            LogLost(logger, name, (double)lost / rate);
        }

        if (discarded > 0)
        {
            instruments.DiscardedIntervals(name, discarded);
        }
    }

    // An empty slot, a wrong format or a dead microphone is one value for ever: that is no quiet street.
    private void Flat(ReadOnlySpan<double> block)
    {
        if (block.ContainsAnyExcept(block[0]))
        {
            flatValue = double.NaN;
            flatSamples = 0;
            return;
        }

        if (!block[0].Equals(flatValue))
        {
            flatValue = block[0];
            flatSamples = 0;
        }

        flatSamples += block.Length;
        if (flatSamples >= FlatMax.TotalSeconds * rate)
        {
            throw new SensorException($"The audio device gives one and the same value for {FlatMax.TotalSeconds:0} s: no microphone on this channel, a format that the card only pretends to have (try s32), or a dead microphone.");
        }
    }
}
