using CsCheck;
using Hub.Edge.Sensors.Replay;
using Hub.Edge.Sensors.Simulated;

namespace Hub.Edge.Sensors.Tests;

public sealed class SimulatedSensorTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 15, 4, 5, TimeSpan.Zero);

    [Fact]
    public async Task Every_quantity_stays_within_its_limits_and_varies()
    {
        List<Measurement> week = await WeekAsync(1, [.. SimulatedProfile.All.Keys]);
        foreach (IGrouping<string, Measurement> series in week.GroupBy(measurement => measurement.Property))
        {
            SimulatedProfile profile = SimulatedProfile.All[series.Key];
            Assert.All(series, measurement => Assert.InRange(measurement.Value, profile.Min, profile.Max));
            Assert.True(series.Select(measurement => measurement.Value).Distinct().Count() > 4, $"{series.Key} hardly varies.");
        }
    }

    [Fact]
    public async Task Same_seed_gives_the_same_and_another_seed_gives_another()
    {
        List<Measurement> first = await WeekAsync(1, ["pm10", "laeq"]);
        Assert.Equal(first, await WeekAsync(1, ["pm10", "laeq"]));
        Assert.NotEqual(first, await WeekAsync(2, ["pm10", "laeq"]));
    }

    [Fact]
    public async Task Rush_hours_are_busier_than_the_night_and_fractions_keep_their_order()
    {
        List<Measurement> week = await WeekAsync(3, ["vehicle_count", "pm2_5", "pm10", "laeq", "lafmax", "la90"]);
        double Mean(string property, int hour) => week.Where(measurement => measurement.Property == property && measurement.ObservedAt!.Value.Hour == hour).Average(measurement => measurement.Value);
        Assert.True(Mean("vehicle_count", 8) > 3 * Mean("vehicle_count", 3));
        foreach (int hour in new[] { 3, 8, 13, 18 })
        {
            Assert.True(Mean("pm10", hour) > Mean("pm2_5", hour));
            Assert.True(Mean("lafmax", hour) > Mean("laeq", hour));
            Assert.True(Mean("laeq", hour) > Mean("la90", hour));
        }
    }

    [Theory]
    [InlineData(60, 1)]
    [InlineData(60, 45)]
    [InlineData(1, 3600)]
    public async Task With_another_interval_it_goes_on_where_it_was(int before, int after)
    {
        var clock = new WaitedClock(Now);
        ReadOnlyMemory<byte> cursor = default;
        DateTime end = default;
        await using (ISensor sensor = Demo.Factory(clock).Create(With(before), new SensorsOptions()))
        {
            await using var run = new SensorRun(sensor, clock, default);
            MeasurementBatch batch = (await run.NextAsync())!.Value;
            (cursor, end) = (batch.Cursor, Ends(batch).Max());
        }

        clock.Advance(TimeSpan.FromDays(1));
        await using ISensor again = Demo.Factory(clock).Create(With(after), new SensorsOptions());
        await using var next = new SensorRun(again, clock, cursor);
        MeasurementBatch first = (await next.NextAsync())!.Value;
        DateTime start = first.Measurements.ToArray().Min(measurement => measurement.ObservedAt!.Value);
        Assert.InRange(start, end, end.AddSeconds(after - 1));

        SensorOptions With(int seconds) => new() { Name = "made-up", Kind = "simulated", Simulated = new SimulatedSensorOptions { Interval = TimeSpan.FromSeconds(seconds), History = TimeSpan.FromHours(2) } };
        static IEnumerable<DateTime> Ends(MeasurementBatch batch) => batch.Measurements.ToArray().Select(measurement => measurement.ObservedAt!.Value + measurement.Period);
    }

    [Fact]
    public async Task A_position_of_an_older_agent_counts_intervals()
    {
        var clock = new WaitedClock(Now);
        var position = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(position, Now.AddHours(-1).UtcTicks / TimeSpan.TicksPerMinute);
        await using ISensor sensor = Demo.Factory(clock).Create(new SensorOptions { Name = "made-up", Kind = "simulated" }, new SensorsOptions());
        await using var run = new SensorRun(sensor, clock, position);
        Assert.Equal(new DateTime(2026, 11, 22, 14, 4, 0, DateTimeKind.Utc), (await run.NextAsync())!.Value.Measurements.Span[0].ObservedAt);
    }

    [Fact]
    public async Task Values_come_when_their_interval_is_over()
    {
        var clock = new WaitedClock(Now);
        await using ISensor sensor = Demo.Factory(clock).Create(Options(1, ["pm10"], TimeSpan.Zero), new SensorsOptions());
        await using var run = new SensorRun(sensor, clock);
        Assert.Empty(await run.AllAsync());
        Measurement live = Assert.Single(await run.AdvanceAsync(TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(5)));
        Assert.Equal(new DateTime(2026, 11, 22, 15, 0, 0), live.ObservedAt);
        Assert.Equal(TimeSpan.FromMinutes(10), live.Period);
    }

    [Fact]
    public async Task Restarts_change_nothing()
    {
        await Gen.Select(Gen.Int[0, 3], Gen.Int[1, 3000]).Array[1, 5].SampleAsync(
            async stops =>
            {
                SensorOptions options = Options(5, ["no2", "o3"], TimeSpan.FromDays(2));
                List<Measurement> taken = [];
                ReadOnlyMemory<byte> cursor = default;
                DateTimeOffset now = Now;
                foreach ((int batches, int minutes) in stops.Append((int.MaxValue, 0)))
                {
                    var clock = new WaitedClock(now);
                    await using ISensor sensor = Demo.Factory(clock).Create(options, new SensorsOptions());
                    await using var run = new SensorRun(sensor, clock, cursor);
                    // The first start decides where the history begins, so it takes at least one batch.
                    for (int batch = 0; (batch < batches || cursor.IsEmpty) && await run.NextAsync() is { } next; batch++)
                    {
                        taken.AddRange(next.Measurements.Span);
                        cursor = next.Cursor;
                    }

                    now = now.AddMinutes(minutes);
                }

                DateTime[] times = [.. taken.Where(measurement => measurement.Property == "no2").Select(measurement => measurement.ObservedAt!.Value)];
                Assert.All(times.Zip(times.Skip(1)), pair => Assert.Equal(TimeSpan.FromMinutes(10), pair.Second - pair.First));
                Assert.Equal(2 * times.Length, taken.Count);
            },
            iter: 20,
            threads: 1);
    }

    private static Task<List<Measurement>> WeekAsync(int seed, string[] quantities) =>
        SensorRun.BacklogAsync(Options(seed, quantities, TimeSpan.FromDays(7)), new ReplayOptions(), Now);

    private static SensorOptions Options(int seed, string[] quantities, TimeSpan history)
    {
        var simulated = new SimulatedSensorOptions { Seed = seed, Interval = TimeSpan.FromMinutes(10), History = history };
        foreach (string quantity in quantities)
        {
            simulated.Quantities.Add(quantity);
        }

        return new SensorOptions { Name = "made-up", Kind = "simulated", Simulated = simulated };
    }
}
