using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Hub.Tests.Journeys.Programs;
using Hub.Tests.Kit;
using Xunit;

namespace Hub.Tests.Journeys;

/// <summary>
/// The hub killed with -9 in a storm of alarms, at moments of which it can lose something: while readings come in, while it evaluates and hands over, while a receiver has taken a message and the hub does not
/// know yet. Afterwards the alarm history is that of the readings, every alarm's start and end has been delivered to every subscriber, the start first, and each under one key.
/// A message that was taken but not marked comes again: under the same key and with the same bytes, so that whoever drops keys they know has everything once. How often that was is bounded, for a
/// subscriber is sent one message at a time. HUB_ALARM_KILLS makes it longer, HUB_JOURNEY_SEED repeats a schedule.
/// </summary>
public sealed class AlarmStormJourney(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Streams = 8;
    private const int BurstAlarms = 3;
    private static readonly int Kills = Number("HUB_ALARM_KILLS", Repeats.Of(2, 100));
    private static readonly int Seed = Number("HUB_JOURNEY_SEED", Environment.ProcessId);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly string[] Subscribers = ["/first", "/second"];

    private readonly TempFolder _folder = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<Episode> _episodes = new();
    private readonly ConcurrentDictionary<(DateTime StartedAt, string Type), TaskCompletionSource> _told = new();
    private readonly Lock _clock = new();
    private HubProgram _hub = null!;
    private WebhookReceiver _receiver = null!;
    private HubOperator _operator = null!;
    private Fuse? _fuse;
    private TaskCompletionSource _isUp = Finished();
    private DateTime _last;

    /// <summary>Where the hub can be when it is killed, as seen from outside.</summary>
    private enum Moment
    {
        Posting,
        Posted,
        Taken,
        Answered,
    }

    /// <summary>An alarm as the readings make it; one of a burst began and was over in the same pack.</summary>
    private sealed record Episode(DateTime StartedAt, DateTime EndedAt, bool IsBurst);

    /// <summary>Burns down with each passing of a moment.</summary>
    private sealed class Fuse(Moment moment, int passings)
    {
        private int _left = passings;

        public TaskCompletionSource Burnt { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Killed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Pass(Moment passed) => passed == moment && Interlocked.Decrement(ref _left) == 0 && Burnt.TrySetResult();
    }

    public async ValueTask InitializeAsync()
    {
        try
        {
            _hub = new HubProgram(_folder.File("data"));
            _receiver = await WebhookReceiver.StartAsync();
            _receiver.Answer = AnswerAsync;

            // However long a start takes on a busy machine: what these stations say is of now. What a burst reveals is told a second after its datastream has fallen quiet.
            await _hub.WriteSettingsAsync("""
                {"alerts": {"presentWithin": "01:00:00", "staleAfter": "02:00:00", "settleFor": "00:00:01"},
                 "notifications": {"retryDelays": ["00:00:01", "00:00:01", "00:00:01"], "webhook": {"allowPrivateTargets": true}}}
                """);
            _operator = await HubOperator.AddAsync(_hub, "braga", "rotunda");
            await _hub.StartAsync();
            foreach (var path in Subscribers)
            {
                _receiver.Trust(path, (await _operator.SubscribeAsync("webhook", _receiver.Address(path)))!);
            }

            await _operator.PutRuleAsync("storm", """{"namePt":"PM10 alto","nameEn":"High PM10","severity":"alert","property":"pm10","crossing":"above","setLevel":50,"clearLevel":40}""");
        }
        catch
        {
            // What fails here is not disposed of by anybody else.
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _hub.DisposeAsync();
        if (_receiver is not null)
        {
            await _receiver.DisposeAsync();
        }

        _stop.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Every_alarm_has_its_start_and_end_delivered_under_one_key_each()
    {
        output.WriteLine($"{Kills} kills, HUB_JOURNEY_SEED={Seed}");
        var random = new Random(Seed);
        var killed = Enum.GetValues<Moment>().ToDictionary(moment => moment, _ => 0);
        var streams = Enumerable.Range(0, Streams).Select(number => FeedAsync($"s{number}", new Random(random.Next()))).ToList();
        var moments = new Queue<Moment>();
        for (var kill = 0; kill < Kills; kill++)
        {
            // Each as often as any other, also where there are few.
            if (moments.Count == 0)
            {
                moments = new Queue<Moment>(killed.Keys.OrderBy(_ => random.Next()));
            }

            var moment = moments.Dequeue();
            var fuse = new Fuse(moment, random.Next(1, 40));
            Volatile.Write(ref _fuse, fuse);
            var burst = BurstAsync();
            var over = await Task.WhenAny([fuse.Burnt.Task, .. streams]).WaitAsync(Limit);
            await over;
            Volatile.Write(ref _isUp, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

            // On from there by up to some milliseconds, which is as long as the hub's work on one message.
            Thread.SpinWait(random.Next(1, 500_000));
            await _hub.KillAsync();
            fuse.Killed.TrySetResult();
            killed[moment]++;
            await _hub.StartAsync();
            _isUp.SetResult();
            await burst;
        }

        await _stop.CancelAsync();
        await Task.WhenAll(streams);
        await CompareAsync();
        output.WriteLine($"killed: {string.Join(", ", killed.Select(pair => $"{pair.Value} {pair.Key}"))}");
    }

    private async Task CompareAsync()
    {
        // Two messages for each alarm but those of bursts, which are told once, with both their times, as past.
        var keys = _episodes.Sum(episode => episode.IsBurst ? 1 : 2);
        await Eventually.TrueAsync(
            async () => Subscribers.All(path => _receiver.Requests.Where(request => request.Path == path).DistinctBy(request => request.Id).Count() >= keys)
                && (await _operator.ItemsAsync("api/v1/deliveries?municipality=braga&state=waiting")).Count == 0,
            $"{keys} messages have been delivered to each of {Subscribers.Length} subscribers",
            Limit);
        var alarms = await _operator.ItemsAsync("api/v1/alarms?municipality=braga&limit=1000");
        var log = await _operator.ItemsAsync("api/v1/deliveries?municipality=braga&limit=1000");

        // In order, so that whatever else it has to say is said.
        await _hub.StopAsync();
        var requests = _receiver.Requests;
        Assert.All(requests, request => Assert.True(request.IsSigned, request.Text));
        Assert.DoesNotContain(alarms, alarm => alarm.GetProperty("withdrawn").GetBoolean());
        Assert.Equal(
            _episodes.Select(episode => (episode.StartedAt, (DateTime?)episode.EndedAt)).Order(),
            alarms.Select(alarm => (alarm.GetProperty("startedAt").GetDateTime(), alarm.GetProperty("endedAt").ValueKind == JsonValueKind.Null ? (DateTime?)null : alarm.GetProperty("endedAt").GetDateTime())).Order());

        var known = alarms.ToDictionary(alarm => alarm.GetProperty("startedAt").GetDateTime());
        var repeated = new List<int>();
        foreach (var path in Subscribers)
        {
            var mine = requests.Where(request => request.Path == path).ToList();
            var byKey = mine.GroupBy(request => request.Id).ToList();
            Assert.All(byKey, same => Assert.Single(same.Select(request => request.Text).Distinct()));
            var messages = byKey.ConvertAll(same => JsonElement.Parse(same.First().Body).Clone());
            Assert.Equal(messages.Count, messages.Select(message => Data(message, "key")).Distinct().Count());
            var byAlarm = messages.GroupBy(message => Data(message, "alarm")).ToDictionary(group => group.Key, group => group.ToList());
            Assert.Equal(known.Values.Select(alarm => alarm.GetProperty("alarm").GetString()!).Order(StringComparer.Ordinal), byAlarm.Keys.Order(StringComparer.Ordinal));
            foreach (var episode in _episodes)
            {
                // By the first time each came, in order; a second key for the same news would be one too many.
                var told = byAlarm[known[episode.StartedAt].GetProperty("alarm").GetString()!];
                Assert.Equal(episode.IsBurst ? ["alarm.past"] : ["alarm.started", "alarm.ended"], told.Select(message => message.GetProperty("type").GetString()));
                Assert.All(told, message => Assert.Equal(episode.StartedAt, message.GetProperty("data").GetProperty("startedAt").GetDateTime()));
                Assert.Equal(episode.EndedAt, told[^1].GetProperty("data").GetProperty("endedAt").GetDateTime());
            }

            repeated.Add(mine.Count - byKey.Count);
            Assert.InRange(repeated[^1], 0, Kills);
        }

        Assert.All(log, delivery => Assert.Equal("delivered", delivery.GetProperty("state").GetString()));
        Assert.Equal(keys * Subscribers.Length, log.Count);
        Assert.Equal(keys, log.Select(delivery => delivery.GetProperty("key").GetString()).Distinct().Count());
        output.WriteLine(
            $"{alarms.Count} alarms, {keys} messages to each of {Subscribers.Length} subscribers, {requests.Count} requests; again under the same key, with the same bytes: {string.Join(" and ", repeated)} of at most {Kills}");
    }

    /// <summary>One alarm after the other on a datastream of its own; each is over only when its start has been told, so that every one is told as active.</summary>
    private async Task FeedAsync(string sensor, Random random)
    {
        while (!_stop.IsCancellationRequested)
        {
            var startedAt = Next();
            await PostAsync(sensor, (startedAt, random.Next(50, 90)));
            await ToldAsync(startedAt, "alarm.started");
            if (random.Next(2) == 0)
            {
                await PostAsync(sensor, (Next(), random.Next(41, 200)));
            }

            var endedAt = Next();
            await PostAsync(sensor, (endedAt, random.Next(1, 41)));
            _episodes.Enqueue(new Episode(startedAt, endedAt, IsBurst: false));

            // Or on at once, so that the end of one and the start of the next are on their way together.
            if (random.Next(2) == 0)
            {
                await ToldAsync(endedAt, "alarm.ended");
            }
        }
    }

    /// <summary>Alarms that were over when they became known.</summary>
    private async Task BurstAsync()
    {
        var times = Enumerable.Range(0, BurstAlarms).Select(_ => new Episode(Next(), Next(), IsBurst: true)).ToList();
        await PostAsync("burst", [.. times.SelectMany(episode => new[] { (episode.StartedAt, 80), (episode.EndedAt, 10) })]);
        times.ForEach(_episodes.Enqueue);
    }

    /// <summary>Sends a pack until it is acknowledged, as a station does.</summary>
    private async Task PostAsync(string sensor, params (DateTime At, int Value)[] readings)
    {
        var pack = string.Join(',', readings.Select(reading => HubOperator.Record(sensor, "pm10", "ug/m3", reading.At, reading.Value)));
        while (true)
        {
            var up = Volatile.Read(ref _isUp);
            await up.Task;
            _fuse?.Pass(Moment.Posting);
            try
            {
                await _operator.PostReadingsAsync("rotunda", $"[{pack}]");
                _fuse?.Pass(Moment.Posted);
                return;
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException)
            {
                // Killed meanwhile: when it is up again, the same once more.
                await Eventually.TrueAsync(() => Volatile.Read(ref _isUp) != up, "somebody killed the hub", Limit);
            }
        }
    }

    private async Task AnswerAsync(WebhookReceiver.Request request, Microsoft.AspNetCore.Http.HttpContext context)
    {
        context.Response.StatusCode = 204;
        var data = JsonElement.Parse(request.Body);
        var type = data.GetProperty("type").GetString()!;
        if (request.Path == Subscribers[0] && type is "alarm.started" or "alarm.ended")
        {
            Told(data.GetProperty("data").GetProperty(type == "alarm.started" ? "startedAt" : "endedAt").GetDateTime(), type).TrySetResult();
        }

        var fuse = Volatile.Read(ref _fuse);
        context.Response.OnCompleted(() =>
        {
            fuse?.Pass(Moment.Answered);
            return Task.CompletedTask;
        });
        if (fuse?.Pass(Moment.Taken) == true)
        {
            // The hub does not live to hear that it was taken.
            await fuse.Killed.Task;
        }
    }

    private Task ToldAsync(DateTime at, string type) => Told(at, type).Task.WaitAsync(Limit);

    private TaskCompletionSource Told(DateTime at, string type) =>
        _told.GetOrAdd((at, type), static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>An instant of now that no other reading has, in whole milliseconds.</summary>
    private DateTime Next()
    {
        lock (_clock)
        {
            var now = DateTime.UtcNow;
            now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond));
            return _last = now > _last ? now : _last.AddMilliseconds(1);
        }
    }

    private static string Data(JsonElement message, string member) => message.GetProperty("data").GetProperty(member).GetString()!;

    private static TaskCompletionSource Finished()
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        source.SetResult();
        return source;
    }

    private static int Number(string variable, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : standard;
}
