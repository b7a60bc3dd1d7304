using Hub.Cloud.Ingest;
using Hub.Edge.Contract.Twin;
using static Hub.Cloud.Fleet.Tests.FleetHost;

namespace Hub.Cloud.Fleet.Tests;

/// <summary>What stations say of themselves.</summary>
public sealed class AgentTests : IDisposable
{
    private const string Birth = """
        {"state":"online","agent":"hub-agent 0.1.0","started":"2026-11-26T03:00:00Z","name":"x","new":{"a":[1]},
         "sensors":[{"name":"air","kind":"sps30","quantities":["pm10","pm2_5"],"condition":"dead"},{"name":"noise","kind":"microphone","quantities":["laeq"]},{"kind":"nameless"},7]}
        """;

    private readonly World world = new();

    public void Dispose() => world.Dispose();

    [Fact]
    public async Task Birth_and_will_tell_whether_it_is_there_and_how_its_sensors_were()
    {
        await using var hub = await StartAsync(world);
        Assert.Equal(Presence.Unknown, hub.Fleet.AgentOf(hub.Air.Id).Presence);
        await hub.Broker.SayAsync("braga", "air-1", StationMessageKind.Status, Birth, hub.Now);
        var there = hub.Fleet.AgentOf(hub.Air.Id);
        Assert.Equal((Presence.Online, "hub-agent 0.1.0", hub.Now), (there.Presence, there.Status!.Agent, there.StatusAt));
        Assert.Equal([("air", "sps30", "dead"), ("noise", "microphone", null)], there.Sensors.Select(s => (s.Name, s.Kind, s.Condition)));
        hub.Time.Advance(TimeSpan.FromMinutes(1));
        await hub.Broker.SayAsync("braga", "air-1", StationMessageKind.Status, """{"state":"offline","reason":"lost","started":"2026-11-26T03:00:00Z"}""", hub.Now);
        var gone = hub.Fleet.AgentOf(hub.Air.Id);
        Assert.Equal((Presence.Offline, "lost", hub.Now), (gone.Presence, gone.Status!.Reason, gone.StatusAt));
        Assert.Equal(2, gone.Sensors.Count);

        // Its homonym in another municipality is another station.
        Assert.True(hub.Stations.TryGet("aveiro", "air-1", out var other));
        Assert.Equal(Presence.Unknown, hub.Fleet.AgentOf(other.Id).Presence);
    }

    [Fact]
    public async Task A_word_that_is_not_renewed_in_its_time_holds_no_longer_and_a_restart_of_the_hub_does_not_renew_it()
    {
        await using (var hub = await StartAsync(world))
        {
            await hub.Broker.SayAsync("braga", "air-1", StationMessageKind.Status, Birth, hub.Now, expiry: TimeSpan.FromHours(1));
            hub.Time.Advance(TimeSpan.FromMinutes(59));
            Assert.Equal(Presence.Online, hub.Fleet.AgentOf(hub.Air.Id).Presence);
        }

        await using var next = await StartAsync(world);
        await next.Broker.SayAsync("braga", "air-1", StationMessageKind.Status, Birth, next.Now, retained: true);
        Assert.Equal(Presence.Online, next.Fleet.AgentOf(next.Air.Id).Presence);
        next.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(Presence.Offline, next.Fleet.AgentOf(next.Air.Id).Presence);
        await next.Broker.SayAsync("braga", "air-1", StationMessageKind.Status, Birth, next.Now, expiry: TimeSpan.FromHours(1));
        Assert.Equal(Presence.Online, next.Fleet.AgentOf(next.Air.Id).Presence);
    }

    [Fact]
    public async Task What_it_reports_is_known_after_a_restart_too()
    {
        var report = new ReportedState(7, TwinOutcome.Refused, 6, Start.UtcDateTime, ["settings.sensors[0].kind: unknown"], new ReportedAgent("1.3.2", "linux-arm64"));
        await using (var hub = await StartAsync(world))
        {
            await hub.Broker.SayAsync("braga", "air-1", StationMessageKind.Reported, System.Text.Encoding.UTF8.GetString(report.ToUtf8()), hub.Now);
            Assert.Equal((7, TwinOutcome.Refused, 6), Told(hub));
        }

        await using var next = await StartAsync(world);
        Assert.Equal((7, TwinOutcome.Refused, 6), Told(next));
        Assert.Equal(report.Problems, next.Fleet.AgentOf(next.Air.Id).Reported!.Problems);

        static (long, TwinOutcome, long) Told(FleetHost hub) => hub.Fleet.AgentOf(hub.Air.Id).Reported is { } r ? (r.Version, r.Outcome, r.InForce) : default;
    }

    [Theory]
    [InlineData(StationMessageKind.Status, "{")]
    [InlineData(StationMessageKind.Status, "[]")]
    [InlineData(StationMessageKind.Status, """{"state":"asleep"}""")]
    [InlineData(StationMessageKind.Reported, """{"version":"seven"}""")]
    [InlineData(StationMessageKind.Reported, "null")]
    public async Task What_cannot_be_read_changes_nothing(StationMessageKind kind, string text)
    {
        await using var hub = await StartAsync(world);
        await hub.Broker.SayAsync("braga", "air-1", StationMessageKind.Status, Birth, hub.Now);
        await hub.Broker.SayAsync("braga", "air-1", kind, text, hub.Now);
        var view = hub.Fleet.AgentOf(hub.Air.Id);
        Assert.Equal((Presence.Online, null), (view.Presence, view.Reported));
        await hub.Broker.SayAsync("braga", "nobody", kind, text, hub.Now);
    }

    [Fact]
    public async Task An_empty_retained_message_takes_the_word_back()
    {
        await using var hub = await StartAsync(world);
        await hub.OnlineAsync();
        await hub.Broker.SayAsync("braga", "air-1", StationMessageKind.Status, "", hub.Now);
        Assert.Equal(Presence.Unknown, hub.Fleet.AgentOf(hub.Air.Id).Presence);
    }

    [Fact]
    public void Long_texts_and_many_sensors_are_cut()
    {
        var json = $$"""{"state":"online","agent":"{{new string('x', 5_000)}}\u0007","sensors":[{{string.Join(',', Enumerable.Range(0, 500).Select(i => $$"""{"name":"s{{i}}"}"""))}}]}""";
        Assert.True(Twin.StatusReader.TryRead(System.Text.Encoding.UTF8.GetBytes(json), out var status));
        Assert.Equal((200, 200), (status.Agent!.Length, status.Sensors.Count));
    }
}
