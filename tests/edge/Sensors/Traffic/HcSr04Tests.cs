using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;
using Hub.Edge.Sensors.Traffic.HcSr04;
using Hub.Edge.Sensors.Traffic.Lidar;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Tests.Traffic;

public sealed class HcSr04Tests : IDisposable
{
    private const int Trigger = 23;
    private const int Echo = 24;
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private readonly WaitedClock clock = new(Noon);
    private readonly SimulatedGpio gpio = new();
    private readonly SimulatedBuses buses;
    private Func<int, double?>? distance;
    private int shots;

    public HcSr04Tests()
    {
        buses = new SimulatedBuses(clock) { Gpio = gpio };
        gpio.Written = (pin, high) =>
        {
            if (pin != Trigger || high)
            {
                return;
            }

            // The part answers its trigger: a pulse as long as sound takes there and back, 38 ms where none comes back; nothing when it is dead.
            double? metres = distance is null ? 3 : distance(shots);
            shots++;
            if (metres is { } far)
            {
                gpio.Pulse(Echo, false, clock.GetUtcNow().UtcDateTime.AddMicroseconds(500), far > 4 ? TimeSpan.FromMilliseconds(38) : TimeSpan.FromSeconds(2 * far / 340.4));
            }
        };
    }

    public void Dispose() => gpio.Dispose();

    [Fact]
    public async Task A_vehicle_between_the_sensor_and_the_wall_is_counted()
    {
        await using HcSr04Detector detector = Detector(new RangingOptions { Background = 3 });
        await detector.StartAsync(TestContext.Current.CancellationToken);
        VehicleLook look = await LookAsync(detector);
        Assert.Empty(look.Passages);

        // Half a second there, with one outlier in it and one in the gap.
        int began = shots;
        distance = shot => (shot - began) switch
        {
            5 => 3.4,
            >= 2 and < 10 => 1.5,
            13 => 0.3,
            _ => 3,
        };
        look = await LookAsync(detector);
        look.Passages.AddRange((await LookAsync(detector)).Passages);
        VehiclePassage passage = Assert.Single(look.Passages);
        Assert.InRange((passage.At - passage.Front).TotalSeconds, 0.4, 0.6);
    }

    [Fact]
    public async Task A_part_that_does_not_answer_is_no_empty_lane_and_one_out_of_reach_is()
    {
        await using HcSr04Detector detector = Detector(new RangingOptions { Background = 0, LaneEnd = 3 });
        await detector.StartAsync(TestContext.Current.CancellationToken);
        distance = _ => 5;
        Assert.Empty((await LookAsync(detector)).Passages);
        distance = _ => null;
        Assert.Equal("silent", (await Assert.ThrowsAsync<NoSampleException>(() => LookAsync(detector))).Reason);
        distance = _ => 5;
        Assert.Empty((await LookAsync(detector)).Passages);
    }

    [Fact]
    public async Task The_background_is_learned_first()
    {
        await using HcSr04Detector detector = Detector(new RangingOptions());
        await detector.StartAsync(TestContext.Current.CancellationToken);
        int learning = 0;
        while (true)
        {
            try
            {
                await LookAsync(detector);
                break;
            }
            catch (NoSampleException exception)
            {
                Assert.True(exception.Reason is "learning" or "weak echo");
                learning++;
            }
        }

        // Fewer than the looks without a value after which a device is opened again.
        Assert.InRange(learning, 4, 8);
    }

    [Fact]
    public async Task A_busy_line_is_named()
    {
        gpio.Busy.Add(Trigger);
        await using HcSr04Detector detector = Detector(new RangingOptions());
        SensorException busy = await Assert.ThrowsAsync<SensorException>(async () => await detector.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains("GPIO line 23", busy.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_are_asked_for()
    {
        var options = new SensorOptions { Name = "lane", Kind = "hcsr04", Bus = new BusOptions { Pins = { 23 } } };
        Assert.Contains("Agent:Sensors:0:Bus:Pins has 1 lines: give trigger and echo", Assert.Single(DeviceRun.Failures(options)), StringComparison.Ordinal);
        options.Bus.Pins.Add(24);
        Assert.Empty(DeviceRun.Failures(options));
    }

    private HcSr04Detector Detector(RangingOptions options) => new(buses.OpenGpio, Trigger, Echo, options, clock);

    private async Task<VehicleLook> LookAsync(HcSr04Detector detector)
    {
        var look = new VehicleLook();
        await DeviceRun.PassAsync(detector.LookAsync(look, TestContext.Current.CancellationToken).AsTask(), clock, TimeSpan.FromMilliseconds(60));
        return look;
    }
}
