using CsCheck;
using Hub.Edge.Calibrations;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors;
using Xunit;

namespace Hub.Edge.Sampling.Tests;

public sealed class ReadingMakerTests
{
    private static readonly DateTime Now = new(2026, 11, 22, 15, 4, 5, 123, DateTimeKind.Utc);

    [Fact]
    public void Value_without_a_time_is_stamped_when_it_is_taken()
    {
        Assert.Equal(Now, Make(new Measurement("pm10", 20)).PhenomenonTime);
        Assert.Equal(Now.AddMinutes(-1), Make(new Measurement("laeq", 60) { Period = TimeSpan.FromMinutes(1) }).PhenomenonTime);
        Assert.Equal(DateTimeKind.Utc, Make(new Measurement("pm10", 20)).PhenomenonTime.Kind);
    }

    [Fact]
    public void Source_time_is_kept_to_the_microsecond_of_the_wire()
    {
        DateTime at = new(Now.Ticks + 17, DateTimeKind.Utc);
        Assert.Equal(Now.AddMicroseconds(1), Make(new Measurement("pm10", 20, at)).PhenomenonTime);
    }

    [Fact]
    public void Everything_the_instrument_said_is_kept()
    {
        Reading reading = Make(new Measurement("vehicle_count", 12, Now) { Period = TimeSpan.FromMinutes(15), Quality = Quality.Incomplete, Coverage = 0.4 });
        Assert.Equal(new Reading("sensor", "vehicle_count", Now, 12) { Period = TimeSpan.FromMinutes(15), Quality = Quality.Incomplete, Coverage = 0.4 }, reading);
    }

    [Fact]
    public void A_part_is_a_sensor_name_of_its_own_with_its_own_watch_for_stuck_values()
    {
        Assert.Equal("sensor-in", Make(new Measurement("vehicle_count", 12, Now) { Part = "in" }).Sensor);
        Assert.Equal("sensor", Make(new Measurement("vehicle_count", 12, Now)).Sensor);
        var maker = Maker();
        Assert.All(new[] { "", "In", "a-b", "abcdefghijklmnopq" }, part =>
        {
            Assert.False(maker.TryMake(new Measurement("vehicle_count", 1, Now) { Part = part }, Now, out _, out RefusedReason? reason));
            Assert.Equal(RefusedReason.Malformed, reason);
        });
    }

    [Theory]
    [InlineData("relative_humidity", 100, Quality.Good)]
    [InlineData("relative_humidity", 100.1, Quality.OutOfRange)]
    [InlineData("pm10", -27.6, Quality.Good)]
    [InlineData("pm10", 999_999, Quality.OutOfRange)]
    [InlineData("pressure", 0, Quality.OutOfRange)]
    public void Implausible_value_is_flagged_and_kept(string property, double value, Quality quality)
    {
        Reading reading = Make(new Measurement(property, value, Now));
        Assert.Equal(quality, reading.Quality);
        Assert.Equal(value, reading.Value);
    }

    [Fact]
    public void Calibration_keeps_the_raw_value_and_is_judged_by_its_result()
    {
        var sensor = new SensorOptions { Name = "sensor", Calibrations = { new CalibrationOptions { Quantity = "relative_humidity", Gain = 1.1, Offset = -2, Version = 3 } } };
        Reading reading = Make(new Measurement("relative_humidity", 50, Now), sensor);
        Assert.Equal(53, reading.Value, 1e-9);
        Assert.Equal(50, reading.Raw);
        Assert.Equal(3, reading.Calibration);
        Assert.Equal(Quality.OutOfRange, Make(new Measurement("relative_humidity", 99, Now), sensor).Quality);
        Reading other = Make(new Measurement("temperature", 20, Now), sensor);
        Assert.Null(other.Raw);
        Assert.Equal(0, other.Calibration);
    }

    /// <summary>By the time a value is of, not by the time it is taken: a backlog of before the date stays good.</summary>
    [Fact]
    public void A_value_of_after_the_calibrations_date_is_flagged()
    {
        var calibration = new CalibrationOptions { Quantity = "no2", Gain = 2, Version = 1, Date = new DateTimeOffset(Now.AddDays(-91)) };
        ReadingMaker maker = Maker(new SensorOptions { Name = "sensor", Kind = "alphasenseb4", Calibrations = { calibration } });
        Assert.Equal(Quality.Good, Make(new Measurement("no2", 20, Now.AddMicroseconds(-1)), maker).Quality);
        Assert.Equal(Quality.CalibrationDue, Make(new Measurement("no2", 21, Now), maker).Quality);
        Assert.Equal(Quality.CalibrationDue, Make(new Measurement("no2", 22), maker).Quality);
        Assert.Equal(Quality.Good, Make(new Measurement("temperature", 22), maker).Quality);

        SensorOptions sooner = new() { Name = "sensor", Kind = "alphasenseb4", Calibrations = { calibration } };
        Assert.Equal(Quality.CalibrationDue, Make(new Measurement("no2", 20, Now.AddDays(-84)), Maker(sooner, TimeSpan.FromDays(7))).Quality);
        Assert.Equal(Quality.Good, Make(new Measurement("no2", 20, Now.AddDays(5000)), Maker(sooner, TimeSpan.Zero)).Quality);
        calibration.Date = null;
        Assert.Equal(Quality.Good, Make(new Measurement("no2", 20, Now), Maker(sooner, TimeSpan.FromDays(7))).Quality);
    }

