using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Air.Sds011;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;

namespace Hub.Edge.Sensors.Tests.Air;

public sealed class Sds011Tests : IDisposable
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private readonly WaitedClock clock = new(Noon);
    private readonly SimulatedSds011 part = new();
    private readonly SerialBench bench;

    public Sds011Tests() => bench = new SerialBench(clock, part);

    public void Dispose() => bench.Dispose();

    [Fact]
    public void The_data_sheets_frame_is_read()
    {
        byte[] bytes = Convert.FromHexString("AAC0D4043A0AA1601DAB");
        Assert.Equal(Cut.Frame, Sds011Frames.TryCut(bytes, out Sds011Frame frame, out int used));
        Assert.Equal((new Sds011Frame(0, 1236, 2618, 0xA160), 10), (frame, used));
    }

    [Theory]
    [InlineData("AAB406010100000000000000000000FFFF06AB", 6, true, 1)]
    [InlineData("AAB406010000000000000000000000FFFF05AB", 6, true, 0)]
    [InlineData("AAB404000000000000000000000000FFFF02AB", 4, false, 0)]
    [InlineData("AAB408010500000000000000000000FFFF0CAB", 8, true, 5)]
    public void Commands_are_the_data_sheets(string frame, byte command, bool set, byte value) => Assert.Equal(Convert.FromHexString(frame), Sds011Frames.Command(command, set, value));

    [Fact]
    public void Whatever_the_line_says_only_whole_frames_are_values() => FrameChecks.OnlyWholeFramesInOrderOnce<Sds011Frame>(
        Sds011Frames.TryCut,
        Gen.Select(Gen.Int[0, 9999], Gen.Int[0, 9999], (fine, coarse) => SimulatedSds011.Frame(fine, coarse)),
        frame => $"{frame.First} {frame.Second}");

    [Fact]
    public async Task The_newest_value_comes_out_and_never_twice()
    {
        await using Sds011Device device = Device();
        Assert.Equal([("pm2_5", 123.6), ("pm10", 261.8)], (await bench.LookAsync(device)).Select(sample => (sample.Property, sample.Value)));
        part.Say!([.. SimulatedSds011.Frame(10, 20), .. SimulatedSds011.Frame(30, 40)]);
        Assert.Equal([3.0, 4.0], (await bench.LookAsync(device, start: false)).Select(sample => sample.Value));
        part.Speaks = false;
        Assert.Equal("silent", (await Assert.ThrowsAsync<NoSampleException>(() => bench.LookAsync(device, start: false))).Reason);
        Assert.Equal(TimeSpan.FromSeconds(30), device.WarmUp);
        Assert.Equal(9600, bench.BaudRate);
    }

    [Fact]
    public async Task What_waited_in_the_port_since_long_ago_is_no_value()
    {
        await using Sds011Device device = Device();
        await bench.LookAsync(device);
        part.Speaks = false;
        part.Say!(SimulatedSds011.Frame(1, 1));
        clock.Pass(TimeSpan.FromHours(20));
        Assert.Equal("silent", (await Assert.ThrowsAsync<NoSampleException>(() => bench.LookAsync(device, start: false))).Reason);
    }

    [Fact]
    public async Task Garbage_damage_and_halves_are_no_values_and_the_next_whole_frame_is()
    {
        await using Sds011Device device = Device();
        await bench.LookAsync(device);
        byte[] frame = SimulatedSds011.Frame(55, 66);
        part.Speaks = false;
        (byte[] Said, string Reason)[] cases = [([0x01, 0xAB, 0xC0, 0xAA], "garbage"), (frame[..7], "garbage"), ([.. frame[..4], 0x7F, .. frame[5..]], "checksum")];
        foreach ((byte[] said, string reason) in cases)
        {
            // What was there of the last case is gone by the next look.
            clock.Pass(TimeSpan.FromSeconds(6));
            Task<NoSampleException> refused = Assert.ThrowsAsync<NoSampleException>(() => Look(device, said));
            Assert.Equal(reason, (await refused).Reason);
        }

        Assert.Equal([5.5, 6.6], (await Look(device, [0xAA, 0xC0, 0x01, .. frame])).Select(sample => sample.Value));
    }

    [Fact]
    public async Task At_the_end_of_its_range_it_is_saturated()
    {
        await using Sds011Device device = Device();
        (part.Fine, part.Coarse) = (200, 9999);
        Assert.All(await bench.LookAsync(device), sample => Assert.Equal(Quality.Saturated, sample.Quality));
    }

    [Fact]
    public async Task Settings_are_written_only_where_they_differ()
    {
        await using (Sds011Device device = Device())
        {
            await bench.LookAsync(device);
        }

        Assert.DoesNotContain((8, true), part.Heard.Select(command => (command.Number, command.Set)));
        (part.Mode, part.Period, part.Working) = (1, 5, false);
        await using Sds011Device again = Device();
        await bench.LookAsync(again);
        Assert.Equal((0, 0, true), (part.Mode, part.Period, part.Working));
    }

    [Fact]
    public async Task Sleeping_between_looks_it_blows_for_half_a_minute_and_averages_ten_frames()
    {
        await using Sds011Device device = Device(sleeps: true);
        (part.FineOf, part.Coarse) = (second => second < 29 ? 5000 : 100 + second, 0);
        List<Sample> samples = await bench.LookAsync(device);
        Assert.False(part.Working);
        Assert.InRange(samples[0].Value, 13.0, 15.0);
        Assert.Equal(TimeSpan.Zero, device.WarmUp);

        clock.Pass(TimeSpan.FromMinutes(4));
        await bench.LookAsync(device, start: false);
        Assert.False(part.Working);
        Assert.InRange(part.WorkedSeconds, 75, 95);
    }

    [Fact]
    public async Task One_that_does_not_obey_is_read_but_cannot_sleep()
    {
        part.Deaf = true;
        await using (Sds011Device device = Device())
        {
            Assert.Equal(123.6, (await bench.LookAsync(device))[0].Value);
        }

        await using Sds011Device sleeper = Device(sleeps: true);
        Assert.Contains("connect its RX line", (await Assert.ThrowsAsync<SensorException>(() => bench.LookAsync(sleeper))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_not_there_or_somebody_else_is_named()
    {
        (part.Deaf, part.Speaks) = (true, false);
        await using (Sds011Device device = Device())
        {
            Assert.Contains("No SDS011 answers at /dev/serial0", (await Assert.ThrowsAsync<SensorException>(() => bench.LookAsync(device))).Message, StringComparison.Ordinal);
        }

        (part.Speaks, part.Way) = (true, _ => Convert.FromHexString("424D001C0001"));
        await using Sds011Device other = Device();
        Assert.Contains("what came was no frame of it", (await Assert.ThrowsAsync<SensorException>(() => bench.LookAsync(other))).Message, StringComparison.Ordinal);
    }

    /// <summary>Through the whole sensor, as an agent runs it.</summary>
    [Fact]
    public async Task Unplugged_and_back_the_minute_goes_on_without_old_values()
    {
        ISensor sensor = DeviceRun.Sensor(Options(), bench, clock);
        Assert.True(sensor.IsOptical);
        await using (IAsyncEnumerator<MeasurementBatch> batches = sensor.MeasureAsync(default, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken))
        {
            await bench.PassAsync(batches.MoveNextAsync().AsTask());
            Assert.Equal([("pm2_5", 123.6), ("pm10", 261.8)], batches.Current.Measurements.ToArray().Select(measurement => (measurement.Property, Math.Round(measurement.Value, 6))));
            Task<bool> next = batches.MoveNextAsync().AsTask();
            bench.Unplug();
            await Assert.ThrowsAsync<SensorException>(() => bench.PassAsync(next));
        }

        bench.Plug();
        part.Fine = 50;
        clock.Pass(TimeSpan.FromMinutes(2));
        await using IAsyncEnumerator<MeasurementBatch> again = sensor.MeasureAsync(default, TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        do
        {
            await bench.PassAsync(again.MoveNextAsync().AsTask());
        }
        while (again.Current.Measurements.Span[0].ObservedAt < clock.GetUtcNow().UtcDateTime.AddMinutes(-1.5));

        Measurement minute = again.Current.Measurements.Span[0];
        Assert.Equal((5.0, Quality.WarmingUp), (Math.Round(minute.Value, 6), minute.Quality & Quality.WarmingUp));
    }

    [Fact]
    public void What_is_missing_or_wrong_in_the_station_file_is_named()
    {
        Assert.Empty(DeviceRun.Failures(Options()));
        Assert.Contains("Agent:Sensors:0:Bus:Serial is missing", Assert.Single(DeviceRun.Failures(new SensorOptions { Name = "a", Kind = "sds011" })), StringComparison.Ordinal);
        SensorOptions sleeping = Options();
        sleeping.Sds011 = new Sds011Options { Sleep = true };
        Assert.Contains("Agent:Sensors:0:Every is 00:00:02", Assert.Single(DeviceRun.Failures(sleeping)), StringComparison.Ordinal);
        sleeping.Every = TimeSpan.FromMinutes(5);
        Assert.Empty(DeviceRun.Failures(sleeping));
    }

    private static SensorOptions Options() => new() { Name = "dust", Kind = "sds011", Bus = new BusOptions { Serial = SerialBench.Path } };

    private Sds011Device Device(bool sleeps = false) => new(() => bench.OpenSerial(SerialBench.Path, 9600), SerialBench.Path, sleeps, clock);

    /// <summary>A look during which the part says something.</summary>
    private async Task<List<Sample>> Look(Sds011Device device, byte[] said)
    {
        var samples = new List<Sample>();
        Task look = device.ReadAsync(samples, TestContext.Current.CancellationToken).AsTask();
        part.Say!(said);
        await bench.PassAsync(look);
        return samples;
    }
}

/// <summary>A SDS011: says a frame each second while it works, and obeys.</summary>
internal sealed class SimulatedSds011 : SerialPart
{
    private readonly List<byte> heard = [];
    private DateTimeOffset? said;
    private int second;

    public int Fine { get; set; } = 1236;

    public int Coarse { get; set; } = 2618;

    /// <summary>PM2.5 by the seconds since it began to work.</summary>
    public Func<int, int>? FineOf { get; set; }

    public bool Speaks { get; set; } = true;

    public bool Deaf { get; set; }

    public bool Working { get; set; } = true;

    public int Mode { get; set; }

    public int Period { get; set; }

    public int WorkedSeconds { get; private set; }

    public Func<byte[], byte[]> Way { get; set; } = bytes => bytes;

    public List<(int Number, bool Set, int Value)> Heard { get; } = [];

    public static byte[] Frame(int fine, int coarse) => Answer(0xC0, (byte)fine, (byte)(fine >> 8), (byte)coarse, (byte)(coarse >> 8));

    public override void OnTime(DateTimeOffset now)
    {
        said ??= now;
        if (now - said < TimeSpan.FromSeconds(1))
        {
            return;
        }

        said = now;
        if (Working && Mode == 0)
        {
            WorkedSeconds++;
            int fine = FineOf?.Invoke(second++) ?? Fine;
            if (Speaks)
            {
                Say?.Invoke(Way(Frame(fine, Coarse)));
            }
        }
    }

    public override void OnHeard(byte[] bytes)
    {
        heard.AddRange(bytes);
        while (heard.Count >= 19)
        {
            byte[] command = [.. heard[..19]];
            heard.RemoveRange(0, 19);
            (int number, bool set, int value) = (command[2], command[3] == 1, command[4]);
            Assert.Equal(Sds011Frames.Command((byte)number, set, (byte)value), command);
            if (Deaf)
            {
                continue;
            }

            Heard.Add((number, set, value));
            if (set)
            {
                (Mode, Working, Period) = number switch
                {
                    2 => (value, Working, Period),
                    6 => (Mode, value == 1, Period),
                    _ => (Mode, Working, value),
                };
                second = number == 6 ? 0 : second;
            }

            int now = number switch { 2 => Mode, 6 => Working ? 1 : 0, _ => Period };
            Say!(Answer(0xC5, (byte)number, (byte)(set ? 1 : 0), (byte)now, 0));
        }
    }

    private static byte[] Answer(byte kind, byte a, byte b, byte c, byte d)
    {
        byte[] bytes = [0xAA, kind, a, b, c, d, 0xA1, 0x60, 0, 0xAB];
        bytes[8] = Sds011Frames.Checksum(bytes.AsSpan(2, 6));
        return bytes;
    }
}
