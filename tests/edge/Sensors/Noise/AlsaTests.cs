using System.Buffers.Binary;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Noise.Levels;
using Hub.Edge.Sensors.Noise.Microphone;
using Hub.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Hub.Edge.Sensors.Tests.Noise;

/// <summary>Capture through the real libasound.so.2, fed by its file plugin. The plugin has no clock and no end: what is known of the file is read, no more.</summary>
public sealed class AlsaTests(AlsaFiles files) : IClassFixture<AlsaFiles>
{
    private const int Rate = 48_000;
    private const int Frames = 4_800;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, SoundFormat, int, int> Formats => new()
    {
        { "mic1", SoundFormat.S32, 1, 0 }, { "mic2", SoundFormat.S32, 2, 1 }, { "mic3", SoundFormat.S16, 1, 0 }, { "mic4", SoundFormat.S24, 2, 0 }, { "mic5", SoundFormat.S24Packed, 2, 1 },
    };

    [Theory]
    [MemberData(nameof(Formats))]
    public void Samples_arrive_bit_exact(string name, SoundFormat format, int channels, int channel)
    {
        var random = new Random(7);
        int bytes = SampleCodec.BytesOf(format);
        int bits = format switch { SoundFormat.S16 => 16, SoundFormat.S32 => 32, _ => 24 };
        var raw = new byte[3 * Frames * channels * bytes];
        random.NextBytes(raw);
        File.WriteAllBytes(files.Path(name), raw);
        var expected = new List<double>();
        for (int place = channel * bytes; place < raw.Length; place += channels * bytes)
        {
            // Whatever stands in the unused top byte of 24 bits in 32 does not count.
            long value = 0;
            for (int n = (bits / 8) - 1; n >= 0; n--)
            {
                value = (value << 8) | raw[place + n];
            }

            value = value << (64 - bits) >> (64 - bits);
            expected.Add(value / Math.Pow(2, bits - 1));
        }

        using var capture = new AlsaCapture(name, Rate, format, channels, channel);
        capture.Open();
        Assert.Equal(expected, Read(capture, 3 * Frames));
    }

    [Fact]
    public void A_sine_of_a_tenth_of_full_scale_is_measured_as_such_through_the_card()
    {
        File.WriteAllBytes(files.Path("mic1"), S32(Signals.Sine(1000, 0.1, Rate, 2)));
        using var capture = new AlsaCapture("mic1", Rate, SoundFormat.S32, 1, 0);
        capture.Open();
        var meter = new SoundLevelMeter(Signals.RelativeToRms(Rate));
        meter.Add(Read(capture, 2 * Rate));
        Assert.Equal(-23.01, meter.Period.LAeq, 0.01);
    }

    [Fact]
    public void Another_rate_is_refused_and_not_resampled()
    {
        SensorException failure = Assert.Throws<SensorException>(() => Open("only44100", SoundFormat.S32));
        Assert.Contains("only44100 cannot give 48000 samples a second", failure.Message, StringComparison.Ordinal);
        Assert.Contains("nothing is resampled", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_is_not_there_is_named()
    {
        SensorException failure = Assert.Throws<SensorException>(() => Open("hw:CARD=nowhere", SoundFormat.S32));
        Assert.Contains("There is no audio device hw:CARD=nowhere", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(16, "is busy: another program")]
    [InlineData(13, "group audio")]
    [InlineData(19, "There is no audio device hw:1")]
    [InlineData(22, "nothing is resampled")]
    [InlineData(5, "failed: could not open it: some text")]
    public void Every_error_says_what_to_do(int error, string expected) =>
        Assert.Contains(expected, AlsaCapture.Describe("hw:1", error, "open it", "some text"), StringComparison.Ordinal);

    /// <summary>In real time: a paced writer is the crystal of the card, the real clock that of the station.</summary>
    [Fact]
    public async Task Seconds_of_a_real_card_are_measured_in_real_time()
    {
        AlsaFiles.MakePipe(files.Path("pipe"));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        // Pieces of the size the reader reads, or the plugin makes silence of the rest.
        byte[] tenth = S32(Signals.Sine(1000, 0.01, Rate, 0.1));
        Task writer = Task.Run(() => WidePipe.PlayAsync(files.Path("pipe"), tenth, stop.Token), Cancel);
        var options = new MicrophoneSensorOptions { Device = "pipe", Channels = 1, EverySecond = true, Settle = TimeSpan.FromMilliseconds(250) };
        await using (MicrophoneSensor sensor = MicrophoneSensor.Create("mic", options, TimeProvider.System, new MicrophoneInstruments(), NullLoggerFactory.Instance))
        {
            var seconds = new List<Measurement>();
            await foreach (MeasurementBatch batch in sensor.MeasureAsync(default, Cancel))
            {
                seconds.AddRange(batch.Measurements.ToArray().Where(measurement => measurement.Period == TimeSpan.FromSeconds(1)));
                // The first may have begun late, and a busy machine may lose sound, which is then said; three in a row are whole.
                if (seconds is [.., var first, var second, var third] && seconds[^3..].All(IsWhole) && third.ObservedAt - second.ObservedAt == Second && second.ObservedAt - first.ObservedAt == Second)
                {
                    break;
                }

                Assert.True(seconds.Count < 60, "In a minute no three seconds in a row were whole.");
            }

            // What is there of a second has the level of the whole.
            Assert.All(seconds, second => Assert.Equal(("laeq", 80.0), (second.Property, Math.Round(second.Value, 1))));
            Assert.All(seconds, second => Assert.Equal(0, second.ObservedAt!.Value.Ticks % TimeSpan.TicksPerSecond));
            Assert.All(seconds.Where(second => !IsWhole(second)), second => Assert.Equal(Quality.Incomplete, second.Quality));

            static bool IsWhole(Measurement second) => second is { Coverage: 1.0, Quality: Quality.Good };
        }

        await stop.CancelAsync();
        await writer;
    }

    internal static byte[] S32(double[] samples)
    {
        var raw = new byte[samples.Length * 4];
        for (int n = 0; n < samples.Length; n++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(raw.AsSpan(n * 4), (int)Math.Round(samples[n] * int.MaxValue));
        }

        return raw;
    }

    private static void Open(string name, SoundFormat format)
    {
        using var capture = new AlsaCapture(name, Rate, format, 1, 0);
        capture.Open();
    }

    private static double[] Read(AlsaCapture capture, int count)
    {
        var samples = new double[count];
        int got = 0;
        while (got < count)
        {
            SoundRead read = capture.Read(samples.AsSpan(got));
            Assert.False(read.Overrun);
            got += read.Frames;
        }

        return samples;
    }
}
