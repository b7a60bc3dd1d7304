using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Station.Board;
using Hub.Edge.Sensors.Tests.Devices;
using Hub.Tests.Kit;

namespace Hub.Edge.Sensors.Tests.Station;

public sealed class BoardTests : IDisposable
{
    private const string Throttled = "sys/devices/platform/soc/soc:firmware/get_throttled";

    private static readonly string Wireless = """
        Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
         face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
         wlan0: 0000   54.  -56.  -256        0      0      0      3     12        0
         wlan1: 0000   20.  186.  161.        0      0      0      0      0        0
        """;

    private readonly WaitedClock clock = new(new DateTime(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc));
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_pi_tells_supply_disk_and_link()
    {
        Write(Throttled, "50005\n");
        Write("sys/block/mmcblk0/device/life_time", "0x02 0x01\n");
        Write("sys/block/sda/device/model", "x");
        Write("proc/net/wireless", Wireless);
        Dictionary<string, double> values = await LookAsync(Device((25, 100)));
        Assert.Equal((100.0, 100.0, 25.0, 20.0, -56.0), (values["undervoltage"], values["throttled"], values["disk_free"], values["disk_wear"], values["link_quality"]));
    }

    [Fact]
    public async Task What_a_board_does_not_tell_is_not_reported()
    {
        Assert.Equal(["disk_free"], (await LookAsync(Device((1, 4)))).Keys);
        Write(Throttled, "what?");
        Write("sys/block/mmcblk0/device/life_time", "0x00 0x00\n");
        Write("proc/net/wireless", Wireless[..Wireless.IndexOf("wlan0", StringComparison.Ordinal)]);
        Assert.Equal(["disk_free"], (await LookAsync(Device((1, 4)))).Keys);
        var broken = new BoardDevice(folder.Path, new BoardOptions(), _ => throw new IOException("gone"));
        Assert.Equal("nothing", (await Assert.ThrowsAsync<NoSampleException>(() => DeviceRun.LookAsync(broken, clock))).Reason);
    }

    [Fact]
    public async Task A_dip_between_two_looks_shows_once()
    {
        BoardDevice device = Device((1, 1));
        var seen = new List<double>();
        foreach (string bits in new[] { "10000", "10001", "10000", "10000", "50005" })
        {
            Write(Throttled, bits);
            seen.Add((await LookAsync(device))["undervoltage"]);
        }

        Assert.Equal(new List<double> { 0, 100, 0, 0, 100 }, seen);
        BoardDevice fresh = Device((1, 1));
        Write(Throttled, "0");
        await LookAsync(fresh);
        Write(Throttled, "50000");
        Dictionary<string, double> dipped = await LookAsync(fresh);
        Assert.Equal((100.0, 100.0), (dipped["undervoltage"], dipped["throttled"]));
        Assert.Equal(0, (await LookAsync(fresh))["undervoltage"]);
    }

    [Theory]
    [InlineData("0", 0u)]
    [InlineData("50005\n", 0x50005u)]
    [InlineData("throttled=0x50000", 0x50000u)]
    [InlineData("", null)]
    [InlineData("-1", null)]
    public void Bits_are_read_as_the_file_or_vcgencmd_writes_them(string text, uint? bits) => Assert.Equal(bits, BoardFiles.Throttled(text));

    [Theory]
    [InlineData("0x01 0x01", 10)]
    [InlineData("0x00 0x03", 30)]
    [InlineData("0x0b 0x01", 110)]
    [InlineData("0x00 0x00", null)]
    [InlineData("0x0c 0x01", null)]
    [InlineData("ten", null)]
    [InlineData("", null)]
    public void Wear_is_the_worse_of_the_two_kinds_of_cells(string text, int? percent) => Assert.Equal(percent, BoardFiles.LifeTime(text));

    [Fact]
    public void Levels_with_and_without_a_sign_are_read()
    {
        Assert.Equal(-56, BoardFiles.Wireless(Wireless, null));
        Assert.Equal(-70, BoardFiles.Wireless(Wireless, "wlan1"));
        Assert.Null(BoardFiles.Wireless(Wireless, "wlan2"));
        Assert.Null(BoardFiles.Wireless(" wlan0: 0000 0 0 0", null));
        Assert.Null(BoardFiles.Wireless("garbage: : :", null));
    }

    [Fact]
    public async Task The_machine_of_this_test_tells_its_disk()
    {
        ISensor sensor = DeviceRun.Sensor(new SensorOptions { Name = "self", Kind = "board", Period = TimeSpan.FromMinutes(1) }, null!, clock);
        await using var run = new SensorRun(sensor, clock);
        MeasurementBatch? batch;
        while ((batch = await run.NextAsync()) is null)
        {
            clock.Pass(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(Assert.Single(batch.Value.Measurements.ToArray(), m => m.Property == "disk_free").Value, 0, 100);
    }

    [Fact]
    public void What_is_wrong_in_the_station_file_is_named()
    {
        Fails("Board:Path is 'data'", new BoardOptions { Path = "data" });
        Fails("Board:Interface is 'wlan 0'", new BoardOptions { Interface = "wlan 0" });
        Assert.Empty(DeviceRun.Failures(new SensorOptions { Name = "self", Kind = "board" }));

        static void Fails(string expected, BoardOptions board) => Assert.StartsWith(
            $"Agent:Sensors:0:{expected}", Assert.Single(DeviceRun.Failures(new SensorOptions { Name = "self", Kind = "board", Board = board })), StringComparison.Ordinal);
    }

    private BoardDevice Device((long, long) space) => new(folder.Path, new BoardOptions(), _ => space);

    private async Task<Dictionary<string, double>> LookAsync(BoardDevice device) => (await DeviceRun.LookAsync(device, clock)).ToDictionary(sample => sample.Property, sample => sample.Value);

    private void Write(string path, string text)
    {
        string file = Path.Combine(folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
