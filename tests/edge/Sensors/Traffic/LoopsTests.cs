using CsCheck;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Tests.Buses;
using Hub.Edge.Sensors.Tests.Devices;
using Hub.Edge.Sensors.Traffic.Loops;
using Hub.Edge.Sensors.Traffic.Vehicles;

namespace Hub.Edge.Sensors.Tests.Traffic;

public sealed class LoopsTests : IDisposable
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);

    private readonly WaitedClock clock = new(Noon);
    private readonly SimulatedGpio gpio = new();
    private readonly SimulatedBuses buses;

    public LoopsTests() => buses = new SimulatedBuses(clock) { Gpio = gpio };

    public void Dispose() => gpio.Dispose();

    [Fact]
    public async Task Two_loops_give_direction_speed_and_length()
    {
        await using LoopsDetector detector = Detector(new ContactOptions { Spacing = 3 }, 17, 27);
        await detector.StartAsync(TestContext.Current.CancellationToken);

        // 15 m/s, 4.5 m long over 2 m loops: each covered for 6.5 / 15 s, the second 0.2 s later.
        Drive(17, 27, 0.1, speed: 15, length: 4.5, spacing: 3);
        VehicleLook look = await LookAsync(detector);
        VehiclePassage car = Assert.Single(look.Passages);
        Assert.Equal(Heading.In, car.Heading);
        Assert.Equal(15, car.Speed!.Value, 3);
        Assert.Equal(4.5, car.Length!.Value, 3);
        Assert.Equal(Noon.AddSeconds(0.1), car.Front);
        Assert.Equal(6.5 / 15, look.Covered.Sum(span => (span.To - span.From).TotalSeconds), 3);

        Drive(27, 17, 1.05, speed: 30, length: 18.75, spacing: 3);
        look = await LookAsync(detector);
        VehiclePassage lorry = Assert.Single(look.Passages);
        Assert.Equal((Heading.Out, 30.0, 18.75), (lorry.Heading, Math.Round(lorry.Speed!.Value, 2), Math.Round(lorry.Length!.Value, 2)));
    }

    [Fact]
    public async Task One_loop_counts_and_tells_how_long_it_was_covered_even_in_a_jam()
    {
        await using LoopsDetector detector = Detector(new ContactOptions(), 17);
        await detector.StartAsync(TestContext.Current.CancellationToken);
        gpio.Pulse(17, Noon.AddSeconds(0.2), TimeSpan.FromSeconds(0.4));
        gpio.Set(17, false, Noon.AddSeconds(0.8));
        VehicleLook look = await LookAsync(detector);
        VehiclePassage passage = Assert.Single(look.Passages);
        Assert.Equal((Heading.Unknown, (double?)null, (double?)null), (passage.Heading, passage.Speed, passage.Length));
        double covered = Seconds(look);
        for (int second = 1; second < 30; second++)
        {
            look = await LookAsync(detector);
            Assert.Empty(look.Passages);
            covered += Seconds(look);
        }

        gpio.Set(17, true, Noon.AddSeconds(30.5));
        look = await LookAsync(detector);
        Assert.Single(look.Passages);
        Assert.Equal(0.4 + 29.7, covered + Seconds(look), 6);

        static double Seconds(VehicleLook look) => look.Covered.Sum(span => (span.To - span.From).TotalSeconds);
    }

    [Fact]
    public async Task Bounce_is_no_vehicle_and_a_contact_that_chatters_is_a_fault()
    {
        await using LoopsDetector detector = Detector(new ContactOptions(), 17);
        await detector.StartAsync(TestContext.Current.CancellationToken);

        // One vehicle with bounce at both ends, and a spike on its own.
        foreach ((double at, bool high) in new[] { (0.100, false), (0.101, true), (0.102, false), (0.500, true), (0.5005, false), (0.501, true), (0.800, false), (0.8003, true) })
        {
            gpio.Set(17, high, Noon.AddSeconds(at));
        }

        VehiclePassage passage = Assert.Single((await LookAsync(detector)).Passages);
        Assert.Equal((Noon.AddSeconds(0.102), Noon.AddSeconds(0.501)), (passage.Front, passage.At));

        for (int n = 0; n < 200; n++)
        {
            gpio.Set(17, n % 2 == 1, Noon.AddSeconds(1.1 + (n * 0.001)));
        }

        Assert.Equal("chatter", (await Assert.ThrowsAsync<NoSampleException>(() => LookAsync(detector))).Reason);
        Assert.Empty((await LookAsync(detector)).Passages);
    }

    [Fact]
    public async Task More_changes_than_can_be_kept_are_a_fault_and_the_level_is_read_again()
    {
        await using LoopsDetector detector = Detector(new ContactOptions { Debounce = TimeSpan.Zero }, 17);
        await detector.StartAsync(TestContext.Current.CancellationToken);
        for (int n = 0; n < 5001; n++)
        {
            gpio.Set(17, n % 2 == 1, Noon.AddSeconds(0.1 + (n * 0.0001)));
        }

        Assert.Equal("chatter", (await Assert.ThrowsAsync<NoSampleException>(() => LookAsync(detector))).Reason);

        // The last change (on) was among the lost ones: the line itself says so.
        gpio.Set(17, true, Noon.AddSeconds(1.5));
        Assert.Single((await LookAsync(detector)).Passages);
    }

    [Fact]
    public async Task A_contact_that_stays_on_is_stuck_and_one_on_at_the_start_is_not_a_vehicle()
    {
        gpio.Set(17, false, Noon);
        await using LoopsDetector detector = Detector(new ContactOptions { StuckOnAfter = TimeSpan.FromMinutes(1) }, 17);
        await detector.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal("covered", (await Assert.ThrowsAsync<NoSampleException>(() => LookAsync(detector))).Reason);
        gpio.Set(17, true, Noon.AddSeconds(1.5));
        Assert.Empty((await LookAsync(detector)).Passages);

        gpio.Set(17, false, Noon.AddSeconds(2.5));
        for (int second = 2; second < 62; second++)
        {
            Assert.Empty((await LookAsync(detector)).Passages);
        }

        Assert.Equal("stuck on", (await Assert.ThrowsAsync<NoSampleException>(async () =>
        {
            await LookAsync(detector);
            await LookAsync(detector);
        })).Reason);
    }

    [Fact]
    public async Task Contacts_that_see_nothing_for_longer_than_set_are_dead()
    {
        await using LoopsDetector detector = Detector(new ContactOptions { StuckOffAfter = TimeSpan.FromMinutes(1) }, 17);
        await detector.StartAsync(TestContext.Current.CancellationToken);
        for (int second = 0; second < 60; second++)
        {
            await LookAsync(detector);
        }

        Assert.Equal("stuck off", (await Assert.ThrowsAsync<NoSampleException>(() => LookAsync(detector))).Reason);
        gpio.Pulse(17, Noon.AddSeconds(61.2), TimeSpan.FromSeconds(0.3));
        Assert.Single((await LookAsync(detector)).Passages);
    }

    [Fact]
    public async Task One_contact_of_two_that_is_dead_is_named_and_nothing_is_counted()
    {
        await using LoopsDetector detector = Detector(new ContactOptions { Spacing = 2 }, 17, 27);
        await detector.StartAsync(TestContext.Current.CancellationToken);
        NoSampleException failed = await Assert.ThrowsAsync<NoSampleException>(async () =>
        {
            for (int second = 0; second < 100; second++)
            {
                gpio.Pulse(17, Noon.AddSeconds(second + 0.3), TimeSpan.FromSeconds(0.3));
                Assert.Empty((await LookAsync(detector)).Passages);
            }
        });
        Assert.Equal("one contact", failed.Reason);
        Assert.Contains("GPIO 17", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_traffic_on_two_loops_is_counted_with_its_speeds()
    {
        Gen.Select(Gen.Double[3, 40], Gen.Double[2.5, 19], Gen.Double[0.6, 5], Gen.Bool).List[1, 60].Sample(
            vehicles =>
            {
                var options = new ContactOptions { Spacing = 2.5 };
                var loops = new LoopPassages(options, 2);
                var changes = new List<ContactChange>();
                double at = 1;
                foreach ((double speed, double length, double gap, bool inbound) in vehicles)
                {
                    double covered = (length + options.LoopLength) / speed;
                    double travel = options.Spacing!.Value / speed;
                    (int first, int second) = inbound ? (0, 1) : (1, 0);
                    changes.Add(new(first, true, Noon.AddSeconds(at)));
                    changes.Add(new(second, true, Noon.AddSeconds(at + travel)));
                    changes.Add(new(first, false, Noon.AddSeconds(at + covered)));
                    changes.Add(new(second, false, Noon.AddSeconds(at + covered + travel)));
                    at += covered + travel + gap;
                }

                var passages = new List<VehiclePassage>();
                foreach (ContactChange change in changes.OrderBy(change => change.At))
                {
                    loops.Take(change, passages);
                }

                Assert.Equal(0, loops.Unmatched);
                Assert.Equal(vehicles.Select(v => v.Item4 ? Heading.In : Heading.Out), passages.Select(p => p.Heading));
                Assert.All(vehicles.Zip(passages), pair =>
                {
                    Assert.Equal(pair.First.Item1, pair.Second.Speed!.Value, 0.01);
                    Assert.Equal(pair.First.Item2, pair.Second.Length!.Value, 0.01);
                });
            },
            iter: 200);
    }

    [Fact]
    public void Axles_on_two_tubes_become_vehicles()
    {
        var options = new ContactOptions { Tubes = true, Spacing = 1 };
        var tubes = new TubePassages(options, 2);
        var hits = new List<(int Line, double At)>();
        Axles(hits, 0, 1, 1, 12.5, 0, 2.6);
        Axles(hits, 0, 1, 3, 20, 0, 3.6, 4.9, 10.5, 11.8);
        Axles(hits, 1, 0, 6, 10, 0, 2.5);
        Axles(hits, 1, 0, 7.3, 10, 0, 2.5);
        var passages = new List<VehiclePassage>();
        foreach ((int line, double at) in hits.OrderBy(hit => hit.At))
        {
            tubes.Hit(line, Noon.AddSeconds(at), passages);
        }

        tubes.Advance(Noon.AddSeconds(30), passages);
        Assert.Equal([Heading.In, Heading.In, Heading.Out, Heading.Out], passages.Select(p => p.Heading));
        Assert.Equal([12.5, 20, 10, 10], passages.Select(p => Math.Round(p.Speed!.Value, 3)));
        Assert.Equal([4.3, 13.5, 4.2, 4.2], passages.Select(p => Math.Round(p.Length!.Value, 3)));
        Assert.Equal(0, tubes.Unmatched);

        // A single axle was a vehicle; an axle that one tube alone felt was none.
        passages.Clear();
        tubes.Hit(0, Noon.AddSeconds(40), passages);
        tubes.Advance(Noon.AddSeconds(50), passages);
        Assert.Empty(passages);
        Assert.Equal(1, tubes.Unmatched);

        static void Axles(List<(int, double)> hits, int first, int second, double at, double speed, params double[] axles)
        {
            foreach (double axle in axles)
            {
                hits.Add((first, at + (axle / speed)));
                hits.Add((second, at + ((axle + 1) / speed)));
            }
        }
    }

    [Fact]
    public async Task Axles_on_one_tube_are_joined_by_time()
    {
        await using LoopsDetector detector = Detector(new ContactOptions { Tubes = true }, 17);
        await detector.StartAsync(TestContext.Current.CancellationToken);
        foreach (double at in new[] { 0.1, 0.3, 1.5, 1.72, 1.95 })
        {
            gpio.Pulse(17, Noon.AddSeconds(at), TimeSpan.FromMilliseconds(20));
        }

        var passages = new List<VehiclePassage>();
        for (int second = 0; second < 4; second++)
        {
            VehicleLook look = await LookAsync(detector);
            passages.AddRange(look.Passages);
            Assert.Empty(look.Covered);
        }

        Assert.Equal([(Noon.AddSeconds(0.1), Noon.AddSeconds(0.3)), (Noon.AddSeconds(1.5), Noon.AddSeconds(1.95))], passages.Select(p => (p.Front, p.At)));
    }

    [Fact]
    public async Task A_line_in_use_is_named_and_the_chip_is_let_go()
    {
        gpio.Busy.Add(27);
        await using LoopsDetector detector = Detector(new ContactOptions { Spacing = 2 }, 17, 27);
        SensorException busy = await Assert.ThrowsAsync<SensorException>(async () => await detector.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains("GPIO line 27", busy.Message, StringComparison.Ordinal);

        gpio.Busy.Clear();
        await using LoopsDetector again = Detector(new ContactOptions { Spacing = 2 }, 17, 27);
        await again.StartAsync(TestContext.Current.CancellationToken);
        Assert.Empty((await LookAsync(again)).Passages);
    }

    [Fact]
    public async Task A_minute_of_traffic_becomes_figures()
    {
        SensorOptions options = Options(17, 27);
        options.Period = TimeSpan.FromMinutes(1);
        ISensor sensor = DeviceRun.Sensor(options, buses, clock);
        await using var run = new SensorRun(sensor, clock);
        var figures = new List<Measurement>();
        int driven = 0;
        while (figures.Count == 0)
        {
            if (await run.NextAsync() is { } batch)
            {
                figures.AddRange(batch.Measurements.Span);
                continue;
            }

            double second = (clock.GetUtcNow() - Noon).TotalSeconds;
            if (second < 60 && (int)second % 6 == 0 && driven < 10)
            {
                Drive(17, 27, second + 0.1, speed: driven % 2 == 0 ? 10 : 20, length: driven == 0 ? 16 : 4.5, spacing: 2);
                driven++;
            }

            clock.Pass(TimeSpan.FromSeconds(1));
        }

        Dictionary<string, double> inbound = figures.Where(m => m.Part == "in").ToDictionary(m => m.Property, m => m.Value);
        Assert.Equal((10.0, 9.0, 1.0), (inbound["vehicle_count"], inbound["vehicle_count_short"], inbound["vehicle_count_long"]));
        Assert.Equal(54, inbound["mean_speed"], 0.01);
        Assert.Equal(48, inbound["space_mean_speed"], 0.01);
        Assert.Equal(0, figures.Single(m => m.Part == "out" && m.Property == "vehicle_count").Value);
        Measurement occupancy = Assert.Single(figures, m => m.Property == "occupancy");
        Assert.Null(occupancy.Part);
        Assert.Equal(100 * ((18 / 10.0) + (4 * 0.65) + (5 * 0.325)) / 60, occupancy.Value, 6);
    }

    [Fact]
    public void What_is_missing_or_wrong_in_the_station_file_is_named()
    {
        Assert.Empty(DeviceRun.Failures(Options(17, 27)));
        Assert.Equal(["road-in", "road-out", "road"], SensorFactory.Names(Options(17, 27)));
        Assert.Equal(["road"], SensorFactory.Names(Options(17)));
        Assert.Contains("Bus:Pins has 0 lines", Assert.Single(DeviceRun.Failures(Options())), StringComparison.Ordinal);
        Assert.Contains("different lines", Assert.Single(DeviceRun.Failures(Options(17, 17))), StringComparison.Ordinal);
        Fails("Spacing is missing", c => c.Spacing = null);
        Fails("Spacing is 0.2", c => c.Spacing = 0.2);
        Fails("LoopLength", c => c.LoopLength = -1);
        Fails("Debounce", c => c.Debounce = TimeSpan.FromSeconds(1));
        Fails("TravelMax", c => c.TravelMax = TimeSpan.Zero);
        Fails("AxleDistanceMax", c => c.AxleDistanceMax = 1);
        Fails("AxleTimeMax", c => c.AxleTimeMax = TimeSpan.Zero);
        Fails("Overhang", c => c.Overhang = double.NaN);
        Fails("StuckOnAfter", c => c.StuckOnAfter = TimeSpan.Zero);
        Fails("StuckOffAfter", c => c.StuckOffAfter = TimeSpan.FromSeconds(5));

        static void Fails(string expected, Action<ContactOptions> change)
        {
            SensorOptions options = Options(17, 27);
            change(options.Contacts!);
            Assert.StartsWith($"Agent:Sensors:0:Contacts:{expected}", Assert.Single(DeviceRun.Failures(options)), StringComparison.Ordinal);
        }
    }

    private static SensorOptions Options(params int[] pins)
    {
        var bus = new BusOptions();
        foreach (int pin in pins)
        {
            bus.Pins.Add(pin);
        }

        return new SensorOptions { Name = "road", Kind = "loops", Bus = bus, Contacts = new ContactOptions { Spacing = 2 } };
    }

    private LoopsDetector Detector(ContactOptions options, params int[] pins) => new(buses.OpenGpio, pins, options, clock);

    // A vehicle over two loops of 2 m.
    private void Drive(int first, int second, double at, double speed, double length, double spacing)
    {
        double covered = (length + 2) / speed;
        double travel = spacing / speed;
        gpio.Set(first, false, Noon.AddSeconds(at));
        gpio.Set(second, false, Noon.AddSeconds(at + travel));
        gpio.Set(first, true, Noon.AddSeconds(at + covered));
        gpio.Set(second, true, Noon.AddSeconds(at + covered + travel));
    }

    private async Task<VehicleLook> LookAsync(LoopsDetector detector)
    {
        var look = new VehicleLook();
        Task pending = detector.LookAsync(look, TestContext.Current.CancellationToken).AsTask();
        clock.Pass(TimeSpan.FromSeconds(1));
        await pending;
        return look;
    }
}
