using System.Text;
using CsCheck;
using Hub.Edge.Sensors.Buses;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;
using Hub.Edge.Sensors.Traffic;
using Hub.Edge.Sensors.Traffic.Ops243;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Tests.Traffic;

public sealed class Ops243Tests
{
    [Theory]
    [InlineData("12.3", 12.3)]
    [InlineData("-4.5", -4.5)]
    [InlineData("\"mps\",7.25", 7.25)]
    [InlineData("\"kmph\",36.0", 10.0)]
    [InlineData("1047.3,212.5,-38.22", -38.22)]
    [InlineData("{\"speed\":\"-0.25\"}", -0.25)]
    [InlineData("{\"magnitude\":\"467.72\",\"speed\":\"-0.25\",\"distance\":\"0.00\"}", -0.25)]
    [InlineData("{\"unit\":\"mps\", \"time\":\"103.5\", \"speed\":\"2.1\"}", 2.1)]
    [InlineData("{\"speed\":40.0,\"direction\":\"outbound\"}", -40.0)]
    [InlineData("{\"direction\":\"inbound\",\"speed\":\"-11\"}", 11.0)]
    [InlineData("{\"DetectedObjectVelocity\":\"9.5\"}", 9.5)]
    [InlineData("{\"unit\":\"mph\",\"DetectedObjectVelocity\":-10}", -4.4704)]
    [InlineData("{\"Units\":\"m-per-sec\",\"speed\":\"10\"}", 10)]
    [InlineData("{\"Units\":\"cm-per-sec\",\"speed\":\"10\"}", 0.1)]
    [InlineData("{\"Units\":\"ft-per-sec\",\"speed\":\"10\"}", 3.048)]
    [InlineData("{\"Units\":\"km-per-hr\",\"speed\":\"36\"}", 10)]
    public void Speeds_in_any_form_are_metres_a_second_positive_when_inbound(string text, double expected)
    {
        var line = new Ops243Line();
        Assert.True(line.TryParse(Encoding.ASCII.GetBytes(text)));
        Assert.Equal(expected, Assert.Single(line.Speeds.ToArray()), 9);
    }

    [Fact]
    public void Several_objects_of_one_report_and_answers_are_read()
    {
        var line = new Ops243Line();
        Assert.True(line.TryParse("{\"unit\":\"mps\",\"magnitude\":[\"90\",\"70\"],\"speed\":[\"12.5\",\"-9.25\"]}"u8));
        Assert.Equal([12.5, -9.25], line.Speeds.ToArray());
        Assert.True(line.IsMetresPerSecond);
        Assert.True(line.TryParse("{\"SamplingRate\":20000, \"resolution\":0.2426}"u8));
        Assert.Equal(((int?)20000, 0, (string?)null), (line.SamplingRate, line.Count, line.Unit));
        Assert.True(line.TryParse("{\"Product\":\"OPS243-A\"}"u8));
        Assert.Equal("OPS243-A", line.Product);
    }

    [Theory]
    [InlineData("")]
    [InlineData("12.3.4")]
    [InlineData("1e999")]
    [InlineData("NaN")]
    [InlineData("250.0")]
    [InlineData("{\"speed\":\"12.3\"")]
    [InlineData("{\"speed\":\"12")]
    [InlineData("{\"speed\":12.3}{\"speed\":12.4}")]
    [InlineData("{\"speed\":null}")]
    [InlineData("{\"speed\":[\"1\",\"x\"]}")]
    [InlineData("{\"unit\":\"furlongs\",\"speed\":\"1.0\"}")]
    [InlineData("{\"unit\":5,\"speed\":\"1.0\"}")]
    [InlineData("{\"speed\":[1,2,3,4,5,6,7,8,9,10]}")]
    [InlineData("eed\":\"12.3\"}")]
    public void A_torn_or_senseless_line_is_no_value(string text)
    {
        var line = new Ops243Line();
        Assert.True(line.TryParse("12.3"u8));
        Assert.False(line.TryParse(Encoding.ASCII.GetBytes(text)));
        Assert.Equal(0, line.Count);
    }

