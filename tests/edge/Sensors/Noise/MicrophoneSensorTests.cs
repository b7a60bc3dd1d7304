using System.Collections.Concurrent;
using Hub.Edge.Contract.Quantities;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Sensors.Noise.Levels;
using Hub.Edge.Sensors.Noise.Microphone;
using Hub.Tests.Kit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Edge.Sensors.Tests.Noise;

/// <summary>The sensor behind its audio seam: what a station gets from good and bad sound cards.</summary>
public sealed class MicrophoneSensorTests : IDisposable
{
    private const int Rate = 48_000;
    private static readonly DateTimeOffset Start = new(2026, 11, 26, 10, 0, 59, TimeSpan.Zero);
    private readonly FakeTimeProvider clock = new(Start);
    private readonly Lines lines = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => lines.Dispose();

    /// <summary>Full scale of a sine is 120 dB for a microphone of -26 dBFS at 94 dB.</summary>
    private static double AmplitudeOf(double level) => Math.Pow(10, (level - 120) / 20);

    [Fact]
    public async Task A_minute_gives_seven_levels_at_its_start()
    {
        List<Measurement> all = await RunAsync(new MicrophoneSensorOptions(), FakeSound.Tone(1000, AmplitudeOf(70), Rate, 61.5));
        Measurement[] minute = [.. all.Where(measurement => measurement.ObservedAt == Start.UtcDateTime.AddSeconds(1))];
        Assert.Equal(["laeq", "lafmax", "lafmin", "la10", "la50", "la90", "lcpeak"], minute.Select(measurement => measurement.Property));
        Assert.All(minute[..6], measurement => Assert.Equal(70, measurement.Value, 0.06));
        Assert.Equal(73.01, minute[6].Value, 0.03);
        Assert.All(minute, measurement => Assert.Equal((TimeSpan.FromMinutes(1), Quality.Good, 1.0), (measurement.Period, measurement.Quality, measurement.Coverage)));
        Assert.All(minute, measurement => Assert.True(QuantityCatalogue.TryGet(measurement.Property, out _)));

        // The second before was spent settling: it gives nothing rather than something.
        Assert.Equal(minute.Length, all.Count);
    }

    [Fact]
    public async Task Seconds_and_bands_come_when_asked_for()
    {
        var options = new MicrophoneSensorOptions { EverySecond = true, Bands = true, Period = TimeSpan.FromSeconds(10) };
        List<Measurement> all = await RunAsync(options, FakeSound.Tone(1000, AmplitudeOf(70), Rate, 12));
        Assert.Equal(10, all.Count(measurement => measurement.Period == TimeSpan.FromSeconds(1)));
        Assert.All(all.Where(measurement => measurement.Period == TimeSpan.FromSeconds(1)), measurement => Assert.Equal(("laeq", 70.0), (measurement.Property, Math.Round(measurement.Value, 1))));
        Measurement[] bands = [.. all.Where(measurement => measurement.Property.StartsWith("lzeq_", StringComparison.Ordinal))];
        Assert.Equal(ThirdOctaveBank.BandCount, bands.Length);
        Assert.Equal(70, bands.Single(measurement => measurement.Property == "lzeq_1000").Value, 0.05);
        Assert.InRange(bands.Single(measurement => measurement.Property == "lzeq_1250").Value, 45, 54);
        Assert.True(bands.Single(measurement => measurement.Property == "lzeq_31_5").Value < 0);
        Assert.All(bands, measurement => Assert.True(QuantityCatalogue.TryGet(measurement.Property, out Quantity? quantity) && quantity.Averaging == AveragingRule.EnergyMean, measurement.Property));
    }

    [Fact]
    public async Task Overload_and_under_range_are_said_value_by_value()
    {
        var options = new MicrophoneSensorOptions { Period = TimeSpan.FromSeconds(10), Floor = 40 };
        IEnumerable<FakeSound.Step> quiet = FakeSound.Tone(1000, AmplitudeOf(35), Rate, 11);
        double[] clipped = [.. Signals.Sine(1000, 1.4, Rate, 0.1).Select(x => Math.Clamp(x, -1, 1))];
        List<Measurement> all = await RunAsync(options, quiet.Append(new FakeSound.Step(clipped)).Concat(FakeSound.Tone(1000, AmplitudeOf(35), Rate, 10)));
        Measurement[] first = [.. all.Where(measurement => measurement.ObservedAt == Start.UtcDateTime.AddSeconds(1))];
        Assert.Equal(7, first.Length);
        Assert.All(first, measurement => Assert.Equal(Quality.UnderRange, measurement.Quality));

        Measurement[] second = [.. all.Where(measurement => measurement.ObservedAt == Start.UtcDateTime.AddSeconds(11))];
        Assert.All(second, measurement => Assert.True(measurement.Quality.HasFlag(Quality.Saturated)));
        Assert.Equal(Quality.Saturated, second.Single(measurement => measurement.Property == "laeq").Quality);
        Assert.Equal(Quality.Saturated | Quality.UnderRange, second.Single(measurement => measurement.Property == "lafmin").Quality);
    }

