using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors;
using Hub.Edge.Sensors.Noise.Levels;
using Hub.Tests.Kit;

namespace Hub.Edge.Calibrations.Tests;

public sealed class ProbeTests
{
    private readonly WatchedTime time = new(new DateTimeOffset(Sample.Noon));
    private readonly List<ProbeProgress> seen = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_point_ends_when_the_reading_stands_still()
    {
        var sensor = new Scripted(time, n => [new Measurement("no2", n < 10 ? n * 20 : 200, null), new Measurement("temperature", 20)]);
        await using var probe = new CalibrationProbe(sensor, time);
        Assert.Equal(["no2", "temperature"], await probe.QuantitiesAsync(TimeSpan.FromMinutes(1), Cancel));
        PointResult point = await PointAsync(probe);
        Assert.Equal((PointOutcome.Stable, 200.0, 12), (point.Outcome, point.Raw!.Mean, point.Raw.Count));
        Assert.Equal(1, sensor.Starts);
        Assert.True(seen.Count > 12);
    }

    /// <summary>What the instrument says against a value keeps it out, and the next point goes on in the same run.</summary>
    [Fact]
    public async Task Flagged_values_do_not_count_and_a_second_point_needs_no_new_warm_up()
    {
        var sensor = new Scripted(time, n => [new Measurement("no2", 50 + (n > 40 ? 100 : 0)) { Quality = n < 20 ? Quality.WarmingUp : Quality.Good }]);
        await using var probe = new CalibrationProbe(sensor, time);
        PointResult zero = await PointAsync(probe);
        Assert.Equal((PointOutcome.Stable, 50.0), (zero.Outcome, zero.Raw!.Mean));
        Assert.True(sensor.Given >= 32);
        PointResult span = await PointAsync(probe, begins: value => value > 100);
        Assert.Equal((PointOutcome.Stable, 150.0), (span.Outcome, span.Raw!.Mean));
        Assert.Equal(1, sensor.Starts);
    }

    [Fact]
    public async Task Every_way_not_to_end_is_told_apart()
    {
        await Ends(PointOutcome.NotGiven, _ => [new Measurement("co", 1)]);
        await Ends(PointOutcome.Flagged, _ => [new Measurement("no2", 1) { Quality = Quality.Saturated }]);
        await Ends(PointOutcome.Unstable, n => [new Measurement("no2", n * 30)]);
        await Ends(PointOutcome.TooShort, n => n > 6 ? [] : [new Measurement("no2", 1)]);

        async Task Ends(PointOutcome expected, Func<int, Measurement[]> script)
        {
            await using var probe = new CalibrationProbe(new Scripted(time, script), time);
            Assert.Equal(expected, (await PointAsync(probe, patience: TimeSpan.FromSeconds(60))).Outcome);
        }
    }

    [Fact]
    public async Task Values_of_before_the_point_are_passed_over()
    {
        var sensor = new Scripted(time, n => [new Measurement("no2", n < 5 ? 77 : 10, Sample.Noon.AddSeconds(n - 5)) { Period = TimeSpan.FromSeconds(1) }]);
        await using var probe = new CalibrationProbe(sensor, time);
        PointResult point = await PointAsync(probe);
        Assert.Equal((10.0, Sample.Noon), (point.Raw!.Max, point.Raw.From));
    }

    [Fact]
    public async Task A_sensor_that_fails_or_ends_says_so()
    {
        var failing = new Scripted(time, n => n > 3 ? throw new SensorException("The bus is stuck.") : [new Measurement("no2", 1)]);
        await using var probe = new CalibrationProbe(failing, time);
        Assert.Equal("The bus is stuck.", (await Assert.ThrowsAsync<SensorException>(() => PointAsync(probe))).Message);
    }

    [Theory]
    [InlineData(94, 94.6, CalibrationOutcome.Good)]
    [InlineData(94, 114.6, CalibrationOutcome.OtherLevel)]
    [InlineData(94, 40, CalibrationOutcome.TooFar)]
    [InlineData(94, 97, CalibrationOutcome.Drifted)]
    public async Task Levels_of_a_calibrator_are_judged_once_they_agree(double calibrator, double level, CalibrationOutcome expected)
    {
        // The minute's level and a second that lacks its beginning do not count.
        var sensor = new Scripted(time, n =>
        [
            new Measurement("laeq", 10) { Period = TimeSpan.FromMinutes(1) },
            new Measurement("laeq", n == 3 ? 20 : level + (n < 6 ? n : 0)) { Period = TimeSpan.FromSeconds(1), Quality = n == 3 ? Quality.Incomplete : Quality.Good },
        ]);
        await using var probe = new CalibrationProbe(sensor, time);
        LevelResult result = await PassAsync(probe.LevelAsync(calibrator, -26, -26.2, TimeSpan.FromMinutes(2), seen.Add, Cancel));
        Assert.Equal(expected, result.Result.Outcome);
        Assert.Equal((10, Math.Round(level, 6)), (result.Raw!.Count, Math.Round(result.Raw.Mean, 6)));
        if (expected is CalibrationOutcome.Good or CalibrationOutcome.Drifted)
        {
            Assert.Equal(-26 + level - calibrator, result.Result.Sensitivity, 1e-9);
        }
    }

    [Fact]
    public async Task A_calibrator_too_loud_for_the_microphone_never_counts()
    {
        var sensor = new Scripted(time, _ => [new Measurement("laeq", 114) { Period = TimeSpan.FromSeconds(1), Quality = Quality.Saturated }]);
        await using var probe = new CalibrationProbe(sensor, time);
        LevelResult result = await PassAsync(probe.LevelAsync(114, -26, null, TimeSpan.FromMinutes(1), seen.Add, Cancel));
        Assert.Equal((CalibrationOutcome.TooShort, Quality.Saturated), (result.Result.Outcome, result.Flags));
    }

    private Task<PointResult> PointAsync(CalibrationProbe probe, Func<double, bool>? begins = null, TimeSpan? patience = null) =>
        PassAsync(probe.PointAsync(Sample.Quantity("no2"), 12, patience ?? TimeSpan.FromMinutes(10), begins, seen.Add, Cancel));

    private async Task<T> PassAsync<T>(Task<T> task)
    {
        await Eventually.TrueAsync(
            () =>
            {
                if (!task.IsCompleted)
                {
                    // Not ahead of the sensor: patience is counted in this time too.
                    time.TryPass(TimeSpan.FromSeconds(1));
                }

                return task.IsCompleted;
            },
            "the point is measured",
            Eventually.Limit * 5);
        return await task;
    }

    /// <summary>A sensor that gives what a test says, a batch a second.</summary>
    private sealed class Scripted(TimeProvider time, Func<int, Measurement[]> script) : ISensor
    {
        private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

        public string Name => "gas";

        public int Starts { get; private set; }

        public int Given { get; private set; }

        public async IAsyncEnumerable<MeasurementBatch> MeasureAsync(ReadOnlyMemory<byte> cursor, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            Starts++;
            for (int n = 0; ; n++)
            {
                Measurement[] batch = script(n);
                if (batch.Length > 0)
                {
                    Given++;
                    yield return new MeasurementBatch(batch);
                }

                // A few at once: an instrument is faster than the test's clock.
                if (n % 4 == 3)
                {
                    await Task.Delay(Second, time, cancellationToken);
                }
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
