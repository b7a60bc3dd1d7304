using System.IO.Pipelines;
using System.Net;
using Hub.Cloud.Series;
using Hub.Edge.Contract.Readings;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Http.Features;

namespace Hub.Cloud.Api.Tests;

/// <summary>No question may cost more than it should: rows, time, how many at once, and nothing is computed for who has gone.</summary>
public sealed class QueryLimitTests
{
    private static readonly DateTime Noon = ApiHost.Now;

    /// <summary>By its stretch and cadence a large question: 139 days of minutes.</summary>
    private static readonly string Large = $"from={Noon.AddMinutes(-200_000):yyyy-MM-dd'T'HH:mm:ss}Z&every=1h";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_question_that_reads_too_much_is_refused_with_what_to_ask_instead()
    {
        await using var host = await ApiHost.StartAsync(("Hub:Api:QueryRowsMax", "2880"));
        await host.StoreAsync(new Observation(host.Pm10, Noon.AddMinutes(-1), 9, Quality.Good));
        var problem = await host.ProblemAsync($"/api/v1/datastreams/{host.Pm10}/observations?every=1h&from=2026-02-01T00:00:00Z", 400, "range-too-large");
        Assert.Contains("at most P2D at a time", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await host.ProblemAsync($"/api/v1/datastreams/{host.Pm10}/observations?points=100&from=2026-02-01T00:00:00Z", 400, "range-too-large");

        // As long as is said, after the newest observation, and as they are stored.
        await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?every=1h&from=2026-02-27T12:00:00Z");
        await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?every=1h&from=2026-03-01T00:00:00Z&to=2027-03-01T00:00:00Z");
        Assert.Equal(1, (await host.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?from=2000-01-01T00:00:00Z")).GetProperty("count").GetInt32());
    }

    /// <summary>Of a reading each quarter of an hour 30 days are 2,880; the 720 cells of an hour that may answer instead cost as much as 3,600. Where no cell may answer, only observations count.</summary>
    [Fact]
    public async Task Cells_that_are_read_instead_of_observations_count_too()
    {
        await using var host = await ApiHost.StartAsync(("Hub:Api:QueryRowsMax", "2880"));
        await host.StoreAsync(new Observation(host.Vehicles, Noon.AddMinutes(-15), 9, Quality.Good));
        var address = $"/api/v1/datastreams/{host.Vehicles}/observations";
        var problem = await host.ProblemAsync($"{address}?every=6h&from={At(30)}", 400, "range-too-large");
        Assert.Contains("reads about 3600 observations, or cells of rollups that cost as much", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("at most P23D at a time", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await host.GetAsync($"{address}?every=6h&from={At(23)}");
        await host.GetAsync($"{address}?every=6h&from={At(30)}&stat=percentile&percent=90");

        static string At(int days) => Noon.AddDays(-days).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("every=1h", false)]
    [InlineData("every=1h&format=csv", false)]
    [InlineData("", true)]
    [InlineData("format=csv", true)]
    [InlineData("points=100", true)]
    public async Task A_store_that_does_not_answer_in_time_is_told_as_such_and_asked_no_longer(string parameters, bool isRange)
    {
        await using var host = await ApiHost.StartAsync(("Hub:Api:QueryTimeout", "00:00:05"));
        var held = new HeldSeries(host.Series) { RangeHeldAfter = isRange ? 0 : null };
        host.InPlaceOfSeries = held;
        await host.StoreAsync(new Observation(host.Pm10, Noon.AddMinutes(-1), 9, Quality.Good));
        using var client = host.Client();
        var answer = client.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?from=2026-03-01T11:00:00Z&{parameters}", Cancel);
        await Eventually.TrueAsync(() => held.Asked == 1, "the store is asked");
        host.Time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(answer.IsCompleted);
        host.Time.Advance(TimeSpan.FromSeconds(0.2));
        await ApiHost.ProblemAsync(await answer, 504, "query-timeout");
        Assert.Equal(1, held.Cancelled);
    }

    [Fact]
    public async Task Nothing_is_computed_for_a_caller_who_has_gone()
    {
        await using var host = await ApiHost.StartAsync();
        var held = new HeldSeries(host.Series);
        host.InPlaceOfSeries = held;
        using var client = host.Client();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var answer = client.GetAsync($"/api/v1/datastreams/{host.Pm10}/observations?every=1h", leaving.Token);
        await Eventually.TrueAsync(() => held.Asked == 1, "the store is asked");
        Assert.Equal(0, held.Cancelled);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        await Eventually.TrueAsync(() => held.Cancelled == 1, "the store hears that nobody waits");
    }

    [Theory]
    [InlineData("json", false)]
    [InlineData("csv", false)]
    [InlineData("json", true)]
    [InlineData("csv", true)]
    public async Task An_answer_that_breaks_off_in_the_middle_cannot_be_taken_for_a_whole_one(string format, bool late)
    {
        await using var host = await ApiHost.StartAsync(("Hub:Api:QueryTimeout", "00:00:05"));
        const int count = 1_000;
        await host.StoreAsync([.. Enumerable.Range(1, count).Select(i => new Observation(host.Pm10, Noon.AddMinutes(-i), i, Quality.Good))]);

        // CSV is read twice, the first time to find its end.
        var held = new HeldSeries(host.Series) { RangesWhole = format == "csv" ? 1 : 0, RangeHeldAfter = late ? count - 1 : null, RangeBreaksAfter = late ? null : count - 1 };
        host.InPlaceOfSeries = held;
        using var client = host.Client();
        var read = Task.Run(async () => await client.GetStringAsync($"/api/v1/datastreams/{host.Pm10}/observations?format={format}", Cancel), Cancel);
        if (late)
        {
            await Eventually.TrueAsync(() => held.Asked == 1, "the store hangs");
            host.Time.Advance(TimeSpan.FromSeconds(5));
        }

        await Assert.ThrowsAnyAsync<Exception>(() => read);
        Assert.False(Cancel.IsCancellationRequested);
    }

    /// <summary>What is written and not flushed is in memory until a slow reader has taken it.</summary>
    [Theory]
    [InlineData("json")]
    [InlineData("csv")]
    public async Task A_long_answer_is_sent_as_it_is_written(string format)
    {
        await using var host = await ApiHost.StartAsync();
        await host.StoreAsync([.. Enumerable.Range(1, 5_000).Select(i => new Observation(host.Pm10, Noon.AddMinutes(-i), i, Quality.Good))]);
        WatchedBody? body = null;
        host.OnRequest = context => context.Features.Set<IHttpResponseBodyFeature>(body = new WatchedBody(context.Features.GetRequiredFeature<IHttpResponseBodyFeature>()));
        using var client = host.Client();
        foreach (var question in new[] { "limit=5000", "every=1m&limit=5000" })
        {
            var text = await client.GetStringAsync($"/api/v1/datastreams/{host.Pm10}/observations?format={format}&from=2026-02-01T00:00:00Z&{question}", Cancel);
            Assert.InRange(text.Length, 150_000, int.MaxValue);
            Assert.InRange(body!.UnflushedMost, 1, 40_000);
        }
    }

    [Fact]
    public async Task Large_questions_take_turns_and_small_ones_pass_them_by()
    {
        await using var host = await ApiHost.StartAsync(("Hub:Api:QueriesMax", "1"));
        await host.StoreAsync(new Observation(host.Pm10, Noon.AddMinutes(-1), 9, Quality.Good), new Observation(host.Vehicles, Noon.AddMinutes(-15), 5, Quality.Good));
        var held = new HeldSeries(host.Series);
        host.InPlaceOfSeries = held;
        using var client = host.Client();
        var address = $"/api/v1/datastreams/{host.Pm10}/observations?{Large}";

        // One is answered and four wait, so that one of the next five is one too many.
        List<Task<HttpResponseMessage>> answers = [client.GetAsync(address, Cancel)];
        await Eventually.TrueAsync(() => held.Asked == 1, "the first one has its turn");
        answers.AddRange(Enumerable.Range(0, 5).Select(_ => client.GetAsync(address, Cancel)));
        var first = await Task.WhenAny(answers);
        answers.Remove(first);
        var refused = await first;
        Assert.Equal("5", Assert.Single(refused.Headers.GetValues("Retry-After")));
        await ApiHost.ProblemAsync(refused, 503, "too-many-queries");
        Assert.Equal(1, held.Asked);

        var small = client.GetAsync($"/api/v1/datastreams/{host.Vehicles}/observations?every=1h", Cancel);
        await Eventually.TrueAsync(() => held.Asked == 2, "a small question is answered meanwhile");
        held.LetGo();
        Assert.Equal(HttpStatusCode.OK, (await small).StatusCode);
        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(address, Cancel)).StatusCode);
    }

    [Fact]
    public async Task Who_leaves_while_waiting_gives_the_place_back()
    {
        await using var host = await ApiHost.StartAsync(("Hub:Api:QueriesMax", "1"));
        await host.StoreAsync(new Observation(host.Pm10, Noon.AddMinutes(-1), 9, Quality.Good));
        var held = new HeldSeries(host.Series);
        host.InPlaceOfSeries = held;
        using var client = host.Client();
        var address = $"/api/v1/datastreams/{host.Pm10}/observations?{Large}";
        var first = client.GetAsync(address, Cancel);
        await Eventually.TrueAsync(() => held.Asked == 1, "the first one has its turn");
        for (var round = 0; round < 10; round++)
        {
            using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            var waits = Enumerable.Range(0, 2).Select(_ => client.GetAsync(address, leaving.Token)).ToArray();
            await leaving.CancelAsync();
            foreach (var one in waits)
            {
                // Those of the round before may not have gone yet: the hub hears of it a moment after the caller.
                if (await Record.ExceptionAsync(() => one) is not OperationCanceledException)
                {
                    Assert.Equal(HttpStatusCode.ServiceUnavailable, (await one).StatusCode);
                }
            }
        }

        held.LetGo();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        await Eventually.TrueAsync(
            async () =>
            {
                using var answer = await client.GetAsync(address, Cancel);
                return answer.StatusCode == HttpStatusCode.OK;
            },
            "all who left have given their places back");
    }

    /// <summary>Counts the bytes of an answer that are written and not flushed.</summary>
    private sealed class WatchedBody(IHttpResponseBodyFeature inner) : PipeWriter, IHttpResponseBodyFeature
    {
        private long _unflushed;

        public long UnflushedMost { get; private set; }

        public Stream Stream => inner.Stream;

        public PipeWriter Writer => this;

        public override void Advance(int bytes)
        {
            _unflushed += bytes;
            UnflushedMost = Math.Max(UnflushedMost, _unflushed);
            inner.Writer.Advance(bytes);
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            _unflushed = 0;
            return inner.Writer.FlushAsync(cancellationToken);
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.Writer.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.Writer.GetSpan(sizeHint);

        public override void CancelPendingFlush() => inner.Writer.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Writer.Complete(exception);

        public void DisableBuffering() => inner.DisableBuffering();

        public Task StartAsync(CancellationToken cancellationToken = default) => inner.StartAsync(cancellationToken);

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => inner.SendFileAsync(path, offset, count, cancellationToken);

        public Task CompleteAsync() => inner.CompleteAsync();
    }
}