    [Fact]
    public void Any_bytes_are_read_or_refused()
    {
        var line = new Ops243Line();
        Gen.Byte.Array[0, 80].Sample(
            bytes =>
            {
                if (line.TryParse(bytes))
                {
                    Assert.All(line.Speeds.ToArray(), speed => Assert.InRange(speed, -100, 100));
                }
            },
            iter: 2000);
        string text = "{\"unit\":\"mps\",\"magnitude\":[\"90\",\"70\"],\"speed\":[\"12.5\",\"-9.25\"]}";
        for (int cut = 1; cut < text.Length; cut++)
        {
            Assert.False(line.TryParse(Encoding.ASCII.GetBytes(text[..cut])), text[..cut]);
        }
    }

    [Fact]
    public async Task Set_up_confirmed_and_vehicles_come_through_a_real_port()
    {
        using var radar = new SimulatedOps243();
        await using Ops243Detector detector = Detector(radar);
        await detector.StartAsync(TestContext.Current.CancellationToken);
        Assert.Superset(new HashSet<string> { "UM", "OJ", "OU", "R|", "S2", "S<", "BZ" }, radar.Commands.ToHashSet());

        var look = new VehicleLook();
        radar.Pass(speed: -11.5, reports: 12);
        while (look.Passages.Count == 0)
        {
            await UntilEmptyAsync(detector, look, null);
        }

        VehiclePassage passage = Assert.Single(look.Passages);
        Assert.Equal((Heading.Out, (double?)11.5), (passage.Heading, passage.Speed));
    }

    [Fact]
    public async Task Silence_is_no_empty_road_and_garbage_is_no_vehicle()
    {
        using var radar = new SimulatedOps243();
        await using Ops243Detector detector = Detector(radar);
        await detector.StartAsync(TestContext.Current.CancellationToken);
        var look = new VehicleLook();
        await UntilEmptyAsync(detector, look, null);
        Assert.Empty(look.Passages);

        radar.Mode = RadarMode.Garbage;
        NoSampleException garbage = await UntilEmptyAsync(detector, look, "garbage");
        Assert.Contains("cannot be read", garbage.Message, StringComparison.Ordinal);
        radar.Mode = RadarMode.Silent;
        NoSampleException silent = await UntilEmptyAsync(detector, look, "silent");
        Assert.Contains("says nothing", silent.Message, StringComparison.Ordinal);
        Assert.Empty(look.Passages);

        radar.Mode = RadarMode.Answering;
        await UntilEmptyAsync(detector, look, null);
        Assert.Empty(look.Passages);
    }

    [Fact]
    public async Task A_radar_that_was_reset_is_noticed()
    {
        using var radar = new SimulatedOps243();
        await using Ops243Detector detector = Detector(radar);
        await detector.StartAsync(TestContext.Current.CancellationToken);
        radar.Mode = RadarMode.Reset;
        var look = new VehicleLook();
        SensorException failed = await Assert.ThrowsAsync<SensorException>(async () =>
        {
            while (true)
            {
                await detector.LookAsync(look, TestContext.Current.CancellationToken);
            }
        });
        Assert.Contains("was reset", failed.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"Product\":\"OPS243-A\"}", "{\"Units\":\"mph\"}", "does not confirm metres")]
    [InlineData("{\"Product\":\"Lidar 3\"}", "{\"Units\":\"m/s\"}", "is a Lidar 3")]
    public async Task A_radar_that_does_not_confirm_is_refused(string product, string units, string expected)
    {
        using var radar = new SimulatedOps243 { Product = product, Units = units, UnitInReports = false };
        await using Ops243Detector detector = Detector(radar, answerSeconds: 3);
        SensorException refused = await Assert.ThrowsAsync<SensorException>(async () => await detector.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unplugged_it_fails_and_a_busy_port_is_named()
    {
        using var radar = new SimulatedOps243();
        await using Ops243Detector detector = Detector(radar);
        await detector.StartAsync(TestContext.Current.CancellationToken);
        SensorException busy = Assert.Throws<SensorException>(() => TermiosPort.Open(radar.Path, 19200, TimeProvider.System));
        Assert.Contains("another program uses it", busy.Message, StringComparison.Ordinal);

        radar.Unplug();
        var look = new VehicleLook();
        IOException gone = await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (true)
            {
                await detector.LookAsync(look, TestContext.Current.CancellationToken);
            }
        });
        Assert.Contains("unplugged", gone.Message, StringComparison.Ordinal);
        Assert.Empty(look.Passages);

        using var back = new SimulatedOps243();
        await using Ops243Detector again = Detector(back);
        await again.StartAsync(TestContext.Current.CancellationToken);
        await UntilEmptyAsync(again, look, null);
    }

