using System.Text.Json;
using Hub.Edge.Contract.Readings;
using Hub.Edge.Outbox;
using Hub.Tests.Kit;
using Microsoft.Extensions.Time.Testing;
using MQTTnet.Protocol;

namespace Hub.Edge.Uplink.Tests;

public sealed class UplinkTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("cbor", "application/senml+cbor")]
    [InlineData("json", "application/senml+json")]
    public async Task Readings_arrive_as_they_were_taken_and_are_released(string encoding, string contentType)
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:Encoding", encoding), ("Agent:Uplink:PackReadings", "20"));
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 137);
        await fixture.ReleasedAsync(137);

        fixture.AssertTaken(137);
        Assert.All(fixture.Broker.Packs, pack =>
        {
            Assert.Equal(("braga/avenida", "hub/v1/braga/avenida/readings", contentType), (pack.ClientId, pack.Topic, pack.ContentType));
            Assert.InRange(pack.Readings.Count, 1, 20);
        });

        // It is counted when it is released.
        await Eventually.TrueAsync(() => fixture.Uplink.State.ReadingsAcknowledged == 137, "all are counted");
        var state = fixture.Uplink.State;
        Assert.True(state.Connected);
        Assert.Equal((1, 137, 0), (state.Connections, state.ReadingsSent, state.ReadingsRefused));
    }

    [Fact]
    public async Task What_is_of_live_interest_only_is_dropped_when_it_has_waited_too_long_and_has_an_expiry_on_its_way()
    {
        await using var fixture = new UplinkFixture();
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
        await fixture.StartAgentAsync();

        // A backlog: old and young, live and not, and a pack's worth that nobody wants any more.
        Reading[] waiting =
        [
            .. UplinkFixture.Numbered(0, 2), Live("cpu_temperature", now.AddDays(-2)), Live("uptime", now.AddHours(-23)), Live("outbox_depth", now.AddHours(-25)),
            .. Enumerable.Range(0, 5).Select(_ => Live("throttled", now.AddDays(-3))),
        ];
        await fixture.Outbox.AppendAsync(waiting, null, Cancel);
        await fixture.Broker.StartAsync();
        await Eventually.TrueAsync(() => fixture.Outbox.Counters.Held == 0, "nothing waits");
        Assert.Equal(new OutboxCounters(10, 3, 0, 0, 0, 0, 0) { DroppedExpired = 7 }, fixture.Outbox.Counters);
        Assert.Equal(["pm2_5", "pm2_5", "uptime"], fixture.Broker.Taken.Select(r => r.Property).Order());
        await Eventually.TrueAsync(() => fixture.Uplink.State is { ReadingsSent: 3, ReadingsAcknowledged: 3, ReadingsRefused: 0 }, "they are counted");
        Assert.All(fixture.Broker.Packs, pack => Assert.Equal(0u, pack.Expiry));

        // Alone it may be forgotten on its way, with others it may not.
        await fixture.Outbox.AppendAsync(new[] { Live("cpu_temperature", now), Live("uptime", now.AddHours(-20)) }, null, Cancel);
        await fixture.ReleasedAsync(5);
        Assert.InRange(fixture.Broker.Packs[^1].Expiry, 86_000u, 86_400u);
        await fixture.Outbox.AppendAsync(new[] { Live("cpu_temperature", now), UplinkFixture.Numbered(3) }, null, Cancel);
        await fixture.ReleasedAsync(7);
        Assert.Equal(0u, fixture.Broker.Packs[^1].Expiry);

        static Reading Live(string property, DateTime at) => new("agent", property, at, 7);
    }

    [Fact]
    public async Task What_nobody_wants_any_more_is_counted_so_also_when_the_hub_refuses_the_rest()
    {
        await using var fixture = new UplinkFixture();
        fixture.Broker.Answer = (_, _) => 0x99;
        await fixture.StartAgentAsync();
        await fixture.Outbox.AppendAsync(new[] { UplinkFixture.Numbered(0), new Reading("agent", "uptime", UplinkFixture.Numbered(0).PhenomenonTime, 7) }, null, Cancel);
        await fixture.Broker.StartAsync();
        await Eventually.TrueAsync(() => fixture.Outbox.Counters.Held == 0, "nothing waits");
        Assert.Equal(new OutboxCounters(2, 1, 0, 0, 0, 0, 1) { DroppedExpired = 1 }, fixture.Outbox.Counters);
    }

    [Fact]
    public async Task The_session_is_kept_and_birth_and_goodbye_are_retained()
    {
        // The clock stands still, and with it the time that a stop gives the goodbye.
        await using var fixture = new UplinkFixture { Clock = new FakeTimeProvider(Start) };
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await Eventually.TrueAsync(() => fixture.Broker.Others.Count == 1, "the birth arrived");

        var connect = fixture.Broker.Connect(0);
        Assert.Equal(("braga/avenida", "braga/avenida", "s3cret"), (connect.ClientId, connect.Username, System.Text.Encoding.UTF8.GetString(connect.Password)));
        Assert.False(connect.CleanSession);
        Assert.Equal((86400u, 60, 30u), (connect.SessionExpiryInterval, connect.KeepAlivePeriod, connect.WillDelayInterval));

        Assert.Equal([3600u], fixture.Broker.Expiries);
        var (topic, payload, retain) = fixture.Broker.Others[0];
        Assert.Equal(("hub/v1/braga/avenida/status", true), (topic, retain));
        using (var birth = JsonDocument.Parse(payload))
        {
            var root = birth.RootElement;
            Assert.Equal(("online", "hub-agent 1.2.3", "Avenida"), (root.GetProperty("state").GetString(), root.GetProperty("agent").GetString(), root.GetProperty("name").GetString()));
            Assert.Equal("2026-03-01T00:00:00Z", root.GetProperty("started").GetString());
            Assert.Equal("pm2_5", root.GetProperty("sensors")[0].GetProperty("quantities")[0].GetString());
        }

        await fixture.StopAgentAsync();
        await Eventually.TrueAsync(() => fixture.Broker.Others.Count == 2, "the goodbye arrived");
        (topic, payload, retain) = fixture.Broker.Others[^1];
        Assert.Equal(("hub/v1/braga/avenida/status", true), (topic, retain));
        using var bye = JsonDocument.Parse(payload);
        Assert.Equal(("offline", "stopped"), (bye.RootElement.GetProperty("state").GetString(), bye.RootElement.GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task A_broken_line_makes_the_broker_say_that_the_station_is_lost()
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:WillDelay", "00:00:00"));
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await Eventually.TrueAsync(() => fixture.Broker.Others.Count == 1, "the birth arrived");

        fixture.Broker.LoseAck = number => number == 0;
        await fixture.AppendAsync(0, 5);
        await Eventually.TrueAsync(
            () => fixture.Broker.Others.Any(other => other.Retain && other.Payload.Contains("\"reason\":\"lost\"", StringComparison.Ordinal)), "the will was published");
    }

    [Fact]
    public async Task A_backlog_taken_while_the_broker_was_away_survives_its_restarts()
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:PackReadings", "10"));
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 300);
        Assert.False(fixture.Uplink.State.Connected);
        var answered = 0;
        fixture.Broker.Before = (_, _) =>
        {
            Interlocked.Increment(ref answered);
            return Task.CompletedTask;
        };
        for (var restart = 1; restart <= 4; restart++)
        {
            await fixture.Broker.StartAsync();
            var wanted = Volatile.Read(ref answered) + 5;
            await fixture.AppendAsync(restart * 300, 300);
            await Eventually.TrueAsync(() => Volatile.Read(ref answered) >= wanted, "packs arrived after the restart");
            await fixture.Broker.StopAsync();
        }

        await fixture.Broker.StartAsync();
        await fixture.ReleasedAsync(1500);
        fixture.AssertTaken(1500);
        Assert.True(fixture.Uplink.State.Connections >= 2);
    }

    [Fact]
    public async Task Lost_acknowledgements_cost_repeats_but_no_reading()
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:PackReadings", "10"));
        fixture.Broker.LoseAck = number => number % 7 == 3;
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 400);
        await fixture.ReleasedAsync(400);
        fixture.AssertTaken(400);
        Assert.True(fixture.Broker.Packs.Sum(pack => pack.Readings.Count) > 400, "Nothing was repeated: the test did not test.");
    }

    [Fact]
    public async Task An_agent_started_again_goes_on_behind_what_was_released()
    {
        await using var fixture = new UplinkFixture();
        await fixture.Broker.StartAsync();
        for (var start = 0; start < 3; start++)
        {
            await fixture.StartAgentAsync();
            await fixture.AppendAsync(start * 50, 50);
            await fixture.ReleasedAsync((start + 1) * 50);
            if (start < 2)
            {
                await fixture.StopAgentAsync();
            }
        }

        fixture.AssertTaken(150);
        Assert.Equal(150, fixture.Broker.Packs.Sum(pack => pack.Readings.Count));
    }

    [Theory]
    [InlineData(0x99)]
    [InlineData(0x83)]
    public async Task A_pack_refused_for_good_is_released_counted_and_said(int code)
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:PackReadings", "10"));
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 40);
        fixture.Broker.Answer = (_, readings) => readings[0].Value == 10 ? code : 0;
        await fixture.Broker.StartAsync();
        await fixture.ReleasedAsync(40);

        Assert.Equal(10, fixture.Outbox.Counters.Refused);
        Assert.Equal(10, fixture.Uplink.State.ReadingsRefused);
        Assert.Equal(4, fixture.Broker.Packs.Count);
        Assert.Equal(30, fixture.Broker.Taken.Count);
        Assert.Contains(fixture.Log, line => line.StartsWith($"Warning: Uplink: the hub refused 10 readings for good (code 0x{code:X2}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0x10, "Warning: Uplink: the hub cannot take readings now (code 0x10 no hub has joined this broker yet")]
    [InlineData(0x97, "Warning: Uplink: the hub cannot take readings now (code 0x97")]
    [InlineData(0x89, "Warning: Uplink: the hub cannot take readings now (code 0x89")]
    [InlineData(0x80, "Warning: Uplink: the hub cannot take readings now (code 0x80")]
    [InlineData(0x87, "Error: Uplink: the hub does not allow braga/avenida to publish on hub/v1/braga/avenida/readings (code 0x87")]
    [InlineData(0x90, "Error: Uplink: the hub does not allow braga/avenida to publish on hub/v1/braga/avenida/readings (code 0x90")]
    public async Task A_pack_not_taken_now_is_kept_and_sent_again_and_the_release_waits_for_it(int code, string said)
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:PackReadings", "10"), ("Agent:Uplink:RetryDelayMax", "00:00:00.1"));
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 60);
        var refusals = 0;
        var refuses = true;
        fixture.Broker.Answer = (_, readings) =>
        {
            if (readings[0].Value != 20 || !Volatile.Read(ref refuses))
            {
                return 0;
            }

            Interlocked.Increment(ref refusals);
            return code;
        };
        await fixture.Broker.StartAsync();
        await Eventually.TrueAsync(() => Volatile.Read(ref refusals) >= 3, "the pack was refused again");
        Assert.Equal(20, fixture.Outbox.Head);
        Volatile.Write(ref refuses, false);
        await fixture.ReleasedAsync(60);

        fixture.AssertTaken(60);
        Assert.Contains(fixture.Log, line => line.StartsWith(said, StringComparison.Ordinal));

        // Only the refused pack was repeated, on the same connection.
        Assert.Equal(6 + refusals, fixture.Broker.Packs.Count);
        Assert.Equal(1, fixture.Uplink.State.Connections);
    }

    [Fact]
    public async Task Release_follows_the_order_of_taking_and_no_more_than_the_window_is_in_flight()
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:PackReadings", "5"), ("Agent:Uplink:Window", "3"));
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 200);
        var heads = new List<(int Number, long Head)>();
        using var gate = new SemaphoreSlim(0);
        fixture.Broker.Before = async (number, cancel) =>
        {
            await gate.WaitAsync(cancel);
            heads.Add((number, fixture.Outbox.Head));
        };
        await fixture.Broker.StartAsync();
        for (var pack = 0; pack < 40; pack++)
        {
            gate.Release();
            var wanted = (pack + 1) * 5;
            await Eventually.TrueAsync(() => fixture.Outbox.Head >= wanted, "the pack was released");
            Assert.Equal(wanted, fixture.Outbox.Head);
        }

        fixture.AssertTaken(200);
        Assert.All(heads, seen => Assert.Equal(seen.Number * 5, seen.Head));
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (double)i), fixture.Broker.Packs.SelectMany(pack => pack.Readings).Select(r => r.Value));
    }

    [Theory]
    [InlineData(Fault.Silence)]
    [InlineData(Fault.SilenceUp)]
    [InlineData(Fault.SilenceDown)]
    [InlineData(Fault.Reset)]
    [InlineData(Fault.Close)]
    [InlineData(Fault.SilenceMidPacket)]
    public async Task A_line_that_fails_while_readings_are_sent_is_given_up_and_what_was_in_flight_is_sent_again(Fault fault)
    {
        // The clock stands still but where something is to be overdue: a busy machine answers late too.
        var clock = new FakeTimeProvider(Start);
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:AckTimeout", "00:00:10"), ("Agent:Uplink:ConnectTimeout", "00:05:00"), ("Agent:Uplink:PackReadings", "10")) { Clock = clock };
        await using var proxy = new StallingProxy(fixture.Broker.Port);
        fixture.Set("Agent:Hub:Port", $"{proxy.Port}");
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 50);
        await fixture.ReleasedAsync(50);

        proxy.Fail(fault);
        await fixture.AppendAsync(50, 50);
        if (fault is not (Fault.Reset or Fault.Close))
        {
            await Eventually.TrueAsync(() => fixture.Uplink.State.ReadingsSent > 50, "what is not answered is on its way");
            clock.Advance(TimeSpan.FromSeconds(10));
        }

        await ConnectedAgainAsync(clock, () => proxy.Connections, 2);
        await fixture.ReleasedAsync(100);
        fixture.AssertTaken(100);
        Assert.Equal(2, proxy.Connections);
        if (fault is Fault.Silence or Fault.SilenceUp or Fault.SilenceDown)
        {
            Assert.True(
                fixture.Log.Any(line => line.StartsWith("Warning: Uplink: The hub did not answer in time (no acknowledgement within 10 s).", StringComparison.Ordinal)),
                string.Join(Environment.NewLine, fixture.Log));
        }
    }

    [Theory]
    [InlineData(Fault.Silence)]
    [InlineData(Fault.SilenceDown)]
    [InlineData(Fault.Reset)]
    [InlineData(Fault.Close)]
    public async Task A_line_that_fails_before_the_hub_has_answered_to_the_connection_is_tried_again(Fault fault)
    {
        var clock = new FakeTimeProvider(Start);
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:ConnectTimeout", "00:05:00")) { Clock = clock };
        await using var proxy = new StallingProxy(fixture.Broker.Port) { AtStart = [fault, fault] };
        fixture.Set("Agent:Hub:Port", $"{proxy.Port}");
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 50);
        for (var connection = 1; connection <= 2; connection++)
        {
            await ConnectedAgainAsync(clock, () => proxy.Connections, connection);
            if (fault is not (Fault.Reset or Fault.Close))
            {
                clock.Advance(TimeSpan.FromMinutes(5));
            }
        }

        await ConnectedAgainAsync(clock, () => proxy.Connections, 3);
        await fixture.ReleasedAsync(50);
        fixture.AssertTaken(50);
        Assert.Equal(3, proxy.Connections);
    }

    [Fact]
    public async Task A_line_that_only_drips_carries_everything_in_the_end()
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:PackReadings", "10"));
        await using var proxy = new StallingProxy(fixture.Broker.Port) { ChunkBytes = 7 };
        fixture.Set("Agent:Hub:Port", $"{proxy.Port}");
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 50);
        await fixture.ReleasedAsync(50);
        fixture.AssertTaken(50);
        Assert.Equal(1, proxy.Connections);
    }

    [Fact]
    public async Task An_agent_whose_name_another_one_uses_says_so_and_steps_back()
    {
        // It steps back for as long as the test wants: it must not take the name back before the other one has it.
        var stepsBack = TimeSpan.FromSeconds(7);
        var clock = new WatchedTime(Start);
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:RefusedDelay", "00:00:07")) { Clock = clock };
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 5);
        await fixture.ReleasedAsync(5);
        using (var other = new MQTTnet.MqttClientFactory().CreateMqttClient())
        {
            await other.ConnectAsync(
                new MQTTnet.MqttClientOptionsBuilder().WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500).WithTcpServer("127.0.0.1", fixture.Broker.Port)
                    .WithClientId("braga/avenida").Build(),
                Cancel);
            await Eventually.TrueAsync(
                () => fixture.Log.Any(line => line.StartsWith("Error: Uplink: another agent has connected as braga/avenida", StringComparison.Ordinal)), "it was said");
        }

        await fixture.AppendAsync(5, 5);
        await Eventually.TrueAsync(() => clock.Begun(stepsBack) == 1, "it steps back");
        Assert.Equal(5, fixture.Outbox.Counters.Held);
        clock.Advance(stepsBack);

        // The broker may still be busy with the other one's end and let this one go once more: then it waits again.
        await Eventually.TrueAsync(
            () =>
            {
                clock.TryPass(TimeSpan.FromMilliseconds(100));
                return fixture.Outbox.Counters.Released >= 10;
            },
            "10 readings were released");
        fixture.AssertTaken(10);
    }

    [Fact]
    public async Task A_wrong_secret_is_said_clearly_and_tried_again_until_it_is_right()
    {
        await using var fixture = new UplinkFixture();
        using var folder = new TempFolder();
        var secret = folder.File("secret");
        await File.WriteAllTextAsync(secret, "wrong\n", Cancel);
        fixture.Set("Agent:Hub:SecretFile", secret);
        fixture.Broker.Login = e => e.Password == "right" ? MqttConnectReasonCode.Success : MqttConnectReasonCode.BadUserNameOrPassword;
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 10);
        await Eventually.TrueAsync(() => fixture.Broker.Connects >= 2, "it tried again");
        Assert.Equal(10, fixture.Outbox.Counters.Held);
        Assert.Contains(
            fixture.Log,
            line => line.StartsWith($"Error: Uplink: the hub at 127.0.0.1:{fixture.Broker.Port} does not accept braga/avenida (code 0x86 BadUserNameOrPassword): check municipality, station and secret.", StringComparison.Ordinal));

        await File.WriteAllTextAsync(secret, "right\n", Cancel);
        await fixture.ReleasedAsync(10);
        fixture.AssertTaken(10);
        Assert.DoesNotContain(fixture.Log, line => line.Contains("wrong", StringComparison.Ordinal) || line.Contains("right", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_reading_that_cannot_be_encoded_holds_up_no_other()
    {
        await using var fixture = new UplinkFixture();
        await fixture.StartAgentAsync();
        var readings = UplinkFixture.Numbered(0, 5);
        readings[2] = readings[2] with { Property = "no_such_quantity" };
        await fixture.Outbox.AppendAsync(readings, null, Cancel);
        await fixture.Outbox.AppendAsync(new[] { readings[2] }, null, Cancel);
        await fixture.Broker.StartAsync();
        await fixture.ReleasedAsync(6);
        Assert.Equal([0, 1, 3, 4], fixture.Broker.Packs.SelectMany(pack => pack.Readings).Select(r => r.Value));
        Assert.Equal(2, fixture.Outbox.Counters.Refused);
        Assert.Contains(fixture.Log, line => line.StartsWith("Error: Uplink: reading 2 (air/no_such_quantity) cannot be encoded and is given up:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stop_lets_what_is_in_flight_be_acknowledged()
    {
        // The clock stands still, and with it the time that a stop gives.
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:PackReadings", "10")) { Clock = new FakeTimeProvider(Start) };
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var gate = new SemaphoreSlim(0);
        fixture.Broker.Before = async (_, cancel) =>
        {
            arrived.TrySetResult();
            await gate.WaitAsync(cancel);
        };
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 10, group: 10);
        await arrived.Task.WaitAsync(Eventually.Limit, Cancel);
        var stopping = fixture.StopAgentAsync();
        gate.Release(100);
        await stopping;

        await fixture.StartAgentAsync();
        await fixture.ReleasedAsync(10);
        Assert.Single(fixture.Broker.Packs);
    }

    [Fact]
    public async Task A_large_backlog_drains()
    {
        await using var fixture = new UplinkFixture();
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 20_000, group: 500);
        var started = TimeProvider.System.GetTimestamp();
        await fixture.Broker.StartAsync();
        await fixture.ReleasedAsync(20_000);
        Assert.Equal(0, fixture.Outbox.Counters.Unwritten);
        TestContext.Current.SendDiagnosticMessage($"{20_000 / TimeProvider.System.GetElapsedTime(started).TotalSeconds:0} readings/s, connecting included");
        fixture.AssertTaken(20_000);
        Assert.Equal(200, fixture.Broker.Packs.Count);
    }

    [Fact]
    public async Task After_an_outage_what_is_taken_now_leaves_ahead_of_the_backlog_which_follows_oldest_first()
    {
        // The rate is that of a clock that stands still: what the first second has room for leaves, and no more of the backlog.
        var clock = new FakeTimeProvider(Start);
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:PackReadings", "10"), ("Agent:Uplink:BacklogReadingsPerSecond", "100")) { Clock = clock };
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 1000);
        await fixture.Broker.StartAsync();
        await ConnectedAgainAsync(clock, () => fixture.Broker.Connects, 1);
        await Eventually.TrueAsync(() => fixture.Broker.Packs.Count >= 3, "the backlog began to drain");

        // At 100 readings a second the backlog takes ten seconds; what is taken now takes none.
        await fixture.AppendAsync(1000, 20);
        await Eventually.TrueAsync(() => fixture.Broker.Taken.Count(r => r.Value >= 1000) == 20, "the fresh readings arrived");
        Assert.InRange(fixture.Broker.Taken.Count(r => r.Value < 1000), 30, 110);
        await Eventually.TrueAsync(() => fixture.Outbox.Counters is { Released: > 20 } counters && counters.Taken == counters.Released + counters.Held, "they were released");
        Assert.True(fixture.Outbox.Head < 1000);

        // The agent is stopped and started with no limit: what was released ahead of the rest is not sent again.
        var head = fixture.Outbox.Head;
        await fixture.StopAgentAsync();
        var before = fixture.Broker.Packs.Count;
        fixture.Set("Agent:Uplink:BacklogReadingsPerSecond", "0");
        await fixture.StartAgentAsync();
        Assert.InRange(fixture.Outbox.Head, head, 1000);
        await fixture.ReleasedAsync(1020);
        fixture.AssertTaken(1020);
        Assert.DoesNotContain(fixture.Broker.Packs.Skip(before).SelectMany(pack => pack.Readings), r => r.Value >= 1000);
        var old = fixture.Broker.Packs.SelectMany(pack => pack.Readings).Where(r => r.Value < 1000).Select(r => r.Value).ToArray();
        Assert.Equal(old.Order(), old);
    }

    [Fact]
    public async Task An_old_pack_that_the_hub_cannot_take_does_not_hold_up_what_is_taken_now()
    {
        await using var fixture = new UplinkFixture(null, ("Agent:Uplink:PackReadings", "10"), ("Agent:Uplink:Window", "50"));
        await fixture.StartAgentAsync();
        await fixture.AppendAsync(0, 40);
        var stuck = true;
        fixture.Broker.Answer = (_, readings) => readings[0].Value == 10 && Volatile.Read(ref stuck) ? 0x80 : 0;
        await fixture.Broker.StartAsync();
        await Eventually.TrueAsync(() => fixture.Outbox.Head == 10, "the pack before it was released");
        for (var n = 40; n < 200; n += 5)
        {
            await fixture.AppendAsync(n, 5);
        }

        await Eventually.TrueAsync(() => fixture.Outbox.Counters.Released == 170, "everything taken since was released");
        Assert.Equal((10, 30), (fixture.Outbox.Head, fixture.Outbox.Counters.Held));
        Volatile.Write(ref stuck, false);
        await fixture.ReleasedAsync(200);
        fixture.AssertTaken(200);
    }

    [Fact]
    public async Task A_source_that_brings_its_past_along_while_connected_does_not_hold_up_what_comes_after()
    {
        await using var fixture = new UplinkFixture(
            null, ("Agent:Uplink:PackReadings", "10"), ("Agent:Uplink:Window", "3"), ("Agent:Uplink:BacklogReadingsPerSecond", "50"), ("Agent:Outbox:WriteDelay", "00:00:00"))
        {
            Clock = new FakeTimeProvider(Start),
        };
        await fixture.Broker.StartAsync();
        await fixture.StartAgentAsync();
        await Eventually.TrueAsync(() => fixture.Uplink.State.Connected, "it is connected");
        await fixture.AppendAsync(0, 1000, group: 1000);

        // What is taken before the uplink has seen how much that is belongs to it; what comes after goes first.
        await Eventually.TrueAsync(() => fixture.Broker.Taken.Count >= 20, "the uplink has begun with the past");
        await fixture.AppendAsync(1000, 5);
        await Eventually.TrueAsync(() => fixture.Broker.Taken.Any(r => r.Value == 1004), "the last reading arrived");

        // The past takes twenty seconds at this rate, of which none has passed.
        Assert.InRange(fixture.Broker.Taken.Count, 5, 110);
        var counters = fixture.Outbox.Counters;
        Assert.Equal((1005L, 1005L), (counters.Taken, counters.Released + counters.Held));
    }

    /// <summary>Lets the pauses between connections pass, in steps so small that no connection is overdue by them.</summary>
    private static Task ConnectedAgainAsync(FakeTimeProvider clock, Func<int> seen, int connections) => Eventually.TrueAsync(
        () =>
        {
            if (seen() < connections)
            {
                clock.Advance(TimeSpan.FromMilliseconds(50));
            }

            return seen() >= connections;
        },
        $"connection {connections} is there");
}
