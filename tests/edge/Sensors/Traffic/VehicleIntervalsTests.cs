using CsCheck;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Devices;
using Hub.Edge.Sensors.Traffic;
using Hub.Edge.Sensors.Traffic.Vehicles;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hub.Edge.Sensors.Tests.Traffic;

public sealed class VehicleIntervalsTests
{
    private static readonly DateTime Noon = new(2026, 11, 26, 12, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LookTime = TimeSpan.FromSeconds(1);
    private static readonly VehicleTraits All = new([Heading.In, Heading.Out], Length: true, Occupancy: true);

    [Fact]
    public void Ten_and_twenty_metres_a_second_have_a_time_mean_of_15_and_a_space_mean_of_13_33()
    {
        VehicleIntervals intervals = Whole();
        for (int n = 0; n < 10; n++)
        {
            Pass(intervals, Heading.In, n * 5, speed: n % 2 == 0 ? 10 : 20);
        }

        Dictionary<string, Measurement> figures = Figures(intervals, "in");
        Assert.Equal(15 * 3.6, figures["mean_speed"].Value, 9);
        Assert.Equal(13.333333 * 3.6, figures["space_mean_speed"].Value, 5);
        Assert.Equal(20 * 3.6, figures["v85"].Value, 9);
        Assert.Equal(5, figures["headway"].Value, 9);
    }

    [Fact]
    public void V85_is_the_smallest_speed_that_85_of_100_do_not_exceed()
    {
        Assert.Equal(85, VehicleFigures.Percentile([.. Enumerable.Range(1, 100).Select(n => (double)n).Reverse()], 85));
        Assert.Equal(17, VehicleFigures.Percentile([.. Enumerable.Range(1, 20).Select(n => (double)n)], 85));
        Assert.Equal(7, VehicleFigures.Percentile([7], 85));
        Gen.Double[1, 60].List[1, 200].Sample(
            speeds =>
            {
                double v85 = VehicleFigures.Percentile(speeds, 85);
                Assert.Contains(v85, speeds);
                Assert.True(speeds.Count(speed => speed <= v85) * 100 >= speeds.Count * 85);
                Assert.True(speeds.Count(speed => speed < v85) * 100 < speeds.Count * 85);
                Assert.True(VehicleFigures.SpaceMean(speeds) <= VehicleFigures.TimeMean(speeds) + 1e-9);
            },
            iter: 500);
    }

    [Fact]
    public void Classes_are_cut_at_6_and_12_metres_or_as_set()
    {
        VehicleIntervals intervals = Whole();
        double?[] lengths = [4.2, 5.999, 6, 11.9, 12, 18.75, null];
        for (int n = 0; n < lengths.Length; n++)
        {
            Pass(intervals, Heading.In, n, length: lengths[n]);
        }

        Dictionary<string, Measurement> figures = Figures(intervals, "in");
        Assert.Equal((7.0, 2.0, 2.0, 2.0, 1.0), (V("vehicle_count"), V("vehicle_count_short"), V("vehicle_count_medium"), V("vehicle_count_long"), V("vehicle_count_unclassified")));

        var other = new VehicleIntervals(All, new TrafficOptions { MediumFrom = 4, LongFrom = 18 }, Minute);
        other.Worked(Noon, Noon + Minute);
        Pass(other, Heading.In, 1, length: 4.2);
        Pass(other, Heading.In, 2, length: 18.75);
        figures = Figures(other, "in");
        Assert.Equal((0.0, 1.0, 1.0), (V("vehicle_count_short"), V("vehicle_count_medium"), V("vehicle_count_long")));

        double V(string property) => figures[property].Value;
    }

    [Fact]
    public void A_working_detector_without_vehicles_is_zero_without_speeds_and_a_silent_one_is_nothing()
    {
        Measurement[] all = Whole().Take(Noon.AddMinutes(2))!;
        Dictionary<string, Measurement> figures = Of(all, "out");
        Assert.Equal((0.0, 1.0, Quality.Good), (figures["vehicle_count"].Value, figures["vehicle_count"].Coverage, figures["vehicle_count"].Quality));
        Assert.Equal(0, Of(all, null)["occupancy"].Value);
        Assert.DoesNotContain(figures.Keys, key => key is "mean_speed" or "space_mean_speed" or "v85" or "headway");

        var silent = new VehicleIntervals(All, new TrafficOptions(), Minute);
        Assert.Null(silent.Take(Noon.AddHours(1)));
        Pass(silent, Heading.In, 1);
        Assert.Null(silent.Take(Noon.AddHours(2)));
    }

    [Fact]
    public void What_was_measured_of_an_interval_is_its_coverage()
    {
        var intervals = new VehicleIntervals(All, new TrafficOptions(), Minute);
        intervals.Worked(Noon.AddSeconds(-30), Noon.AddSeconds(15));
        intervals.Worked(Noon.AddSeconds(40), Noon.AddSeconds(55));
        intervals.Covered(Noon.AddSeconds(10), Noon.AddSeconds(13));
        Pass(intervals, Heading.In, 13);
        Measurement[] before = intervals.Take(Noon.AddMinutes(2))!;
        Assert.Equal((Noon.AddMinutes(-1), 0.5), (before[0].ObservedAt, before[0].Coverage));
        Measurement[] figures = intervals.Take(Noon.AddMinutes(2))!;
        Assert.All(figures, figure => Assert.Equal((0.5, Quality.Incomplete), (figure.Coverage, figure.Quality)));
        Assert.Equal(10, Of(figures, null)["occupancy"].Value, 9);
        Assert.Equal(1, Of(figures, "in")["vehicle_count"].Value);
    }

    [Fact]
    public void A_headway_across_a_time_that_nobody_watched_is_none()
    {
        var intervals = new VehicleIntervals(All, new TrafficOptions { SpeedCountMin = 1 }, Minute);
        intervals.Worked(Noon, Noon.AddSeconds(10));
        Pass(intervals, Heading.In, 2);
        Pass(intervals, Heading.In, 6);
        intervals.Worked(Noon.AddSeconds(40), Noon.AddSeconds(60));
        Pass(intervals, Heading.In, 45);
        Assert.Equal(4, Figures(intervals, "in")["headway"].Value, 9);
    }

    [Fact]
    public void A_span_over_the_end_of_an_interval_is_shared_out()
    {
        var intervals = new VehicleIntervals(All, new TrafficOptions(), Minute);
        intervals.Worked(Noon, Noon.AddMinutes(2));
        intervals.Covered(Noon.AddSeconds(54), Noon.AddSeconds(72));
        Assert.Equal(10, Of(intervals.Take(Noon.AddMinutes(3))!, null)["occupancy"].Value, 9);
        Assert.Equal(20, Of(intervals.Take(Noon.AddMinutes(3))!, null)["occupancy"].Value, 9);
    }

    [Fact]
    public void An_interval_is_given_once_and_what_comes_for_it_later_is_counted_as_late()
    {
        VehicleIntervals intervals = Whole();
        Assert.Null(intervals.Take(Noon + Minute));
        Assert.NotNull(intervals.Take(Noon + Minute + All.Grace));
        intervals.Worked(Noon, Noon + Minute);
        Pass(intervals, Heading.In, 30);
        Assert.Null(intervals.Take(Noon.AddHours(1)));
        Assert.Equal(1, intervals.Late);
    }

    [Fact]
    public void Counts_of_any_passages_add_up_and_the_order_of_directions_does_not_matter()
    {
        Gen.Select(Gen.Int[0, 299_999], Gen.Bool, Gen.Double[1, 50]).List[0, 200].Sample(
            list =>
            {
                var intervals = new VehicleIntervals(All, new TrafficOptions { SpeedCountMin = 1 }, Minute);
                intervals.Worked(Noon, Noon.AddMinutes(5));
                foreach ((int at, bool inbound, double speed) in list)
                {
                    DateTime instant = Noon.AddMilliseconds(at);
                    intervals.Passed(new VehiclePassage(inbound ? Heading.In : Heading.Out, instant, instant, speed, 4));
                }

                for (int n = 0; n < 5; n++)
                {
                    Measurement[] figures = intervals.Take(Noon.AddHours(1))!;
                    foreach (bool inbound in new[] { true, false })
                    {
                        double[] speeds = [.. list.Where(v => v.Item2 == inbound && v.Item1 / 60_000 == n).Select(v => v.Item3)];
                        Dictionary<string, Measurement> lane = Of(figures, inbound ? "in" : "out");
                        Assert.Equal(speeds.Length, lane["vehicle_count"].Value);
                        Assert.Equal(Noon.AddMinutes(n), lane["vehicle_count"].ObservedAt);
                        Assert.Equal(speeds.Length > 0, lane.TryGetValue("mean_speed", out Measurement mean));
                        Assert.True(speeds.Length == 0 || Math.Abs(mean.Value - (3.6 * speeds.Average())) < 1e-9);
                    }
                }

                Assert.Null(intervals.Take(Noon.AddHours(1)));
            },
            iter: 200);
    }

    [Fact]
    public async Task Nothing_about_a_single_vehicle_leaves_the_sensor()
    {
        // One vehicle in the first minute, two in the second, three in the third: counts of each, speeds of the third alone.
        var clock = new WaitedClock(Noon);
        var detector = new ScriptedDetector(clock, look =>
        {
            int minute = clock.GetUtcNow().Minute;
            if (clock.GetUtcNow().Second is > 10 and var second && second <= 11 + minute)
            {
                DateTime now = clock.GetUtcNow().UtcDateTime;
                look.Passages.Add(new VehiclePassage(Heading.In, now, now, 12.345, 4.2));
            }
        });
        var sensor = new VehicleSensor("road", All, new TrafficOptions(), Minute, () => detector, clock, new SensorsInstruments(), NullLogger.Instance);
        await using var run = new SensorRun(sensor, clock);
        var all = new List<Measurement>();
        while (all.Count(m => m.Property == "vehicle_count" && m.Part == "in") < 3)
        {
            if (await run.NextAsync() is { } batch)
            {
                all.AddRange(batch.Measurements.Span);
            }
            else
            {
                clock.Pass(TimeSpan.FromSeconds(1));
            }
        }

        Assert.Equal([1.0, 2, 3], all.Where(m => m.Property == "vehicle_count" && m.Part == "in").Select(m => m.Value));
        Assert.All(all, m => Assert.True(m.Period == Minute && m.ObservedAt!.Value.Second == 0 && m.Coverage > 0.9));
        Assert.Equal(["headway", "mean_speed", "space_mean_speed", "v85"], all.Where(m => m.Property is "headway" or "mean_speed" or "space_mean_speed" or "v85").Where(m => m.Part == "in").Select(m => m.Property).Order());
        Assert.All(all.Where(m => m.Property == "mean_speed"), m => Assert.Equal(Noon.AddMinutes(2), m.ObservedAt));
        Assert.All(all, m => Assert.True(QuantityCatalogue.TryGet(m.Property, out _)));
    }

    [Fact]
    public async Task A_detector_that_is_silent_is_no_traffic_counted_and_is_opened_again()
    {
        var clock = new WaitedClock(Noon);
        int opened = 0;
        var sensor = new VehicleSensor(
            "road", All, new TrafficOptions(), Minute,
            () =>
            {
                int number = ++opened;
                return new ScriptedDetector(clock, _ =>
                {
                    if (number == 1 && clock.GetUtcNow() > Noon.AddSeconds(21))
                    {
                        throw new NoSampleException("silent", "nothing comes");
                    }
                });
            },
            clock, new SensorsInstruments(), NullLogger.Instance);
        await using (var run = new SensorRun(sensor, clock))
        {
            SensorException failed = await Assert.ThrowsAsync<SensorException>(() => BatchAsync(run, clock));
            Assert.Contains("nothing comes", failed.Message, StringComparison.Ordinal);
        }

        clock.Pass(TimeSpan.FromSeconds(10));
        await using var again = new SensorRun(sensor, clock);
        MeasurementBatch batch = await BatchAsync(again, clock);
        Measurement count = batch.Measurements.Span[0];
        Assert.Equal((Noon, 0.0), (count.ObservedAt, count.Value));

        // Twenty or so seconds of the first, nothing for twenty, the rest of the second.
        Assert.InRange(count.Coverage!.Value, 0.5, 0.74);
        Assert.Equal(Quality.Incomplete, count.Quality);
        Assert.Equal(2, opened);
    }

    [Fact]
    public async Task A_clock_set_back_gives_no_interval_twice_and_the_detector_begins_anew()
    {
        var clock = new WaitedClock(Noon);
        int opened = 0;
        var sensor = new VehicleSensor(
            "road", All, new TrafficOptions(), Minute,
            () =>
            {
                opened++;
                return new ScriptedDetector(clock, look => look.Passages.Add(new VehiclePassage(Heading.In, clock.GetUtcNow().UtcDateTime, clock.GetUtcNow().UtcDateTime)));
            },
            clock, new SensorsInstruments(), NullLogger.Instance);
        await using var run = new SensorRun(sensor, clock);
        var starts = new List<DateTime>();
        for (int n = 0; n < 3; n++)
        {
            starts.Add((await BatchAsync(run, clock)).Measurements.Span[0].ObservedAt!.Value);
        }

        Assert.Equal(1, opened);
        clock.AdjustTime(clock.GetUtcNow() - TimeSpan.FromMinutes(2));
        for (int n = 0; n < 2; n++)
        {
            MeasurementBatch batch = await BatchAsync(run, clock);
            starts.Add(batch.Measurements.Span[0].ObservedAt!.Value);

            // The few seconds seen before the clock was set are in the interval that had begun.
            Assert.InRange(batch.Measurements.Span[0].Value, 55, 65);
        }

        Assert.Equal(Enumerable.Range(0, 5).Select(n => Noon.AddMinutes(n)), starts);
        Assert.Equal(2, opened);
    }

    private static async Task<MeasurementBatch> BatchAsync(SensorRun run, WaitedClock clock)
    {
        while (true)
        {
            if (await run.NextAsync() is { } batch)
            {
                return batch;
            }

            clock.Pass(TimeSpan.FromSeconds(1));
        }
    }

    private static VehicleIntervals Whole()
    {
        var intervals = new VehicleIntervals(All, new TrafficOptions(), Minute);
        intervals.Worked(Noon, Noon + Minute);
        return intervals;
    }

    private static void Pass(VehicleIntervals intervals, Heading heading, double second, double? speed = null, double? length = null) =>
        intervals.Passed(new VehiclePassage(heading, Noon.AddSeconds(second), Noon.AddSeconds(second), speed, length));

    private static Dictionary<string, Measurement> Figures(VehicleIntervals intervals, string part) => Of(intervals.Take(Noon.AddMinutes(30))!, part);

    private static Dictionary<string, Measurement> Of(Measurement[] figures, string? part) => figures.Where(figure => figure.Part == part).ToDictionary(figure => figure.Property);

    private sealed class ScriptedDetector(WaitedClock clock, Action<VehicleLook> look) : IVehicleDetector
    {
        public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public async ValueTask LookAsync(VehicleLook into, CancellationToken cancellationToken)
        {
            await Task.Delay(LookTime, clock, cancellationToken);
            look(into);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