    [Fact]
    public void What_is_missing_or_wrong_in_the_station_file_is_named()
    {
        Assert.Empty(DeviceRun.Failures(Options()));
        Assert.Equal(["radar-in", "radar-out"], SensorFactory.Names(Options()));
        Fails("Agent:Sensors:0:Bus:Serial is missing", o => o.Bus = null);
        Fails("Agent:Sensors:0:Period is 00:02:00", o => o.Period = TimeSpan.FromMinutes(2));
        Fails("Agent:Sensors:0:Every", o => o.Every = TimeSpan.FromSeconds(1));
        Fails("Agent:Sensors:0:Radar:Angle is 80", o => o.Radar = new RadarOptions { Angle = 80 });
        Fails("Agent:Sensors:0:Radar:SpeedMin", o => o.Radar = new RadarOptions { SpeedMin = double.NaN });
        Fails("Agent:Sensors:0:Radar:Gap", o => o.Radar = new RadarOptions { Gap = TimeSpan.Zero });
        Fails("Agent:Sensors:0:Radar:DurationMin", o => o.Radar = new RadarOptions { DurationMin = TimeSpan.FromSeconds(2) });
        Fails("Agent:Sensors:0:Radar:ReportsMin", o => o.Radar = new RadarOptions { ReportsMin = 1 });
        Fails("Agent:Sensors:0:Radar:Coherence", o => o.Radar = new RadarOptions { Coherence = 0.6 });
        Fails("Agent:Sensors:0:Traffic:MediumFrom", o => o.Traffic = new TrafficOptions { MediumFrom = 0, });
        Fails("Agent:Sensors:0:Traffic:LongFrom", o => o.Traffic = new TrafficOptions { LongFrom = 5 });
        Fails("Agent:Sensors:0:Traffic:SpeedCountMin", o => o.Traffic = new TrafficOptions { SpeedCountMin = 0 });

        static void Fails(string expected, Action<SensorOptions> change)
        {
            SensorOptions options = Options();
            change(options);
            Assert.StartsWith(expected, Assert.Single(DeviceRun.Failures(options)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Names_of_the_directions_are_nobody_elses()
    {
        var station = new SensorsOptions { Sensors = { Options(), new SensorOptions { Name = "radar-in", Kind = "simulated" } } };
        Assert.Contains("readings named 'radar-in'", Assert.Single(SensorsOptionsValidator.Failures(station)), StringComparison.Ordinal);
        SensorOptions longNamed = Options();
        longNamed.Name = new string('a', 62);
        Assert.Contains("2 characters shorter", Assert.Single(SensorsOptionsValidator.Failures(new SensorsOptions { Sensors = { longNamed } })), StringComparison.Ordinal);
    }

    private static SensorOptions Options() => new() { Name = "radar", Kind = "ops243", Bus = new BusOptions { Serial = "/dev/serial0" } };

    // On a busy machine reports come in bursts: here the port is tested, the rule elsewhere.
    private static Ops243Detector Detector(SimulatedOps243 radar, double answerSeconds = 10) => new(
        () => TermiosPort.Open(radar.Path, 19200, TimeProvider.System), radar.Path, new RadarOptions { Gap = TimeSpan.FromSeconds(2), DurationMin = TimeSpan.Zero }, TimeProvider.System)
    {
        AnswerTime = TimeSpan.FromSeconds(answerSeconds),
    };

    // Looks until one ends as expected: with this reason, or (null) without an exception. Others on the way are the change itself.
    private static async Task<NoSampleException> UntilEmptyAsync(Ops243Detector detector, VehicleLook look, string? reason)
    {
        while (true)
        {
            try
            {
                await detector.LookAsync(look, TestContext.Current.CancellationToken);
                if (reason is null)
                {
                    return new NoSampleException("none", "");
                }
            }
            catch (NoSampleException exception) when (exception.Reason == reason)
            {
                return exception;
            }
            catch (NoSampleException)
            {
            }
        }
    }
}
