using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Air.Sps30;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hub.Edge.Sensors.Tests.Air;

public sealed class Sps30Tests : IDisposable
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    // What has to be stuffed.
    private static readonly byte[] Special = [0x7E, 0x7D, 0x11, 0x13];

    private readonly WaitedClock clock = new(Noon);
    private readonly SimulatedSps30 part = new();
    private readonly SerialSps30 serial;
    private readonly I2cSps30 i2c;
    private readonly SerialBench bench;
    private readonly SimulatedBuses buses;

    public Sps30Tests()
    {
        serial = new SerialSps30(part);
        i2c = new I2cSps30(part);
        bench = new SerialBench(clock, serial);
        buses = new SimulatedBuses(clock);
        buses.I2c[(1, 0x69)] = i2c;
    }

    public void Dispose() => bench.Dispose();

    [Theory]
    [InlineData("7E0000020103F97E", 0x00, "0103")]
    [InlineData("7E000100FE7E", 0x01, "")]
    [InlineData("7E000300FC7E", 0x03, "")]
    [InlineData("7E00D001032B7E", 0xD0, "03")]
    [InlineData("7E00D3002C7E", 0xD3, "")]
    [InlineData("7E005600A97E", 0x56, "")]
    [InlineData("7E001000EF7E", 0x10, "")]
    [InlineData("7E007D3100EE7E", 0x11, "")]
    [InlineData("7E008001007D5E7E", 0x80, "00")]
    [InlineData("7E00D1002E7E", 0xD1, "")]
    public void Requests_are_the_data_sheets(string frame, byte command, string data) =>
        Assert.Equal(Convert.FromHexString(frame), Sps30Frames.Request(command, Convert.FromHexString(data)));

    [Fact]
    public void Whatever_the_line_says_only_whole_frames_are_answers() => FrameChecks.OnlyWholeFramesInOrderOnce<Sps30Answer>(
        Sps30Frames.TryCut,
        Gen.Select(Gen.Byte, Gen.Byte, Gen.Select(Gen.Byte, Gen.Int[0, 7], (value, kind) => kind < 4 ? Special[kind] : value).Array[0, 44], (command, state, data) => Sps30Frames.Answer(command, state, data)),
        answer => $"{answer.Command} {answer.State} {Convert.ToHexString(answer.Data)}");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Five_concentrations_come_out_over_both_wirings_each_once(bool overI2c)
    {
        await using Sps30Device device = Device(overI2c);
        (string, double, Quality)[] expected = [("pm1", 1.5, Quality.Good), ("pm2_5", 2.5, Quality.Good), ("pm4", 3.5, Quality.Good), ("pm10", 4.5, Quality.Good), ("particle_number", 15, Quality.Good)];
        Assert.Equal(expected, (await LookAsync(device, overI2c)).Select(sample => (sample.Property, sample.Value, sample.Quality)));
        Assert.Equal("nothing new", (await Assert.ThrowsAsync<NoSampleException>(() => LookAsync(device, overI2c, start: false))).Reason);

        (part.New, part.Values[1]) = (true, 7.25f);
        Assert.Equal(7.25, (await LookAsync(device, overI2c, start: false))[1].Value);
        Assert.Equal(2, part.Reads);
        Assert.Equal(TimeSpan.FromSeconds(30), device.WarmUp);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Asleep_or_left_measuring_it_is_started_all_the_same_and_stopped_at_the_end(bool overI2c)
    {
        (part.Asleep, part.Measuring) = (true, !overI2c);
        Sps30Device device = Device(overI2c);
        await LookAsync(device, overI2c);
        Assert.True(part.Measuring);
        await device.DisposeAsync();
        Assert.False(part.Measuring);
    }

    [Theory]
    [InlineData(true, 1u << 4, "fan")]
    [InlineData(false, 1u << 4, "fan")]
    public async Task A_fan_that_stands_is_a_failure(bool overI2c, uint status, string expected)
    {
        await using (Sps30Device device = Device(overI2c))
        {
            await LookAsync(device, overI2c);
            (part.New, part.Status) = (true, status);
            Assert.Contains(expected, (await Assert.ThrowsAsync<SensorException>(() => LookAsync(device, overI2c, start: false))).Message, StringComparison.Ordinal);
        }

        // Opened again, the old error is forgotten: it is there only if it comes anew.
        await using Sps30Device again = Device(overI2c);
        part.New = true;
        Assert.All(await LookAsync(again, overI2c), sample => Assert.Equal(Quality.Good, sample.Quality));
    }

    [Theory]
    [InlineData(true, 1u << 5)]
    [InlineData(false, 1u << 5)]
    [InlineData(true, 1u << 21)]
    [InlineData(false, 1u << 21)]
    public async Task A_weak_laser_or_a_wrong_fan_speed_is_flagged(bool overI2c, uint status)
    {
        await using Sps30Device device = Device(overI2c);
        await LookAsync(device, overI2c);
        (part.New, part.Status) = (true, status);
        Assert.All(await LookAsync(device, overI2c, start: false), sample => Assert.Equal(Quality.OutOfRange, sample.Quality));
    }

    [Fact]
    public async Task Firmware_without_a_status_register_is_not_asked_for_it()
    {
        part.Firmware = (2, 1);
        await using Sps30Device device = Device(overI2c: true);
        await LookAsync(device, overI2c: true);
        Assert.DoesNotContain(0xD206, i2c.Commands);
        Assert.DoesNotContain(0xD210, i2c.Commands);
    }

    [Fact]
    public async Task Beyond_its_range_a_value_is_flagged_and_nonsense_is_none()
    {
        await using Sps30Device device = Device(overI2c: true);
        part.Values[3] = 1000.5f;
        Assert.Equal([Quality.Good, Quality.Good, Quality.Good, Quality.OutOfRange, Quality.Good], (await LookAsync(device, overI2c: true)).Select(sample => sample.Quality));
        foreach (float nonsense in (float[])[float.NaN, float.PositiveInfinity, -1])
        {
            (part.New, part.Values[8]) = (true, nonsense);
            Assert.Equal("not measured", (await Assert.ThrowsAsync<NoSampleException>(() => LookAsync(device, overI2c: true, start: false))).Reason);
        }
    }

    [Fact]
    public async Task A_damaged_cut_or_missing_answer_is_no_value_and_no_later_one()
    {
        await using Sps30Device device = Device(overI2c: false);
        await LookAsync(device, overI2c: false);
        byte[] late = [];
        (Func<byte[], byte[]> Way, string Reason)[] ways =
        [
            (bytes => [.. bytes[..10], (byte)(bytes[10] ^ 4), .. bytes[11..]], "checksum"),
            (bytes => bytes[..20], "garbage"),
            (_ => [0x55, 0xAA, 0x00], "garbage"),
            (bytes => { late = bytes; return []; }, "silent"),
        ];
        foreach ((Func<byte[], byte[]> way, string reason) in ways)
        {
            (part.New, serial.Way) = (true, way);
            Assert.Equal(reason, (await Assert.ThrowsAsync<NoSampleException>(() => LookAsync(device, overI2c: false, start: false))).Reason);
        }

        // The answer that came too late is not the answer to the next question.
        serial.Say!(late);
        (part.New, part.Values[0], serial.Way) = (true, 9, bytes => [0x00, 0xFF, 0x7E, .. bytes]);
        Assert.Equal(9, (await LookAsync(device, overI2c: false, start: false))[0].Value);
    }

    [Fact]
    public async Task A_wrong_CRC_is_no_value_and_a_busy_bus_fails_and_passes()
    {
        await using Sps30Device device = Device(overI2c: true);
        await LookAsync(device, overI2c: true);
        (part.New, i2c.Damaged) = (true, true);
        Assert.Equal("checksum", (await Assert.ThrowsAsync<NoSampleException>(() => LookAsync(device, overI2c: true, start: false))).Reason);
        (i2c.Damaged, i2c.Busy) = (false, true);
        await Assert.ThrowsAsync<IOException>(() => LookAsync(device, overI2c: true, start: false));
        i2c.Busy = false;
        Assert.Equal(5, (await LookAsync(device, overI2c: true, start: false)).Count);
    }

    [Fact]
    public async Task Who_is_not_there_or_somebody_else_is_named()
    {
        await using Sps30Device device = Device(overI2c: false);
        serial.Way = _ => [];
        var silent = await Assert.ThrowsAsync<SensorException>(() => LookAsync(device, overI2c: false));
        Assert.Contains("No SPS30 answers at /dev/serial0", silent.Message, StringComparison.Ordinal);
        buses.I2c[(1, 0x69)] = new OtherPart();
        await using Sps30Device other = Device(overI2c: true);
        var wrong = await Assert.ThrowsAsync<SensorException>(() => LookAsync(other, overI2c: true));
        Assert.Contains("I2C bus 1, address 0x69", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unplugged_and_back_it_goes_on()
    {
        await using (Sps30Device device = Device(overI2c: false))
        {
            await LookAsync(device, overI2c: false);
            bench.Unplug();
            await Assert.ThrowsAsync<IOException>(() => LookAsync(device, overI2c: false, start: false));
        }

        await using Sps30Device missing = Device(overI2c: false);
        await Assert.ThrowsAsync<SensorException>(() => LookAsync(missing, overI2c: false));
        bench.Plug();
        (part.New, part.Values[0]) = (true, 8);
        await using Sps30Device again = Device(overI2c: false);
        Assert.Equal(8, (await LookAsync(again, overI2c: false))[0].Value);
        Assert.Equal(115200, bench.BaudRate);
    }

    [Fact]
    public void What_is_missing_or_wrong_in_the_station_file_is_named()
    {
        Assert.Empty(DeviceRun.Failures(Options(new BusOptions { Serial = "/dev/serial0" })));
        Assert.Empty(DeviceRun.Failures(Options(new BusOptions { I2c = 1 })));
        Assert.Contains("Agent:Sensors:0:Bus:Serial is missing", Assert.Single(DeviceRun.Failures(Options(null))), StringComparison.Ordinal);
        Assert.Contains("Agent:Sensors:0:Bus:", Assert.Single(DeviceRun.Failures(Options(new BusOptions { I2c = 1, Serial = "/dev/serial0" }))), StringComparison.Ordinal);
        Assert.Contains("Agent:Sensors:0:Bus:Address", Assert.Single(DeviceRun.Failures(Options(new BusOptions { I2c = 1, Address = "x" }))), StringComparison.Ordinal);
        Assert.True(DeviceRun.Sensor(Options(new BusOptions { I2c = 1 }), buses, clock).IsOptical);
    }

    private static SensorOptions Options(BusOptions? bus) => new() { Name = "particles", Kind = "sps30", Bus = bus };

    private Sps30Device Device(bool overI2c) => overI2c
        ? new Sps30Device(() => new Sps30I2c(buses.OpenI2c(1, 0x69), "I2C bus 1, address 0x69", clock), "I2C bus 1, address 0x69", NullLogger.Instance)
        : new Sps30Device(() => new Sps30Serial(bench.OpenSerial(SerialBench.Path, 115200), SerialBench.Path, clock), SerialBench.Path, NullLogger.Instance);

    private Task<List<Sample>> LookAsync(IDevice device, bool overI2c, bool start = true) => overI2c ? DeviceRun.LookAsync(device, clock, start) : bench.LookAsync(device, start);
}