    [Fact]
    public async Task Lost_sound_is_coverage_and_never_quiet()
    {
        var options = new MicrophoneSensorOptions { Period = TimeSpan.FromSeconds(10), Settle = TimeSpan.FromMilliseconds(500) };
        double[] block = Signals.Sine(1000, AmplitudeOf(70), Rate, 0.1);
        IEnumerable<FakeSound.Step> script = FakeSound.Tone(1000, AmplitudeOf(70), Rate, 4)
            .Append(new FakeSound.Step([], Overrun: true))
            .Append(new FakeSound.Step(block, TimeSpan.FromSeconds(2)))
            .Concat(FakeSound.Tone(1000, AmplitudeOf(70), Rate, 6));
        List<Measurement> all = await RunAsync(options, script);
        Measurement[] first = [.. all.Where(measurement => measurement.ObservedAt == Start.UtcDateTime.AddSeconds(1))];
        Assert.Equal(7, first.Length);
        Assert.All(first, measurement => Assert.Equal(Quality.Incomplete, measurement.Quality));
        Assert.All(first, measurement => Assert.Equal(0.75, measurement.Coverage!.Value, 0.001));
        Assert.All(first[..6], measurement => Assert.Equal(70, measurement.Value, 0.06));
        Assert.Contains(lines.All, line => line.Contains("2 s of sound lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Unplugged_busy_and_back_again()
    {
        var sources = new Queue<FakeSound>(
        [
            new FakeSound(clock, Rate, []) { OpenFailure = new SensorException("busy") },
            new FakeSound(clock, Rate, [.. FakeSound.Tone(1000, 0.01, Rate, 12), new FakeSound.Step([], Failure: new SensorException("gone"))]),
            new FakeSound(clock, Rate, FakeSound.Tone(1000, 0.01, Rate, 22)),
        ]);
        FakeSound[] all = [.. sources];
        MicrophoneSensor sensor = Sensor(new MicrophoneSensorOptions { Period = TimeSpan.FromSeconds(10) }, () => sources.Dequeue());
        Assert.Equal("busy", (await Assert.ThrowsAsync<SensorException>(() => ReadAsync(sensor, 1))).Message);
        Assert.Equal("gone", (await Assert.ThrowsAsync<SensorException>(() => ReadAsync(sensor, 100))).Message);
        Assert.Equal(7, (await ReadAsync(sensor, 7)).Count);
        Assert.All(all, source => Assert.True(source.Disposed));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(-0.25)]
    public async Task One_value_for_ever_is_no_quiet_street(double value)
    {
        double[] flat = [.. Enumerable.Repeat(value, Rate / 10)];
        MicrophoneSensor sensor = Sensor(new MicrophoneSensorOptions(), () => new FakeSound(clock, Rate, Enumerable.Repeat(new FakeSound.Step(flat), 2000)));
        SensorException failure = await Assert.ThrowsAsync<SensorException>(() => ReadAsync(sensor, 1));
        Assert.Contains("one and the same value for 10 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_that_gives_nothing_is_a_failure()
    {
        MicrophoneSensor sensor = Sensor(new MicrophoneSensorOptions(), () => new FakeSound(clock, Rate, FakeSound.Tone(1000, 0.01, Rate, 1)) { Idle = TimeSpan.FromMilliseconds(200) });
        SensorException failure = await Assert.ThrowsAsync<SensorException>(() => ReadAsync(sensor, 1));
        Assert.Contains("no sound for 5 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_taking_levels_does_not_stop_the_microphone_and_the_oldest_are_dropped()
    {
        // Of each second 0.4 s are heard, 0.15 s of them settled.
        int seconds = CaptureThread.ReportsMax + 40;
        double[] block = Signals.Sine(1000, 0.01, Rate, 0.1);
        var options = new MicrophoneSensorOptions { EverySecond = true, Period = TimeSpan.FromHours(1), Settle = TimeSpan.FromMilliseconds(250) };
        IEnumerable<FakeSound.Step> script = FakeSound.Tone(1000, 0.01, Rate, 2).Concat(
            Enumerable.Range(0, seconds).SelectMany(_ => new[] { new FakeSound.Step([], Overrun: true), new FakeSound.Step(block, TimeSpan.FromMilliseconds(600)), new FakeSound.Step(block), new FakeSound.Step(block), new FakeSound.Step(block) }));
        var source = new FakeSound(clock, Rate, script);
        var capture = new CaptureThread("mic", options, source, clock, new MicrophoneInstruments(), lines.CreateLogger(""));
        capture.Start();
        await Eventually.TrueAsync(() => source.Over, "the microphone played to its end with nobody listening");
        await capture.StopAsync();
        Assert.True(source.Disposed);
        var reports = new List<LevelReport>();
        await foreach (LevelReport report in capture.Reports.ReadAllAsync(Cancel))
        {
            reports.Add(report);
        }

        Assert.Equal(CaptureThread.ReportsMax, reports.Count);
        Assert.True(reports[^1].Start > clock.GetUtcNow().UtcDateTime.AddSeconds(-3), "The newest are kept.");
    }

    private MicrophoneSensor Sensor(MicrophoneSensorOptions options, Func<ISoundSource> open) => new("mic", options, open, clock, new MicrophoneInstruments(), lines.CreateLogger<MicrophoneSensor>());

    private async Task<List<Measurement>> RunAsync(MicrophoneSensorOptions options, IEnumerable<FakeSound.Step> script)
    {
        var failure = new SensorException("script over");
        MicrophoneSensor sensor = Sensor(options, () => new FakeSound(clock, Rate, script.Append(new FakeSound.Step([], Failure: failure))));
        var all = new List<Measurement>();
        Assert.Same(failure, await Assert.ThrowsAsync<SensorException>(async () =>
        {
            await foreach (MeasurementBatch batch in sensor.MeasureAsync(default, Cancel))
            {
                all.AddRange(batch.Measurements.Span);
            }
        }));
        return all;
    }

    private static async Task<List<Measurement>> ReadAsync(MicrophoneSensor sensor, int count)
    {
        var all = new List<Measurement>();
        await foreach (MeasurementBatch batch in sensor.MeasureAsync(default, Cancel))
        {
            all.AddRange(batch.Measurements.Span);
            if (all.Count >= count)
            {
                break;
            }
        }

        return all;
    }

    private sealed class Lines : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> All { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
