using System.Diagnostics;
using System.Globalization;
using BenchmarkDotNet.Attributes;
using Hub.Edge.Sensors.Noise.Levels;
using Hub.Edge.Sensors.Noise.Microphone;

namespace Hub.Tests.Benchmarks;

/// <summary>
/// The sound chain as the microphone's thread runs it: 100 ms blocks of 32-bit stereo at 48 kHz, decoded, weighted, averaged, put on the clock. One operation is one
/// second of sound: times real time is one second over the mean.
/// </summary>
[MemoryDiagnoser]
public class Noise
{
    private const int Rate = 48_000;
    private const int BlockFrames = Rate / 10;

    private readonly byte[] raw = new byte[BlockFrames * 2 * sizeof(int)];
    private readonly double[] samples = new double[BlockFrames];
    private LevelTimeline timeline = null!;
    private long now;
    private double sum;

    /// <summary>With third-octave bands or without.</summary>
    [Params(false, true)]
    public bool Bands { get; set; }

    /// <summary>Fills a block with noise.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        new Random(1).NextBytes(raw);
        var meter = new SoundLevelMeter(new MeterSettings(Rate, -26) { Bands = Bands });
        timeline = new LevelTimeline(meter, TimeSpan.FromMinutes(1), everySecond: true, report => sum += report.Levels.LAeq);
    }

    /// <summary>One second of sound.</summary>
    [Benchmark]
    public double Second()
    {
        for (int block = 0; block < 10; block++)
        {
            SampleCodec.Decode(raw, SoundFormat.S32, channels: 2, channel: 0, samples);
            now += TimeSpan.TicksPerSecond / 10;
            timeline.Add(samples, now, new DateTime(DateTime.UnixEpoch.Ticks + now, DateTimeKind.Utc), gapBefore: false);
            samples.AsSpan().Clear();
        }

        return sum;
    }

    /// <summary>The same by processor time instead of the clock on the wall: right on a busy machine too, and quick.</summary>
    internal static void PrintTimesRealTime(TextWriter output)
    {
        foreach (bool bands in new[] { false, true })
        {
            var noise = new Noise { Bands = bands };
            noise.SetUp();
            Play(noise, 300);
            using var process = Process.GetCurrentProcess();
            var best = 0.0;
            for (int round = 0; round < 5; round++)
            {
                process.Refresh();
                TimeSpan before = process.TotalProcessorTime;
                long allocated = GC.GetAllocatedBytesForCurrentThread();
                Play(noise, 600);
                allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
                process.Refresh();
                best = Math.Max(best, 600 / (process.TotalProcessorTime - before).TotalSeconds);
                if (allocated > 0)
                {
                    output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"allocated {allocated} bytes in 600 s of sound"));
                }
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(bands ? "with" : "without")} third-octave bands: {best:0} times real time on one core, {100 / best:0.000} % of it"));
        }

        static void Play(Noise noise, int seconds)
        {
            for (int second = 0; second < seconds; second++)
            {
                noise.Second();
            }
        }
    }
}
