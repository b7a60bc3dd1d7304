using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hub.Tests.Kit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Hub.Cloud.Ingest.Tests.Adapters;

public sealed class TelraamPollerTests
{
    private const string Sensor = "telraam-9000009794";

    [Fact]
    public async Task It_is_off_unless_enabled()
    {
        await using var api = await FakeApi.StartAsync();
        var settings = Settings(api);
        settings["Hub:Ingest:Telraam:Enabled"] = "false";
        await using var bench = await AdapterBench.StartAsync(settings);
        bench.Time.Advance(TimeSpan.FromDays(2));
        var poller = bench.Host.Services.GetServices<IHostedService>().OfType<Ingest.Adapters.Telraam.TelraamPoller>().Single();
        await poller.ExecuteTask!.WaitAsync(Eventually.Limit, AdapterBench.Cancel);
        Assert.Empty(api.Questions);
    }

    [Fact]
    public async Task It_asks_for_what_is_missing_with_the_owners_key_and_stores_what_it_gets()
    {
        await using var api = await FakeApi.StartAsync();
        await using var bench = await AdapterBench.StartAsync(Settings(api));
        await RunUntilAsync(bench, api, () => api.Questions.Count >= 3 && api.Asked >= AdapterBench.Now, "two days are fetched", TimeSpan.FromSeconds(1));
        var asked = api.Questions.ToArray();
        Assert.All(asked, q => Assert.Equal(("key-of-the-owner", "segments", "per-hour", "9000009794"), (q.Key, q.Level, q.Format, q.Id)));
        Assert.Equal(new DateTime(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc), asked[0].From);
        Assert.Equal(asked[1].From, asked[0].To);
        await Eventually.TrueAsync(async () => (await bench.StoredAsync()).Count(v => v.Property == "vehicle_count_car") == 48, "all hours are stored");
        var stored = await bench.StoredAsync();
        Assert.All(stored, v => Assert.Equal((Sensor, 3600, 0.9), (v.Sensor, v.Period, v.Coverage)));
        Assert.Equal(Enumerable.Range(0, 48).Select(h => (double)((h + 12) % 24)), stored.Where(v => v.Property == "vehicle_count_car").Select(v => v.Value));
    }

    [Fact]
    public async Task A_failure_is_tried_again_later_and_later_and_leaves_no_hole()
    {
        await using var api = await FakeApi.StartAsync();
        await using var bench = await AdapterBench.StartAsync(Settings(api));

        // The second day fails a few times, in every way an API can.
        var failures = new ConcurrentQueue<Func<HttpContext, Task>>(
        [
            context => Answer(context, 500, "oops"),
            context => Answer(context, 429, "slow down", "120"),
            context => Answer(context, 200, "<html>maintenance</html>"),
            context => Answer(context, 200, """{"status_code":403,"message":"no"}"""),
            context => Answer(context, 403, "{}"),
            context =>
            {
                context.Abort();
                return Task.CompletedTask;
            },
        ]);
        api.Fail = (question, context) => question.From > new DateTime(2026, 11, 24, 18, 0, 0, DateTimeKind.Utc) && failures.TryDequeue(out var fail) ? fail(context) : null;
        await RunUntilAsync(bench, api, () => failures.IsEmpty && api.Asked >= AdapterBench.Now, "all of it is fetched at last", TimeSpan.FromSeconds(20));
        await Eventually.TrueAsync(async () => (await bench.StoredAsync()).Count(v => v.Property == "vehicle_count_car") >= 48, "all hours are stored");
        var hours = (await bench.StoredAsync()).Where(v => v.Property == "vehicle_count_car").Select(v => v.Time).ToArray();
        Assert.All(hours.Zip(hours.Skip(1)), pair => Assert.Equal(TimeSpan.FromHours(1), pair.Second - pair.First));

        // While the second day failed, nothing later was asked for.
        var asked = api.Questions.ToArray();
        Assert.Equal(6, asked.Count(q => q.Failed));
        Assert.All(asked.TakeWhile(q => !q.Failed), q => Assert.True(q.From < asked.First(f => f.Failed).From));
        Assert.Equal(6, bench.Host.Metrics["hub.ingest.telraam.polls outcome=failed"]);
        IngestHost.AssertAddUp(bench.Host.Counters);
    }

    [Fact]
    public async Task It_goes_on_from_what_is_stored()
    {
        await using var api = await FakeApi.StartAsync();
        using var folder = new TempFolder();
        var series = new MemorySeries();
        var stations = new FakeStations();
        stations.Add("braga", "air-1", IngestHost.Secret);
        stations.Add("braga", "noise-1", IngestHost.OtherSecret);
        await using (var bench = await AdapterBench.StartAsync(Settings(api), folder, series, stations))
        {
            await RunUntilAsync(bench, api, () => api.Asked >= AdapterBench.Now, "two days are fetched", TimeSpan.FromSeconds(1));
            await Eventually.TrueAsync(async () => (await bench.StoredAsync()).Count(v => v.Property == "vehicle_count_car") >= 48, "all hours are stored");
        }

        api.Questions.Clear();
        await using var later = await AdapterBench.StartAsync(Settings(api), folder, series, stations);
        await Eventually.TrueAsync(() => !api.Questions.IsEmpty, "it asks again");

        // The newest stored row begins at 11:00; six hours before it are asked for once more.
        Assert.Equal(new DateTime(2026, 11, 26, 5, 0, 0, DateTimeKind.Utc), api.Questions.First().From);
        await Eventually.TrueAsync(() => later.Host.Counters.Duplicate >= 7, "they are duplicates");
    }

