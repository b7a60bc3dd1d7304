using CsCheck;
using Hub.Edge.Sensors.Replay;
using Hub.Tests.Kit;

namespace Hub.Edge.Sensors.Tests;

public sealed class ReplaySensorTests : IDisposable
{
    private static readonly DateTimeOffset Anchor = new(2026, 11, 22, 15, 4, 5, TimeSpan.Zero);
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    public static TheoryData<string, string, string?> OneOfEach => new()
    {
        { "ostluft", "Zch_Stampfenbachstrasse_min30_2017.csv.gz", null },
        { "ostluft", "ol_nox_covid19_2020.csv.gz", "Zch_Schimmelstrasse" },
        { "opensensemap", "pm25_berlin.csv.gz", "5e9af8d545f937001ce5807b" },
        { "citypulse", "AarhusTrafficData179038.csv.gz", null },
        { "telraam", "raw-data-2024East15.csv.gz", null },
        { "noisemonitor", "test_data_laeq1m.csv.gz", null },
        { "noisemonitor", "test_data_laeq1s.csv.gz", null },
    };

    [Theory]
    [MemberData(nameof(OneOfEach))]
    public async Task History_all_gives_each_row_exactly_once_before_the_anchor(string format, string file, string? series)
    {
        ReplaySensorOptions options = Demo.Options(format, file, series);
        ReplayTable table = Demo.Read(options);
        var midnight = new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);
        List<Measurement> backlog = await SensorRun.BacklogAsync(Demo.Sensor(options), new ReplayOptions { Anchor = Anchor, History = "all" }, midnight);
        for (int column = 0; column < table.Columns.Count; column++)
        {
            string property = table.Columns[column].Property;
            double[] values = [.. Enumerable.Range(0, table.Count).Select(row => table.Values[(row * table.Columns.Count) + column]).Where(value => !double.IsNaN(value)).Order()];
            Assert.Equal(values, backlog.Where(measurement => measurement.Property == property).Select(measurement => measurement.Value).Order());
        }