    [Fact]
    public void What_is_no_reading_is_refused_with_its_reason()
    {
        AssertRefused(RefusedReason.NotFinite, new Measurement("pm10", double.NaN, Now));
        AssertRefused(RefusedReason.NotFinite, new Measurement("pm10", double.PositiveInfinity, Now));
        AssertRefused(RefusedReason.UnknownQuantity, new Measurement("happiness", 1, Now));
        AssertRefused(RefusedReason.Malformed, new Measurement("pm10", 1, Now) { Period = TimeSpan.FromMilliseconds(1500) });
        AssertRefused(RefusedReason.Malformed, new Measurement("pm10", 1, Now) { Period = TimeSpan.FromSeconds(-1) });
        AssertRefused(RefusedReason.Malformed, new Measurement("pm10", 1, Now) { Coverage = 1.01 });
        AssertRefused(RefusedReason.Malformed, new Measurement("pm10", 1, Now) { Coverage = double.NaN });
        AssertRefused(RefusedReason.Malformed, new Measurement("pm10", 1, DateTime.SpecifyKind(Now, DateTimeKind.Local)));
    }

    [Fact]
    public void Same_value_for_long_is_flagged_until_it_changes()
    {
        ReadingMaker maker = Maker();
        Quality[] flags = [.. Enumerable.Range(0, 60).Select(step => Make(new Measurement("pm2_5", step == 50 ? 33 : 32, Now.AddMinutes(10 * step)), maker).Quality)];
        Assert.All(flags[..36], flag => Assert.Equal(Quality.Good, flag));
        Assert.All(flags[36..50], flag => Assert.Equal(Quality.Stuck, flag));
        Assert.All(flags[50..], flag => Assert.Equal(Quality.Good, flag));
    }

    [Theory]
    [InlineData("vehicle_count", 0)]
    [InlineData("rain_duration", 30)]
    [InlineData("solar_radiation", 0)]
    [InlineData("wind_speed", 0)]
    public void Quiet_street_dry_day_dark_night_and_calm_are_never_stuck(string property, double value)
    {
        ReadingMaker maker = Maker();
        Assert.All(Enumerable.Range(0, 200), step => Assert.Equal(Quality.Good, Make(new Measurement(property, value, Now.AddMinutes(10 * step)), maker).Quality));
    }

    [Fact]
    public void Sensor_option_goes_before_the_common_one_and_zero_means_never()
    {
        ReadingMaker maker = Maker(new SensorOptions { Name = "sensor", StuckAfter = TimeSpan.Zero });
        Assert.All(Enumerable.Range(0, 200), step => Assert.Equal(Quality.Good, Make(new Measurement("pm2_5", 32, Now.AddMinutes(10 * step)), maker).Quality));
    }

    [Fact]
    public void Periods_of_one_quantity_are_watched_apart()
    {
        ReadingMaker maker = Maker();
        for (int step = 0; step < 100; step++)
        {
            Assert.Equal(Quality.Good, Make(new Measurement("laeq", 40 + (step % 50), Now.AddMinutes(10 * step)) { Period = TimeSpan.FromSeconds(1) }, maker).Quality);
            Quality flag = Make(new Measurement("laeq", 60, Now.AddMinutes(10 * step)) { Period = TimeSpan.FromMinutes(1) }, maker).Quality;
            Assert.Equal(step >= 36 ? Quality.Stuck : Quality.Good, flag);
        }
    }

    /// <summary>Whatever comes, in whatever order: a flag means that the run up to here really was that long and that equal.</summary>
    [Fact]
    public void Stuck_is_never_said_of_a_run_that_is_too_short()
    {
        TimeSpan after = TimeSpan.FromHours(1);
        Gen.Select(Gen.Int[0, 2], Gen.Int[-20, 40]).Array[0, 300].Sample(steps =>
        {
            var watch = new StuckWatch(new StuckLimits(after, 5));
            List<(DateTime At, double Value)> judged = [];
            DateTime newest = Now;
            DateTime at = Now;
            foreach ((int value, int minutes) in steps)
            {
                at = at.AddMinutes(minutes);
                bool late = judged.Count > 0 && at <= newest;
                bool stuck = watch.IsStuck(at, value);
                if (late)
                {
                    Assert.False(stuck);
                    continue;
                }

                judged.Add((at, value));
                newest = at;
                (DateTime At, double Value)[] run = [.. judged.AsEnumerable().Reverse().TakeWhile(step => step.Value == value)];
                Assert.Equal(stuck, run.Length >= 5 && at - run[^1].At >= after);
            }
        });
    }

    private static ReadingMaker Maker(SensorOptions? sensor = null, TimeSpan? due = null)
    {
        sensor ??= new SensorOptions { Name = "sensor" };
        sensor.CalibrationDue = due;
        var sensors = new SensorsOptions { Sensors = { sensor } };
        return new ReadingMaker(sensor, new SamplingOptions(), CalibrationsExtensions.OfStationFile(sensors));
    }

    private static Reading Make(Measurement measurement, SensorOptions? sensor = null) => Make(measurement, Maker(sensor));

    private static Reading Make(Measurement measurement, ReadingMaker maker)
    {
        Assert.True(maker.TryMake(measurement, Now, out Reading reading, out RefusedReason? reason));
        Assert.Null(reason);
        return reading;
    }

    private static void AssertRefused(RefusedReason expected, Measurement measurement)
    {
        Assert.False(Maker().TryMake(measurement, Now, out _, out RefusedReason? reason));
        Assert.Equal(expected, reason);
    }
}
