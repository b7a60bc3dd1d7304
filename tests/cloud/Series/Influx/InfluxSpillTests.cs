using CsCheck;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>A real InfluxDB that goes away and comes back: what is acknowledged meanwhile is read, and arrives.</summary>
public sealed class InfluxSpillTests(InfluxServer server) : IClassFixture<InfluxServer>, IAsyncDisposable
{
    private static readonly DateTime Noon = new(2026, 10, 1, 12, 0, 0, DateTimeKind.Utc);

    private readonly string _database = server.NextDatabase();
    private Interruptible? _way;
    private InfluxStore? _store;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private InfluxSeries Series => _store!.Series;

    private Interruptible Way => _way!;

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        if (_way is not null)
        {
            await _way.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_is_acknowledged_while_the_server_is_away_is_seen_and_arrives()
    {
        await OpenAsync();
        await Series.AppendAsync(new[] { At(1, 0, 1) with { Raw = 5, Coverage = 0.5 }, At(2, 0, 1) }, Cancel);
        Interrupt();
        var heard = new List<HeardCommit>();
        using var subscription = Series.Subscribe(new Listener(heard));
        Assert.Equal(2, (await Series.AppendAsync(new[] { At(1, 1, 2), At(3, 1, 2) }, Cancel)).Commit);
        Assert.Equal(3, (await Series.AppendAsync(new[] { At(1, 2, 3), At(1, 3, 3), At(1, 3, 4) }, Cancel)).Commit);
        Assert.True(Series.CanCommit);
        Assert.Contains("cannot be reached", Series.Warning, StringComparison.Ordinal);
        Assert.True(Series.TryGetLatest(1, out var latest));
        Assert.Equal(At(1, 3, 4), latest);
        Assert.Equal([2, 3], heard.Select(commit => commit.Commit));

        // What may be there already cannot be told from what is new: it is refused alone, and nothing of it is lost because nothing was promised.
        var late = Series.AppendAsync(new[] { At(2, 5, 1), At(1, 0, 2) }, Cancel).AsTask();
        var fresh = Series.AppendAsync(new[] { At(4, 5, 1) }, Cancel).AsTask();
        Assert.Contains("newer", (await Assert.ThrowsAsync<SeriesUnavailableException>(() => late)).Message, StringComparison.Ordinal);
        Assert.Equal(4, (await fresh).Commit);
        await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await RangeAsync(1));

        Resume();
        await Eventually.TrueAsync(() => Series.IsSettled, "everything is handed over");
        Assert.Null(Series.Warning);
        Assert.Equal([At(1, 0, 1) with { Raw = 5, Coverage = 0.5 }, At(1, 1, 2), At(1, 2, 3), At(1, 3, 4)], await RangeAsync(1));
        Assert.Equal([At(1, 3, 3)], await HistoryAsync(1));
        Assert.Equal([1, 2, 3, 4], await Series.DatastreamsAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Equal([1, 4], (await Series.ChangedSinceAsync(2, Cancel)).Keys.Order());
        Assert.Equal([1, 3, 4], (await Series.ChangedSinceAsync(1, Cancel)).Keys.Order());
        Assert.Equal([AppendOutcome.Stored, AppendOutcome.Corrected], (await Series.AppendAsync(new[] { At(2, 5, 1), At(1, 0, 2) }, Cancel)).Outcomes);

        // A correction without raw value and coverage does not inherit those of the value before it.
        Assert.Equal(At(1, 0, 2), (await RangeAsync(1))[0]);
        await _store!.ReopenAsync();
        Assert.Equal(At(1, 0, 2), (await RangeAsync(1))[0]);
        Assert.Equal(5, Series.LastCommit);
    }

    [Fact]
    public async Task Rows_on_their_way_are_seen_with_those_that_arrived()
    {
        await OpenAsync((_, influx) => influx.RetryMin = influx.RetryMax = TimeSpan.FromMinutes(10));
        await Series.AppendAsync(new[] { At(1, 0, 1), At(1, 2, 1) }, Cancel);
        Interrupt();
        await Series.AppendAsync(new[] { At(1, 3, 7), At(2, 0, 7) }, Cancel);

        // The keeper pauses for long: the server can be read while the spill still holds something.
        await Eventually.TrueAsync(() => Series.KeeperFailures > 0, "the keeper has tried");
        Resume();
        Assert.Equal([At(1, 0, 1), At(1, 2, 1), At(1, 3, 7)], await RangeAsync(1));
        Assert.Equal([1, 2], await Series.DatastreamsAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Equal([1, 2], (await Series.ChangedSinceAsync(1, Cancel)).Keys.Order());
        var bucket = Assert.Single(await Series.AggregateAsync(new AggregateQuery(1, Noon, Noon.AddHours(1), new BucketWidth(TimeSpan.FromHours(1)), Statistic.Sum), Cancel));
        Assert.Equal((9.0, 3L), (bucket.Value, bucket.Count));
        Assert.Equal(2, Series.Waiting);
    }

    [Fact]
    public async Task A_hub_that_restarts_while_the_server_is_away_keeps_what_waits_and_takes_nothing_until_it_knows_what_is_stored()
    {
        await OpenAsync();
        await Series.AppendAsync(new[] { At(1, 0, 1) }, Cancel);
        Interrupt();
        await Series.AppendAsync(new[] { At(1, 1, 2), At(1, 1, 3) }, Cancel);
        await _store!.ReopenAsync();
        Assert.Equal(2, Series.Waiting);
        Assert.False(Series.CanCommit);
        Assert.Contains("cannot be reached", Series.Problem, StringComparison.Ordinal);
        await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await Series.AppendAsync(new[] { At(1, 2, 2) }, Cancel));
        Resume();
        await Eventually.TrueAsync(() => Series.IsSettled, "everything is handed over");
        Assert.Equal(2, Series.LastCommit);
        Assert.Equal([At(1, 0, 1), At(1, 1, 3)], await RangeAsync(1));
        Assert.Equal([At(1, 1, 2)], await HistoryAsync(1));
        Assert.Equal(3, (await Series.AppendAsync(new[] { At(1, 2, 2) }, Cancel)).Commit);
    }

    [Fact]
    public async Task A_full_spill_stops_the_acknowledgements_and_goes_on_by_itself()
    {
        await OpenAsync((_, influx) => influx.SpillObservationsMax = 1_000);
        Interrupt();
        for (var i = 0; i < 10; i++)
        {
            await Series.AppendAsync(Enumerable.Range(0, 100).Select(n => At(1, (i * 100) + n, n)).ToArray(), Cancel);
        }

        var refusal = await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await Series.AppendAsync(new[] { At(1, 1_000, 5) }, Cancel));
        Assert.Contains("spill", refusal.Message, StringComparison.Ordinal);
        Assert.False(Series.CanCommit);
        Assert.Contains("full with 1000 observations", Series.Problem, StringComparison.Ordinal);
        Resume();
        await Eventually.TrueAsync(() => Series.IsSettled, "everything is handed over");
        Assert.True(Series.CanCommit);
        Assert.Equal([AppendOutcome.Stored], (await Series.AppendAsync(new[] { At(1, 1_000, 5) }, Cancel)).Outcomes);
        Assert.Equal(1_001, (await RangeAsync(1)).Count);
    }

