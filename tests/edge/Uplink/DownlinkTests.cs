using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Hub.Edge.Contract.Commands;
using Hub.Edge.Outbox;
using Hub.Edge.Outbox.Tests;
using Hub.Tests.Kit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace Hub.Edge.Uplink.Tests;

/// <summary>What the hub says to a station, through a real broker.</summary>
public sealed class DownlinkTests : IAsyncDisposable
{
    private const string Desired = "hub/v1/braga/avenida/config/desired";
    private const string Reply = "hub/v1/braga/avenida/reply";

    private readonly FakeTwin _twin = new();
    private readonly FakeDesk _desk = new();
    private readonly FakeSelf _self = new();
    private readonly UplinkFixture _fixture;

    public DownlinkTests() => _fixture = new UplinkFixture
    {
        Services = services => services.AddSingleton<ITwinLink>(_twin).AddSingleton<ICommandLink>(_desk).AddSingleton<IStationSelf>(_self),
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TestBroker Broker => _fixture.Broker;

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task A_retained_document_arrives_at_every_connection_and_a_new_one_at_once()
    {
        await StartAsync();
        await Broker.SendAsync(Desired, "one", retain: true);
        await Eventually.TrueAsync(() => _twin.Documents.SequenceEqual(["one"]) && Broker.Acknowledged == 1, "the document arrived and is acknowledged");
        await Broker.Server.DisconnectClientAsync("braga/avenida", new MqttServerClientDisconnectOptions());
        await Eventually.TrueAsync(() => _twin.Documents.SequenceEqual(["one", "one"]), "it arrived again with the next connection");
        await Broker.SendAsync(Desired, "", retain: true);
        await Broker.SendAsync(Desired, "two", retain: true);
        await Eventually.TrueAsync(() => _twin.Documents.SequenceEqual(["one", "one", "two"]), "the new one arrived, and its removal before it is nothing");
    }

    [Fact]
    public async Task The_report_is_said_at_every_connection_and_whenever_it_changes_and_acknowledged_by_its_number()
    {
        await StartAsync();
        await Eventually.TrueAsync(() => Broker.Reports.Count == 1 && _twin.Acknowledged.SequenceEqual([1L]), "the first report is acknowledged");
        Assert.Equal(("hub/v1/braga/avenida/config/reported", true), Broker.Others.Where(other => other.Topic.EndsWith("reported", StringComparison.Ordinal)).Select(other => (other.Topic, other.Retain)).Single());
        _twin.Say("second");
        await Eventually.TrueAsync(() => Broker.Reports is [_, "second"] && _twin.Acknowledged.SequenceEqual([1L, 2L]), "the second too");
        await Broker.Server.DisconnectClientAsync("braga/avenida", new MqttServerClientDisconnectOptions());
        await Eventually.TrueAsync(() => Broker.Reports is [_, "second", "second"] && _twin.Acknowledged.Count == 3, "and again with the next connection");

        // One that the hub does not take is not acknowledged.
        Broker.AnswerOther = _ => 0x87;
        _twin.Say("third");
        await Eventually.TrueAsync(() => Broker.Reports.Count == 4, "the third arrived");
        await _fixture.AppendAsync(0, 5);
        await _fixture.ReleasedAsync(5);
        Assert.Equal(3, _twin.Acknowledged.Count);
    }

    [Fact]
    public async Task A_command_is_done_once_however_often_it_comes_and_gets_the_same_answer()
    {
        await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await Broker.SendAsync("hub/v1/braga/avenida/command/read-now", """{"sensor":"air"}""", responseTopic: Reply, correlation: [1, 2, 3]);
        }

        await Eventually.TrueAsync(() => Broker.Replies.Count == 3, "three answers came");
        Assert.Equal([("read-now", """{"sensor":"air"}""")], _desk.Done);
        Assert.Equal(Reply, Broker.Replies[0].Topic);
        Assert.Single(Broker.Replies.Distinct());
        Assert.Equal("010203", Broker.Replies[0].Correlation);
        Assert.True(CommandReply.TryRead(Encoding.UTF8.GetBytes(Broker.Replies[0].Payload), out var reply, out _));
        Assert.Equal(CommandOutcome.Done, reply.Outcome);

        await Broker.SendAsync("hub/v1/braga/avenida/command/read-now", "", responseTopic: Reply, correlation: [4]);
        await Eventually.TrueAsync(() => _desk.Done.Count == 2, "another one is done");
    }

