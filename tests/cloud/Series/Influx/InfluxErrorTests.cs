using System.Globalization;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Hub.Cloud.Series.Tests;

/// <summary>What the store makes of each way in which a server can say no, or nothing.</summary>
public sealed class InfluxErrorTests : IAsyncDisposable
{
    private static readonly DateTime Noon = new(2026, 10, 1, 12, 0, 0, DateTimeKind.Utc);

    private readonly FakeInflux _server = new();
    private InfluxStore? _store;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        _server.Dispose();
    }

    [Fact]
    public async Task Bad_lines_are_found_and_kept_and_the_others_are_stored()
    {
        _server.OnWrite = lines => RefuseSome(lines, line => line.Contains("datastream=13 ", StringComparison.Ordinal) || line.Contains("datastream=4444 ", StringComparison.Ordinal), "dropped=0");
        var store = await OpenAsync();
        var receipt = await store.Series.AppendAsync(Rows(5_000), Cancel);
        Assert.All(receipt.Outcomes, outcome => Assert.Equal(AppendOutcome.Stored, outcome));
        Assert.Equal(4_998, _server.Taken.Count);
        Assert.InRange(_server.Writes.Count, 3, 80);
        var file = await File.ReadAllLinesAsync(store.File("refused.jsonl"), Cancel);
        Assert.Equal(2, file.Length);
        Assert.All(file, line => Assert.Contains("unable to parse", line, StringComparison.Ordinal));
        Assert.True(store.Series.CanCommit);
        Assert.Contains("2 observations", store.Series.Warning, StringComparison.Ordinal);

        // What is kept is there for readers, also after a restart, and is handed over when the server takes it.
        Assert.Equal([13], (await RangeAsync(13)).Select(row => row.Datastream));
        await store.ReopenAsync();
        Assert.Equal([4444], (await RangeAsync(4444)).Select(row => row.Datastream));
        Assert.True(store.Series.TryGetLatest(13, out _));
        Assert.Equal(1, store.Series.LastCommit);
        _server.OnWrite = static _ => Task.FromResult<(int, string)?>(null);
        await store.ReopenAsync();
        await Eventually.TrueAsync(() => store.Series.Warning is null, "what was refused is handed over");
        Assert.Equal(5_000, _server.Taken.Keys.Select(line => line.Split(' ')[0]).Distinct().Count());

        // First nothing is refused any more, then the hub lets go of what it kept: never is it in neither place.
        await Eventually.TrueAsync(async () => await RangeAsync(13) is [], "the hub keeps nothing more of it");
    }

    [Fact]
    public async Task A_write_refused_as_a_whole_is_not_halved()
    {
        _server.OnWrite = lines => RefuseSome(lines, static line => line.StartsWith("observation,", StringComparison.Ordinal), $"dropped={lines.Count(line => line.StartsWith("observation,", StringComparison.Ordinal))}");
        var store = await OpenAsync();
        await store.Series.AppendAsync(Rows(1_024), Cancel);

        // Once whole, then towards the note, which is the first line and is taken.
        Assert.InRange(_server.Writes.Count, 2, 24);
        Assert.Equal(1_024, (await File.ReadAllLinesAsync(store.File("refused.jsonl"), Cancel)).Length);
    }

    [Fact]
    public async Task Without_room_for_what_is_refused_only_its_own_call_fails()
    {
        _server.OnWrite = static lines => Task.FromResult<(int, string)?>(lines.Any(line => line.Contains("datastream=2 ", StringComparison.Ordinal)) ? (400, """{"error":"partial write: no dropped=1"}""") : null);
        var store = await OpenAsync((_, influx) => influx.RefusedObservationsMax = 0);
        var failure = await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.AppendAsync(Rows(1, from: 2), Cancel));
        Assert.Contains("refused.jsonl", failure.Message, StringComparison.Ordinal);
        Assert.False(store.Series.TryGetLatest(2, out _));
        Assert.Equal([AppendOutcome.Stored], (await store.Series.AppendAsync(Rows(1, from: 3), Cancel)).Outcomes);
        Assert.Equal([AppendOutcome.Stored], (await store.Series.AppendAsync(Rows(1), Cancel)).Outcomes);
    }

    [Fact]
    public async Task What_is_too_large_is_sent_in_halves()
    {
        _server.OnWrite = static lines => Task.FromResult<(int, string)?>(lines.Length > 100 ? (413, "<html>too large</html>") : null);
        var store = await OpenAsync();
        await store.Series.AppendAsync(Rows(1_000), Cancel);
        Assert.Equal(1_000, _server.Taken.Count);
        Assert.Null(store.Series.Warning);
    }

    public static readonly TheoryData<int, string, string> Refusals = new()
    {
        { 401, """{"error":"authorization failed"}""", "does not let the hub in (401: authorization failed)" },
        { 403, """{"code":"forbidden","message":"insufficient permissions"}""", "does not let the hub in (403: insufficient permissions)" },
        { 404, """{"error":"retention policy not found: x"}""", "does not know the database" },
        { 429, "", "cannot serve now (429" },
        { 500, """{"error":"timeout"}""", "cannot serve now (500: timeout)" },
        { 503, "upstream\nconnect error", "cannot serve now (503: upstream connect error)" },
        { 302, "", "cannot serve now (302" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task While_the_server_does_not_serve_observations_wait_and_health_says_why(int status, string body, string says)
    {
        var refuses = true;
        _server.OnWrite = _ => Task.FromResult<(int, string)?>(Volatile.Read(ref refuses) ? (status, body) : null);
        _server.OnQuery = question => question.StartsWith("CREATE", StringComparison.Ordinal) ? (403, """{"error":"no admin"}""") : null;
        var store = await OpenAsync();
        Assert.Equal([AppendOutcome.Stored], (await store.Series.AppendAsync(Rows(1), Cancel)).Outcomes);
        Assert.Equal(2, (await store.Series.AppendAsync(Rows(1, from: 2), Cancel)).Commit);
        await Eventually.TrueAsync(() => store.Series.Warning?.Contains(says, StringComparison.Ordinal) == true, $"health says '{says}': {store.Series.Warning}");
        Assert.True(store.Series.CanCommit);
        Assert.Null(store.Series.Problem);
        Assert.Equal([1], (await RangeAsync(1)).Select(row => row.Datastream));
        Volatile.Write(ref refuses, false);
        await Eventually.TrueAsync(() => store.Series.IsSettled, "it is handed over");
        Assert.Equal(2, _server.Taken.Count);
        Assert.Null(store.Series.Warning);
        Assert.Empty(await RangeAsync(1));
    }

    [Fact]
    public async Task A_server_that_does_not_let_the_hub_in_at_start_is_a_problem_that_health_names()
    {
        var open = false;
        _server.OnQuery = _ => Volatile.Read(ref open) ? null : (401, """{"error":"unable to parse authentication credentials"}""");
        var store = await OpenAsync();
        Assert.False(store.Series.CanCommit);
        Assert.Contains("check Hub:Series:Influx:User", store.Series.Problem, StringComparison.Ordinal);
        Assert.NotNull(store.Series.Since);
        var refusal = await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.AppendAsync(Rows(1), Cancel));
        Assert.Contains("unable to parse authentication credentials", refusal.Message, StringComparison.Ordinal);
        Volatile.Write(ref open, true);
        await Eventually.TrueAsync(() => store.Series.CanCommit, "it opens by itself");
        await store.Series.AppendAsync(Rows(1), Cancel);
        Assert.Single(_server.Taken);
    }

    [Theory]
    [InlineData("<html>Welcome</html>", "not one of InfluxQL")]
    [InlineData("""{"results":[{"statement_id":0,"error":"max-select-series limit exceeded"}]}""", "max-select-series")]
    [InlineData("""{"results":[{"statement_id":0,"series":[{"columns":["time"],"values":[[1]]}],"partial":true}]}""", "broke an answer off")]
    public async Task An_answer_that_is_none_is_no_answer(string body, string says)
    {
        var store = await OpenAsync();
        _server.OnQuery = _ => (200, body);
        var failure = await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.DatastreamsAsync(DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
        Assert.Contains(_server.Address, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_made()
    {
        var made = false;
        _server.OnWrite = _ => Task.FromResult<(int, string)?>(made ? null : (404, """{"error":"database not found: \"hub\""}"""));
        _server.OnQuery = question =>
        {
            made |= question == "CREATE DATABASE \"hub\"";
            return null;
        };
        var store = await OpenAsync();
        await store.Series.AppendAsync(Rows(1), Cancel);
        Assert.Single(_server.Taken);
        Assert.Null(store.Series.Warning);
    }

    [Fact]
    public async Task A_server_that_never_answers_counts_as_away_after_the_time_set()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 10, 1, 12, 0, 0, TimeSpan.Zero));
        var hangs = new TaskCompletionSource<(int, string)?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _store = await InfluxStore.OpenAsync(_server.Address, "hub", (_, influx) => influx.RequestTimeout = TimeSpan.FromSeconds(10), time);
        _server.OnWrite = _ => hangs.Task;
        var append = _store.Series.AppendAsync(Rows(1), Cancel).AsTask();
        await Eventually.TrueAsync(() => _server.Writes.Count == 1, "the write has arrived");
        Assert.False(append.IsCompleted);

        // It still answers questions, so it may count as back until the spill is handed over, which waits for it again.
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return append.IsCompleted && _store.Series.Warning?.Contains("does not answer within 00:00:10", StringComparison.Ordinal) == true;
            },
            "it is acknowledged from the spill, and the hub says why");
        Assert.Equal(1, (await append).Commit);
        hangs.SetResult(null);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return _store.Series.IsSettled;
            },
            "it is handed over");

        // Once as it was sent first, once naming every field. Nobody waits any more for the answer to the first.
        await Eventually.TrueAsync(() => _server.Taken.Count == 2, "both have been taken");
        Assert.Single(_server.Taken.Keys, line => line.Contains("unstated=3i", StringComparison.Ordinal));
    }

    /// <summary>The server gives as many rows as it is asked for, four times over; each page must be no larger than the one before.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_long_series_is_read_in_pages_of_one_size(bool history)
    {
        const int Minutes = 250_000;
        var limits = new List<int>();
        var first = EventTime.Micros(Noon);
        _server.OnQuery = question =>
        {
            if (System.Text.RegularExpressions.Regex.Match(question, "time >= (-?[0-9]+)u.* LIMIT ([0-9]+)$") is not { Success: true } asked)
            {
                return null;
            }

            var (from, limit) = (Math.Max(first, long.Parse(asked.Groups[1].Value, CultureInfo.InvariantCulture)), int.Parse(asked.Groups[2].Value, CultureInfo.InvariantCulture));
            limits.Add(limit);
            var start = (int)((from - first) / 60_000_000);
            var rows = Enumerable.Range(start, Math.Min(limit, Minutes - start)).Select(minute => FormattableString.Invariant($"[{first + (minute * 60_000_000L)},{minute},0,null,null,null,null,null,1]"));
            return (200, $$"""{"results":[{"statement_id":0,"series":[{"columns":["time","result"],"values":[{{string.Join(',', rows)}}]}]}]}""" + "\n");
        };
        var store = await OpenAsync();
        limits.Clear();
        var count = 0;
        await foreach (var row in history ? store.Series.HistoryAsync(1, Noon, DateTime.MaxValue, Cancel) : store.Series.RangeAsync(1, Noon, DateTime.MaxValue, Cancel))
        {
            Assert.Equal(count++, row.Result);
        }

        Assert.Equal(Minutes, count);
        Assert.Equal([4_096, 65_536, 65_536, 65_536, 65_536], limits);
    }

    [Fact]
    public async Task Pauses_between_attempts_grow_to_their_limit()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 10, 1, 12, 0, 0, TimeSpan.Zero));
        _store = await InfluxStore.OpenAsync(_server.Address, "hub", (_, influx) => (influx.RetryMin, influx.RetryMax, influx.RequestTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8), TimeSpan.FromHours(1)), time);
        var attempts = new List<DateTimeOffset>();
        _server.OnWrite = _ =>
        {
            lock (attempts)
            {
                attempts.Add(time.GetUtcNow());
            }

            return Task.FromResult<(int, string)?>((503, ""));
        };
        await _store.Series.AppendAsync(Rows(1), Cancel);
        await Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(500));
                lock (attempts)
                {
                    return attempts.Count >= 8;
                }
            },
            "eight attempts");
        List<double> pauses;
        lock (attempts)
        {
            pauses = [.. attempts.Skip(1).Zip(attempts.Skip(2), static (one, next) => (next - one).TotalSeconds)];
        }

        // Time goes on while an attempt is under way, so a pause is at least what is set.
        Assert.All(pauses.Zip([1.0, 2, 4, 8, 8]), pair => Assert.True(pair.First >= pair.Second, $"{pair.First} s is shorter than {pair.Second} s"));
    }

    /// <summary>Another hub had the database; this one takes it again, and its claim arrives while the answer is lost. The claim must not be taken for one from before the other hub wrote.</summary>
    [Fact]
    public async Task A_lease_taken_in_a_second_attempt_still_says_that_another_hub_has_written()
    {
        var options = new InfluxOptions { Address = _server.Address, RequestTimeout = TimeSpan.FromMinutes(1) };
        using var client = new InfluxClient(options, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using var lease = new InfluxLease(client, options, "one", "a:/hub", TimeProvider.System);
        using var other = new InfluxLease(client, options, "other", "b:/hub", TimeProvider.System);
        await lease.TakeAsync(Cancel);
        await lease.LetGoAsync(Cancel);
        await other.TakeAsync(Cancel);
        await other.LetGoAsync(Cancel);
        _server.OnClaim = static claim => claim.Contains(" state=1i", StringComparison.Ordinal) ? (503, "lost") : null;
        await Assert.ThrowsAsync<InfluxAwayException>(() => lease.TakeAsync(Cancel));
        Assert.False(lease.IsHeldFor(TimeSpan.Zero));
        _server.OnClaim = static _ => null;
        Assert.True(await lease.TakeAsync(Cancel), "what is known of the database may no longer be so");
        await lease.LetGoAsync(Cancel);
        Assert.False(await lease.TakeAsync(Cancel), "since then nobody else had it");
    }

    /// <summary>A hub that is stopped while it asks: the next one need not wait until the question runs out.</summary>
    [Fact]
    public async Task A_lease_that_is_broken_off_while_it_is_asked_for_is_let_go()
    {
        var options = new InfluxOptions { Address = _server.Address, RequestTimeout = TimeSpan.FromMinutes(1) };
        using var client = new InfluxClient(options, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using var lease = new InfluxLease(client, options, "one", "a:/hub", TimeProvider.System);
        using var next = new InfluxLease(client, options, "next", "b:/hub", TimeProvider.System);
        using var stop = new CancellationTokenSource();
        _server.OnClaim = _ =>
        {
            stop.Cancel();
            return null;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lease.TakeAsync(stop.Token));
        _server.OnClaim = static _ => null;
        Assert.StartsWith("is used by another hub, ", (await Assert.ThrowsAsync<InfluxInUseException>(() => next.TakeAsync(Cancel))).Message, StringComparison.Ordinal);
        await lease.LetGoAsync(Cancel);
        await next.TakeAsync(Cancel);
        Assert.True(next.IsHeldFor(TimeSpan.Zero));
    }

    [Fact]
    public async Task Writes_and_credentials_look_as_each_version_wants_them()
    {
        var store = await OpenAsync((_, influx) => (influx.User, influx.Password, influx.RetentionPolicy) = ("hub", "s e:cret", "two years"));
        await store.Series.AppendAsync(Rows(1), Cancel);
        Assert.True(_server.Writes.TryDequeue(out var v1));
        Assert.Equal(("/write?db=hub&rp=two%20years&precision=u", "Basic aHViOnMgZTpjcmV0", "gzip", 2), v1);
        await store.DisposeAsync();
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder.File("token"), "t-123\n", Cancel);
        store = await OpenAsync((_, influx) => (influx.Api, influx.Organisation, influx.Bucket, influx.TokenFile, influx.Gzip) = (InfluxApi.V2, "Câmara", "air & noise", folder.File("token"), false));
        await store.Series.AppendAsync(Rows(1), Cancel);
        Assert.True(_server.Writes.TryDequeue(out var v2));
        Assert.Equal(("/api/v2/write?org=C%C3%A2mara&bucket=air%20%26%20noise&precision=us", "Token t-123", null, 2), v2);
    }

    /// <summary>The keeper is woken right behind what the log says: what it finds then is what it goes by.</summary>
    [Fact]
    public async Task Before_the_keeper_hears_of_a_deletion_that_failed_memory_is_not_believed_any_more()
    {
        var log = new AwayLog();
        var store = _store = await InfluxStore.OpenAsync(_server.Address, "hub", log: log);
        await store.Series.AppendAsync(Rows(2), Cancel);
        _server.OnQuery = static question => question.StartsWith("DELETE", StringComparison.Ordinal) ? (503, "") : null;
        log.Look = () => (store.Series.CanCommit, store.Series.TryGetLatest(1, out _), store.Series.TryGetLatest(2, out _));
        await Assert.ThrowsAsync<SeriesUnavailableException>(async () => await store.Series.DeleteAsync([1], DateTime.MinValue, DateTime.MaxValue, Cancel));
        Assert.Equal((false, false, true), log.Seen);
        await Eventually.TrueAsync(() => store.Series.IsSettled, "the keeper has asked");
        Assert.True(store.Series.CanCommit);
    }

    private async Task<InfluxStore> OpenAsync(Action<SeriesOptions, InfluxOptions>? set = null) => _store = await InfluxStore.OpenAsync(_server.Address, "hub", set);

    private Task<(int Status, string Body)?> RefuseSome(string[] lines, Func<string, bool> isBad, string dropped)
    {
        var good = lines.Where(line => !isBad(line)).ToList();
        if (good.Count == lines.Length)
        {
            return Task.FromResult<(int, string)?>(null);
        }

        // As InfluxDB does: the rest of the write is stored.
        _server.Take(good);
        return Task.FromResult<(int, string)?>((400, $$"""{"error":"partial write: unable to parse something {{dropped}}"}"""));
    }

    private async Task<List<Observation>> RangeAsync(int datastream)
    {
        var rows = new List<Observation>();
        await foreach (var row in _store!.Series.RangeAsync(datastream, DateTime.MinValue, DateTime.MaxValue, Cancel))
        {
            rows.Add(row);
        }

        return rows;
    }

    private static Observation[] Rows(int count, int from = 1) => [.. Enumerable.Range(from, count).Select(i => new Observation(i, Noon.AddSeconds(i), i / 10.0, Quality.Good))];

    /// <summary>Looks at the store at the moment at which it says that the server is away.</summary>
    private sealed class AwayLog : ILogger<InfluxSeries>
    {
        public Func<(bool CanCommit, bool First, bool Second)> Look { get; set; } = static () => default;

        public (bool CanCommit, bool First, bool Second)? Seen { get; private set; }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == "LogAway")
            {
                Seen = Look();
            }
        }
    }
}