    [Fact]
    public async Task A_write_whose_answer_is_lost_is_there_once_and_observers_hear_it_once()
    {
        await OpenAsync();
        await Series.AppendAsync(new[] { At(1, 0, 1), At(2, 0, 1) }, Cancel);
        var heard = new List<HeardCommit>();
        using var subscription = Series.Subscribe(new Listener(heard));
        Way.LosesAnswers = true;
        Assert.Equal(2, (await Series.AppendAsync(new[] { At(1, 1, 2), At(2, 1, 2) }, Cancel)).Commit);
        await Eventually.TrueAsync(() => Way.Lost > 0, "an answer was lost");
        Way.LosesAnswers = false;
        await Eventually.TrueAsync(() => Series.IsSettled, "everything is handed over");
        Assert.Equal([At(1, 0, 1), At(1, 1, 2)], await RangeAsync(1));
        Assert.Equal([2], heard.Select(commit => commit.Commit));
        Assert.Equal(["[1790856000000000,1]", "[1790856060000000,2]"], await server.AskAsync(_database, "SELECT result FROM observation WHERE datastream='1'"));
    }

    [Fact]
    public async Task A_commit_that_was_refused_and_arrived_all_the_same_is_published_after_recovery()
    {
        await OpenAsync();
        await Series.AppendAsync(new[] { At(1, 0, 1) }, Cancel);
        var heard = new List<HeardCommit>();
        using var subscription = Series.Subscribe(new Listener(heard));

        _store!.Disk.IsFull = true;
        Way.LosesAnswers = true;
        await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await Series.AppendAsync(new[] { At(1, 1, 2), At(2, 1, 2) }, Cancel));
        Assert.False(Series.CanCommit);
        Way.LosesAnswers = false;
        _store.Disk.IsFull = false;
        await Eventually.TrueAsync(() => Series.CanCommit, "it is read again");
        Assert.Equal(2, Series.LastCommit);
        var commit = Assert.Single(heard);
        Assert.Equal([At(1, 1, 2), At(2, 1, 2)], commit.Observations.OrderBy(o => o.Datastream));
        Assert.True(Series.TryGetLatest(2, out _));
        Assert.Equal([AppendOutcome.Duplicate, AppendOutcome.Duplicate], (await Series.AppendAsync(new[] { At(1, 1, 2), At(2, 1, 2) }, Cancel)).Outcomes);
    }

    [Fact]
    public async Task Whatever_is_interrupted_when_the_end_is_the_same()
    {
        // Few keys and values, so that corrections wait in the spill beside what they correct.
        var some = Gen.Select(Gen.Int[1, 2], Gen.Int[0, 8], Gen.Int[0, 3], Gen.Bool).Select((stream, minute, result, raw) => At(stream, minute, result) with { Raw = raw ? result + 1 : double.NaN });
        var step = Gen.Frequency(
            (6, some.Array[1, 6].Select(rows => (Action: "append", Rows: rows))),
            (1, Gen.Const((Action: "interrupt", Rows: Array.Empty<Observation>()))),
            (1, Gen.Const((Action: "lose", Rows: Array.Empty<Observation>()))),
            (2, Gen.Const((Action: "resume", Rows: Array.Empty<Observation>()))),
            (1, Gen.Const((Action: "restart", Rows: Array.Empty<Observation>()))));
        await step.Array[1, 40].SampleAsync(
            async steps =>
            {
                _way = new Interruptible(server.Address);
                _store = await InfluxStore.OpenAsync(Way.Address, server.NextDatabase(), (_, influx) => influx.RetryMin = influx.RetryMax = TimeSpan.FromMilliseconds(10));
                using var model = new MemorySeries();
                var refused = new List<Observation[]>();
                foreach (var (action, rows) in steps)
                {
                    switch (action)
                    {
                        case "append":
                            try
                            {
                                await Series.AppendAsync(rows, Cancel);
                            }
                            catch (SeriesUnavailableException)
                            {
                                refused.Add(rows);
                            }

                            await model.AppendAsync(rows, Cancel);
                            break;
                        case "interrupt":
                            Interrupt();
                            break;
                        case "lose":
                            Way.LosesAnswers = true;
                            break;
                        case "resume":
                            Resume();
                            break;
                        default:
                            await _store.ReopenAsync();
                            break;
                    }
                }

                Resume();
                await Eventually.TrueAsync(() => Series.IsSettled, "everything is handed over");

                // As their senders do, what was not acknowledged is sent again, late and in another order.
                foreach (var rows in Enumerable.Reverse(refused))
                {
                    await Series.AppendAsync(rows, Cancel);
                }

                await SameAsync(model);
                await _store.ReopenAsync();
                await SameAsync(model);
                await _store.DisposeAsync();
                await Way.DisposeAsync();
            },
            iter: Repeats.Of(8, 60),
            threads: 1);

        async Task SameAsync(MemorySeries model)
        {
            foreach (var stream in new[] { 1, 2 })
            {
                var expected = new List<Observation>();
                await foreach (var row in model.RangeAsync(stream, DateTime.MinValue, DateTime.MaxValue, Cancel))
                {
                    expected.Add(row);
                }

                Assert.Equal(expected, await RangeAsync(stream));
                Assert.Equal(model.TryGetLatest(stream, out var latest), Series.TryGetLatest(stream, out var mine));
                Assert.Equal(latest, mine);
                Assert.Equal(
                    model.History.Where(o => o.Datastream == stream).Select(o => o.ToString()).Order(), (await HistoryAsync(stream)).Select(o => o.ToString()).Order());
            }
        }
    }

    private async Task OpenAsync(Action<SeriesOptions, InfluxOptions>? set = null)
    {
        Assert.SkipUnless(InfluxServer.IsInstalled, "InfluxDB is not installed (apt install influxdb).");
        _way = new Interruptible(server.Address);
        _store = await InfluxStore.OpenAsync(Way.Address, _database, set);
    }

    private void Interrupt()
    {
        Way.Refuses = true;
        Way.Cut();
    }

    private void Resume() => (Way.Refuses, Way.LosesAnswers) = (false, false);

    private async Task<List<Observation>> RangeAsync(int datastream)
    {
        var rows = new List<Observation>();
        await foreach (var row in Series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            rows.Add(row);
        }

        return rows;
    }

    private async Task<List<Observation>> HistoryAsync(int datastream)
    {
        var rows = new List<Observation>();
        await foreach (var row in Series.HistoryAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            rows.Add(row);
        }

        return rows;
    }

    private static Observation At(int datastream, int minute, double result) => new(datastream, Noon.AddMinutes(minute), result, Quality.Good);

    private sealed class Listener(List<HeardCommit> heard) : ISeriesObserver
    {
        public void OnCommitted(SeriesCommit commit) => heard.Add(HeardCommit.Of(commit));
    }
}