    [Theory]
    [InlineData("Address", "http://telraam-api.net", "Hub:Ingest:Telraam:Address must be an https address")]
    [InlineData("Interval", "00:00:10", "Hub:Ingest:Telraam:Interval must be 00:01:00 to 1.00:00:00")]
    [InlineData("RetryMax", "00:00:10", "Hub:Ingest:Telraam:RetryMax must be")]
    [InlineData("Counters:0:Station", "braga", "Hub:Ingest:Telraam:Counters:0:Station must be municipality/station")]
    [InlineData("Counters:0:Segment", "0", "Hub:Ingest:Telraam:Counters:0:Segment must be")]
    [InlineData("Counters:0:ApiKeyFile", "also", "Hub:Ingest:Telraam:Counters:0:ApiKey must be given")]
    public async Task A_wrong_setting_is_told_before_the_hub_starts(string key, string value, string expected)
    {
        var settings = Settings("http://127.0.0.1:1");
        settings[$"Hub:Ingest:Telraam:{key}"] = value;
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => IngestHost.StartAsync(settings));
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("key-of-the-owner", fault.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, string?> Settings(FakeApi api) => Settings(api.Address);

    private static Dictionary<string, string?> Settings(string address) => new()
    {
        ["Hub:Ingest:Telraam:Enabled"] = "true",
        ["Hub:Ingest:Telraam:Address"] = address,
        ["Hub:Ingest:Telraam:Lookback"] = "2.00:00:00",
        ["Hub:Ingest:Telraam:Overlap"] = "06:00:00",
        ["Hub:Ingest:Telraam:Counters:0:Station"] = "braga/air-1",
        ["Hub:Ingest:Telraam:Counters:0:Segment"] = "9000009794",
        ["Hub:Ingest:Telraam:Counters:0:ApiKey"] = "key-of-the-owner",
    };

    private static Task Answer(HttpContext context, int status, string body, string? retryAfter = null)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.RetryAfter = retryAfter;
        return context.Response.WriteAsync(body);
    }

    /// <summary>
    /// Lets the fake time go on until something is so, but not before the first question: that is asked at the start, by the time of the start. In steps that are small beside what is waited
    /// for, since the time goes on while an answer is on its way.
    /// </summary>
    private static async Task RunUntilAsync(AdapterBench bench, FakeApi api, Func<bool> state, string what, TimeSpan step)
    {
        await Eventually.TrueAsync(() => !api.Questions.IsEmpty, "it asks at once");
        await Eventually.TrueAsync(
            () =>
            {
                if (state())
                {
                    return true;
                }

                bench.Time.Advance(step);
                return false;
            },
            what);
    }

    private sealed record Question(string Key, string Level, string Format, string Id, DateTime From, DateTime To)
    {
        public bool Failed { get; set; }
    }

    /// <summary>Something that answers as the Telraam API does, with an hour's number as its count of cars.</summary>
    private sealed class FakeApi : IAsyncDisposable
    {
        private readonly WebApplication _app;

        private FakeApi(WebApplication app, string address) => (_app, Address) = (app, address);

        public string Address { get; }

        public ConcurrentQueue<Question> Questions { get; } = new();

        /// <summary>End of the latest window answered well.</summary>
        public DateTime Asked { get; private set; }

        public Func<Question, HttpContext, Task?>? Fail { get; set; }

        public static async Task<FakeApi> StartAsync()
        {
            var address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Next()}");
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls(address);
            var app = builder.Build();
            var api = new FakeApi(app, address);
            app.MapPost("/v1/reports/traffic", api.AnswerAsync);
            await app.StartAsync();
            return api;
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private async Task AnswerAsync(HttpContext context)
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body);
            var root = body.RootElement;
            var question = new Question(
                context.Request.Headers["X-Api-Key"].ToString(),
                root.GetProperty("level").GetString()!,
                root.GetProperty("format").GetString()!,
                root.GetProperty("id").GetString()!,
                Time("time_start"),
                Time("time_end"));
            Questions.Enqueue(question);
            if (Fail?.Invoke(question, context) is { } failing)
            {
                question.Failed = true;
                await failing;
                return;
            }

            var rows = new JsonArray();
            for (var hour = question.From; hour.AddHours(1) <= question.To; hour = hour.AddHours(1))
            {
                rows.Add(new JsonObject
                {
                    ["instance_id"] = -1, ["segment_id"] = 9_000_009_794, ["date"] = hour.ToString("yyyy-MM-dd'T'HH:mm:ss.000'Z'", CultureInfo.InvariantCulture), ["interval"] = "hourly", ["uptime"] = 0.9,
                    ["heavy"] = 1.5, ["car"] = hour.Hour, ["bike"] = 2, ["pedestrian"] = 3, ["v85"] = 41.5, ["timezone"] = "Europe/Lisbon",
                });
            }

            await context.Response.WriteAsJsonAsync(new JsonObject { ["status_code"] = 200, ["message"] = "ok", ["report"] = rows });
            Asked = question.To;

            DateTime Time(string name) => DateTime.ParseExact(root.GetProperty(name).GetString()!, "yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
        }
    }
}
