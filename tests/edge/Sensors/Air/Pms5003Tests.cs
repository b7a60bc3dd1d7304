using System.Buffers.Binary;
using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Air.Pms5003;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;

namespace Hub.Edge.Sensors.Tests.Air;

public sealed class Pms5003Tests : IDisposable
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private readonly WaitedClock clock = new(Noon);
    private readonly SimulatedPms5003 part = new();
    private readonly SerialBench bench;

    public Pms5003Tests() => bench = new SerialBench(clock, part);

    public void Dispose() => bench.Dispose();

    [Fact]
    public void The_recorded_frame_is_read()
    {
        byte[] bytes = Convert.FromHexString("424D001C" + new string('0', 24) + "0024000700010001000100009700" + "0170");
        Assert.Equal(32, bytes.Length);
        Assert.Equal(Cut.Frame, Pms5003Frames.TryCut(bytes, out Pms5003Frame frame, out int used));
        Assert.Equal((new Pms5003Frame(28, 0, 0, 0, 36, 0), 32), (frame, used));
    }

    [Theory]
    [InlineData("424DE100000170", 0xE1, 0)]
    [InlineData("424DE200000171", 0xE2, 0)]
    [InlineData("424DE400000173", 0xE4, 0)]
    [InlineData("424DE400010174", 0xE4, 1)]
    public void Commands_are_the_data_sheets(string frame, byte command, ushort value) => Assert.Equal(Convert.FromHexString(frame), Pms5003Frames.Command(command, value));

    [Fact]
    public void Whatever_the_line_says_only_whole_frames_are_values() => FrameChecks.OnlyWholeFramesInOrderOnce<Pms5003Frame>(
        Pms5003Frames.TryCut,
        Gen.Select(Gen.Bool.Select(longer => longer ? 17 : 13), Gen.Int[0, 1200].Array[17, 17], (words, values) => SimulatedPms5003.Frame([.. values[..(words - 1)], 0x9700])),
        frame => frame.ToString());

    [Theory]
    [InlineData(13)]
    [InlineData(17)]
    public async Task Masses_are_those_of_the_atmosphere_in_the_short_and_the_long_layout(int words)
    {
        part.Words = [101, 102, 103, 4, 5, 6, 1234, 8, 9, 10, 11, 12, .. Enumerable.Repeat(77, words - 13), 0x9700];
        await using Pms5003Device device = Device();
        Assert.Equal(
            [("pm1", 4.0, Quality.Good), ("pm2_5", 5.0, Quality.Good), ("pm10", 6.0, Quality.Good), ("particle_number", 12.34, Quality.Good)],
            (await bench.LookAsync(device)).Select(sample => (sample.Property, sample.Value, sample.Quality)));
        Assert.Equal(TimeSpan.FromSeconds(30), device.WarmUp);
    }

    [Fact]
    public async Task A_layout_that_is_not_known_is_refused()
    {
        part.Words = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        await using Pms5003Device device = Device();
        Assert.Contains("length 20", (await Assert.ThrowsAsync<SensorException>(() => bench.LookAsync(device))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Left_asleep_or_passive_it_is_woken()
    {
        (part.Awake, part.Active) = (false, false);
        await using Pms5003Device device = Device();
        Assert.Equal(4, (await bench.LookAsync(device)).Count);
    }

    [Fact]
    public async Task An_error_byte_damage_or_silence_is_no_value_and_no_old_one()
    {
        await using Pms5003Device device = Device();
        await bench.LookAsync(device);
        part.Words[12] = 0x9704;
        Assert.Equal("error byte", (await Assert.ThrowsAsync<NoSampleException>(() => bench.LookAsync(device, start: false))).Reason);
        (part.Words[12], part.Way) = (0x9700, bytes => [.. bytes[..8], (byte)(bytes[8] ^ 1), .. bytes[9..]]);
        Assert.Equal("checksum", (await Assert.ThrowsAsync<NoSampleException>(() => bench.LookAsync(device, start: false))).Reason);
        part.Way = bytes => bytes[..31];
        Assert.IsType<NoSampleException>(await Record.ExceptionAsync(() => bench.LookAsync(device, start: false)));
        part.Way = _ => [];
        clock.Pass(TimeSpan.FromHours(1));
        Assert.Equal("silent", (await Assert.ThrowsAsync<NoSampleException>(() => bench.LookAsync(device, start: false))).Reason);
        (part.Words[4], part.Way) = (1001, bytes => [0x42, 0x4D, 0x00, .. bytes]);
        Assert.Equal((1001, Quality.OutOfRange), (await bench.LookAsync(device, start: false)).Select(sample => ((int)sample.Value, sample.Quality)).ElementAt(1));
    }

    [Fact]
    public async Task Who_is_not_there_is_named_and_who_is_unplugged_fails()
    {
        part.Way = _ => [];
        await using (Pms5003Device silent = Device())
        {
            Assert.Contains("No PMS5003 speaks at /dev/serial0", (await Assert.ThrowsAsync<SensorException>(() => bench.LookAsync(silent))).Message, StringComparison.Ordinal);
        }

        part.Way = bytes => bytes;
        await using (Pms5003Device device = Device())
        {
            await bench.LookAsync(device);
            bench.Unplug();
            await Assert.ThrowsAsync<IOException>(() => bench.LookAsync(device, start: false));
        }

        bench.Plug();
        part.Words[3] = 99;
        await using Pms5003Device again = Device();
        Assert.Equal(99, (await bench.LookAsync(again))[0].Value);
    }

    [Fact]
    public void What_is_missing_in_the_station_file_is_named()
    {
        Assert.Empty(DeviceRun.Failures(new SensorOptions { Name = "a", Kind = "pms5003", Bus = new BusOptions { Serial = "/dev/serial0" } }));
        Assert.Contains("Agent:Sensors:0:Bus:Serial is missing", Assert.Single(DeviceRun.Failures(new SensorOptions { Name = "a", Kind = "pms5003" })), StringComparison.Ordinal);
        Assert.Contains("Agent:Sensors:0:Bus:BaudRate", Assert.Single(DeviceRun.Failures(new SensorOptions { Name = "a", Kind = "pms5003", Bus = new BusOptions { Serial = "/dev/serial0", BaudRate = 9601 } })), StringComparison.Ordinal);
    }

    private Pms5003Device Device() => new(() => bench.OpenSerial(SerialBench.Path, 9600), SerialBench.Path, clock);
}

/// <summary>A PMS5003 or one of its sisters: says a frame each second.</summary>
internal sealed class SimulatedPms5003 : SerialPart
{
    private DateTimeOffset? said;

    public int[] Words { get; set; } = [1, 2, 3, 4, 5, 6, 700, 8, 9, 10, 11, 12, 0x9700];

    public bool Awake { get; set; } = true;

    public bool Active { get; set; } = true;

    public Func<byte[], byte[]> Way { get; set; } = bytes => bytes;

    public static byte[] Frame(int[] words)
    {
        var bytes = new byte[6 + (2 * words.Length)];
        (bytes[0], bytes[1]) = (0x42, 0x4D);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)((2 * words.Length) + 2));
        for (int index = 0; index < words.Length; index++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4 + (2 * index)), (ushort)words[index]);
        }

        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(bytes.Length - 2), (ushort)bytes[..^2].Sum(value => value));
        return bytes;
    }

    public override void OnHeard(byte[] bytes)
    {
        Assert.Equal(Pms5003Frames.Command(bytes[2], bytes[4]), bytes);
        Awake = bytes[2] == 0xE4 ? bytes[4] == 1 : Awake;
        Active = bytes[2] == 0xE1 ? bytes[4] == 1 : Active;

        // It answers with what it heard: 42 4D 00 04 command value sum.
        byte[] answer = [0x42, 0x4D, 0x00, 0x04, bytes[2], bytes[4], 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(6), (ushort)answer.Sum(value => value));
        Say!(answer);
    }

    public override void OnTime(DateTimeOffset now)
    {
        said ??= now;
        if (now - said < TimeSpan.FromSeconds(1))
        {
            return;
        }

        said = now;
        if (Awake && Active && Way(Frame(Words)) is { Length: > 0 } bytes)
        {
            Say?.Invoke(bytes);
        }
    }
}