    [Fact]
    public async Task A_command_that_is_not_well_formed_or_retained_is_not_done()
    {
        await StartAsync();
        const string Topic = "hub/v1/braga/avenida/command/restart";
        await Broker.SendAsync(Topic, "", responseTopic: "hub/v1/braga/other/reply", correlation: [1]);
        await Broker.SendAsync(Topic, "", correlation: [1]);
        await Broker.SendAsync(Topic, "", responseTopic: Reply);
        await Broker.SendAsync(Topic, "", responseTopic: Reply, correlation: new byte[65]);
        await Broker.SendAsync(Topic, new string(' ', Downlink.ArgumentBytesMax + 1), responseTopic: Reply, correlation: [2]);
        await Broker.SendAsync("hub/v1/braga/avenida/command/identify", "", responseTopic: Reply, correlation: [3]);
        await Eventually.TrueAsync(() => Broker.Replies.Count == 1, "the good one is answered");
        Assert.Equal(["identify"], _desk.Done.Select(command => command.Name));
        Assert.Equal("03", Broker.Replies[0].Correlation);
        Assert.Equal(5, _fixture.Log.Count(line => line.Contains("is not acted on", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_retained_command_which_would_come_again_at_every_connection_is_not_done()
    {
        await Broker.StartAsync();
        await Broker.SendAsync("hub/v1/braga/avenida/command/restart", "{}", retain: true, responseTopic: Reply, correlation: [9]);
        await _fixture.StartAgentAsync();
        await Eventually.TrueAsync(() => _fixture.Log.Any(line => line.Contains("it is retained", StringComparison.Ordinal)), "it came");
        Assert.Empty(_desk.Done);
    }

    [Fact]
    public async Task A_command_that_throws_is_answered_as_failed_and_what_follows_waits_for_the_answer()
    {
        // The clock stands still: what follows waits for the answer for some seconds only.
        await using var fixture = new UplinkFixture
        {
            Clock = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero)), Services = services => services.AddSingleton<ITwinLink>(_twin).AddSingleton<ICommandLink>(_desk),
        };
        var broker = fixture.Broker;
        var followed = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _desk.Answer = name => name == "broken" ? throw new InvalidOperationException("A bug.")
            : new CommandAnswer(new CommandReply(CommandOutcome.Done), () => followed.TrySetResult(broker.Replies.Count));
        await broker.StartAsync();
        await fixture.StartAgentAsync();
        await Eventually.TrueAsync(() => broker.Reports.Count > 0, "the station is there");
        await broker.SendAsync("hub/v1/braga/avenida/command/broken", "", responseTopic: Reply, correlation: [1]);
        await Eventually.TrueAsync(() => broker.Replies.Count == 1, "it is answered");
        Assert.Contains("\"failed\"", broker.Replies[0].Payload, StringComparison.Ordinal);
        Assert.Contains("A bug.", broker.Replies[0].Payload, StringComparison.Ordinal);
        await broker.SendAsync("hub/v1/braga/avenida/command/restart", "", responseTopic: Reply, correlation: [2]);
        Assert.Equal(2, await followed.Task.WaitAsync(Eventually.Limit, Cancel));
    }

    [Fact]
    public async Task A_command_that_takes_long_holds_up_neither_readings_nor_reports()
    {
        var release = new TaskCompletionSource();
        _desk.Before = () => release.Task;
        await StartAsync();
        await Broker.SendAsync("hub/v1/braga/avenida/command/read-now", "", responseTopic: Reply, correlation: [1]);
        await Eventually.TrueAsync(() => _desk.Begun == 1, "it is being done");
        await _fixture.AppendAsync(0, 50);
        await _fixture.ReleasedAsync(50);
        _twin.Say("meanwhile");
        await Eventually.TrueAsync(() => Broker.Reports[^1] == "meanwhile", "the report went out");

        // More than may wait: the rest is told so at once.
        for (var i = 0; i < Downlink.WaitingMax + 4; i++)
        {
            await Broker.SendAsync("hub/v1/braga/avenida/command/read-now", "", responseTopic: Reply, correlation: [2, (byte)i]);
        }

        await Eventually.TrueAsync(() => Broker.Replies.Count == 4, "four are told that too many wait");
        Assert.All(Broker.Replies, reply => Assert.Contains("Too many", reply.Payload, StringComparison.Ordinal));
        release.SetResult();
        await Eventually.TrueAsync(() => Broker.Replies.Count == 5 + Downlink.WaitingMax, "all that waited are done");
    }

    [Fact]
    public async Task A_broker_that_refuses_subscriptions_gets_readings_all_the_same()
    {
        Broker.Subscription = _ => MqttSubscribeReasonCode.NotAuthorized;
        await StartAsync();
        await _fixture.AppendAsync(0, 20);
        await _fixture.ReleasedAsync(20);
        await Eventually.TrueAsync(() => _fixture.Log.Count(line => line.Contains("does not let this station subscribe", StringComparison.Ordinal)) == 2, "both are said");
        Assert.Equal(1, Broker.Connects);
        Assert.NotEmpty(Broker.Reports);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_broker_that_breaks_the_connection_over_a_subscription_or_a_report_gets_readings_all_the_same(bool overSubscription)
    {
        if (overSubscription)
        {
            Broker.Subscription = _ => null;
        }
        else
        {
            Broker.BreakOver = topic => topic.EndsWith("/config/reported", StringComparison.Ordinal);
        }

        await StartAsync();
        await _fixture.AppendAsync(0, 20);
        await _fixture.ReleasedAsync(20);
        await Eventually.TrueAsync(() => _fixture.Log.Any(line => line.Contains("none does for 15 minutes", StringComparison.Ordinal)), "it is said");
        await _fixture.AppendAsync(20, 20);
        await _fixture.ReleasedAsync(40);
        Assert.Equal(SubscriptionGuard.LossesMax + 1, Broker.Connects);
    }

    [Fact]
    public void After_a_while_it_is_tried_again_and_one_answer_makes_it_good()
    {
        var time = new FakeTimeProvider();
        var guard = new SubscriptionGuard();
        Assert.Equal([false, false, true], Enumerable.Range(0, 3).Select(_ => guard.Lost(time)));
        Assert.False(guard.MaySpeak(time));
        time.Advance(SubscriptionGuard.Rest);
        Assert.True(guard.MaySpeak(time));
        Assert.False(guard.Lost(time));
        guard.Answered();
        Assert.Equal([false, false, true], Enumerable.Range(0, 3).Select(_ => guard.Lost(time)));
    }

    [Fact]
    public async Task Nobody_who_listens_means_nothing_subscribed()
    {
        await using var alone = new UplinkFixture();
        await alone.Broker.StartAsync();
        await alone.StartAgentAsync();
        await alone.AppendAsync(0, 5);
        await alone.ReleasedAsync(5);
        Assert.Empty(alone.Broker.Subscriptions);
        Assert.Empty(alone.Broker.Reports);
    }

    [Fact]
    public async Task A_station_without_the_time_hears_the_hub_all_the_same()
    {
        var machine = new FakeMachine(DateTimeOffset.UnixEpoch);
        using var clock = new StationClock(machine, TimeProvider.System);
        await using var fixture = new UplinkFixture { Clock = clock, Services = services => services.AddSingleton<ITwinLink>(_twin).AddSingleton<ICommandLink>(_desk) };
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await Eventually.TrueAsync(
            () => fixture.Broker.Subscriptions.Count == 3 && fixture.Broker.Reports.Count == 1, "it asks for the time and listens: it reports when its subscriptions are answered");
        await fixture.Broker.SendAsync(Desired, "one", retain: true);
        await fixture.Broker.SendAsync("hub/v1/braga/avenida/command/identify", "", responseTopic: Reply, correlation: [1]);
        await Eventually.TrueAsync(() => _twin.Documents.Count == 1 && fixture.Broker.Replies.Count == 1, "both arrived");
        Assert.DoesNotContain("time", _desk.Done.Select(command => command.Name));

        // The answer to its question is none of the commands.
        fixture.Broker.Time = () => new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
        await fixture.StopAgentAsync();
        await fixture.StartAgentAsync();
        await Eventually.TrueAsync(() => clock.IsTrusted, "it has the time");
        Assert.Equal(["identify"], _desk.Done.Select(command => command.Name));
    }

    [Fact]
    public async Task The_birth_tells_the_condition_of_each_sensor_and_is_said_again_when_one_changes()
    {
        await StartAsync();
        await Eventually.TrueAsync(() => Statuses().Count == 1, "the birth arrived");
        Assert.Equal(["starting"], Conditions(Statuses()[0]));
        _self.Condition = "dead";
        await Eventually.TrueAsync(() => Statuses().Count == 2, "it is said again");
        Assert.Equal(["dead"], Conditions(Statuses()[1]));

        IReadOnlyList<string> Statuses() => [.. Broker.Others.Where(other => other.Topic.EndsWith("/status", StringComparison.Ordinal)).Select(other => other.Payload)];

        static IEnumerable<string> Conditions(string status)
        {
            using var json = JsonDocument.Parse(status);
            return [.. json.RootElement.GetProperty("sensors").EnumerateArray().Select(sensor => sensor.GetProperty("condition").GetString()!)];
        }
    }

    [Fact]
    public async Task Other_settings_make_another_connection_and_lose_nothing()
    {
        await StartAsync();
        await _fixture.AppendAsync(0, 20);
        await using var second = new TestBroker(FreePort.Next());
        await second.StartAsync();
        await _fixture.Uplink.ApplyAsync(_fixture.Settings, Cancel);
        Assert.Equal(1, Broker.Connects);
        _fixture.Set("Agent:Hub:Port", $"{second.Port}");
        await _fixture.Uplink.ApplyAsync(_fixture.Settings, Cancel);

        // The old hub is told, after which this broker may say the will; from here on nothing goes there.
        await Eventually.TrueAsync(() => Broker.Others.Any(other => other.Payload.Contains("\"reason\":\"stopped\"", StringComparison.Ordinal)), "the goodbye arrived");
        var before = Broker.Packs.Count;
        await _fixture.AppendAsync(20, 20);
        await _fixture.ReleasedAsync(40);
        Assert.Equal(before, Broker.Packs.Count);
        Assert.Equal(UplinkFixture.Numbered(0, 40).Select(reading => reading.Value), Broker.Taken.Concat(second.Taken).Select(reading => reading.Value).Distinct().Order());
    }

    private async Task StartAsync()
    {
        await Broker.StartAsync();
        await _fixture.StartAgentAsync();
        await Eventually.TrueAsync(() => Broker.Reports.Count > 0 || Broker.Connects > 1, "the station is there");
    }

    private sealed class FakeTwin : ITwinLink
    {
        private readonly Lock _gate = new();
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private ReportedDocument _reported = new(1, "first"u8.ToArray());

        public ConcurrentQueue<string> Documents { get; } = new();

        public ConcurrentQueue<long> Acknowledged { get; } = new();

        public ReportedDocument Reported
        {
            get
            {
                lock (_gate)
                {
                    return _reported;
                }
            }
        }

        public void Say(string report)
        {
            lock (_gate)
            {
                _reported = new ReportedDocument(_reported.Number + 1, Encoding.UTF8.GetBytes(report));
                _changed.SetResult();
                _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        public Task ReportedChangedAsync(long number)
        {
            lock (_gate)
            {
                return number == _reported.Number ? _changed.Task : Task.CompletedTask;
            }
        }

        public void ReportedAcknowledged(long number) => Acknowledged.Enqueue(number);

        public Task DesiredAsync(ReadOnlyMemory<byte> document, CancellationToken cancellationToken)
        {
            Documents.Enqueue(Encoding.UTF8.GetString(document.Span));
            return Task.CompletedTask;
        }
    }

    private sealed class FakeDesk : ICommandLink
    {
        private int _begun;

        public ConcurrentQueue<(string Name, string Payload)> Done { get; } = new();

        public int Begun => Volatile.Read(ref _begun);

        public Func<Task> Before { get; set; } = () => Task.CompletedTask;

        public Func<string, CommandAnswer> Answer { get; set; } = _ => new CommandAnswer(new CommandReply(CommandOutcome.Done));

        public async Task<CommandAnswer> CommandAsync(string name, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _begun);
            await Before();
            Done.Enqueue((name, Encoding.UTF8.GetString(payload.Span)));
            return Answer(name);
        }
    }

    private sealed class FakeSelf : IStationSelf
    {
        public volatile string Condition = "starting";

        public StationBirth Birth => new("hub-agent 1.2.3", new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), "Avenida", null, null, null, [new StationBirthSensor("air", "simulated", ["pm2_5"], Condition)]);
    }
}
