using CsCheck;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;
using Hub.Edge.Sensors.Traffic.Lidar;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Tests.Traffic;

public sealed class LidarTests
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);
    private static readonly byte[] Example = [0x59, 0x59, 0x64, 0x00, 0xE8, 0x03, 0x90, 0x08, 0x99];

    [Fact]
    public void The_example_frame_is_100_cm_amplitude_1000_18_degrees()
    {
        Assert.True(TfFrame.TryParse(Example, out TfFrame frame));
        Assert.Equal((100, 1000, 18.0, (double?)1.0), (frame.Centimetres, frame.Amplitude, frame.Celsius, frame.Metres));
        for (int index = 0; index < Example.Length; index++)
        {
            byte[] wrong = [.. Example];
            wrong[index] ^= 0x10;
            Assert.False(TfFrame.TryParse(wrong, out _));
        }
    }

    [Theory]
    [InlineData(99, false)]
    [InlineData(100, true)]
    [InlineData(65534, true)]
    [InlineData(65535, false)]
    public void A_weak_or_blinding_echo_is_no_distance(int amplitude, bool good)
    {
        Assert.True(TfFrame.TryParse(Frame(2, amplitude), out TfFrame frame));
        Assert.Equal(good ? 2.0 : null, frame.Metres);
        Assert.True(TfFrame.TryParse(Frame(0, 1000), out TfFrame nothing));
        Assert.Null(nothing.Metres);
    }

    [Fact]
    public void Frames_are_found_between_any_garbage_and_torn_ones_are_lost_alone()
    {
        Gen.Select(Gen.Int[1, 1200], Gen.Byte.Array[0, 12], Gen.Int[0, 9]).List[1, 40].Sample(
            pieces =>
            {
                var bytes = new List<byte>();
                var whole = new List<int>();
                foreach ((int centimetres, byte[] garbage, int cut) in pieces)
                {
                    // Garbage that holds no head cannot be taken for the beginning of a frame.
                    bytes.AddRange(garbage.Where(b => b != 0x59));
                    byte[] frame = Frame(centimetres / 100.0, 1000);
                    bytes.AddRange(frame[..Math.Min(cut == 0 ? 9 : cut, 9)]);
                    if (cut is 0 or 9)
                    {
                        whole.Add(centimetres);
                    }
                    else
                    {
                        // What is torn is told from the next by a rest of the line.
                        bytes.AddRange(new byte[9]);
                    }
                }

                var stream = new TfStream();
                var frames = new List<TfFrame>();
                foreach (byte[] chunk in bytes.Chunk(7))
                {
                    stream.Take(chunk, frames);
                }

                // A torn frame and the zeros behind it may, one time in 256, have a checksum that fits; then it says less than it should.
                Assert.True(whole.Count <= frames.Count);
                Assert.Equal(whole, frames.Where(f => f.Amplitude == 1000 && f.Celsius == 18 && whole.Contains(f.Centimetres)).Select(f => f.Centimetres));
            },
            iter: 300);
    }

    [Fact]
    public void Vehicles_before_a_wall_are_counted_with_windows_bridged_and_birds_left_out()
    {
        var lane = new LanePassages(new RangingOptions { Background = 6 });
        VehicleLook look = Play(lane, Noon, (1, 6), (0.4, 3), (0.05, null), (0.06, 6), (0.3, 3), (1, 6), (0.03, 2), (1, 6), (0.5, 4), (1, 6));
        Assert.Equal(2, look.Passages.Count);
        Assert.Equal(0.81, (look.Passages[0].At - look.Passages[0].Front).TotalSeconds, 0.03);
        Assert.Equal(0.81 + 0.5, look.Covered.Sum(span => (span.To - span.From).TotalSeconds), 0.05);
    }

    [Fact]
    public void Between_threshold_and_release_nothing_changes()
    {
        var lane = new LanePassages(new RangingOptions { Background = 6, Threshold = 0.5, Release = 0.3 });
        Play(lane, Noon, (1, 6), (1, 5.6));
        Assert.False(lane.Taken);
        Play(lane, Noon.AddSeconds(10), (1, 5.4), (1, 5.6));
        Assert.True(lane.Taken);
        Play(lane, Noon.AddSeconds(20), (1, 5.75));
        Assert.False(lane.Taken);
    }

    [Fact]
    public void The_background_is_learned_through_traffic_and_follows_drift_but_no_vehicle()
    {
        var lane = new LanePassages(new RangingOptions());
        VehicleLook look = Play(lane, Noon, (2, 5), (0.8, 2.5), (1, 5), (0.7, 2), (1, 5));
        Assert.Empty(look.Passages);
        Assert.True(lane.Ready);
        Assert.Equal(5, lane.Background, 2);

        // Ten minutes in which the wall seems to come 20 cm nearer.
        for (int n = 0; n < 600; n++)
        {
            Play(lane, Noon.AddSeconds(6 + n), (1, 5 - (0.2 * n / 600)));
        }

        Assert.Equal(4.8, lane.Background, 0.05);
        double before = lane.Background;
        Play(lane, Noon.AddSeconds(700), (30, 2.5));
        Assert.Equal(before, lane.Background);
    }

    [Fact]
    public void Without_a_background_no_echo_is_an_empty_lane_and_what_is_beyond_the_lane_is_none()
    {
        var lane = new LanePassages(new RangingOptions { Background = 0, LaneEnd = 4 });
        VehicleLook look = Play(lane, Noon, (1, null), (0.5, 3), (1, null), (0.5, 7), (1, null));
        Assert.Single(look.Passages);

        var learned = new LanePassages(new RangingOptions());
        Play(learned, Noon, (6, null));
        Assert.Equal(0, learned.Background);
    }

    [Fact]
    public void With_a_background_no_echo_says_nothing()
    {
        var lane = new LanePassages(new RangingOptions { Background = 6 });
        var look = new VehicleLook();
        Assert.True(lane.Measured(Noon, 6, look));
        Assert.False(lane.Measured(Noon.AddSeconds(0.01), null, look));
        Assert.False(lane.Taken);
    }

    [Fact]
    public void What_stands_there_for_too_long_blocks_the_lane()
    {
        var lane = new LanePassages(new RangingOptions { Background = 6, BlockedAfter = TimeSpan.FromMinutes(1) });
        Play(lane, Noon, (59, 2));
        Assert.False(lane.Blocked);
        Play(lane, Noon.AddSeconds(59), (3, 2));
        Assert.True(lane.Blocked);
    }

    [Fact]
    public void Any_vehicles_are_counted_through_noise()
    {
        Gen.Select(Gen.Double[0.12, 2], Gen.Double[0.3, 3], Gen.Double[1, 5]).List[0, 30].Sample(
            vehicles =>
            {
                var lane = new LanePassages(new RangingOptions { Background = 6 });
                var random = new Random(vehicles.Count);
                var look = new VehicleLook();
                DateTime at = Noon;
                foreach ((double covered, double gap, double distance) in vehicles)
                {
                    at = Stretch(lane, look, at, gap, 6, random);
                    at = Stretch(lane, look, at, covered, distance, random);
                }

                Stretch(lane, look, at, 1, 6, random);
                Assert.Equal(vehicles.Count, look.Passages.Count);
                Assert.Equal(vehicles.Sum(v => v.Item1), look.Covered.Sum(span => (span.To - span.From).TotalSeconds), 0.03 * (vehicles.Count + 1));
            },
            iter: 100);
    }

    [Fact]
    public async Task Vehicles_come_through_a_real_port_and_silence_and_weak_echoes_are_no_empty_lane()
    {
        using var lidar = new SimulatedLidar();
        await using TfDetector detector = Detector(lidar.Path);
        lidar.Metres = 6;
        await detector.StartAsync(TestContext.Current.CancellationToken);
        var look = new VehicleLook();
        await UntilAsync(detector, look, null);
        Assert.Empty(look.Passages);

        // There for a second or two, and gone again.
        lidar.Metres = 2.5;
        await UntilAsync(detector, look, null);
        await UntilAsync(detector, look, null);
        lidar.Metres = 6;
        while (look.Passages.Count == 0)
        {
            await UntilAsync(detector, look, null);
        }

        Assert.Single(look.Passages);
        Assert.NotEmpty(look.Covered);

        lidar.Amplitude = 20;
        await UntilAsync(detector, look, "weak echo");
        lidar.Amplitude = 1000;
        lidar.Corrupt = true;
        await UntilAsync(detector, look, "checksum");
        lidar.Corrupt = false;
        lidar.Silent = true;
        await UntilAsync(detector, look, "silent");
        lidar.Silent = false;
        await UntilAsync(detector, look, null);
        Assert.Single(look.Passages);

        lidar.Unplug();
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (true)
            {
                await UntilAsync(detector, look, null);
            }
        });
    }

    [Fact]
    public async Task What_is_no_lidar_is_refused()
    {
        using var other = new SimulatedLidar { Corrupt = true };
        await using TfDetector detector = Detector(other.Path, startSeconds: 3);
        SensorException refused = await Assert.ThrowsAsync<SensorException>(async () => await detector.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains("no TF-Luna", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_or_wrong_in_the_station_file_is_named()
    {
        Assert.Empty(DeviceRun.Failures(Options()));
        Assert.Equal(["lane"], SensorFactory.Names(Options()));
        Fails("Agent:Sensors:0:Bus:Serial is missing", o => o.Bus = null);
        Fails("Agent:Sensors:0:Ranging:Background is 20", o => o.Ranging!.Background = 20);
        Fails("Agent:Sensors:0:Ranging:Threshold", o => (o.Ranging!.Threshold, o.Ranging.Release) = (9, 0.3));
        Fails("Agent:Sensors:0:Ranging:Release", o => o.Ranging!.Release = 0.5);
        Fails("Agent:Sensors:0:Ranging:LaneEnd", o => o.Ranging!.LaneEnd = 0);
        Fails("Agent:Sensors:0:Ranging:TakenMin", o => o.Ranging!.TakenMin = TimeSpan.FromSeconds(2));
        Fails("Agent:Sensors:0:Ranging:FreeMin", o => o.Ranging!.FreeMin = TimeSpan.Zero);
        Fails("Agent:Sensors:0:Ranging:BlockedAfter", o => o.Ranging!.BlockedAfter = TimeSpan.Zero);

        static void Fails(string expected, Action<SensorOptions> change)
        {
            SensorOptions options = Options();
            change(options);
            Assert.StartsWith(expected, Assert.Single(DeviceRun.Failures(options)), StringComparison.Ordinal);
        }
    }

    internal static byte[] Frame(double metres, int amplitude)
    {
        int centimetres = (int)Math.Round(metres * 100);
        byte[] frame = [0x59, 0x59, (byte)centimetres, (byte)(centimetres >> 8), (byte)amplitude, (byte)(amplitude >> 8), 0x90, 0x08, 0];
        frame[8] = (byte)frame[..8].Sum(value => value);
        return frame;
    }

    private static SensorOptions Options() => new() { Name = "lane", Kind = "tfluna", Bus = new BusOptions { Serial = "/dev/serial0" }, Ranging = new RangingOptions() };

    // On a busy machine the first frame takes its time.
    private static TfDetector Detector(string path, double startSeconds = 30) =>
        new(() => TermiosPort.Open(path, 115200, TimeProvider.System), path, new RangingOptions { Background = 6 }, TimeProvider.System) { StartTime = TimeSpan.FromSeconds(startSeconds) };

    // Looks until one ends as expected: without an exception, or with this reason. Others on the way are the change itself.
    private static async Task UntilAsync(TfDetector detector, VehicleLook look, string? reason)
    {
        while (true)
        {
            try
            {
                await detector.LookAsync(look, TestContext.Current.CancellationToken);
                if (reason is null)
                {
                    return;
                }
            }
            catch (NoSampleException exception) when (exception.Reason == reason)
            {
                return;
            }
            catch (NoSampleException)
            {
            }
        }
    }

    private static VehicleLook Play(LanePassages lane, DateTime from, params (double Seconds, double? Metres)[] stretches)
    {
        var look = new VehicleLook();
        foreach ((double seconds, double? metres) in stretches)
        {
            from = Stretch(lane, look, from, seconds, metres, null);
        }

        return look;
    }

    private static DateTime Stretch(LanePassages lane, VehicleLook look, DateTime from, double seconds, double? metres, Random? random)
    {
        int frames = (int)Math.Round(seconds * 100);
        for (int n = 0; n < frames; n++)
        {
            lane.Measured(from.AddMilliseconds(10 * n), metres + (random is null ? 0 : (random.NextDouble() - 0.5) * 0.1), look);
        }

        return from.AddMilliseconds(10 * frames);
    }
}

/// <summary>A TF-Luna at the other end of a real pseudo-terminal.</summary>
internal sealed class SimulatedLidar : IDisposable
{
    private readonly Pty pty = new();
    private readonly CancellationTokenSource stop = new();

    public SimulatedLidar() => _ = Task.Run(SpeakAsync);

    public string Path => pty.Path;

    public double Metres { get; set; } = 6;

    public int Amplitude { get; set; } = 1000;

    public bool Corrupt { get; set; }

    public bool Silent { get; set; }

    public void Unplug()
    {
        stop.Cancel();
        pty.Unplug();
    }

    public void Dispose() => Unplug();

    // As many frames as are due, however late the timer comes.
    private async Task SpeakAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        long began = TimeProvider.System.GetTimestamp();
        long sent = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token))
            {
                long due = (long)(TimeProvider.System.GetElapsedTime(began).TotalSeconds * 100);
                for (; sent < due; sent++)
                {
                    byte[] frame = LidarTests.Frame(Metres, Amplitude);
                    frame[8] += Corrupt ? (byte)1 : (byte)0;
                    if (!Silent)
                    {
                        pty.Say(frame);
                    }
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ObjectDisposedException)
        {
        }
    }
}