        Assert.All(backlog, measurement => Assert.True(measurement.ObservedAt + measurement.Period <= midnight.UtcDateTime));
    }

    [Fact]
    public async Task Time_of_day_is_kept_and_the_file_ends_where_the_anchor_day_begins()
    {
        ReplaySensorOptions options = Demo.Options("ostluft", "Zch_Stampfenbachstrasse_min30_2017.csv.gz");
        options.Quantities.Add("pm10");

        // In July the station's midnight is 23:00 UTC; the file's end, local midnight of New Year in Zürich, is put on it.
        var start = new DateTimeOffset(2026, 7, 10, 9, 0, 0, TimeSpan.Zero);
        List<Measurement> backlog = await SensorRun.BacklogAsync(Demo.Sensor(options), new ReplayOptions { Anchor = start, History = "1.00:00:00" }, start);
        DateTime[] times = [.. backlog.Select(measurement => measurement.ObservedAt!.Value)];
        Assert.Equal(new DateTime(2026, 7, 8, 23, 0, 0, DateTimeKind.Utc), times[0]);
        Assert.Equal(DateTimeKind.Utc, times[0].Kind);
        Assert.Equal(new DateTime(2026, 7, 10, 8, 30, 0), times[^1]);

        // 00:30 of the first day of the file, the fireworks of 1 January 2017, is 00:30 in Lisbon on the anchor's day.
        Measurement fireworks = backlog.Single(measurement => measurement.ObservedAt == new DateTime(2026, 7, 9, 23, 30, 0));
        Assert.Equal(135.38172, fireworks.Value);
        Assert.Equal(TimeSpan.FromMinutes(30), fireworks.Period);
    }

    [Fact]
    public async Task Instant_is_put_on_the_anchor_itself_and_its_own_cycle_is_the_backlog()
    {
        ReplaySensorOptions options = Demo.Options("noisemonitor", "test_data_laeq1s.csv.gz");
        options.Align = ReplayAlign.Instant;
        options.AlignAt = "2025-03-22T00:00:10";
        options.Cycle = TimeSpan.FromDays(1);
        var clock = new WaitedClock(Anchor);
        await using ISensor sensor = Demo.Factory(clock).Create(Demo.Sensor(options), new SensorsOptions { Replay = new ReplayOptions { Anchor = Anchor } });
        await using var run = new SensorRun(sensor, clock);
        List<Measurement> backlog = await run.AllAsync();
        Assert.Equal(10, backlog.Count);
        Assert.Equal(Anchor.UtcDateTime.AddSeconds(-10), backlog[0].ObservedAt);
        Measurement live = Assert.Single(await run.AdvanceAsync(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
        Assert.Equal(Anchor.UtcDateTime, live.ObservedAt);
        Assert.Equal(44.885907, live.Value);
    }

    [Fact]
    public async Task Live_rows_come_when_their_period_is_over_and_not_before()
    {
        ReplaySensorOptions options = Demo.Options("citypulse", "AarhusTrafficData158595.csv.gz");
        options.Quantities.Add("vehicle_count");
        options.AlignAt = "2014-09-16";
        var clock = new WaitedClock(Anchor);
        await using ISensor sensor = Demo.Factory(clock).Create(Demo.Sensor(options), new SensorsOptions { Replay = new ReplayOptions { Anchor = Anchor } });
        await using var run = new SensorRun(sensor, clock);
        List<Measurement> backlog = await run.AllAsync();
        Assert.Equal(new DateTime(2026, 11, 22, 14, 55, 0), backlog[^1].ObservedAt);

        // 15:04:05 now: the row of 15:00 is due at 15:05:00.
        Assert.Empty(await run.AdvanceAsync(TimeSpan.FromSeconds(54), TimeSpan.FromSeconds(6)));
        Measurement live = Assert.Single(await run.AdvanceAsync(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)));
        Assert.Equal(new DateTime(2026, 11, 22, 15, 0, 0), live.ObservedAt);
        Assert.Equal(TimeSpan.FromMinutes(5), live.Period);
    }

    [Fact]
    public async Task Publishers_late_and_repeated_rows_come_late_and_repeated()
    {
        ReplaySensorOptions options = Demo.Options("citypulse", "AarhusTrafficData179038.csv.gz");
        options.Quantities.Add("vehicle_count");
        options.AlignAt = "2014-08-26";
        List<Measurement> backlog = await SensorRun.BacklogAsync(Demo.Sensor(options), new ReplayOptions { Anchor = Anchor, History = "10.00:00:00" }, Anchor);
        DateTime late = new DateTime(2014, 8, 18, 1, 10, 0) + (new DateTime(2026, 11, 22) - new DateTime(2014, 8, 25, 22, 0, 0));
        int[] places = [.. Enumerable.Range(0, backlog.Count).Where(place => backlog[place].ObservedAt == late)];
        Assert.Equal(3, places.Length);
        Assert.True(backlog[places[2] - 1].ObservedAt > late + TimeSpan.FromDays(6));
    }

    [Fact]
    public async Task File_begins_again_without_a_gap_of_its_own()
    {
        string file = Table(Enumerable.Range(0, 288).Select(row => (row * 5, row)));
        List<Measurement> backlog = await SensorRun.BacklogAsync(Csv(file), new ReplayOptions { Anchor = Anchor, History = "3.00:00:00" }, Anchor.AddDays(2));
        Assert.All(backlog.Zip(backlog.Skip(1)), pair => Assert.Equal(TimeSpan.FromMinutes(5), pair.Second.ObservedAt - pair.First.ObservedAt));
        Assert.All(backlog.Zip(backlog.Skip(1)), pair => Assert.Equal((pair.First.Value + 1) % 288, pair.Second.Value));
        Assert.Equal(new DateTime(2026, 11, 19), backlog[0].ObservedAt);
    }

    [Fact]
    public async Task Rows_behind_a_shorter_cycle_are_left_out()
    {
        ReplaySensorOptions options = Demo.Options("noisemonitor", "test_data_laeq1s.csv.gz");
        options.Cycle = TimeSpan.FromDays(1);
        List<Measurement> backlog = await SensorRun.BacklogAsync(Demo.Sensor(options), new ReplayOptions { Anchor = Anchor, History = "2.00:00:00" }, new DateTimeOffset(2026, 11, 22, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal(2 * 86_400, backlog.Count);
        Assert.Equal(backlog.Count, backlog.Select(measurement => measurement.ObservedAt).Distinct().Count());
    }

    /// <summary>Stopping behind any batch and starting again at any later time gives what an uninterrupted run gives: nothing twice, nothing missed.</summary>
    [Fact]
    public async Task Restarts_at_any_place_and_time_change_nothing()
    {
        var minutes =
            from step in Gen.Int[1, 40].Array[30, 400]
            from late in Gen.Int[0, 12].Array[step.Length]
            select step.Select((_, row) => step.Take(row + 1).Sum() - (late[row] == 0 ? 300 : 0)).Select((minute, row) => (Math.Max(minute, 0), row));
        var stops = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 4000]).Array[1, 6];
        await Gen.Select(minutes, stops, Gen.Int[0, 2].Select(choice => new[] { "all", "2.00:00:00", "00:00:00" }[choice]), Gen.Bool).SampleAsync(
            async (rows, pauses, history, instant) =>
            {
                SensorOptions options = Csv(Table(rows));
                if (instant)
                {
                    options.Replay!.Align = ReplayAlign.Instant;
                    options.Replay.AlignAt = "2020-01-01T05:00:00";
                }

                var replay = new ReplayOptions { Anchor = Anchor, History = history };
                DateTimeOffset end = Anchor.AddMinutes(pauses.Sum(pause => pause.Item2));
                List<Measurement> uninterrupted = await SensorRun.BacklogAsync(options, replay, end);

                List<Measurement> taken = [];
                ReadOnlyMemory<byte> cursor = default;
                DateTimeOffset now = Anchor;
                foreach ((int batchCount, int pause) in pauses.Append((int.MaxValue, 0)))
                {
                    var clock = new WaitedClock(now);
                    await using ISensor sensor = Demo.Factory(clock).Create(options, new SensorsOptions { Replay = replay });
                    await using var run = new SensorRun(sensor, clock, cursor);
                    for (int batch = 0; batch < batchCount && await run.NextAsync() is { } next; batch++)
                    {
                        taken.AddRange(next.Measurements.Span);
                        cursor = next.Cursor;
                        Assert.InRange(cursor.Length, 1, 256);
                    }

                    now = now.AddMinutes(pause);
                }

                Assert.Equal(uninterrupted, taken);
                Assert.All(taken, measurement => Assert.True(measurement.ObservedAt + measurement.Period <= end.UtcDateTime));
            },
            iter: 60,
            threads: 1);
    }

    [Fact]
    public async Task Changed_settings_go_on_behind_what_was_delivered()
    {
        var replay = new ReplayOptions { Anchor = Anchor, History = "2.00:00:00" };
        ReplaySensorOptions options = Demo.Options("ostluft", "Zch_Stampfenbachstrasse_min30_2017.csv.gz");
        options.Quantities.Add("pm10");
        var clock = new WaitedClock(Anchor);
        ReadOnlyMemory<byte> cursor;
        DateTime last;
        await using (ISensor sensor = Demo.Factory(clock).Create(Demo.Sensor(options), new SensorsOptions { Replay = replay }))
        await using (var run = new SensorRun(sensor, clock))
        {
            MeasurementBatch batch = (await run.NextAsync())!.Value;
            cursor = batch.Cursor;
            last = batch.Measurements.Span[^1].ObservedAt!.Value;
        }

        options.Quantities.Add("pm2_5");
        await using ISensor changed = Demo.Factory(clock).Create(Demo.Sensor(options), new SensorsOptions { Replay = replay });
        clock.SetUtcNow(Anchor.AddHours(3));
        await using var later = new SensorRun(changed, clock, cursor);
        List<Measurement> rest = await later.AllAsync();
        Assert.All(rest, measurement => Assert.True(measurement.ObservedAt > last));
        Assert.Contains(rest, measurement => measurement.ObservedAt == last.AddMinutes(30));
    }

    [Fact]
    public async Task Unreadable_cursor_begins_as_at_a_first_start()
    {
        var replay = new ReplayOptions { Anchor = Anchor, History = "1.00:00:00" };
        SensorOptions options = Csv(Table(Enumerable.Range(0, 288).Select(row => (row * 5, row))));
        List<Measurement> fresh = await SensorRun.BacklogAsync(options, replay, Anchor);
        foreach (byte[] cursor in new byte[][] { [1], [9, .. new byte[24]], [.. Enumerable.Repeat((byte)255, 25)] })
        {
            var clock = new WaitedClock(Anchor);
            await using ISensor sensor = Demo.Factory(clock).Create(options, new SensorsOptions { Replay = replay });
            await using var run = new SensorRun(sensor, clock, cursor);
            Assert.Equal(fresh, await run.AllAsync());
        }
    }

    [Fact]
    public async Task File_damaged_since_the_check_is_a_failure_that_a_retry_may_cure()
    {
        SensorOptions options = Csv(Table([(0, 1)]));
        var clock = new WaitedClock(Anchor);
        await using ISensor sensor = Demo.Factory(clock).Create(options, new SensorsOptions { Replay = new ReplayOptions { Anchor = Anchor } });
        File.Delete(options.Replay!.File);
        await using (var run = new SensorRun(sensor, clock))
        {
            SensorException failure = await Assert.ThrowsAsync<SensorException>(run.NextAsync);
            Assert.Contains("table.csv", failure.Message, StringComparison.Ordinal);
        }

        Table([(0, 1)]);
        await using var again = new SensorRun(sensor, clock);
        Assert.NotEmpty(await again.AllAsync());
    }

    private string Table(IEnumerable<(int Minute, int Value)> rows)
    {
        string file = folder.File("table.csv");
        File.WriteAllLines(file, rows.Select(row => $"{new DateTime(2020, 1, 1).AddMinutes(row.Minute):yyyy-MM-dd HH:mm},{row.Value}").Prepend("t,v"));
        return file;
    }

    private static SensorOptions Csv(string file) => Demo.Sensor(new ReplaySensorOptions
    {
        Format = "csv",
        File = file,
        Period = TimeSpan.FromMinutes(5),
        Publisher = "publisher",
        Licence = "licence",
        Csv = new CsvFormatOptions { TimeColumn = "t", TimeFormat = "yyyy-MM-dd HH:mm", Columns = { new CsvColumnOptions { Column = "v", Quantity = "vehicle_count" } } },
    });
}
